//! What the bindings must say about the headers they were made from.

use core::ffi::CStr;

use super::*;

#[test]
fn mbuf_layout_is_the_one_drivers_are_built_for() {
    // rte_mbuf_core.h: the vector drivers write data_off, refcnt, nb_segs and port in one 8-byte
    // store (rearm_data), and 16 bytes from packet_type on in another.
    assert_eq!(MBUF_REFCNT, MBUF_DATA_OFF + 2);
    assert_eq!(MBUF_NB_SEGS, MBUF_DATA_OFF + 4);
    assert_eq!(MBUF_PORT, MBUF_DATA_OFF + 6);
    assert_eq!(MBUF_OL_FLAGS, MBUF_DATA_OFF + 8);
    assert_eq!(MBUF_DATA_LEN, MBUF_PKT_LEN + 4);
    assert_eq!(MBUF_SIZE, 128);
}

#[test]
fn members_lie_inside_and_apart() {
    let mut members = [
        (MBUF_BUF_ADDR, 8),
        (MBUF_DATA_OFF, 2),
        (MBUF_REFCNT, 2),
        (MBUF_NB_SEGS, 2),
        (MBUF_PORT, 2),
        (MBUF_OL_FLAGS, 8),
        (MBUF_PKT_LEN, 4),
        (MBUF_DATA_LEN, 2),
        (MBUF_BUF_LEN, 2),
        (MBUF_POOL, 8),
        (MBUF_HASH, 4),
        (MBUF_NEXT, 8),
        (MBUF_TX_OFFLOAD, 8),
    ];
    members.sort_unstable();
    assert!(members.windows(2).all(|pair| pair[0].0 + pair[0].1 <= pair[1].0));
    assert!(members.iter().all(|(at, size)| at % size == 0 && at + size <= MBUF_SIZE));
}

#[test]
fn macros_keep_their_width() {
    let all: u64 = RTE_MBUF_F_INDIRECT | RTE_MBUF_F_EXTERNAL | RTE_ETH_TX_OFFLOAD_MULTI_SEGS;
    assert_eq!(all, 1 << 62 | 1 << 61 | 1 << 15);
    assert_eq!(RTE_MBUF_F_TX_OFFLOAD_MASK & (RTE_MBUF_F_INDIRECT | RTE_MBUF_F_EXTERNAL), 0);
}

#[test]
fn the_library_is_the_headers_release() {
    // SAFETY: works before the EAL.
    let text = unsafe { rte_version() };
    // SAFETY: a NUL-terminated string in a static buffer.
    let text = unsafe { CStr::from_ptr(text) };
    let release: Vec<u32> = text
        .to_str()
        .unwrap()
        .trim_start_matches("DPDK ")
        .split(['.', '-'])
        .take(2)
        .map(|number| number.parse().unwrap())
        .collect();
    assert_eq!(release, [RTE_VERSION >> 24, RTE_VERSION >> 16 & 0xff]);
}

#[test]
fn thread_locals_are_read_through_the_shim() {
    // SAFETY: reads a thread-local; no thread of this test is registered (LCORE_ID_ANY).
    assert_eq!(unsafe { sys_lcore_id() }, u32::MAX);
    // SAFETY: reads a thread-local.
    assert_eq!(unsafe { sys_errno() }, 0);
}
