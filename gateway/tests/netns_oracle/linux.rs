//! Linux in the middle of a laboratory of silent hosts: frames in, frames out.

use std::process::Command;

use gateway::demo::tap::Tap;
use gateway::demo::topology::{Lab, port_name};
use nix::sched::{CpuSet, sched_getaffinity, sched_setaffinity};
use nix::unistd::Pid;

use crate::capture::Capture;
use crate::compare::{Arrival, Sent, steps};

/// Frames sent before they are waited for: less than a CPU's backlog takes.
const BURST: usize = 40;

pub(crate) struct Linux {
    pub(crate) lab: Lab,
    captures: Vec<Capture>,
    /// On the hosts' ends of the cables.
    hosts: Vec<Tap>,
    /// On the ports.
    ports: Vec<Tap>,
    markers: u64,
    /// Time in which held frames are let go.
    pub(crate) hold: std::time::Duration,
}

impl Linux {
    /// `ports` ports with the link addresses the simulation gives its own; `None` where there can
    /// be no namespaces.
    pub(crate) fn new(ports: usize, setup: impl FnOnce(&Lab)) -> Option<Self> {
        let mut lab = crate::netns::lab()?;
        for port in 0..ports {
            lab.plug(&format!("h{port}"), &[], &[]).unwrap();
            lab.hosts[port].namespace.sysctl("ipv6/conf/all/disable_ipv6", "1").unwrap();
            let name = port_name(port);
            lab.middle.ip(&format!("link set {name} address 02:00:00:00:00:0{port}")).unwrap();
        }
        setup(&lab);
        let captures = lab.hosts.iter().map(|host| Capture::start(&host.namespace)).collect();
        pin_to_one_cpu();
        let hosts = lab.hosts.iter().map(crate::netns::tap).collect();
        let port_tap = |port| lab.middle.enter(move || Tap::new(&port_name(port))).unwrap();
        let ports = (0..ports).map(port_tap).collect();
        let hold = std::time::Duration::ZERO;
        Some(Self { lab, captures, hosts, ports, markers: 0, hold })
    }

    /// What leaves each port for these arrivals.
    ///
    /// # Panics
    /// When the kernel itself had no room for them, again and again.
    pub(crate) fn run(&mut self, arrivals: &[Arrival]) -> Sent {
        for _ in 0..5 {
            let before = backlog_drops();
            let sent = self.run_once(arrivals);
            if backlog_drops() == before {
                return sent;
            }
        }
        panic!("the kernel's backlog overflows whatever is done");
    }

    fn run_once(&mut self, arrivals: &[Arrival]) -> Sent {
        let mut sent = vec![Vec::new(); self.captures.len()];
        for (port, frames) in steps(arrivals) {
            for burst in frames.chunks(BURST) {
                for frame in burst {
                    // One that the sending kernel refuses is refused on both sides: see `main`.
                    self.hosts[port].send(frame).unwrap();
                }
                self.settle(&mut sent);
            }
        }
        sent
    }

    /// Waits until all is done. Everything happens on one CPU, whose backlog is first in, first
    /// out: a marker that has come through means that what was before it has been looked at, and
    /// its results are in the backlog; a second, that those are through too.
    fn settle(&mut self, sent: &mut Sent) {
        std::thread::sleep(self.hold);
        for _ in 0..3 {
            self.markers += 1;
            let mut marker = vec![0x02, 0xee, 0, 0, 0, 1, 0x02, 0xee, 0, 0, 0, 2, 0x88, 0xb6];
            marker.extend(self.markers.to_be_bytes());
            marker.resize(60, 0);
            self.ports.iter().for_each(|port| port.send(&marker).unwrap());
            for (capture, sent) in self.captures.iter().zip(sent.iter_mut()) {
                sent.extend(capture.until(&marker).into_iter().filter(|frame| !is_noise(frame)));
            }
        }
    }

