//! A whole gateway: any frames through any small world, in the three forms of coalescing. The same
//! frames leave, nothing is lost unnamed, pools are full; with faults the last two.

use std::sync::LazyLock;
use std::time::Duration;

use arbitrary::{Arbitrary, Unstructured};
use gateway::config::{Config, Gro, GroMode, Runtime};
use gateway::packet::{BufPool, PacketBuf};
use gateway::sim::{HeapPool, SimPort};
use gateway::time::Nanos;

use super::harness::{Gateway, bridge, parse, router};
use super::hostile::{Hostile, PORTS, Way};
use super::order::Promises;

/// Frames per run: more teach nothing that fewer do not.
const FRAMES_MAX: usize = 192;

const MULTICAST: &str = "[[multicast]]\ngroup = \"239.1.1.1\"\nfrom = \"p0\"\nto = [\"p1\", \"p2\"]\n\
                         [[multicast]]\ngroup = \"ff3e::1\"\nfrom = \"p0\"\nto = [\"p1\", \"p2\"]\n";
const MEMBERS: &str = "[[group]]\nbridge = \"br0\"\ngroup = \"239.1.1.1\"\nports = [\"p1\"]\n";

#[derive(Arbitrary, Debug)]
struct World {
    routed: bool,
    two_workers: bool,
    adaptive: bool,
    members: bool,
    max_segments: u8,
    hold: Hold,
    small_bursts: bool,
    copy_up_to: u16,
    /// Of each port, if not 1500.
    mtus: [Option<u16>; PORTS],
    /// Pieces a port takes in a frame.
    max_pieces: u8,
}

#[derive(Arbitrary, Clone, Copy, Debug)]
enum Hold {
    No,
    Short,
    Long,
}

#[derive(Arbitrary, Debug)]
enum Step {
    Frames(Hostile),
    Poll,
    Later(u16),
    Fault(Fault),
}

#[derive(Arbitrary, Clone, Copy, Debug)]
enum Fault {
    Link { port: u8, up: bool },
    Room { port: u8, frames: Option<u8> },
    DryAfter(u8),
}

#[derive(Arbitrary, Debug)]
struct Case {
    world: World,
    faults: bool,
    steps: Vec<Step>,
}

/// A case in the form of the `arbitrary` crate.
pub fn run(data: &[u8]) {
    let Ok(case) = Case::arbitrary_take_rest(Unstructured::new(data)) else { return };
    let (off, promises) = case.run(GroMode::Off);
    for form in [GroMode::List, GroMode::Merge] {
        let (on, _) = case.run(form);
        if case.is_comparable() {
            for (off, on) in off.iter().zip(&on) {
                promises.check(off, on, case.world.mtus == [None; PORTS]);
            }
        }
    }
}

impl Case {
    /// What two workers do in a hold is not one after the other (docs/limits.md).
    fn is_comparable(&self) -> bool {
        !self.faults && (!self.world.two_workers || matches!(self.world.hold, Hold::No))
    }

    fn run(&self, form: GroMode) -> (Vec<Vec<Vec<u8>>>, Promises) {
        let pool = HeapPool::new(2048, 2048);
        let pieces = 1 + usize::from(self.world.max_pieces % 40);
        let mut gateway = Gateway::of(&self.world.config(form), pool, pieces);
        let mut promises = Promises::default();
        let mut frames = 0;
        for step in self.steps.iter().take(FRAMES_MAX) {
            match step {
                Step::Frames(hostile) if frames < FRAMES_MAX => {
                    frames += self.inject(hostile, &gateway, &mut promises);
                }
                Step::Frames(_) => {}
                Step::Poll => gateway.poll(),
                Step::Later(micros) => {
                    gateway.now = gateway.now + Nanos::from_micros((*micros).into());
                }
                Step::Fault(fault) if self.faults => fault.strike(&mut gateway),
                Step::Fault(_) => {}
            }
        }
        gateway.pool.fail_after(u64::MAX);
        gateway.run();
        let ports = gateway.ports.clone();
        gateway.finish();
        let sent = ports.iter().map(SimPort::take_sent);
        let forwarded = sent.map(|mut frames| {
            frames.retain(|frame| !(self.world.routed && is_own_error(frame)));
            frames
        });
        (forwarded.collect(), promises)
    }

