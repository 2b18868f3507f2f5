//! From descriptions to merged packets, and from packets to bytes.

use gateway::config::{Gro, GroMode};
use gateway::gro::{GroTable, Saving, merge};
use gateway::gso::resegment;
use gateway::ingress::{parse, udp_checksum_is_valid};
use gateway::packet::{BufPool, FrameInfo, MAX_SEGMENTS, Merged, PacketBuf, PortId};
use gateway::sim::{HeapBuf, HeapPool};
use gateway::time::Nanos;

use crate::datagram::Datagram;

/// What left the table, in order.
pub(crate) enum Left {
    Merged(Merged<HeapBuf>),
    List(Vec<HeapBuf>),
}

pub(crate) fn pool() -> HeapPool {
    // a frame of 64 KiB in pieces of one byte fits
    HeapPool::new(1 << 17, 9728)
}

pub(crate) fn packet(pool: &HeapPool, frame: &[u8]) -> HeapBuf {
    pool.alloc_from(frame).unwrap()
}

pub(crate) fn info(packet: &HeapBuf) -> FrameInfo {
    parse(PortId(0), packet.head(), packet.frame_len(), packet.rx_checksum()).unwrap()
}

/// One burst through GRO, every train merged if it can be.
pub(crate) fn merged(pool: &HeapPool, datagrams: &[Datagram]) -> Vec<Left> {
    let packets = datagrams.iter().enumerate().map(|(number, datagram)| {
        let mut packet = in_pieces(pool, datagram, number);
        packet.set_rx_checksum(datagram.rx_checksum());
        packet
    });
    merged_packets(packets.collect())
}

/// One table for many trains.
pub(crate) struct Cycle(GroTable<HeapBuf>);

impl Cycle {
    pub(crate) fn new() -> Self {
        Self(table())
    }

    /// Frames that are one train, merged.
    pub(crate) fn merged(&mut self, pool: &HeapPool, frames: &[Vec<u8>]) -> Merged<HeapBuf> {
        let mut merged = None;
        let mut sink = |list: gateway::packet::SuperPacket<'_, HeapBuf>| {
            merged = merge(list, |info, b| udp_checksum_is_valid(info, b.pieces())).ok();
            Saving::ROUTED
        };
        for frame in frames {
            let packet = packet(pool, frame);
            let info = info(&packet);
            if let Err(unjoined) = self.0.join(packet, &info, Nanos(1), &mut sink) {
                self.0.settle(unjoined, Nanos(1), &mut sink);
            }
        }
        self.0.end_burst(Nanos(1), &mut sink);
        merged.expect("one train")
    }
}

fn table() -> GroTable<HeapBuf> {
    let settings = Gro {
        mode: GroMode::Merge,
        max_segments: MAX_SEGMENTS as u16,
        max_hold: core::time::Duration::ZERO,
        flows: 64,
        adaptive: false,
    };
    GroTable::new(&settings, 1)
}

/// The same for packets as they are.
pub(crate) fn merged_packets(packets: Vec<HeapBuf>) -> Vec<Left> {
    let mut table = table();
    let mut left = Vec::new();
    let mut sink = |list: gateway::packet::SuperPacket<'_, HeapBuf>| {
        let valid = |info: &FrameInfo, b: &HeapBuf| udp_checksum_is_valid(info, b.pieces());
        left.push(match merge(list, valid) {
            Ok(merged) => Left::Merged(merged),
            Err(list) => Left::List(list.into_segments().collect()),
        });
        Saving::ROUTED
    };
    for packet in packets {
        let info = info(&packet);
        if let Err(unjoined) = table.join(packet, &info, Nanos(1), &mut sink) {
            table.settle(unjoined, Nanos(1), &mut sink);
        }
    }
    table.end_burst(Nanos(1), &mut sink);
    left
}

/// The only one, merged.
#[track_caller]
pub(crate) fn one_merged(pool: &HeapPool, datagrams: &[Datagram]) -> Merged<HeapBuf> {
    let mut left = merged(pool, datagrams);
    match (left.pop(), left.len()) {
        (Some(Left::Merged(merged)), 0) => merged,
        _ => panic!("more than one, or not merged"),
    }
}

/// Splits; nothing may be lost. The frames as bytes.
#[track_caller]
pub(crate) fn split(merged: Merged<HeapBuf>, pool: &HeapPool) -> Vec<Vec<u8>> {
    let mut out = Vec::with_capacity(MAX_SEGMENTS);
    assert_eq!(resegment(merged, pool, &mut out), Ok(0));
    assert_eq!(out.capacity(), MAX_SEGMENTS, "it did not grow");
    out.iter().map(PacketBuf::to_vec).collect()
}

pub(crate) fn frames(datagrams: &[Datagram]) -> Vec<Vec<u8>> {
    datagrams.iter().enumerate().map(|(number, d)| d.frame(number)).collect()
}

fn in_pieces(pool: &HeapPool, datagram: &Datagram, number: usize) -> HeapBuf {
    let frame = datagram.frame(number);
    let headers = frame.len() - datagram.padding - datagram.payload;
    let head_len = datagram.split.map_or(frame.len(), |at| headers + at.min(datagram.payload));
    let mut head = packet(pool, &frame[..head_len]);
    if head_len < frame.len() {
        head.chain(packet(pool, &frame[head_len..]));
    }
    head
}
