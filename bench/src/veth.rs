//! Kernel interfaces: the Linux bridge and router over veth cables, and on the same cables testpmd
//! and the gateway over net_af_packet and net_af_xdp. A thread sends frames by a raw socket as fast
//! as it can; what arrives behind the middle counts.

use core::fmt::Write;
use std::fs::{self, File};
use std::os::fd::AsRawFd;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use gateway::demo::namespace::{End, Namespace, cable};
use gateway::demo::tap::Tap;
use gateway::packet::MacAddr;
use serde::Serialize;

use crate::frames::{GATEWAY_MAC, RECEIVER_MAC, SENDER_MAC, host_v4};
use crate::outcome::Spread;
use crate::peers::{PeerSetup, Who};
use crate::plan::Size;
use crate::program::Program;
use crate::{Case, Journey, Topology};

/// Who stands in the middle.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Middle {
    /// A Linux bridge.
    LinuxBridge,
    /// A Linux router, GRO off.
    LinuxRouter,
    /// With `rx-udp-gro-forwarding`, and a NAPI that waits for more.
    LinuxRouterGro,
    /// With `rx-gro-list` as well.
    LinuxRouterGroList,
    /// testpmd io over this driver.
    TestpmdIo(Driver),
    /// The gateway over this driver.
    Gateway(Driver),
}

/// How DPDK gets at a kernel interface.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Driver {
    /// A ring of packet(7).
    AfPacket,
    /// A ring of XDP, copied into and out of on veth.
    AfXdp,
}

impl Driver {
    fn device(self, n: usize) -> String {
        match self {
            Self::AfPacket => format!("net_af_packet{n},iface=p{n}"),
            Self::AfXdp => format!("net_af_xdp{n},iface=p{n}"),
        }
    }
}

impl Middle {
    fn name(self) -> &'static str {
        match self {
            Self::LinuxBridge => "Linux bridge",
            Self::LinuxRouter => "Linux router, gro off",
            Self::LinuxRouterGro => "Linux router, rx-udp-gro-forwarding",
            Self::LinuxRouterGroList => "Linux router, rx-gro-list",
            Self::TestpmdIo(Driver::AfPacket) => "testpmd io, net_af_packet",
            Self::TestpmdIo(Driver::AfXdp) => "testpmd io, net_af_xdp",
            Self::Gateway(Driver::AfPacket) => "gateway, net_af_packet",
            Self::Gateway(Driver::AfXdp) => "gateway, net_af_xdp",
        }
    }
}

/// What one run saw.
#[derive(Clone, Debug, Serialize)]
pub struct Passage {
    /// Who.
    pub middle: Middle,
    /// What.
    pub case: Case,
    /// Which turn.
    pub round: usize,
    /// Frames sent.
    pub sent: u64,
    /// Frames that arrived, over all receivers.
    pub arrived: u64,
    /// The window, nanoseconds.
    pub wall_ns: u64,
    /// CPU time of the sender, which is where a veth's receiving side runs, and of ksoftirqd.
    pub kernel_cpu_ns: u64,
}

/// A sender, the middle and the receivers.
struct Lab {
    sender: Namespace,
    middle: Namespace,
    receivers: Vec<Namespace>,
}

impl Lab {
    fn new(receivers: usize) -> anyhow::Result<Self> {
        let lab = Self {
            sender: Namespace::new("sender")?,
            middle: Namespace::new("middle")?,
            receivers: (1..=receivers)
                .map(|n| Namespace::new(&format!("receiver{n}")))
                .collect::<Result<_, _>>()?,
        };
        lab.middle.sysctl("ipv6/conf/default/disable_ipv6", "1")?;
        cable(end(&lab.sender, "eth0", SENDER_MAC), end(&lab.middle, "p0", GATEWAY_MAC))?;
        for (n, receiver) in (1..).zip(&lab.receivers) {
            let (mut mine, mut theirs) = (GATEWAY_MAC, RECEIVER_MAC);
            (mine[5], theirs[5]) = (n, n);
            let port = format!("p{n}");
            cable(end(receiver, "eth0", theirs), end(&lab.middle, &port, mine))?;
        }
        Ok(lab)
    }

    /// A program says that it runs before its ports do.
    fn await_frames(&self) -> anyhow::Result<()> {
        let began = Instant::now();
        while self.arrived()? < 64 {
            ensure!(began.elapsed() < Duration::from_secs(20), "nothing arrives");
            thread::sleep(Duration::from_millis(10));
        }
        Ok(())
    }

    fn arrived(&self) -> anyhow::Result<u64> {
        self.receivers.iter().map(|receiver| receiver.enter(|| received("eth0"))).sum()
    }
}