    fn inject(&self, hostile: &Hostile, gateway: &Gateway, promises: &mut Promises) -> usize {
        let way = if self.world.routed { Way::Routed } else { Way::Bridged };
        let port = hostile.port();
        let frames = hostile.frames(way);
        for frame in &frames {
            promises.note(port, frame);
            let place = hostile.split.map_or(frame.len(), usize::from).min(frame.len());
            let (head, tail) = frame.split_at(place);
            if tail.is_empty() || head.is_empty() {
                gateway.ports[port].inject(&frame[..]);
            } else if let (Some(mut packet), Some(tail)) =
                (gateway.pool.alloc_from(head), gateway.pool.alloc_from(tail))
            {
                packet.chain(tail);
                gateway.ports[port].inject_packet(packet);
            }
        }
        frames.len()
    }
}

impl World {
    fn config(&self, form: GroMode) -> Config {
        let mut config = self.base().clone();
        for (port, mtu) in config.ports.iter_mut().zip(self.mtus) {
            port.mtu = mtu.map_or(port.mtu, |mtu| 68 + mtu % 1433);
        }
        config.runtime = Runtime {
            lcores: if self.two_workers { vec![0, 1] } else { vec![0] },
            burst: if self.small_bursts { 4 } else { 64 },
            tx_buffer: 512,
            fdb_entries: 64,
            handoff: 512,
            copy_up_to: self.copy_up_to % 16385,
            ..config.runtime
        };
        config.gro = Gro {
            mode: form,
            flows: 64,
            adaptive: self.adaptive,
            max_segments: 1 + u16::from(self.max_segments % 128),
            max_hold: Duration::from_micros(match self.hold {
                Hold::No => 0,
                Hold::Short => 2,
                Hold::Long => 1000,
            }),
        };
        config
    }

    /// Read once: a fuzzer is not to spend its time on the file.
    fn base(&self) -> &'static Config {
        static BASES: LazyLock<[Config; 3]> = LazyLock::new(|| {
            [router(PORTS, MULTICAST), bridge(PORTS, MEMBERS), bridge(PORTS, "")]
                .map(|text| parse(&text))
        });
        match (self.routed, self.members) {
            (true, _) => &BASES[0],
            (false, true) => &BASES[1],
            (false, false) => &BASES[2],
        }
    }
}

impl Fault {
    fn strike(self, gateway: &mut Gateway) {
        match self {
            Self::Link { port, up } => gateway.set_link(usize::from(port) % PORTS, up),
            Self::Room { port, frames } => {
                gateway.ports[usize::from(port) % PORTS].limit_tx(frames.map(usize::from));
            }
            Self::DryAfter(allocations) => gateway.pool.fail_after(allocations.into()),
        }
    }
}

/// An ICMP error of the gateway's own: which datagrams are told of is the rate limit's choice.
fn is_own_error(frame: &[u8]) -> bool {
    let v4 = frame.get(12..14) == Some(&[0x08, 0x00]) && frame.get(23) == Some(&1);
    let v6 = frame.get(12..14) == Some(&[0x86, 0xdd]) && frame.get(20) == Some(&58);
    let own4 = matches!(frame.get(26..30), Some([10, _, 0, 1]));
    let own6 =
        matches!(frame.get(22..38), Some([0x20, 1, 0xd, 0xb8, 0, _, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]));
    (v4 && own4 && matches!(frame.get(34), Some(3 | 11 | 12)))
        || (v6 && own6 && matches!(frame.get(54), Some(1..=4)))
}