    /// Lets Linux coalesce what `p0` receives: a datagram may be held for 20 ms.
    pub(crate) fn coalesce(&mut self, offload: &str) {
        self.lab.middle.command("ethtool", &format!("-K p0 gro on {offload} on")).unwrap();
        let write = "mount -t sysfs sysfs /sys && cd /sys/class/net/p0 \
                     && echo 20000000 > gro_flush_timeout && echo 100 > napi_defer_hard_irqs";
        let set = || Ok(Command::new("unshare").args(["-m", "sh", "-c", write]).status()?);
        assert!(self.lab.middle.enter(set).unwrap().success());
        self.hold = std::time::Duration::from_millis(60);
    }
}

/// `10.N.0.1/24` and `2001:db8:N::1/64` on port N, forwarding, errors without limit. Nothing is
/// sent that the path of the gateway has no part in: no redirects, no link-local addresses.
pub(crate) fn router(lab: &Lab) {
    let middle = &lab.middle;
    middle.sysctl("ipv4/ip_forward", "1").unwrap();
    for (key, value) in [
        ("ipv4/conf/all/send_redirects", "0"),
        ("ipv4/conf/default/send_redirects", "0"),
        ("ipv4/icmp_ratelimit", "0"),
        ("ipv6/icmp/ratelimit", "0"),
        ("ipv6/auto_flowlabels", "0"),
    ] {
        middle.sysctl(key, value).unwrap();
    }
    for key in ["icmp_msgs_per_sec", "icmp_msgs_burst"] {
        let _ = middle.sysctl(&format!("ipv4/{key}"), "1000000"); // of the namespace since 6.13
    }
    for port in 0..lab.hosts.len() {
        let name = port_name(port);
        middle.sysctl(&format!("ipv4/conf/{name}/send_redirects"), "0").unwrap();
        middle.ip(&format!("link set {name} addrgenmode none")).unwrap();
        middle.sysctl(&format!("ipv6/conf/{name}/disable_ipv6"), "0").unwrap();
        middle.ip(&format!("address add 10.{port}.0.1/24 dev {name}")).unwrap();
        middle.ip(&format!("address add 2001:db8:{port}::1/64 dev {name} nodad")).unwrap();
        for address in [format!("10.{port}.0.2"), format!("2001:db8:{port}::2")] {
            let mac = crate::harness::host(port);
            let entry = format!("neigh add {address} lladdr {mac} dev {name} nud permanent");
            middle.ip(&entry).unwrap();
        }
    }
    middle.sysctl("ipv6/conf/all/forwarding", "1").unwrap();
}

/// What Linux says at times of its own: MLD reports (RFC 3810 5.2.14), who has an address, and,
/// seconds later, that nobody has. Neighbours of the gateway are in its file.
fn is_noise(frame: &[u8]) -> bool {
    let byte = |at: usize| frame.get(at).copied().unwrap_or(0);
    if frame.get(6..11) != Some(&[2, 0, 0, 0, 0]) {
        return false;
    }
    match (byte(12), byte(13)) {
        (0x08, 0x06) => byte(21) == 1,
        (0x08, 0x00) => byte(23) == 1 && (byte(34), byte(35)) == (3, 1),
        (0x86, 0xdd) if byte(20) == 58 => byte(54) == 135 || (byte(54), byte(55)) == (1, 3),
        (0x86, 0xdd) => frame.starts_with(&[0x33, 0x33, 0, 0, 0, 0x16]),
        _ => false,
    }
}

fn pin_to_one_cpu() {
    let allowed = sched_getaffinity(Pid::from_raw(0)).unwrap();
    let first = (0..CpuSet::count()).find(|&cpu| allowed.is_set(cpu).unwrap()).unwrap();
    let mut one = CpuSet::new();
    one.set(first).unwrap();
    sched_setaffinity(Pid::from_raw(0), &one).unwrap();
}

/// Frames that no CPU's backlog had room for (second column of /proc/net/softnet_stat).
fn backlog_drops() -> u64 {
    let text = std::fs::read_to_string("/proc/net/softnet_stat").unwrap();
    let column = |line: &str| line.split_whitespace().nth(1).map(str::to_owned);
    text.lines().filter_map(column).map(|hex| u64::from_str_radix(&hex, 16).unwrap()).sum()
}
