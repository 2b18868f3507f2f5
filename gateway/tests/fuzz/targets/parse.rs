//! Ingress: any bytes, whole and in two pieces, beside etherparse's reading.

use std::iter;

use gateway::ingress::{
    MAX_HEADERS, ParseError, parse, parse_any, plain_in_vlan, udp_checksum_is_valid,
};
use gateway::packet::{Coalesce, PortId, RxChecksum};

use super::parsed::{agrees_with_etherparse, check_invariants, udp_checksum_is_right};

const PORT: PortId = PortId(3);

/// Two bytes of choices, then the frame.
pub fn run(data: &[u8]) {
    let &[choice, split, ref frame @ ..] = data else { return };
    let said = match choice & 3 {
        0 => RxChecksum::Good,
        1 => RxChecksum::Bad,
        _ => RxChecksum::Unknown,
    };
    let whole = parse(PORT, frame, frame.len(), said);
    assert_eq!(whole, parse_any(PORT, frame, frame.len(), said), "the short cut differs");
    let info = match whole {
        Ok(info) => info,
        Err(error) => {
            assert_eq!((error, frame.len() < 14), (ParseError::Runt, true));
            return;
        }
    };
    check_invariants(&info, frame, frame.len());
    agrees_with_etherparse(&info, frame);

    let whole = udp_checksum_is_valid(&info, [frame].into_iter());
    let is_candidate = info.coalesce == Coalesce::Candidate;
    if let Some((vlan, l2_len)) = plain_in_vlan(frame).filter(|_| said != RxChecksum::Bad) {
        assert_eq!((is_candidate, info.vlan, info.l2_len.into()), (true, vlan, l2_len));
    }
    if let Some(right) = udp_checksum_is_right(frame).filter(|_| is_candidate) {
        assert_eq!(whole, right);
    }

    let head = &frame[..frame.len().min(usize::from(split) + 14 * usize::from(choice >> 2))];
    match parse(PORT, head, frame.len(), said) {
        Ok(split) => {
            assert_eq!(split, info, "{} bytes in the head", head.len());
            let rest = frame[head.len()..].chunks(usize::from(choice) + 1);
            let pieces = udp_checksum_is_valid(&info, iter::once(head).chain(rest));
            // Of others the head need not hold a UDP header, and no answer is owed.
            assert!(pieces == whole || !is_candidate);
        }
        Err(error) => {
            assert_eq!(error, ParseError::Split);
            assert!(head.len() < MAX_HEADERS.min(frame.len()));
        }
    }
}
