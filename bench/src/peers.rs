//! How each peer is told to do what the gateway does, on the same ports.

use core::fmt;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde::Serialize;

/// Who forwards.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Who {
    /// `gateway run`
    Gateway,
    /// testpmd, nothing done to the frame
    TestpmdIo,
    /// testpmd, link addresses exchanged
    TestpmdMacswap,
    /// testpmd, headers parsed, checksums computed
    TestpmdCsum,
    /// l3fwd, longest prefix match by rte_lpm
    L3fwdLpm,
    /// l3fwd by rte_fib
    L3fwdFib,
    /// DPDK's multicast example
    Ipv4Multicast,
}

/// What a peer is started with.
pub struct PeerSetup<'a> {
    /// Where DPDK's examples were built.
    pub examples: &'a Path,
    /// `--file-prefix`, of this run alone.
    pub prefix: &'a str,
    /// The devices: port 0 first.
    pub devices: &'a [String],
    /// The CPU that polls, and one for what does not.
    pub lcore: usize,
    /// See `lcore`.
    pub other: usize,
    /// CPUs that poll, a queue each: with 2 (testpmd only) `other` does too.
    pub workers: usize,
    /// Whether memory is of hugepages.
    pub hugepages: bool,
}

impl Who {
    /// The command, EAL arguments first.
    pub fn command(self, setup: &PeerSetup<'_>) -> Command {
        let ports = (1_u32 << setup.devices.len()) - 1;
        let config = format!("--config=(0,0,{})", setup.lcore);
        let testpmd = |mode: &str| {
            let mut command = setup.eal(Path::new("dpdk-testpmd"), true);
            command.arg(format!("--forward-mode={mode}"));
            command.args(["--burst=64", "--auto-start", "--no-numa"]);
            for count in ["nb-cores", "rxq", "txq"] {
                command.arg(format!("--{count}={}", setup.workers));
            }
            // What is replayed stays in buffers.
            command.args(["--total-num-mbufs=16384", "--no-mlockall"]);
            command
        };
        let l3fwd = |lookup: &str| {
            let mut command = setup.eal(&setup.examples.join("l3fwd"), false);
            command.args(["-P", "--no-numa", "--parse-ptype", &config]);
            command.args(["-p", &format!("{ports:#x}"), &format!("--lookup={lookup}")]);
            command
        };
        match self {
            Self::TestpmdIo => testpmd("io"),
            Self::TestpmdMacswap => testpmd("macswap"),
            Self::TestpmdCsum => testpmd("csum"),
            Self::L3fwdLpm => l3fwd("lpm"),
            Self::L3fwdFib => l3fwd("fib"),
            Self::Gateway | Self::Ipv4Multicast => {
                let mut command = setup.eal(&setup.examples.join("ipv4_multicast"), false);
                command.args(["-q", "8", "-p", &format!("{ports:#x}")]);
                command
            }
        }
    }
}

impl PeerSetup<'_> {
    /// testpmd polls beside its main thread, the examples in it.
    fn eal(&self, program: &Path, beside: bool) -> Command {
        // A number behind those of all CPUs is the main thread's, where both CPUs poll.
        let main = if self.workers > 1 { 127 } else { self.other };
        let mut lcores = BTreeMap::from([(self.lcore, self.lcore)]);
        if beside {
            lcores.extend([(self.other, self.other), (main, self.other)]);
        }
        let lcores: Vec<_> = lcores.iter().map(|(lcore, cpu)| format!("{lcore}@{cpu}")).collect();
        let lcores = format!("--lcores={}", lcores.join(","));
        let mut command = Command::new(program);
        command.args([&lcores, "--no-pci", "-m", "512", &format!("--file-prefix={}", self.prefix)]);
        command.args(if self.hugepages {
            &["--in-memory"][..]
        } else {
            &["--no-huge", "--no-shconf"]
        });
        for device in self.devices {
            command.args(["--vdev", device]);
        }
        if beside {
            command.arg(format!("--main-lcore={main}"));
        }
        command.arg("--");
        command
    }
}

impl fmt::Display for Who {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Gateway => "gateway",
            Self::TestpmdIo => "testpmd io",
            Self::TestpmdMacswap => "testpmd macswap",
            Self::TestpmdCsum => "testpmd csum",
            Self::L3fwdLpm => "l3fwd lpm",
            Self::L3fwdFib => "l3fwd fib",
            Self::Ipv4Multicast => "ipv4_multicast",
        })
    }
}

/// Where scripts/peers.sh builds DPDK's examples.
pub fn examples() -> PathBuf {
    PathBuf::from("target/peers/bin")
}
