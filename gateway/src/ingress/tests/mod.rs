//! Frames come from etherparse, so that no builder of ours is its own oracle.

mod alike;
mod build;
mod classes;
mod oracle;
#[path = "../../../tests/support/parsed.rs"]
mod parsed;
mod robust;
mod split;
mod udp_checksum;

use super::{ParseError, count_alike, parse, parse_any, parse_plain, plain_in_vlan};
use crate::packet::{BufPool, Coalesce, FrameInfo, Network, PacketBuf, PortId, RxChecksum};
use crate::sim::{HeapBuf, HeapPool};
use parsed::check_invariants;

/// What a frame of one piece is.
fn whole(frame: &[u8]) -> FrameInfo {
    parse(PortId(3), frame, frame.len(), RxChecksum::Unknown).unwrap()
}
