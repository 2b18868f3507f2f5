//! Splitting: any geometry over any pieces is refused, or split into exactly the payload; and any
//! datagram into fragments that make it up. Bounded, nothing lost from the pool, nothing written to
//! what others hold.

use arbitrary::{Arbitrary, Unstructured};
use etherparse::{NetSlice, PacketBuilder, SlicedPacket, TransportSlice};
use gateway::gso::{FragmentError, fragment, resegment};
use gateway::ingress::parse;
use gateway::packet::{
    BufPool, FrameInfo, Geometry, IdStep, MAX_SEGMENTS, Merged, PacketBuf, PortId, RxChecksum,
    SharedBuf,
};
use gateway::sim::{HeapBuf, HeapPool};

#[derive(Arbitrary, Debug)]
struct Request {
    v6: bool,
    tags: u8,
    payload: u16,
    gso_size: u16,
    /// Else as many as the payload needs.
    segments: Option<u16>,
    constant_id: bool,
    no_checksum: bool,
    /// Of the info, as a confused peer may give them.
    l4_offset: Option<u16>,
    protocol: Option<u8>,
    /// Which pieces others hold too.
    shared: u8,
    room: Option<u8>,
    allocations: Option<u8>,
    ip_mtu: u16,
    /// Bytes of each piece; the rest is in the last.
    pieces: Vec<u16>,
}

/// A request in the form of the `arbitrary` crate.
pub fn run(data: &[u8]) {
    let Ok(request) = Request::arbitrary_take_rest(Unstructured::new(data)) else { return };
    let pool = HeapPool::new(4096, 9728);
    request.try_it(&pool);
    pool.fail_after(u64::MAX);
    assert!(pool.is_full(), "a buffer leaked: {request:?}");
}

impl Request {
    fn try_it(&self, pool: &HeapPool) {
        let frame = self.frame();
        let info = parse(PortId(0), &frame, frame.len(), RxChecksum::Unknown).unwrap();
        let (packet, kept) = self.in_pieces(pool, &frame, usize::from(info.l4_offset) + 8);
        let before: Vec<_> = kept.iter().map(|shared| shared.head().to_vec()).collect();
        if let Some(allocations) = self.allocations {
            pool.fail_after(allocations.into());
        }
        self.fragment(&packet, &info, &frame, pool);
        self.resegment(packet, info, &frame, pool);
        let after = kept.iter().map(SharedBuf::head);
        assert!(after.eq(before.iter().map(|bytes| &bytes[..])), "written to what others hold");
    }

    fn frame(&self) -> Vec<u8> {
        let payload: Vec<u8> = (0..self.payload % 9001).map(|i| (i ^ i >> 8) as u8).collect();
        let ethernet = PacketBuilder::ethernet2([2; 6], [4; 6]);
        let ip = if self.v6 {
            ethernet.ipv6([1; 16], [2; 16], 64)
        } else {
            ethernet.ipv4([10; 4], [11; 4], 64)
        };
        let mut frame = Vec::new();
        ip.udp(7, 8).write(&mut frame, &payload).unwrap();
        for _ in 0..self.tags % 3 {
            frame.splice(12..12, [0x81, 0, 0, 5]);
        }
        frame
    }

    /// The packet, and handles of others on some of its pieces.
    fn in_pieces(
        &self,
        pool: &HeapPool,
        frame: &[u8],
        headers: usize,
    ) -> (HeapBuf, Vec<<HeapBuf as PacketBuf>::Shared>) {
        let mut rest = frame;
        let mut kept = Vec::new();
        let mut packet: Option<HeapBuf> = None;
        let sizes =
            self.pieces.iter().take(600).map(|&size| usize::from(size)).chain([frame.len()]);
        for (number, size) in sizes.enumerate() {
            let (bytes, behind) = rest.split_at(size.min(rest.len()));
            rest = behind;
            let mut piece = pool.alloc_from(bytes).unwrap();
            // Only a piece behind the head can be another's too.
            if self.shared >> (number % 8) & 1 != 0 && !bytes.is_empty() && packet.is_some() {
                if let Ok(shared) = shared_piece(&piece, headers, pool) {
                    let (both, other) = shared;
                    piece = both;
                    kept.push(other);
                }
            }
            match &mut packet {
                Some(packet) => packet.chain(piece),
                None => packet = Some(piece),
            }
        }
        (packet.unwrap(), kept)
    }

