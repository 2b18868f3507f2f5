//! Whatever the text, parsing ends without a panic; whatever the configuration, its file says it.

#[allow(unreachable_pub)]
#[path = "fuzz/targets/config.rs"]
mod any_text;

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use gateway::config::{
    Action, Bridge, Cast, Config, Control, Filter, Gro, GroMode, Group, Listener, Match,
    MulticastRoute, Neighbor, Place, Port, Protocol, Route, Runtime, parse,
};
use gateway::packet::{MacAddr, PortId};
use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use proptest::collection::vec;
use proptest::prelude::*;

const CONTRACT: &str = include_str!("config/valid/contract.toml");

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn arbitrary_text_never_panics(text in "(?s).{0,200}") {
        any_text::run(text.as_bytes());
    }

    #[test]
    fn damaged_files_never_panic(damage in vec((any::<prop::sample::Index>(), 0..40_usize, token()), 1..8)) {
        let mut text: Vec<char> = CONTRACT.chars().collect();
        for (place, cut, token) in damage {
            let start = place.index(text.len().max(1)).min(text.len());
            let end = (start + cut).min(text.len());
            text.splice(start..end, token.chars());
        }
        any_text::run(text.into_iter().collect::<String>().as_bytes());
    }

    #[test]
    fn every_configuration_round_trips(config in config()) {
        let text = config.to_toml();
        match parse("shown", &text) {
            Ok(read) => prop_assert_eq!(read, config),
            Err(errors) => prop_assert!(false, "{}\n{}", text, errors),
        }
    }
}

fn token() -> impl Strategy<Value = String> {
    let tokens = ["", "é", "\u{0}", "\r", "\t", "\"", "[", "]]", "{", "=", "99999999999999999999"];
    let words =
        ["name", "[[port]]", "0x", "\"p1\"", "1979-05-27", "'''", "#", "\n", "host = true\n"];
    let all: Vec<_> = tokens.into_iter().chain(words).map(str::to_owned).collect();
    prop_oneof![prop::sample::select(all), "\\PC{0,8}"]
}

fn config() -> impl Strategy<Value = Config> {
    let ports = vec((port(), 0..4_usize), 1..12);
    (ports, runtime(), gro(), control(), any::<bool>(), 1..=1_000_000_u64).prop_map(
        |(ports, runtime, gro, control, snooping, ageing)| {
            let mut config = Config {
                snooped: Vec::new(),
                kernel_routes: Arc::default(),
                runtime,
                gro,
                ports: Vec::new(),
                bridges: Vec::new(),
                groups: Vec::new(),
                listeners: Vec::new(),
                routes: Vec::new(),
                neighbors: Vec::new(),
                multicast: Vec::new(),
                filters: Vec::new(),
                control,
            };
            let mut members = [Vec::new(), Vec::new()];
            let mut routed = Vec::new();
            for (index, (mut port, place)) in ports.into_iter().enumerate() {
                let id = PortId(index as u16);
                port.name = format!("p{index}");
                port.device = format!("net_null{index}");
                match members.get_mut(place) {
                    Some(members) => members.push(id),
                    None => routed.push(id),
                }
                config.ports.push(port);
            }
            members.into_iter().for_each(|ports| bridge(&mut config, ports, snooping, ageing));
            routed.iter().for_each(|port| route(&mut config, *port));
            multicast(&mut config, &routed);
            filters(&mut config);
            config
        },
    )
}

fn bridge(config: &mut Config, ports: Vec<PortId>, snooping: bool, ageing: u64) {
    if ports.is_empty() {
        return;
    }
    let index = config.bridges.len();
    let group = IpAddr::V4(Ipv4Addr::new(239, 1, 1, 1));
    config.groups.push(Group { bridge: index, group, ports: ports[..1].to_vec() });
    for (port, n) in ports[1..].iter().zip(0..) {
        let mac = MacAddr([2, 0, 0, 0, 1, n]);
        config.listeners.push(Listener { bridge: index, group, port: *port, mac });
    }
    let (name, ageing) = (format!("br{index}"), Duration::from_secs(ageing));
    config.bridges.push(Bridge {
        name,
        ports,
        snooping,
        ageing,
        host: false,
        querier: false,
        fast_leave: Vec::new(),
        max_groups: 0,
        max_groups_per_port: 0,
    });
}

