//! Two programs of classic BPF (Documentation/networking/filter.rst): which frames a socket hears,
//! and which of several sockets hears a frame.

use core::ffi::c_int;

use dpdk_sys as sys;

use super::Failure;
use super::socket::RingSocket;

/// Lets everything through but what the host itself sends. (Not `PACKET_IGNORE_OUTGOING`, which is
/// without effect in a fanout group.)
pub(super) fn ignore_outgoing(socket: &RingSocket) -> Result<(), Failure> {
    let kind = (sys::SKF_AD_OFF + sys::SKF_AD_PKTTYPE as i32) as u32;
    let program = [
        op(sys::BPF_LD | sys::BPF_W | sys::BPF_ABS, kind),
        skip_unless(sys::PACKET_OUTGOING, 1),
        RETURN_0,
        op(sys::BPF_RET | sys::BPF_K, u32::MAX),
    ];
    socket.set("SO_ATTACH_FILTER", libc::SOL_SOCKET, libc::SO_ATTACH_FILTER, &code(&program))
}

/// Joins, or begins, the group of this process and interface. A frame goes to the queue its IP
/// addresses say, and nothing else: fragments, which have no ports, stay in order with the
/// datagrams around them.
pub(super) fn join(socket: &RingSocket, interface: u32) -> Result<(), Failure> {
    // The driver's own group, still there for a moment, has the same number but for the top bit.
    let id = (std::process::id() ^ interface ^ 0x8000) & 0xffff;
    let group = (id | sys::PACKET_FANOUT_CBPF << 16) as c_int;
    let program = addresses();
    socket.set("PACKET_FANOUT", libc::SOL_PACKET, sys::PACKET_FANOUT as c_int, &group)?;
    let data = sys::PACKET_FANOUT_DATA as c_int;
    socket.set("PACKET_FANOUT_DATA", libc::SOL_PACKET, data, &code(&program))
}

/// The program in the form that setsockopt(2) takes; it points to `program`.
fn code(program: &[sys::sock_filter]) -> sys::sock_fprog {
    sys::sock_fprog { len: program.len() as u16, filter: program.as_ptr().cast_mut() }
}

const fn op(code: u32, k: u32) -> sys::sock_filter {
    sys::sock_filter { code: code as u16, jt: 0, jf: 0, k }
}

const fn load(offset: u32) -> sys::sock_filter {
    op(sys::BPF_LD | sys::BPF_W | sys::BPF_ABS, (sys::SKF_NET_OFF as u32).wrapping_add(offset))
}

const fn skip_unless(value: u32, skip: u8) -> sys::sock_filter {
    let code = sys::BPF_JMP | sys::BPF_JEQ | sys::BPF_K;
    sys::sock_filter { code: code as u16, jt: 0, jf: skip, k: value }
}

const TAX: sys::sock_filter = op(sys::BPF_MISC | sys::BPF_TAX, 0);
const XOR: sys::sock_filter = op(sys::BPF_ALU | sys::BPF_XOR | sys::BPF_X, 0);
const RETURN_0: sys::sock_filter = op(sys::BPF_RET | sys::BPF_K, 0);
const RETURN_A: sys::sock_filter = op(sys::BPF_RET | sys::BPF_A, 0);
/// Spreads the bits: 2^32 over the golden ratio, then the upper half.
const MIX: [sys::sock_filter; 2] = [
    op(sys::BPF_ALU | sys::BPF_MUL | sys::BPF_K, 0x9e37_79b1),
    op(sys::BPF_ALU | sys::BPF_RSH | sys::BPF_K, 16),
];

/// A hash of the addresses of IPv4 and IPv6, 0 for everything else. The kernel takes it modulo the
/// number of queues. (It has taken one VLAN tag off; behind a second one nothing is looked at.)
fn addresses() -> Vec<sys::sock_filter> {
    let protocol = op(
        sys::BPF_LD | sys::BPF_H | sys::BPF_ABS,
        (sys::SKF_AD_OFF + sys::SKF_AD_PROTOCOL as i32) as u32,
    );
    let v4 = [vec![load(12), TAX, load(16), XOR], MIX.to_vec(), vec![RETURN_A]].concat();
    let mut v6 = vec![load(8), TAX];
    for word in 3..10 {
        v6.extend([load(4 * word), XOR, TAX]);
    }
    v6.extend(MIX);
    v6.push(RETURN_A);
    let mut program = vec![protocol, skip_unless(0x0800, v4.len() as u8)];
    program.extend(v4);
    program.push(skip_unless(0x86dd, v6.len() as u8));
    program.extend(v6);
    program.push(RETURN_0);
    program
}