    fn resegment(&self, packet: HeapBuf, info: FrameInfo, frame: &[u8], pool: &HeapPool) {
        let info = FrameInfo {
            l4_offset: self.l4_offset.unwrap_or(info.l4_offset),
            protocol: self.protocol.unwrap_or(info.protocol),
            ..info
        };
        let is_honest = self.l4_offset.is_none() && self.protocol.is_none();
        let headers = usize::from(info.l4_offset) + 8;
        let payload = frame.len().saturating_sub(headers);
        let fitting = payload.div_ceil(usize::from(self.gso_size).max(1)) as u16;
        let geometry = Geometry {
            gso_size: self.gso_size,
            segments: self.segments.unwrap_or(fitting),
            id_step: if self.constant_id { IdStep::Constant } else { IdStep::Increment },
            udp_checksum: !self.no_checksum,
        };
        let mut out = Vec::with_capacity(self.room.map_or(MAX_SEGMENTS, usize::from));
        let capacity = out.capacity();
        match resegment(Merged::new(packet, info, geometry), pool, &mut out) {
            Err(_) => assert!(out.is_empty()),
            Ok(lost) => {
                assert_eq!(out.len() + lost, usize::from(geometry.segments));
                assert_eq!(out.capacity(), capacity, "it grew");
                if lost == 0 {
                    let payloads: Vec<u8> = out
                        .iter()
                        .flat_map(|segment| segment.to_vec().split_off(headers))
                        .collect();
                    assert_eq!(payloads, &frame[headers..]);
                }
                for segment in out.iter().filter(|_| is_honest) {
                    check_datagram(&segment.to_vec(), self.no_checksum);
                }
            }
        }
    }

    fn fragment(&self, packet: &HeapBuf, info: &FrameInfo, frame: &[u8], pool: &HeapPool) {
        let mut out = Vec::with_capacity(256);
        let mtu = usize::from(self.ip_mtu);
        match fragment(packet, info, mtu, pool, &mut out) {
            Err(error) => {
                assert!(out.is_empty());
                assert!(!self.v6 || error == FragmentError::NotIpv4);
            }
            Ok(()) => {
                let l3 = usize::from(info.l2_len);
                let mut whole = Vec::new();
                for (number, fragment) in out.iter().enumerate() {
                    let bytes = fragment.to_vec();
                    assert!(bytes.len() - l3 <= mtu, "longer than {mtu}");
                    let (ip, payload) = etherparse::Ipv4Header::from_slice(&bytes[l3..]).unwrap();
                    assert_eq!(ip.header_checksum, ip.calc_header_checksum());
                    assert_eq!(usize::from(ip.total_len), bytes.len() - l3);
                    assert_eq!(usize::from(ip.fragment_offset.value()) * 8, whole.len());
                    assert_eq!(ip.more_fragments, number + 1 < out.len());
                    whole.extend_from_slice(payload);
                }
                assert_eq!(whole, &frame[l3 + 20..]);
            }
        }
    }
}

/// A copy of `piece` whose bytes another holds too, and the other.
fn shared_piece(
    piece: &HeapBuf,
    headers: usize,
    pool: &HeapPool,
) -> Result<(HeapBuf, <HeapBuf as PacketBuf>::Shared), ()> {
    let bytes = piece.to_vec();
    let prefix = vec![0; headers.min(16)];
    let other = pool.alloc_from(&[&prefix[..], &bytes].concat()).ok_or(())?.share();
    let mut both = other.with_private_header(prefix.len(), pool).ok_or(())?;
    if !both.trim_front(prefix.len()) {
        return Err(());
    }
    Ok((both, other))
}

fn check_datagram(bytes: &[u8], no_checksum: bool) {
    let packet = SlicedPacket::from_ethernet(bytes).unwrap();
    let l2_len = 14 + 4 * packet.link_exts.len();
    let Some(TransportSlice::Udp(udp)) = packet.transport else { panic!("not UDP") };
    let (len, right) = match packet.net.unwrap() {
        NetSlice::Ipv4(ip) => {
            let header = ip.header().to_header();
            assert_eq!(header.header_checksum, header.calc_header_checksum());
            (header.total_len.into(), udp.to_header().calc_checksum_ipv4(&header, udp.payload()))
        }
        NetSlice::Ipv6(ip) => {
            let header = ip.header().to_header();
            (
                40 + usize::from(header.payload_length),
                udp.to_header().calc_checksum_ipv6(&header, udp.payload()),
            )
        }
        NetSlice::Arp(_) => panic!("not IP"),
    };
    assert_eq!(l2_len + len, bytes.len());
    assert_eq!(udp.checksum(), if no_checksum { 0 } else { right.unwrap() });
}
