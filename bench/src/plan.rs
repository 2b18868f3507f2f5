//! What is measured: groups of rungs that are compared with each other, on the same ports.

use crate::peers::Who;
use crate::{Case, Form, Journey};

/// How much of the plan.
#[derive(Clone, Copy, PartialEq, Eq, Debug, clap::ValueEnum)]
pub enum Size {
    /// The goals, in less than 8 minutes
    Short,
    /// The curves as well, in less than 15
    Middle,
    /// Every shape
    Full,
}

/// Rungs in one table; the first is what the others are compared with.
pub struct Group {
    /// In results and names of plots.
    pub name: &'static str,
    /// Above the table.
    pub title: &'static str,
    /// What `Rung::x` is, where the group is a curve.
    pub axis: Option<&'static str>,
    /// The rungs.
    pub rungs: Vec<Rung>,
}

/// One program with one case.
#[derive(Clone, Debug)]
pub struct Rung {
    /// What the row is called.
    pub label: String,
    /// Who forwards.
    pub who: Who,
    /// What.
    pub case: Case,
    /// Polling threads.
    pub workers: usize,
    /// Where it stands on the axis.
    pub x: f64,
}

/// DPDK is built for 32 ports (RTE_MAX_ETHPORTS in Debian's): one receives.
const MOST_COPIES: usize = 31;

impl Rung {
    fn new(who: Who, case: Case) -> Self {
        let label =
            if who == Who::Gateway { format!("gateway, {}", case.form()) } else { who.to_string() };
        Self { label, who, case, workers: 1, x: 0.0 }
    }

    fn called(mut self, more: &str) -> Self {
        self.label = format!("{}, {more}", self.label);
        self
    }

    fn at(mut self, x: usize) -> Self {
        self.x = x as f64;
        self
    }
}

/// The groups of a size.
pub fn plan(size: Size) -> Vec<Group> {
    let mut groups = vec![single(), trains(size), multicast(22), multicast(1400)];
    groups.extend([Journey::Multicast, Journey::Flood].map(|path| fanout(size, path)));
    groups.extend([flows(size), routes(size), workers(), mix(size)]);
    if size != Size::Short {
        groups.extend([payloads(size), families(size), filters(), multicast_routes()]);
    }
    groups
}

fn route() -> Case {
    Case::new(Journey::Route)
}

fn gateway(case: Case) -> Rung {
    Rung::new(Who::Gateway, case)
}

fn single() -> Group {
    let peers =
        [Who::TestpmdMacswap, Who::TestpmdIo, Who::TestpmdCsum, Who::L3fwdLpm, Who::L3fwdFib];
    let mut rungs: Vec<_> = peers.map(|who| Rung::new(who, route())).into();
    rungs.extend([
        gateway(Case { gro: Form::Off, ..route() }),
        gateway(route()),
        gateway(Case { adaptive: false, ..route() }),
    ]);
    Group { name: "single", title: "64 B, IPv4, routed, one by one", axis: None, rungs }
}

fn trains(size: Size) -> Group {
    let case = |train| Case { train, adaptive: false, ..route() };
    let mut rungs = vec![
        Rung::new(Who::TestpmdMacswap, case(16)).called("trains of 16").at(16),
        Rung::new(Who::L3fwdLpm, case(16)).called("trains of 16").at(16),
    ];
    let lengths: &[usize] =
        if size == Size::Short { &[1, 2, 4, 16, 64] } else { &[1, 2, 4, 8, 16, 32, 64] };
    for &train in lengths {
        rungs.push(gateway(case(train)).called(&format!("trains of {train}")).at(train));
    }
    let default = Case { adaptive: true, ..case(16) };
    rungs.push(gateway(default).called("trains of 16").at(16));
    let forms: &[Form] = if size == Size::Short { &[Form::Off] } else { &[Form::Off, Form::Merge] };
    for &gro in forms {
        for train in [1, 16, 64].into_iter().skip(usize::from(size == Size::Short)) {
            let rung = gateway(Case { gro, ..case(train) });
            rungs.push(rung.called(&format!("trains of {train}")).at(train));
        }
    }
    Group {
        name: "trains",
        title: "64 B, IPv4, routed, by train length",
        axis: Some("datagrams per train"),
        rungs,
    }
}

