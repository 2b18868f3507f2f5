//! The harness against itself: Linux forwards instead of the gateway. When these fail, a failure
//! of the other namespace tests says nothing about the gateway.

#[path = "support/middle.rs"]
mod middle;
#[path = "support/netns.rs"]
mod netns;

use gateway::demo::topology::port_name;
use gateway::demo::window::WINDOW;
use middle::{linux_bridge, linux_router};
use netns::{
    demand_fragments_pass, demand_intact, frames, lab, ping, plug_lan, plug_routed, stream,
};

#[test]
fn a_linux_bridge_carries_unicast_and_multicast() {
    let Some(mut lab) = lab() else { return };
    plug_lan(&mut lab, 3);
    linux_bridge(&lab);
    let streams = [
        stream(0, "10.78.0.2", &[1]),
        stream(0, "fd78::2", &[1]),
        stream(0, "239.78.1.1", &[1, 2]),
        stream(0, "ff3e::78:1", &[1, 2]),
    ];
    demand_intact(&lab, &streams, 1.0);
    demand_fragments_pass(&lab);
}

#[test]
fn a_linux_router_carries_both_families_and_echoes() {
    let Some(mut lab) = lab() else { return };
    plug_routed(&mut lab, 2);
    linux_router(&lab);
    demand_intact(&lab, &[stream(0, "10.78.2.2", &[1]), stream(1, "fd78:1::2", &[0])], 1.0);
    for destination in ["10.78.2.2", "fd78:2::2"] {
        ping(&lab.hosts[0], destination.parse().unwrap()).unwrap();
    }
    ping(&lab.hosts[0], "10.78.2.77".parse().unwrap()).unwrap_err();
}

/// A bridge that floods brings a group's datagrams to a host that is no member: the tap must see
/// them, or no other test could tell a gateway that floods from one that does not.
#[test]
fn a_flood_is_seen_at_the_non_member() {
    let Some(mut lab) = lab() else { return };
    plug_lan(&mut lab, 3);
    linux_bridge(&lab);
    for group in ["239.78.1.1", "ff3e::78:1"] {
        let (outcome, faults) = netns::outcome(&lab, &[stream(0, group, &[1])], 0.3);
        assert_eq!(outcome.strayed, [0, 0, outcome.sent[0].datagrams], "{group}");
        assert_eq!(faults.len(), 1, "{group}");
    }
}

/// Senders wait for slow receivers: what is lost must be missed all the same, whether it is in the
/// middle of a stream or all of it.
#[test]
fn loss_is_missed_and_named() {
    let Some(mut lab) = lab() else { return };
    plug_lan(&mut lab, 3);
    linux_bridge(&lab);
    // The bridge drops what is longer: of thirteen trains the fourth (7 datagrams, the first is
    // number 62) and the eleventh but for its tail (15).
    lab.middle.ip("link set p1 mtu 1400").unwrap();
    let (outcome, faults) = netns::outcome(&lab, &[stream(0, "239.78.1.1", &[1, 2])], 0.1);
    let sent = outcome.sent[0].datagrams;
    let lost = format!(
        "h2 received {} of {sent} datagrams (0 twice, 0 late, number 62 missing)",
        sent - 22
    );
    assert_eq!(faults, [format!("0 to 239.78.1.1: {lost}")]);

    lab.middle.ip("link set p2 down").unwrap();
    let (outcome, faults) = netns::outcome(&lab, &[stream(0, "239.78.1.1", &[1, 2])], 60.0);
    assert!(outcome.sent[0].datagrams <= WINDOW, "sent on and on: {:?}", outcome.sent[0]);
    let lost = format!("h3 received 0 of {} datagrams", outcome.sent[0].datagrams);
    assert!(faults.iter().any(|fault| fault.contains(&lost)), "{faults:?}");
}

/// The cable brings whole frames with complete checksums to whoever reads it raw, as
/// net_af_packet does, though the sender handed the kernel a train.
#[test]
fn trains_reach_a_raw_reader_as_whole_datagrams() {
    use etherparse::{SlicedPacket, TransportSlice};
    use gateway::demo::{host::Sender, tap::Tap, topology::INTERFACE};

    let Some(mut lab) = lab() else { return };
    plug_lan(&mut lab, 1);
    let tap = lab.middle.enter(|| Tap::new(&port_name(0))).unwrap();
    let group = "239.78.1.1:7077".parse().unwrap();
    let host = &lab.hosts[0].namespace;
    let mut sender = host.enter(|| Sender::new(INTERFACE, group)).unwrap();
    sender.send(&[0x5a; 3 * 1200 + 11], 1200).unwrap();
    let lengths = frames(&tap, 4, |frame| {
        let packet = SlicedPacket::from_ethernet(frame).unwrap();
        let Some(TransportSlice::Udp(udp)) = &packet.transport else { return None };
        let Some(etherparse::NetSlice::Ipv4(ip)) = &packet.net else { panic!("{packet:?}") };
        let checksum = udp.to_header().calc_checksum_ipv4(&ip.header().to_header(), udp.payload());
        assert_eq!(udp.checksum(), checksum.unwrap());
        Some(udp.payload().len())
    });
    assert_eq!(lengths, [1200, 1200, 1200, 11]);
}
