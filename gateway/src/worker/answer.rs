//! Frames of the gateway's own: what a decision says must be answered, built in a fresh buffer.

use crate::forward::Forwarder;
use crate::forward::answer::{
    IcmpError, MAX_ERROR_FRAME, ReturnPath, arp_reply, icmp_error, neighbor_advertisement,
};
use crate::forward::rate::ErrorLimits;
use crate::packet::{Answer, BufPool, FrameInfo, MacAddr, PacketBuf, PortId};
use crate::time::Nanos;

/// Builds answers; limits errors.
pub(super) struct Answerer {
    limits: ErrorLimits,
    frame: Box<[u8]>,
}

impl Answerer {
    pub(super) fn new() -> Self {
        let frame = vec![0; MAX_ERROR_FRAME].into_boxed_slice();
        Self { limits: ErrorLimits::default(), frame }
    }

    /// The answer to one datagram and the port it leaves by. `Ok(None)`: the standards or the rate
    /// limit say not to answer. `Err`: the port it would have left by had no buffer.
    pub(super) fn build<B: PacketBuf>(
        &mut self,
        answer: Answer,
        packet: &B,
        info: &FrameInfo,
        forwarder: &Forwarder,
        pool: &B::Pool,
        now: Nanos,
    ) -> Result<Option<(PortId, B)>, PortId> {
        let written = self.write(answer, packet, info, forwarder, now);
        self.in_buffer(written, pool)
    }

    /// The error about one datagram, likewise.
    pub(super) fn build_error<B: PacketBuf>(
        &mut self,
        error: IcmpError,
        packet: &B,
        info: &FrameInfo,
        forwarder: &Forwarder,
        pool: &B::Pool,
        now: Nanos,
    ) -> Result<Option<(PortId, B)>, PortId> {
        let written = self.write_error(error, packet, info, forwarder, now);
        self.in_buffer(written, pool)
    }

    fn write<B: PacketBuf>(
        &mut self,
        answer: Answer,
        packet: &B,
        info: &FrameInfo,
        forwarder: &Forwarder,
        now: Nanos,
    ) -> Option<(PortId, usize)> {
        let mac = forwarder.interface(info.port)?.mac();
        let (head, out) = (packet.head(), &mut self.frame);
        let len = match answer {
            Answer::ArpReply => arp_reply(info, head, mac, out),
            Answer::NeighborAdvertisement => neighbor_advertisement(info, head, mac, out),
            Answer::TimeExceeded => {
                return self.write_error(IcmpError::TimeExceeded, packet, info, forwarder, now);
            }
        };
        len.map(|len| (info.port, len))
    }

    /// Only what would really be sent takes a token of the limit.
    fn write_error<B: PacketBuf>(
        &mut self,
        error: IcmpError,
        packet: &B,
        info: &FrameInfo,
        forwarder: &Forwarder,
        now: Nanos,
    ) -> Option<(PortId, usize)> {
        let (port, path) = return_path(info, packet.head(), forwarder)?;
        let len = icmp_error(error, info, packet.pieces(), &path, &mut self.frame)?;
        self.limits.allow(error, info.network, now).then_some((port, len))
    }

    fn in_buffer<B: PacketBuf>(
        &self,
        written: Option<(PortId, usize)>,
        pool: &B::Pool,
    ) -> Result<Option<(PortId, B)>, PortId> {
        let Some((port, len)) = written else { return Ok(None) };
        let frame = self.frame.get(..len).unwrap_or_default();
        pool.alloc_from(frame).map(|frame| Some((port, frame))).ok_or(port)
    }
}

/// By the route to the sender; where its neighbour is not known, back to where the frame came
/// from, which has just shown that it can be reached there.
fn return_path(
    info: &FrameInfo,
    head: &[u8],
    forwarder: &Forwarder,
) -> Option<(PortId, ReturnPath)> {
    let hop = forwarder.way_back(info, head);
    let (port, dst_mac) = match hop {
        Some(hop) => (hop.port, hop.dst_mac),
        None => (info.port, MacAddr(*head.get(6..)?.first_chunk()?)),
    };
    let interface = forwarder.interface(port)?;
    let source = interface.source_address(info.network)?;
    let path = ReturnPath { source, src_mac: interface.mac(), dst_mac, mtu: forwarder.mtu(port) };
    Some((port, path))
}
