//! From workers to the kernel: trains of one flow as one super-packet where the interface takes
//! them, everything else frame by frame.

use std::io::{self, IoSlice};

use zerocopy::IntoBytes;

use super::Interface;
use super::pump::ShadowCounters;
use super::vnet::VnetHeader;
use crate::config::Gro;
use crate::gro::{self, GroTable, Saving};
use crate::ingress::{self, udp_checksum_is_valid};
use crate::packet::{Merged, Network, PacketBuf, PortId, RxChecksum, SharedBuf, SuperPacket};
use crate::time::Nanos;
use crate::wire::{Ipv4, Ipv6, Udp, checksum, protocol, view_mut};

/// Pieces of a frame, its headers and the virtio header: less than IOV_MAX.
const SLICES_MAX: usize = 256;

/// What one shadow gathers for its kernel.
pub(super) struct Uplink<B: PacketBuf> {
    table: GroTable<B>,
    pool: B::Pool,
}

impl<B: PacketBuf> Uplink<B> {
    pub(super) fn new(settings: &Gro, pool: B::Pool, seed: u64) -> Self {
        Self { table: GroTable::new(settings, seed), pool }
    }

    /// A frame from the cable. A super-packet is edited, so others must not share it.
    pub(super) fn send(
        &mut self,
        frame: B::Shared,
        interface: &mut impl Interface,
        counters: &ShadowCounters,
        now: Nanos,
    ) {
        if !interface.takes_super_packets() {
            return write_plain(frame.pieces(), interface, counters);
        }
        let owned = match frame.try_unshare() {
            Ok(owned) => owned,
            Err(shared) => match shared.copy(&self.pool) {
                Some(copy) => copy,
                None => return write_plain(shared.pieces(), interface, counters),
            },
        };
        let (head, len) = (owned.head(), owned.frame_len());
        let Ok(info) = ingress::parse(PortId(0), head, len, RxChecksum::Unknown) else {
            return write_plain(owned.pieces(), interface, counters);
        };
        let sink = &mut |list: SuperPacket<'_, B>| write_list(list, interface, counters);
        if let Err(unjoined) = self.table.join(owned, &info, now, sink) {
            self.table.settle(unjoined, now, sink);
        }
    }

    /// Nothing more waits in the cable.
    pub(super) fn flush(
        &mut self,
        interface: &mut impl Interface,
        counters: &ShadowCounters,
        now: Nanos,
    ) {
        let sink = &mut |list: SuperPacket<'_, B>| write_list(list, interface, counters);
        self.table.flush_all(gro::FlushReason::EndOfBurst, now, sink);
    }
}

fn write_list<B: PacketBuf>(
    list: SuperPacket<'_, B>,
    interface: &mut impl Interface,
    counters: &ShadowCounters,
) -> Saving {
    match gro::merge(list, |info, segment| udp_checksum_is_valid(info, segment.pieces())) {
        Ok(merged) => write_merged(merged, interface, counters),
        Err(list) => {
            for segment in list.into_segments() {
                write_plain(segment.pieces(), interface, counters);
            }
        }
    }
    Saving::DELIVERED
}

fn write_plain<'a>(
    pieces: impl Iterator<Item = &'a [u8]>,
    interface: &mut impl Interface,
    counters: &ShadowCounters,
) {
    let written = write(VnetHeader::default(), pieces, interface);
    counters.sent_up(1, &written);
}

fn write_merged<B: PacketBuf>(
    mut merged: Merged<B>,
    interface: &mut impl Interface,
    counters: &ShadowCounters,
) {
    let (info, geometry) = (*merged.info(), *merged.geometry());
    let frame_len = merged.packet().frame_len();
    let (l2, l4) = (usize::from(info.l2_len), usize::from(info.l4_offset));
    let segments = u64::from(geometry.segments);
    // At most 128 segments of less than 64 KiB together (the table's bound).
    let udp_len = (frame_len - l4) as u16;
    if announce(merged.headers_mut(), info.network, l2, l4, udp_len).is_none() {
        return counters.sent_up(segments, &Err(io::ErrorKind::InvalidData.into()));
    }
    let header = VnetHeader {
        flags: VnetHeader::NEEDS_CHECKSUM,
        gso_type: VnetHeader::GSO_UDP_L4,
        header_len: (l4 + Udp::LEN) as u16,
        gso_size: geometry.gso_size,
        checksum_start: l4 as u16,
        checksum_offset: core::mem::offset_of!(Udp, checksum) as u16,
    };
    let written = write(header, merged.packet().pieces(), interface);
    if written.is_ok() {
        counters.super_packet_up(segments);
    }
    counters.sent_up(segments, &written);
}

/// Lengths of the whole, and the pseudo header's sum where the kernel goes on from.
fn announce(
    headers: &mut [u8],
    network: Network,
    l2: usize,
    l4: usize,
    udp_len: u16,
) -> Option<()> {
    let pseudo = if network == Network::Ipv4 {
        let ip: &mut Ipv4 = view_mut(headers, l2)?;
        ip.total_len.set((l4 - l2) as u16 + udp_len);
        ip.checksum.set(0);
        let pseudo = checksum::pseudo_v4(ip.src, ip.dst, protocol::UDP, udp_len);
        let sum = checksum::checksum(headers.get(l2..l4)?);
        view_mut::<Ipv4>(headers, l2)?.checksum.set(sum);
        pseudo
    } else {
        let ip: &mut Ipv6 = view_mut(headers, l2)?;
        ip.payload_len.set((l4 - l2 - Ipv6::LEN) as u16 + udp_len);
        checksum::pseudo_v6(ip.src, ip.dst, protocol::UDP, udp_len.into())
    };
    let udp: &mut Udp = view_mut(headers, l4)?;
    udp.len.set(udp_len);
    udp.checksum.set(!pseudo.checksum());
    Some(())
}

fn write<'a>(
    header: VnetHeader,
    pieces: impl Iterator<Item = &'a [u8]>,
    interface: &mut impl Interface,
) -> io::Result<()> {
    let mut slices = arrayvec::ArrayVec::<IoSlice<'_>, SLICES_MAX>::new();
    slices.push(IoSlice::new(header.as_bytes()));
    for piece in pieces {
        slices.try_push(IoSlice::new(piece)).map_err(|_| io::ErrorKind::InvalidData)?;
    }
    interface.send(&slices)
}