fn multicast(payload: usize) -> Group {
    let case = |copies| Case { payload, copies, train: 16, ..Case::new(Journey::Multicast) };
    let mut rungs = Vec::new();
    for copies in [3, 1, 2] {
        for who in [Who::Ipv4Multicast, Who::Gateway] {
            rungs.push(Rung::new(who, case(copies)).called(&format!("1 to {copies}")));
        }
        if payload == 22 {
            break; // the goal; the other lengths tell the rest
        }
    }
    let (name, title) = if payload == 22 {
        ("multicast-64", "64 B, IPv4 multicast, routed, trains of 16")
    } else {
        ("multicast-1442", "1442 B, IPv4 multicast, routed, trains of 16")
    };
    Group { name, title, axis: None, rungs }
}

/// Routed, each replica rewritten; in a bridge, all of them one and the same.
fn fanout(size: Size, path: Journey) -> Group {
    let counts: &[usize] =
        if size == Size::Short { &[1, 8, MOST_COPIES] } else { &[1, 2, 3, 8, 16, MOST_COPIES] };
    let payloads: &[usize] = if size == Size::Full { &[22, 1400] } else { &[22] };
    let mut rungs = Vec::new();
    for &payload in payloads {
        for &copies in counts {
            let case = Case { copies, payload, train: 16, ..Case::new(path) };
            rungs.push(
                gateway(case).called(&format!("{} B, 1 to {copies}", payload + 42)).at(copies),
            );
        }
    }
    let (name, title) = match path {
        Journey::Flood => ("flood", "IPv4 multicast, bridged, trains of 16, by egress ports"),
        _ => ("fanout", "IPv4 multicast, routed, trains of 16, by egress ports"),
    };
    Group { name, title, axis: Some("egress ports"), rungs }
}

/// All with one length of input, so that what the source's memory costs is in each.
fn flows(size: Size) -> Group {
    let frames = 65_536;
    let mut rungs = Vec::new();
    let counts: &[usize] = if size == Size::Short { &[1, 4096] } else { &[1, 64, 4096] };
    for &flows in counts {
        let case = Case { frames, flows, train: 16, ..route() };
        rungs.push(gateway(case).called(&format!("trains of 16, {flows} flows")).at(flows));
    }
    for flows in [64, 65_536] {
        let case = Case { frames, flows, train: 1, ..route() };
        rungs.push(gateway(case).called(&format!("single, {flows} flows")).at(flows));
    }
    Group {
        name: "flows",
        title: "64 B, IPv4, routed, by flows (65,536 frames replayed)",
        axis: Some("flows"),
        rungs,
    }
}

fn routes(size: Size) -> Group {
    let counts: &[usize] = if size == Size::Short { &[1, 200_000] } else { &[1, 10_000, 200_000] };
    let mut rungs = Vec::new();
    for &routes in counts {
        let case = Case { frames: 65_536, flows: 65_536, routes, ..route() };
        rungs.push(gateway(case.clone()).called(&format!("single, {routes} routes")).at(routes));
        if size == Size::Full {
            let case = Case { train: 16, flows: 4096, ..case };
            rungs.push(gateway(case).called(&format!("trains of 16, {routes} routes")).at(routes));
        }
    }
    Group {
        name: "routes",
        title: "64 B, IPv4, routed, by routes (65,536 frames replayed)",
        axis: Some("routes"),
        rungs,
    }
}

/// Two CPUs that share a core's units, caches or clock do not do twice as much, whoever runs there:
/// testpmd says what this machine gives.
fn workers() -> Group {
    let case = Case { train: 16, adaptive: false, ..route() };
    let mut rungs = Vec::new();
    for who in [Who::TestpmdMacswap, Who::Gateway] {
        for workers in [1, 2] {
            let rung = Rung::new(who, case.clone()).called(&format!("{workers} worker(s)"));
            rungs.push(Rung { workers, ..rung.at(workers) });
        }
    }
    Group {
        name: "workers",
        title: "64 B, IPv4, routed, trains of 16, CPU cycles by workers",
        axis: None,
        rungs,
    }
}

