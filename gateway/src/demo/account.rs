//! What the demonstration found out, for people and for programs.

use std::fmt;

use serde::Serialize;

use super::exchange::{Outcome, Stream};
use super::host::Sent;
use super::numbers::Numbers;
use super::traffic::Received;

/// Where the hosts were.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// Kernel hosts in network namespaces.
    Namespaces,
    /// Hosts and ports in memory.
    Memory,
}

/// The whole account; the demonstration succeeded if there are no faults.
#[derive(Clone, Debug, Serialize)]
pub struct Account {
    /// Where the hosts were.
    pub stage: Stage,
    /// Why there, if another stage was wanted.
    pub because: Option<String>,
    /// Seconds, all in all.
    pub took_s: f64,
    /// The streams.
    pub streams: Vec<StreamAccount>,
    /// Hosts that are no receivers, and how many of the datagrams they saw.
    pub outsiders: Vec<(String, u64)>,
    /// What the gateway said after the last datagram.
    pub numbers: Numbers,
    /// How the gateway ended.
    pub ending: EndingAccount,
    /// The mDNS pair.
    pub replay: ReplayAccount,
    /// Everything that is not as it must be, one sentence each.
    pub faults: Vec<String>,
}

/// One stream.
#[derive(Clone, Debug, Serialize)]
pub struct StreamAccount {
    /// What it is.
    pub label: String,
    /// What its sender did.
    pub sent: Sent,
    /// What its receivers got, by name.
    pub received: Vec<(String, Received)>,
}

/// How the gateway ended.
#[derive(Clone, Debug, Default, Serialize)]
pub struct EndingAccount {
    /// Exit status; `None`: there was no process, or a signal ended it.
    pub status: Option<i32>,
    /// Milliseconds from the wish to the end.
    pub took_ms: u64,
    /// Its last words: the conservation law, drops, pools.
    pub totals: Vec<String>,
}

/// What came of the mDNS pair.
#[derive(Clone, Debug, Default, Serialize)]
pub struct ReplayAccount {
    /// Through which kind of ports.
    pub ports: String,
    /// Frames that left each port of the bridge.
    pub frames: Vec<usize>,
}

impl Account {
    /// Fills in the streams.
    pub fn streams(streams: &[Stream], names: &[String], outcome: &Outcome) -> Vec<StreamAccount> {
        let account = |(stream, &sent): (&Stream, &Sent)| {
            let got = |&host: &usize| (names[host].clone(), outcome.received[host].of(stream.id));
            let received = stream.receivers.iter().map(got).collect();
            StreamAccount { label: stream.label.clone(), sent, received }
        };
        streams.iter().zip(&outcome.sent).map(account).collect()
    }

    /// Whether every datagram arrived intact, and everything else is as it must be.
    pub fn is_good(&self) -> bool {
        self.faults.is_empty()
    }

    fn write_streams(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "  {:<24}{:>10}{:>8}  received intact and in order",
            "stream", "datagrams", "trains"
        )?;
        for StreamAccount { label, sent, received } in &self.streams {
            let got: Vec<_> = received
                .iter()
                .map(|(name, got)| match got.is_exactly(sent.datagrams) {
                    true => format!("{name} all"),
                    false => format!("{name} {} OF {}", got.intact, sent.datagrams),
                })
                .collect();
            writeln!(
                f,
                "  {label:<24}{:>10}{:>8}  {}",
                sent.datagrams,
                sent.trains,
                got.join(", ")
            )?;
        }
        let seen: Vec<_> = self.outsiders.iter().map(|(name, n)| format!("{name} {n}")).collect();
        writeln!(f, "  seen by hosts that are no members: {}\n", seen.join(", "))
    }

    fn write_ports(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Numbers { ports, gro, .. } = &self.numbers;
        writeln!(f, "  {:<6}{:>10}{:>10}{:>12}", "port", "in", "out", "mean train")?;
        for (port, gro) in ports.iter().zip(gro) {
            write!(f, "  {:<6}{:>10}{:>10}", port.name, port.rx_packets, port.tx_packets)?;
            if gro.mean_train > 0.0 {
                writeln!(f, "{:>12.1}", gro.mean_train)?;
            } else {
                writeln!(f, "{:>12}", "-")?;
            }
        }
        let mut flushes = std::collections::BTreeMap::<&str, u64>::new();
        for (reason, count) in gro.iter().flat_map(|gro| &gro.flushes) {
            *flushes.entry(reason).or_default() += count;
        }
        let flushes: Vec<_> = flushes
            .iter()
            .filter(|&(_, &count)| count > 0)
            .map(|(reason, count)| format!("{reason} {count}"))
            .collect();
        writeln!(f, "  flushes   {}", flushes.join(", "))
    }

    fn write_laws(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let fanout = &self.numbers.fanout;
        writeln!(
            f,
            "  replicas  {}: shared {}, private headers {}, whole copies {}, in place {}",
            fanout.replicas,
            fanout.shared,
            fanout.private_headers,
            fanout.whole_copies,
            fanout.in_place
        )?;
        let unexpected: u64 = self.numbers.unexpected_drops().map(|(_, count)| count).sum();
        let own = self.numbers.drops.total - unexpected;
        write!(f, "  drops     {unexpected}")?;
        if own > 0 {
            write!(f, " (and {own} group reports of the hosts' own, which end at a router)")?;
        }
        writeln!(f)?;
        for line in &self.ending.totals {
            writeln!(f, "  {line}")?;
        }
        if let Some(status) = self.ending.status {
            writeln!(f, "  stopped   status {status}, {} ms after SIGINT", self.ending.took_ms)?;
        }
        writeln!(
            f,
            "  mDNS pair (91 and 62 bytes) into a bridge of {} {} ports: frames out {:?}\n",
            self.replay.frames.len(),
            self.replay.ports,
            self.replay.frames
        )
    }
}

impl fmt::Display for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let hosts = match self.stage {
            Stage::Namespaces => "kernel hosts in network namespaces",
            Stage::Memory => "hosts and ports in memory",
        };
        let count = self.numbers.ports.len();
        writeln!(f, "gateway demo: {count} {hosts} around one gateway")?;
        if let Some(why) = &self.because {
            writeln!(f, "  (in memory because {why})")?;
        }
        writeln!(f)?;
        self.write_streams(f)?;
        self.write_ports(f)?;
        self.write_laws(f)?;
        let sent: u64 = self.streams.iter().map(|s| s.sent.datagrams).sum();
        let arrived: u64 =
            self.streams.iter().flat_map(|s| &s.received).map(|(_, got)| got.intact).sum();
        if self.is_good() {
            return writeln!(
                f,
                "good: {sent} datagrams sent, {arrived} received by their receivers, every one intact \
                 and in order ({:.1} s)",
                self.took_s
            );
        }
        writeln!(f, "NOT GOOD ({:.1} s):", self.took_s)?;
        self.faults.iter().try_for_each(|fault| writeln!(f, "  {fault}"))
    }
}
