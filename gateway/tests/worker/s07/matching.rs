use std::collections::BTreeMap;

use etherparse::{IpFragOffset, Ipv4Header};

use super::{coalesced, in_every_form, with_form};
use crate::datagram::{Datagram, Ip, Tag, UdpChecksum};
use crate::frames::{Udp, routed};
use crate::harness::{Gateway, bridge, host, router};

/// Bridged as they came, in this order, in every form.
#[track_caller]
fn leave_as_they_came(datagrams: &[Datagram]) {
    let frames: Vec<_> = datagrams.iter().enumerate().map(|(n, d)| d.frame(n)).collect();
    let sent = in_every_form(&bridge(2, ""), &frames);
    assert!(sent[1] == frames, "{datagrams:?}");
}

fn of_lengths<const N: usize>(lengths: [usize; N]) {
    leave_as_they_came(&lengths.map(|len| Datagram::v4(0, 1).len(len)));
    leave_as_they_came(&lengths.map(|len| Datagram::v6(0).len(len)));
}

#[test]
fn s07_15_empty_datagrams_between_others_all_leave_in_order() {
    of_lengths([100, 0, 100, 0, 0, 100, 100]);
    of_lengths([0, 0]);
}

#[test]
fn s07_16_sizes_and_order_are_kept() {
    of_lengths([1200, 1200, 1300, 1200, 700, 1200]);
}

#[test]
fn s07_17_each_output_has_its_own_inputs_fields() {
    let v4 = |ttl, tos, df, id| Datagram {
        ip: Ip::V4 { ttl, tos, df, id, options: false },
        ..Datagram::v4(0, 0)
    };
    let usual = v4(64, 0, true, 9);
    for other in [v4(63, 0, true, 9), v4(64, 3, true, 9), v4(64, 0, false, 9), v4(64, 0, true, 77)]
    {
        leave_as_they_came(&[usual.clone(), other.clone(), usual.clone(), usual.clone(), other]);
    }
    for ids in [[1, 2, 3, 4], [4, 3, 2, 1], [1, 1, 2, 2], [1, 2, 2, 3], [65534, 65535, 0, 1]] {
        leave_as_they_came(&ids.map(|id| v4(64, 0, false, id)));
    }
    let v6 = |hop_limit, class, label, extension| Datagram {
        ip: Ip::V6 { hop_limit, class, label, extension },
        ..Datagram::v6(0)
    };
    let usual = v6(64, 0, 1, Some(1));
    for other in [v6(63, 0, 1, Some(1)), v6(64, 1, 1, Some(1)), v6(64, 0, 2, Some(1))] {
        leave_as_they_came(&[usual.clone(), other.clone(), usual.clone(), usual.clone(), other]);
    }
    for extension in [None, Some(2)] {
        let other = v6(64, 0, 1, extension);
        leave_as_they_came(&[usual.clone(), other.clone(), usual.clone(), other]);
    }
    let tagged = |id, priority| Datagram { tags: vec![Tag { id, priority }], ..Datagram::v4(0, 1) };
    leave_as_they_came(&[tagged(1, 0), tagged(1, 5), tagged(1, 1), tagged(1, 0), tagged(1, 0)]);
}

#[test]
fn s07_18_what_cannot_join_keeps_its_place() {
    let usual = || Datagram::v4(0, 1).len(1400);
    let padded = Datagram { padding: 8, ..usual().len(10) };
    let fragment = Datagram { fragment: true, ..usual() };
    let bare = Datagram { checksum: UdpChecksum::Zero, ..usual() };
    let bad = Datagram { checksum: UdpChecksum::Spoilt, ..usual() };
    let bad_header = Datagram { bad_header_checksum: true, ..usual() };
    leave_as_they_came(&[usual(), usual(), padded, usual()]);
    for odd in [fragment, bare, bad, bad_header] {
        leave_as_they_came(&[usual(), odd.clone(), usual()]);
        leave_as_they_came(&[usual(), usual(), odd.clone(), odd, usual(), usual()]);
    }
    let fragment = Datagram { fragment: true, ..Datagram::v6(0).len(1200) };
    leave_as_they_came(&[Datagram::v6(0).len(1200), fragment, Datagram::v6(0).len(1200)]);
}