/// Sends `case` through `middle` for `duration`.
///
/// # Errors
/// When the middle cannot be set up, and when nothing arrives.
pub fn pass(
    middle: Middle,
    case: &Case,
    round: usize,
    cpus: &[usize],
    duration: Duration,
) -> anyhow::Result<Passage> {
    let lab = Lab::new(case.egress_ports())?;
    let folder = tempfile::tempdir()?;
    let program = set_up(&lab, middle, case, cpus, folder.path())?;
    let frames = case.frames()?;
    let (stop, counting) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicBool::new(false)));
    let sending = {
        let (stop, counting) = (Arc::clone(&stop), Arc::clone(&counting));
        lab.sender.spawn(move || send(&frames, &stop, &counting))
    };
    let passing = lab.await_frames();
    thread::sleep(duration / 4);
    let (arrived, soft, began) = (lab.arrived()?, softirq_threads()?, Instant::now());
    counting.store(true, Ordering::Relaxed);
    thread::sleep(duration);
    counting.store(false, Ordering::Relaxed);
    let (wall, arrived) = (began.elapsed(), lab.arrived()? - arrived);
    let soft = softirq_threads()? - soft;
    stop.store(true, Ordering::Relaxed);
    let (sent, cpu) = sending.join().map_err(|_| anyhow::anyhow!("the sender panicked"))??;
    if let Some(program) = program {
        program.stop()?;
    }
    passing.with_context(|| format!("{middle:?}"))?;
    let kernel_cpu_ns = cpu + soft;
    let wall_ns = wall.as_nanos() as u64;
    Ok(Passage { middle, case: case.clone(), round, sent, arrived, wall_ns, kernel_cpu_ns })
}

fn set_up(
    lab: &Lab,
    middle: Middle,
    case: &Case,
    cpus: &[usize],
    folder: &Path,
) -> anyhow::Result<Option<Program>> {
    match middle {
        Middle::LinuxBridge => {
            lab.middle.ip("link add br0 type bridge")?;
            for n in 0..=lab.receivers.len() {
                lab.middle.ip(&format!("link set p{n} master br0"))?;
            }
            lab.middle.ip("link set br0 up")?;
        }
        Middle::LinuxRouter | Middle::LinuxRouterGro | Middle::LinuxRouterGroList => {
            lab.middle.sysctl("ipv4/ip_forward", "1")?;
            for n in 0..2 {
                lab.middle.ip(&format!("addr add {}/24 dev p{n}", host_v4(n, 1)))?;
            }
            let (host, mac) = (host_v4(1, 2), MacAddr(RECEIVER_MAC));
            lab.middle.ip(&format!("neigh replace {host} lladdr {mac} dev p1"))?;
            if middle != Middle::LinuxRouter {
                let list = if middle == Middle::LinuxRouterGroList { "on" } else { "off" };
                lab.middle.command(
                    "ethtool",
                    &format!("-K p0 gro on rx-udp-gro-forwarding on rx-gro-list {list}"),
                )?;
                // NAPI waits for more; without that a veth delivers one by one.
                in_sysfs(&lab.middle, "echo 50000 >/sys/class/net/p0/gro_flush_timeout")?;
                in_sysfs(&lab.middle, "echo 2 >/sys/class/net/p0/napi_defer_hard_irqs")?;
            }
        }
        Middle::TestpmdIo(driver) => return testpmd(lab, driver, cpus).map(Some),
        Middle::Gateway(driver) => {
            let outputs: Vec<_> = (1..=lab.receivers.len()).map(|n| driver.device(n)).collect();
            let topology = Topology {
                input: &driver.device(0),
                outputs: &outputs,
                lcores: &cpus[cpus.len() - 1..],
                hugepages: false,
                max_hold_us: 0,
            };
            let file = topology.write(case);
            return Program::gateway(&lab.middle, folder, &file).map(Some);
        }
    }
    Ok(None)
}

fn end<'a>(namespace: &'a Namespace, interface: &'a str, mac: [u8; 6]) -> End<'a> {
    End { namespace, interface, mac: Some(MacAddr(mac)) }
}

/// Inside by nsenter(1): a child that dies with its parent's thread cannot be started by a thread
/// that is there for the start only.
fn testpmd(lab: &Lab, driver: Driver, cpus: &[usize]) -> anyhow::Result<Program> {
    let inside = lab.middle.enter(|| Ok(File::open("/proc/thread-self/ns/net")?))?;
    let prefix = format!("veth-{}", std::process::id());
    let setup = PeerSetup {
        examples: Path::new(""),
        prefix: &prefix,
        devices: &[driver.device(0), driver.device(1)],
        lcore: cpus[cpus.len() - 1],
        other: cpus[0],
        workers: 1,
        hugepages: false,
    };
    let testpmd = Who::TestpmdIo.command(&setup);
    let mut command = Command::new("nsenter");
    command.arg(format!("--net=/proc/{}/fd/{}", std::process::id(), inside.as_raw_fd()));
    command.arg(testpmd.get_program()).args(testpmd.get_args());
    Program::peer(&command, &prefix, 1)
}

/// /sys shows the network namespace it was mounted in.
fn in_sysfs(namespace: &Namespace, script: &str) -> anyhow::Result<()> {
    let script = format!("mount -t sysfs sysfs /sys && {script}");
    namespace.enter(|| {
        let output = Command::new("unshare").args(["--mount", "sh", "-c", &script]).output()?;
        ensure!(output.status.success(), "{script}: {}", String::from_utf8_lossy(&output.stderr));
        Ok(())
    })
}