fn filters() -> Group {
    let mut rungs = Vec::new();
    for filters in [0, 10, 100] {
        for (gro, train) in [(Form::Off, 16), (Form::List, 16), (Form::Off, 1), (Form::List, 1)] {
            let case = Case { gro, train, filters, ..route() };
            rungs.push(gateway(case).called(&format!("trains of {train}, {filters} rules")));
        }
    }
    Group {
        name: "filters",
        title: "64 B, IPv4, routed, by filter rules that do not match",
        axis: None,
        rungs,
    }
}

fn multicast_routes() -> Group {
    let mut rungs = Vec::new();
    for groups in [1, 10_000] {
        let case = Case {
            groups,
            frames: 65_536,
            flows: 4096,
            train: 16,
            copies: 3,
            ..Case::new(Journey::Multicast)
        };
        rungs.push(gateway(case).called(&format!("1 to 3, {groups} groups")));
    }
    Group {
        name: "groups",
        title: "64 B, IPv4 multicast, routed, trains of 16, by groups (65,536 frames replayed)",
        axis: None,
        rungs,
    }
}

fn payloads(size: Size) -> Group {
    let lengths: &[usize] = if size == Size::Full { &[22, 256, 512, 1200, 1400] } else { &[1400] };
    let mut rungs = Vec::new();
    for &payload in lengths {
        let case = Case { payload, train: 16, ..route() };
        let name = format!("{payload} B of payload");
        for who in [Who::TestpmdMacswap, Who::L3fwdLpm, Who::Gateway] {
            rungs.push(Rung::new(who, case.clone()).called(&name).at(payload));
        }
        for gro in [Form::Off, Form::Merge] {
            rungs.push(gateway(Case { gro, ..case.clone() }).called(&name).at(payload));
        }
    }
    Group { name: "payload", title: "IPv4, routed, trains of 16, by payload", axis: None, rungs }
}

fn mix(size: Size) -> Group {
    let case = Case { mix: true, frames: 2048, ..route() };
    let forms = [Form::Off, Form::List, Form::Merge];
    let mut rungs: Vec<_> = forms.map(|gro| gateway(Case { gro, ..case.clone() })).into();
    rungs.push(gateway(Case { adaptive: false, ..case.clone() }));
    if size == Size::Short {
        rungs.truncate(2);
    } else {
        rungs.extend([Who::TestpmdMacswap, Who::L3fwdLpm].map(|who| Rung::new(who, case.clone())));
    }
    Group {
        name: "mix",
        title: "QUIC bulk, RTP, DNS and IPTV together, IPv4, routed",
        axis: None,
        rungs,
    }
}

fn families(size: Size) -> Group {
    let mut rungs = Vec::new();
    let trains: &[usize] = if size == Size::Full { &[1, 16] } else { &[16] };
    for &train in trains {
        let named = |case: Case, what: &str| {
            let grouped = format!("{what}, trains of {train}");
            gateway(Case { train, ..case }).called(&grouped)
        };
        rungs.push(named(route(), "IPv4"));
        rungs.push(named(Case { v6: true, ..route() }, "IPv6"));
        let station = Case::new(Journey::Station);
        rungs.push(named(station.clone(), "bridged"));
        rungs.push(named(Case { vlan: true, ..station }, "bridged, VLAN"));
        rungs.push(named(Case { copies: 3, ..Case::new(Journey::Flood) }, "flooded to 3"));
        let multicast = Case { v6: true, copies: 3, ..Case::new(Journey::Multicast) };
        rungs.push(named(multicast, "IPv6 multicast to 3"));
    }
    Group { name: "families", title: "64 B to 84 B, by what it is", axis: None, rungs }
}
