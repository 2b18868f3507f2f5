use crate::packet::{FrameInfo, Network, PortId, RxChecksum};
use crate::wire::checksum::{Sum, pseudo_v4, pseudo_v6};
use crate::wire::{Ipv4, Ipv6, protocol, view};

/// Finishes the transport checksum of a frame in one piece whose sender left that to its device
/// (Linux: `CHECKSUM_PARTIAL`; virtio 1.2 5.1.6.2: the field holds the sum of the pseudo header).
///
/// `false`, and nothing changed, for what is not UDP or TCP in one datagram, or holds another sum:
/// in a tunnel the outer checksum is complete, and the inner one cannot be told from payload.
pub fn finish_checksum(frame: &mut [u8]) -> bool {
    let parsed = super::parse(PortId(0), frame, frame.len(), RxChecksum::Unknown);
    let Some((info, field)) = parsed.ok().and_then(|info| Some((info, field(&info)?))) else {
        return false;
    };
    let (start, end) = (usize::from(info.l4_offset), info.l2_len as usize + info.ip_len as usize);
    let pseudo = pseudo_header(&info, frame, end - start);
    let (Some(pseudo), Some(segment)) = (pseudo, frame.get_mut(start..end)) else { return false };
    let started = segment.get(field..field + 2) == Some(&(!pseudo.checksum()).to_be_bytes());
    if !started {
        return false;
    }
    // The field is summed with the rest: it is the pseudo header.
    let sum = Sum::new().bytes(segment);
    let sum = if info.protocol == protocol::UDP { sum.udp_checksum() } else { sum.checksum() };
    segment[field..field + 2].copy_from_slice(&sum.to_be_bytes());
    true
}

/// Where the transport header has its checksum.
fn field(info: &FrameInfo) -> Option<usize> {
    match info.protocol {
        protocol::UDP => Some(6),
        protocol::TCP => Some(16),
        _ => None,
    }
}

fn pseudo_header(info: &FrameInfo, frame: &[u8], len: usize) -> Option<Sum> {
    let offset = usize::from(info.l2_len);
    match info.network {
        Network::Ipv4 => {
            let ip: &Ipv4 = view(frame, offset).filter(|ip: &&Ipv4| !ip.is_fragment())?;
            Some(pseudo_v4(ip.src, ip.dst, info.protocol, u16::try_from(len).ok()?))
        }
        Network::Ipv6 => {
            let ip: &Ipv6 = view(frame, offset)?;
            Some(pseudo_v6(ip.src, ip.dst, info.protocol, u32::try_from(len).ok()?))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use etherparse::{PacketBuilder, PacketHeaders, TransportHeader};

    use super::*;

    /// Frames as etherparse writes them; where the checksum is; and the unfinished form.
    fn frames(payload: &[u8]) -> Vec<(Vec<u8>, usize)> {
        let v4 = || PacketBuilder::ethernet2([2; 6], [4; 6]).ipv4([10, 0, 0, 1], [10, 9, 8, 7], 64);
        let v6 = || PacketBuilder::ethernet2([2; 6], [4; 6]).ipv6([0xfd; 16], [0xfe; 16], 64);
        let mut all = vec![(Vec::new(), 40), (Vec::new(), 50), (Vec::new(), 60), (Vec::new(), 70)];
        v4().udp(5, 6).write(&mut all[0].0, payload).unwrap();
        v4().tcp(5, 6, 7, 8).write(&mut all[1].0, payload).unwrap();
        v6().udp(5, 6).write(&mut all[2].0, payload).unwrap();
        v6().tcp(5, 6, 7, 8).write(&mut all[3].0, payload).unwrap();
        for (frame, field) in all.clone() {
            let tagged = [&frame[..12], &[0x81, 0, 0, 7], &frame[12..]].concat();
            all.push((tagged, field + 4));
        }
        all
    }

    /// The sum of the pseudo header, by hand.
    fn unfinished(frame: &[u8], field: usize) -> Vec<u8> {
        let l3 = if frame[12] == 0x81 { 18 } else { 14 };
        let (addresses, l4) = if frame[l3] >> 4 == 4 { (12..20, 20) } else { (8..40, 40) };
        let protocol = if l4 == 20 { frame[l3 + 9] } else { frame[l3 + 6] };
        let words = frame[l3..][addresses].chunks(2);
        let sum: u32 = words.map(|w| u32::from(w[0]) << 8 | u32::from(w[1])).sum();
        let sum = sum + u32::from(protocol) + (frame.len() - l3 - l4) as u32;
        let folded = (sum & 0xffff) + (sum >> 16);
        let mut frame = frame.to_vec();
        frame[field..field + 2].copy_from_slice(&((folded + (folded >> 16)) as u16).to_be_bytes());
        frame
    }

    #[test]
    fn an_unfinished_checksum_is_finished() {
        for len in [0, 1, 2, 63, 64, 1400] {
            for (complete, field) in frames(&vec![0xa5; len]) {
                let mut frame = unfinished(&complete, field);
                assert!(finish_checksum(&mut frame), "{len} bytes, field at {field}");
                assert_eq!(frame, complete);
                let headers = PacketHeaders::from_ethernet_slice(&frame).unwrap();
                assert!(matches!(
                    headers.transport,
                    Some(TransportHeader::Udp(_) | TransportHeader::Tcp(_))
                ));
            }
        }
    }

    /// RFC 768: a sum of 0 is sent as 0xFFFF.
    #[test]
    fn a_sum_of_zero_is_sent_as_ones() {
        let (frame, field) = frames(&[0, 0]).swap_remove(0);
        let mut frame = frame;
        // the payload takes the checksum's value, so that the checksum becomes 0
        let sum = u16::from_be_bytes([frame[field], frame[field + 1]]);
        frame[42..44].copy_from_slice(&sum.to_be_bytes());
        let mut frame = unfinished(&frame, field);
        assert!(finish_checksum(&mut frame));
        assert_eq!(frame[field..field + 2], [0xff, 0xff]);
    }

    #[test]
    fn what_is_not_unfinished_is_left() {
        for (complete, field) in frames(&[7; 40]) {
            let mut frame = complete.clone();
            assert!(!finish_checksum(&mut frame), "complete");
            assert_eq!(frame, complete);
            let mut cut = unfinished(&complete, field);
            cut.truncate(complete.len() - 1);
            let before = cut.clone();
            assert!(!finish_checksum(&mut cut), "cut short");
            assert_eq!(cut, before);
        }
        let (v4, field) = frames(&[7; 40]).swap_remove(0);
        let mut fragment = unfinished(&v4, field);
        fragment[20] |= 0x20;
        let (mut ip, _) = etherparse::Ipv4Header::from_slice(&fragment[14..]).unwrap();
        ip.header_checksum = ip.calc_header_checksum();
        fragment[14..34].copy_from_slice(&ip.to_bytes());
        assert!(!finish_checksum(&mut fragment), "a fragment's sum is another's");
        for frame in [&mut [][..], &mut [0; 13], &mut [0xff; 60]] {
            assert!(!finish_checksum(frame));
        }
    }
}