/// Two networks, a route of each family and a neighbor for a routed port.
fn route(config: &mut Config, port: PortId) {
    let n = port.0 as u8;
    let four = Ipv4Addr::new(10, n, 0, 1);
    let six = Ipv6Addr::new(0x2001, 0xdb8, u16::from(n), 0, 0, 0, 0, 1);
    config.ports[port.index()].addresses =
        vec![IpNet::V4(Ipv4Net::new(four, 24).unwrap()), IpNet::V6(Ipv6Net::new(six, 64).unwrap())];
    let via = IpAddr::V4(Ipv4Addr::new(10, n, 0, 2));
    config.routes.push(Route { prefix: "0.0.0.0/0".parse().unwrap(), via, port });
    let via = IpAddr::V6(Ipv6Addr::new(0x2001, 0xdb8, u16::from(n), 0, 0, 0, 0, 2));
    config.routes.push(Route { prefix: "2001:db9::/32".parse().unwrap(), via, port });
    config.neighbors.push(Neighbor { address: via, mac: MacAddr([2, 0, 0, 0, 0, n]), port });
}

/// A filter at every place, with every action, and keys as the ports decide.
fn filters(config: &mut Config) {
    let places = [Place::Ingress, Place::Forward, Place::Egress, Place::Local];
    for (index, at) in places.into_iter().enumerate() {
        let port = config.ports.get(index).map(|_| PortId(index as u16));
        let matches = Match {
            cast: (index == 1).then_some(Cast::Broadcast),
            port,
            proto: (index % 2 == 0).then_some(Protocol::Udp),
            src: port.map(|_| "10.0.0.0/8".parse().unwrap()),
            dst: (index == 3).then(|| "239.0.0.0/8".parse().unwrap()),
            src_port: (index == 1).then_some((7, 7)),
            dst_port: (index == 2).then_some((5000, 5999)),
        };
        let rate = (index > 0).then_some(1 << (index * 9));
        let (rate_pps, rate_bps) = (rate, rate.filter(|_| index == 2));
        let action = if index == 0 { Action::Drop } else { Action::Accept };
        config.filters.push(Filter { at, matches, action, rate_pps, rate_bps });
    }
    let (at, matches) = (Place::Ingress, Match::default());
    let action = Action::Mirror(PortId(0));
    config.filters.push(Filter { at, matches, action, rate_pps: None, rate_bps: None });
}

fn multicast(config: &mut Config, routed: &[PortId]) {
    let [from, to @ ..] = routed else { return };
    if to.is_empty() {
        return;
    }
    for (group, source) in [("239.1.1.1", None), ("ff3e::1", Some("2001:db8::9"))] {
        config.multicast.push(MulticastRoute {
            group: group.parse().unwrap(),
            source: source.map(|source| source.parse().unwrap()),
            from: *from,
            to: to.to_vec(),
            kernel: None,
        });
    }
}

fn port() -> impl Strategy<Value = Port> {
    (prop::option::of(any::<[u8; 5]>()), 68..=9600_u16, prop::option::of(mode())).prop_map(
        |(mac, mtu, gro)| Port {
            name: String::new(),
            device: String::new(),
            mac: mac.map(|[a, b, c, d, e]| MacAddr([2, a, b, c, d, e])),
            mtu,
            addresses: Vec::new(),
            gro,
            host: false,
            shadow: None,
        },
    )
}

fn mode() -> impl Strategy<Value = GroMode> {
    prop::sample::select(vec![GroMode::Off, GroMode::List, GroMode::Merge])
}

fn runtime() -> impl Strategy<Value = Runtime> {
    let lcores = prop::collection::hash_set(0..1024_usize, 1..5);
    let args = vec("[^\u{0}]{0,20}", 0..3);
    let sizes = (512..=4_194_304_u32, 1600..=16384_u16, 6..=12_u32, 64..=65536_u32);
    let rest = (1..=256_u16, any::<bool>(), 0..=100_000_u32, 64..=1_048_576_u32);
    (lcores, args, sizes, rest).prop_map(|(lcores, eal_args, sizes, rest)| Runtime {
        lcores: lcores.into_iter().collect(),
        hugepages: rest.1,
        memory_mb: 65536,
        eal_args,
        burst: rest.0,
        pool_buffers: sizes.0,
        buffer_bytes: sizes.1,
        ring_descriptors: 1 << sizes.2,
        tx_buffer: sizes.3,
        handoff: sizes.3,
        fdb_entries: rest.3,
        idle_sleep_us: rest.2,
        copy_up_to: rest.0 * 64,
    })
}

fn gro() -> impl Strategy<Value = Gro> {
    (mode(), 1..=128_u16, 0..=10_000_u64, 64..=65536_u32, any::<bool>()).prop_map(
        |(mode, max_segments, hold, flows, adaptive)| Gro {
            mode,
            max_segments,
            max_hold: Duration::from_micros(hold),
            flows,
            adaptive,
        },
    )
}

fn control() -> impl Strategy<Value = Control> {
    ("/[a-z\"\\\\é]{1,30}", prop::option::of(any::<(Ipv6Addr, u16)>())).prop_map(
        |(path, address)| Control { socket: PathBuf::from(path), metrics: address.map(Into::into) },
    )
}
