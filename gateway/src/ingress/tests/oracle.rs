//! etherparse reads the same frames and must come to the same result.

use proptest::prelude::*;

use super::build::*;
use super::*;

/// A frame that keeps the rules of IP, from few enough values that every rule is met often.
fn any_frame() -> impl Strategy<Value = Vec<u8>> {
    let protocol = prop::sample::select(vec![17u8, 17, 17, 1, 2, 6, 58, 132]);
    let payload = prop::collection::vec(any::<u8>(), 0..80);
    let tags = prop::collection::vec(
        (prop::sample::select(vec![0x8100u16, 0x88a8, 0x9100]), 0u16..=0xffff),
        0..=2,
    );
    let extensions =
        prop::collection::vec((prop::sample::select(vec![43u8, 60, 44]), 1usize..3), 0..3);
    (any::<bool>(), protocol, payload, tags, extensions, 0u16..4, 0usize..20).prop_map(
        |(v6, protocol, payload, tags, extensions, fragment, padding)| {
            let frame = if v6 {
                over_ipv6(protocol, &payload, &extensions, fragment)
            } else {
                over_ipv4(protocol, &payload, extensions.len(), fragment)
            };
            [tagged(&frame, &tags), vec![0; padding]].concat()
        },
    )
}

fn over_ipv4(protocol: u8, payload: &[u8], options: usize, fragment: u16) -> Vec<u8> {
    let body = if protocol == 17 { udp4(payload) } else { payload.to_vec() };
    ipv4(protocol, &body, |ip| {
        ip.options = [1; 40][..options * 4].try_into().unwrap();
        ip.set_payload_len(body.len()).unwrap();
        ip.dont_fragment = fragment == 0;
        ip.more_fragments = fragment & 1 != 0;
        ip.fragment_offset = (fragment / 2).try_into().unwrap();
    })
}

fn over_ipv6(protocol: u8, payload: &[u8], extensions: &[(u8, usize)], fragment: u16) -> Vec<u8> {
    let mut body = if protocol == 17 { udp6(payload) } else { payload.to_vec() };
    let mut next = protocol;
    for &(kind, units) in extensions {
        let header = match kind {
            44 => fragment_header(next, (fragment / 2) << 3 | fragment & 1),
            _ => extension(next, units * 8),
        };
        (body, next) = ([header, body].concat(), kind);
    }
    ipv6(next, &body, |_| {})
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn agrees_with_etherparse(frame in any_frame()) {
        let ours = whole(&frame);
        check_invariants(&ours, &frame, frame.len());
        prop_assert_eq!(Ok(ours), parse_any(PortId(3), &frame, frame.len(), RxChecksum::Unknown));
        parsed::agrees_with_etherparse(&ours, &frame);
    }
}
