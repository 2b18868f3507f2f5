//! Random worlds, valid by construction: what does not fit together is left out.

use core::net::IpAddr;

use proptest::prelude::*;

use super::{Group, Multicast, Port, Route, Settings, World, host_v4, host_v6};
use crate::packet::GROUPS;

/// Networks that routes lead to; some inside others.
const NETS: [(&str, u8); 7] = [
    ("10.100.0.0", 16),
    ("10.100.1.0", 24),
    ("10.101.0.0", 16),
    ("0.0.0.0", 0),
    ("2001:db8:64::", 48),
    ("2001:db8:64:1::", 64),
    ("::", 0),
];

/// Up to three worlds on the same 2 to 5 ports.
pub(crate) fn worlds() -> impl Strategy<Value = Vec<World>> {
    (2..=5usize).prop_flat_map(|ports| prop::collection::vec(world(ports), 1..=3))
}

fn world(ports: usize) -> impl Strategy<Value = World> {
    let mtu = prop_oneof![
        6 => Just(1500u16),
        1 => Just(9000),
        1 => Just(1280),
        1 => Just(576),
        1 => 68..1500u16,
    ];
    // 0: one bridge, 1: all routed, 2: two bridges and a router
    let style = 0..3u8;
    (
        style,
        prop::collection::vec((0..4u8, mtu), ports),
        prop::bool::weighted(0.8),
        prop::collection::vec((0..2usize, 0..GROUPS.len(), any::<u8>()), 0..4),
        prop::collection::vec((0..NETS.len(), 2..=4u8, any::<u8>()), 0..7),
        prop::collection::vec(
            (0..GROUPS.len(), prop::option::weighted(0.4, 2..=3u8), any::<u8>(), any::<u8>()),
            0..5,
        ),
    )
        .prop_map(|(style, ports, snooping, groups, routes, multicast)| {
            let role = |role: u8| match (style, role) {
                (0, _) | (2, 0 | 1) => Some(0),
                (2, 2) => Some(1),
                _ => None,
            };
            let ports = ports.iter().map(|&(r, mtu)| Port { bridge: role(r), mtu }).collect();
            let mut world =
                World { ports, snooping, groups: vec![], routes: vec![], multicast: vec![] };
            for bridge in 0..2 {
                if let [lonely] = world.members(bridge)[..] {
                    world.ports[lonely].bridge = None;
                }
            }
            groups.iter().for_each(|&group| world.add_group(group));
            routes.iter().for_each(|&route| world.add_route(route));
            multicast.iter().for_each(|&route| world.add_multicast(route));
            world
        })
}

impl World {
    fn add_group(&mut self, (bridge, group, mask): (usize, usize, u8)) {
        let group: IpAddr = GROUPS[group].parse().unwrap();
        let ports: Vec<_> = pick(&self.members(bridge), mask);
        let known = self.groups.iter().any(|g| (g.bridge, g.group) == (bridge, group));
        if !ports.is_empty() && !known && !is_link_scope(group) {
            self.groups.push(Group { bridge, group, ports });
        }
    }

    fn add_route(&mut self, (net, host, choice): (usize, u8, u8)) {
        let routed = self.routed();
        let Some(&port) = routed.get(usize::from(choice) % routed.len().max(1)) else { return };
        let (net, len) = (NETS[net].0.parse().unwrap(), NETS[net].1);
        let same = |r: &Route| (r.net, r.len, r.port, r.host) == (net, len, port, host);
        if !self.routes.iter().any(same) {
            self.routes.push(Route { net, len, port, host });
        }
    }

    fn add_multicast(&mut self, (group, source, from, mask): (usize, Option<u8>, u8, u8)) {
        let group: IpAddr = GROUPS[group].parse().unwrap();
        let routed = self.routed();
        let Some(&from) = routed.get(usize::from(from) % routed.len().max(1)) else { return };
        let source: Option<IpAddr> = source.map(|host| match group {
            IpAddr::V4(_) => host_v4(from, host).into(),
            IpAddr::V6(_) => host_v6(from, host).into(),
        });
        let to: Vec<_> = pick(&routed, mask).into_iter().filter(|&port| port != from).collect();
        let known = self.multicast.iter().any(|m| (m.group, m.source) == (group, source));
        if !to.is_empty() && !known && !is_link_scope(group) {
            self.multicast.push(Multicast { group, source, from, to });
        }
    }
}

fn pick(ports: &[usize], mask: u8) -> Vec<usize> {
    ports.iter().copied().filter(|&port| mask & 1 << port != 0).collect()
}

fn is_link_scope(group: IpAddr) -> bool {
    match group {
        IpAddr::V4(group) => group.octets()[..3] == [224, 0, 0],
        IpAddr::V6(group) => group.octets()[1] & 0x0f <= 2,
    }
}

/// `tight`: small transmit buffers and hand-off rings too, which lose frames.
pub(crate) fn settings(tight: bool) -> impl Strategy<Value = Settings> {
    let mode = prop_oneof![1 => Just("off"), 3 => Just("list"), 3 => Just("merge")];
    let form = prop_oneof![8 => Just(None), 1 => Just(Some("off")), 1 => Just(Some("merge"))];
    let pieces = prop_oneof![1 => Just(1usize), 1 => Just(2), 3 => Just(31)];
    let buffer =
        if tight { prop_oneof![Just(64u32), Just(1024)].boxed() } else { Just(4096).boxed() };
    (
        (1..=2usize, mode, prop_oneof![Just(1u16), Just(2), Just(5), Just(64), Just(128)]),
        prop_oneof![2 => Just(0u64), 1 => Just(3), 1 => Just(200)],
        any::<bool>(),
        prop_oneof![Just(1u16), Just(4), Just(64), Just(256)],
        (buffer.clone(), buffer),
        prop_oneof![Just(0u16), Just(256), Just(2048)],
        any::<bool>(),
        prop::collection::vec((form, pieces), 5),
    )
        .prop_map(
            |(first, max_hold_us, adaptive, burst, buffers, copy_up_to, queue_each, ports)| {
                let (workers, mode, max_segments) = first;
                let (tx_buffer, handoff) = buffers;
                Settings {
                    workers,
                    mode,
                    max_segments,
                    max_hold_us,
                    adaptive,
                    burst,
                    tx_buffer,
                    handoff,
                    copy_up_to,
                    queue_each,
                    ports,
                }
            },
        )
}