/// Sends until it is stopped; frames and CPU nanoseconds while they count.
fn send(
    frames: &[Vec<u8>],
    stop: &AtomicBool,
    counting: &AtomicBool,
) -> anyhow::Result<(u64, u64)> {
    let tap = Tap::new("eth0")?;
    let (mut sent, mut began, mut cpu) = (0, None, 0);
    for frame in frames.iter().cycle() {
        if stop.load(Ordering::Relaxed) {
            return Ok((sent, cpu));
        }
        let counts = counting.load(Ordering::Relaxed);
        match (counts, began) {
            (true, None) => began = Some(own_cpu()?),
            (false, Some(then)) => (cpu, began) = (own_cpu()? - then, None),
            _ => {}
        }
        // A full queue is the middle's, not ours.
        sent += u64::from(tap.send(frame).is_ok() && counts);
    }
    Ok((sent, cpu))
}

/// Frames an interface of this thread's namespace received.
fn received(interface: &str) -> anyhow::Result<u64> {
    let text = fs::read_to_string("/proc/thread-self/net/dev")?;
    let line =
        text.lines().find_map(|line| line.trim_start().strip_prefix(&format!("{interface}:")));
    let packets = line.and_then(|line| line.split_whitespace().nth(1)).context("a counter")?;
    Ok(packets.parse()?)
}

/// CPU nanoseconds of all ksoftirqd.
fn softirq_threads() -> anyhow::Result<u64> {
    let mut nanos = 0;
    for entry in fs::read_dir("/proc")? {
        let path = entry?.path();
        let Ok(name) = fs::read_to_string(path.join("comm")) else { continue };
        if name.starts_with("ksoftirqd") {
            nanos += first_number(&path.join("schedstat"))?;
        }
    }
    Ok(nanos)
}

fn own_cpu() -> anyhow::Result<u64> {
    first_number(Path::new("/proc/thread-self/schedstat"))
}

fn first_number(path: &Path) -> anyhow::Result<u64> {
    let text = fs::read_to_string(path)?;
    Ok(text.split_whitespace().next().unwrap_or_default().parse()?)
}

/// The runs of a size: who, what.
pub fn passages(size: Size) -> Vec<(Middle, Case)> {
    let route = Case { payload: 1400, train: 16, ..Case::new(Journey::Route) };
    let flood = |copies| Case { payload: 1200, copies, train: 16, ..Case::new(Journey::Flood) };
    let mut all = vec![
        (Middle::LinuxRouter, route.clone()),
        (Middle::LinuxRouterGro, route.clone()),
        (Middle::LinuxRouterGroList, route.clone()),
    ];
    for driver in [Driver::AfPacket, Driver::AfXdp] {
        all.extend(
            [Middle::TestpmdIo(driver), Middle::Gateway(driver)].map(|m| (m, route.clone())),
        );
    }
    let counts: &[usize] = if size == Size::Short { &[8] } else { &[1, 4, 16] };
    for &copies in counts {
        all.push((Middle::LinuxBridge, flood(copies)));
        all.push((Middle::Gateway(Driver::AfPacket), flood(copies)));
    }
    all
}

/// The table: medians, in the order of [`passages`].
pub fn table(runs: &[Passage]) -> String {
    let mut text = String::from(
        "### Kernel interfaces\n\nFrames of a raw socket over veth cables, offloads off, through what stands in the \
         middle; the sender runs as fast as it can.\n`gro` rows have gro_flush_timeout=50000 and \
         napi_defer_hard_irqs=2. Kernel CPU is the sender's thread, in which a veth's receiving\nside runs, and \
         ksoftirqd's, per frame arrived.\n\n| middle | what | frames arrived per s: median (min–max) | kernel CPU µs \
         per frame | runs |\n|---|---|---|---|---|\n",
    );
    let mut done: Vec<(Middle, &Case)> = Vec::new();
    for run in runs {
        if done.contains(&(run.middle, &run.case)) {
            continue;
        }
        done.push((run.middle, &run.case));
        let same = || runs.iter().filter(|r| r.middle == run.middle && r.case == run.case);
        let rates = same().map(|run| run.arrived as f64 * 1e9 / run.wall_ns as f64);
        let costs = same().map(|run| run.kernel_cpu_ns as f64 / 1000.0 / run.arrived as f64);
        let (Some(rate), Some(cost)) = (Spread::of(rates), Spread::of(costs)) else { continue };
        let what = match run.case.egress_ports() {
            1 => format!("{} B", run.case.payload + 42),
            copies => format!("{} B, flooded to {copies}", run.case.payload + 42),
        };
        // Writing to a string cannot fail.
        let _ = writeln!(
            text,
            "| {} | {what} | {:.0} ({:.0}–{:.0}) | {:.2} | {} |",
            run.middle.name(),
            rate.median,
            rate.min,
            rate.max,
            cost.median,
            same().count(),
        );
    }
    text
}
