//! What the gateway itself sends, read by etherparse, about frames built by etherparse.

#[path = "answers/errors.rs"]
mod errors;
#[path = "answers/neighbors.rs"]
mod neighbors;
#[path = "answers/refusals.rs"]
mod refusals;

use gateway::forward::answer::{IcmpError, MAX_ERROR_FRAME, ReturnPath, icmp_error};
use gateway::ingress::parse;
use gateway::packet::{FrameInfo, MacAddr, PortId, RxChecksum};

const OURS: MacAddr = MacAddr([2, 0, 0, 0, 0, 1]);
const THEIRS: MacAddr = MacAddr([2, 0, 0, 0, 0, 2]);
const OURS4: [u8; 4] = [10, 1, 0, 1];
const THEIRS4: [u8; 4] = [10, 1, 0, 2];
const FAR4: [u8; 4] = [10, 2, 0, 2];
const OURS6: [u8; 16] = [0x20, 1, 0xd, 0xb8, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1];
const THEIRS6: [u8; 16] = [0x20, 1, 0xd, 0xb8, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2];
const FAR6: [u8; 16] = [0x20, 1, 0xd, 0xb8, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2];

fn info(frame: &[u8]) -> FrameInfo {
    parse(PortId(0), frame, frame.len(), RxChecksum::Unknown).unwrap()
}

fn path(v6: bool) -> ReturnPath {
    let source = if v6 { OURS6.into() } else { OURS4.into() };
    ReturnPath { source, src_mac: OURS, dst_mac: THEIRS, mtu: 1500 }
}

/// The error about a frame of one piece.
fn error(error: IcmpError, frame: &[u8], v6: bool) -> Option<Vec<u8>> {
    let mut out = [0xdd; MAX_ERROR_FRAME];
    let len = icmp_error(error, &info(frame), [frame].into_iter(), &path(v6), &mut out)?;
    Some(out[..len].to_vec())
}

/// An Ethernet frame to the gateway.
fn ethernet(dst: MacAddr, ethertype: u16, payload: &[u8]) -> Vec<u8> {
    let header = etherparse::Ethernet2Header {
        destination: dst.0,
        source: THEIRS.0,
        ether_type: etherparse::EtherType(ethertype),
    };
    [&header.to_bytes(), payload].concat()
}

fn ipv4(protocol: u8, payload: &[u8], edit: impl FnOnce(&mut etherparse::Ipv4Header)) -> Vec<u8> {
    let protocol = etherparse::IpNumber(protocol);
    let mut header =
        etherparse::Ipv4Header::new(payload.len() as u16, 1, protocol, THEIRS4, FAR4).unwrap();
    edit(&mut header);
    header.header_checksum = header.calc_header_checksum();
    ethernet(OURS, 0x0800, &[&header.to_bytes(), payload].concat())
}

fn ipv6(next: u8, payload: &[u8], edit: impl FnOnce(&mut etherparse::Ipv6Header)) -> Vec<u8> {
    let mut header = etherparse::Ipv6Header {
        payload_length: payload.len() as u16,
        next_header: etherparse::IpNumber(next),
        hop_limit: 1,
        source: THEIRS6,
        destination: FAR6,
        ..Default::default()
    };
    edit(&mut header);
    ethernet(OURS, 0x86dd, &[&header.to_bytes()[..], payload].concat())
}