/// A datagram of 3000 bytes in fragments, cut by hand.
fn fragments(identification: u16) -> Vec<Vec<u8>> {
    let dst_mac = gateway::packet::MacAddr([2, 0, 0, 0, 0, 0]);
    let (src, dst) = ("10.0.0.2", "10.1.0.2");
    let udp = Udp { src_mac: host(0), dst_mac, src, dst, ports: (1, 2), ttl: 64 };
    let whole = udp.frame(&vec![identification as u8; 3000]);
    let (header, _) = Ipv4Header::from_slice(&whole[14..]).unwrap();
    let cut = |start: usize| {
        let payload = &whole[34..][start..3008.min(start + 1480)];
        let mut header = header.clone();
        header.dont_fragment = false;
        header.identification = identification;
        header.more_fragments = start + payload.len() < 3008;
        header.fragment_offset = IpFragOffset::try_new((start / 8) as u16).unwrap();
        header.set_payload_len(payload.len()).unwrap();
        header.header_checksum = header.calc_header_checksum();
        [&whole[..14], &header.to_bytes(), payload].concat()
    };
    [0, 1480, 2960].map(cut).into()
}

#[test]
fn s07_19_fragments_in_any_order_are_untouched() {
    let out_mac = gateway::packet::MacAddr([2, 0, 0, 0, 0, 1]);
    let (one, two) = (fragments(1), fragments(2));
    for order in [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]] {
        let mixed: Vec<_> =
            order.iter().flat_map(|&part| [one[part].clone(), two[part].clone()]).collect();
        assert_eq!(in_every_form(&bridge(2, ""), &mixed)[1], mixed);
        let expected: Vec<_> = mixed.iter().map(|f| routed(f, out_mac, host(1))).collect();
        assert_eq!(in_every_form(&router(2, ""), &mixed)[1], expected);
    }
}

/// 64 places, 300 flows, each unlike the one before in all that a train remembers.
#[test]
fn s07_20_a_reused_place_of_the_table_inherits_nothing() {
    let flow = |n: u16| {
        let mut datagram = if n % 3 == 0 { Datagram::v6(n) } else { Datagram::v4(n, n) };
        datagram.macs = n as u8;
        datagram.tags = vec![Tag { id: 1 + n % 5, priority: 0 }; usize::from(n % 3)];
        datagram.payload = 40 + usize::from(n % 90);
        match &mut datagram.ip {
            Ip::V4 { ttl, tos, .. } => (*ttl, *tos) = (1 + n as u8 % 9, n as u8),
            Ip::V6 { hop_limit, label, .. } => (*hop_limit, *label) = (n as u8, n.into()),
        }
        let tail = datagram.clone().len(datagram.payload - 1);
        [datagram.frame(1), datagram.frame(2), tail.frame(3)]
    };
    let held = "flows = 64\nmax_hold_us = 3\nadaptive = false\n";
    for form in ["list", "merge"] {
        let mut gateway = Gateway::new(&format!("{}{held}", with_form(&bridge(2, ""), form)));
        let mut due: BTreeMap<u16, Vec<Vec<u8>>> = BTreeMap::new();
        for round in 0..2 {
            for n in 0..300 {
                let [first, second, tail] = flow(n);
                let frames = if round == 0 { vec![first, second] } else { vec![second, tail] };
                frames.iter().for_each(|frame| gateway.ports[0].inject(frame.clone()));
                due.entry(n).or_default().extend(frames);
                if n % 40 == 0 {
                    gateway.poll();
                }
            }
        }
        (0..8).for_each(|_| gateway.run());
        assert!(coalesced(&gateway) > 600, "{form}: {}", coalesced(&gateway));
        let sent = gateway.ports[1].take_sent();
        assert_eq!(sent.len(), 1200);
        for (n, due) in due {
            let of_flow = sent.iter().filter(|frame| due.contains(frame)).cloned();
            assert_eq!(of_flow.collect::<Vec<_>>(), due, "{form}: flow {n}");
        }
        gateway.finish();
    }
}
