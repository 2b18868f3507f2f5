//! Streams from host to host, all at once, and what came of them at every host.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use anyhow::{Context, Result, anyhow};
use nix::sched::{CpuSet, sched_getcpu, sched_setaffinity};
use nix::unistd::Pid;

use super::host::{Pace, Receiver, Sender, Sent, any_like};
use super::tap::Tap;
use super::topology::{Host, INTERFACE, Lab};
use super::traffic::{StreamId, Tally};
use super::window::Progress;

/// One stream of datagrams.
#[derive(Clone, Debug)]
pub struct Stream {
    /// In every payload.
    pub id: StreamId,
    /// In the report.
    pub label: String,
    /// Index of the sending host.
    pub from: usize,
    /// A host's address or a group.
    pub destination: SocketAddr,
    /// Indices of the hosts that must receive all of it; nobody else may receive any.
    pub receivers: Vec<usize>,
}

/// What came of an exchange.
#[derive(Clone, Debug, Default)]
pub struct Outcome {
    /// By stream, in the order given.
    pub sent: Vec<Sent>,
    /// By host; empty for a host that receives no stream.
    pub received: Vec<Tally>,
    /// By host: datagrams of the demo seen on the cable of a host that neither sends nor receives.
    pub strayed: Vec<u64>,
}

impl Outcome {
    /// Everything that is not as it must be, one sentence each; empty: all arrived intact.
    pub fn faults(&self, streams: &[Stream], names: &[String]) -> Vec<String> {
        let mut faults = Vec::new();
        for (stream, sent) in streams.iter().zip(&self.sent) {
            if sent.datagrams == 0 {
                faults.push(format!("{}: nothing was sent", stream.label));
            }
            for (host, tally) in self.received.iter().enumerate() {
                let due = if stream.receivers.contains(&host) { sent.datagrams } else { 0 };
                let got = tally.of(stream.id);
                if !got.is_exactly(due) {
                    faults.push(format!(
                        "{}: {} received {} of {due} datagrams ({} twice, {} late{})",
                        stream.label,
                        names[host],
                        got.intact,
                        got.duplicate,
                        got.reordered,
                        got.first_missing(due)
                            .map_or_else(String::new, |first| format!(", number {first} missing")),
                    ));
                }
            }
        }
        for (name, tally) in names.iter().zip(&self.received) {
            if tally.corrupt > 0 {
                faults.push(format!("{name} received {} corrupt datagrams", tally.corrupt));
            }
        }
        for (name, &strayed) in names.iter().zip(&self.strayed) {
            if strayed > 0 {
                faults.push(format!("{name} is no receiver, but saw {strayed} datagrams"));
            }
        }
        faults
    }
}

/// Sends all `streams` at once, each `datagrams_per_s` for `duration` or until `stop`; where
/// receivers are slower, the same number of datagrams takes longer.
///
/// # Errors
/// A socket that could not be made or used. Loss is no error but in the outcome.
pub fn exchange(
    lab: &Lab,
    streams: &[Stream],
    datagrams_per_s: u32,
    duration: Duration,
    stop: &AtomicBool,
) -> Result<Outcome> {
    let finished = Arc::new(AtomicBool::new(false));
    let _finish = SetOnDrop(&finished); // receivers end whatever happens here
    let progress: Arc<BTreeMap<_, _>> =
        Arc::new(streams.iter().map(|s| (s.id, Progress::new(&s.receivers))).collect());
    let listening: Vec<_> = (0..lab.hosts.len())
        .map(|index| Listening::start(&lab.hosts[index], index, streams, &finished, &progress))
        .collect::<Result<_>>()?;
    let mut senders = Vec::new();
    for stream in streams {
        let open = || Sender::new(INTERFACE, stream.destination);
        senders.push(lab.hosts[stream.from].namespace.enter(open)?);
    }
    let sent = thread::scope(|scope| {
        let sending: Vec<_> = senders
            .iter_mut()
            .zip(streams)
            .map(|(sender, stream)| {
                let (pace, progress) = (Pace { datagrams_per_s, duration }, &progress[&stream.id]);
                scope.spawn(move || {
                    stay_on_one_cpu()?;
                    sender.send_stream(stream.id, pace, progress, stop)
                })
            })
            .collect();
        sending.into_iter().map(|s| s.join().map_err(panicked)?).collect::<Result<Vec<_>>>()
    })?;
    finished.store(true, Ordering::Relaxed);
    let mut outcome = Outcome { sent, ..Outcome::default() };
    for host in listening {
        let (tally, strayed) = host.end()?;
        outcome.received.push(tally);
        outcome.strayed.push(strayed);
    }
    Ok(outcome)
}

/// A virtual cable queues a frame on the CPU that sends it (`netif_rx`): a sender that is moved
/// while frames are left there overtakes itself before the gateway sees any of them. A real cable
/// has one queue per flow.
fn stay_on_one_cpu() -> Result<()> {
    let mut here = CpuSet::new();
    here.set(sched_getcpu()?)?;
    sched_setaffinity(Pid::from_raw(0), &here).context("cannot stay on one CPU")
}

/// The threads that listen for one host.
struct Listening {
    receivers: Vec<JoinHandle<Result<Tally>>>,
    tap: Option<JoinHandle<Result<u64>>>,
}

impl Listening {
    /// A receiver per family and port, with the groups joined; a tap on the cable of a host that
    /// has no part in any stream.
    fn start(
        host: &Host,
        index: usize,
        streams: &[Stream],
        finished: &Arc<AtomicBool>,
        progress: &Arc<BTreeMap<StreamId, Progress>>,
    ) -> Result<Self> {
        let due: Vec<_> = streams.iter().filter(|s| s.receivers.contains(&index)).collect();
        let sockets: BTreeSet<(IpAddr, u16)> =
            due.iter().map(|s| (any_like(s.destination.ip()), s.destination.port())).collect();
        let mut receivers = Vec::new();
        for (any, port) in sockets {
            let receiver = host.namespace.enter(|| {
                let receiver = Receiver::new(INTERFACE, any, port)?;
                let groups: BTreeSet<_> = due.iter().map(|s| s.destination.ip()).collect();
                for group in groups {
                    if group.is_multicast() && group.is_ipv4() == any.is_ipv4() {
                        receiver.join(INTERFACE, group)?;
                    }
                }
                Ok(receiver)
            })?;
            let (finished, progress) = (Arc::clone(finished), Arc::clone(progress));
            receivers.push(thread::spawn(move || {
                receiver.receive_streams(&finished, |stream, next| {
                    if let Some(progress) = progress.get(&stream) {
                        progress.reached(index, next);
                    }
                })
            }));
        }
        let tap = if due.is_empty() && streams.iter().all(|s| s.from != index) {
            let tap = host.namespace.enter(|| Tap::new(INTERFACE))?;
            let finished = Arc::clone(finished);
            Some(thread::spawn(move || tap.count_demo_datagrams(&finished)))
        } else {
            None
        };
        Ok(Self { receivers, tap })
    }

    fn end(self) -> Result<(Tally, u64)> {
        let mut tally = Tally::default();
        for receiver in self.receivers {
            tally.merge(receiver.join().map_err(panicked)??);
        }
        let strayed = self.tap.map_or(Ok(0), |tap| tap.join().map_err(panicked)?)?;
        Ok((tally, strayed))
    }
}

struct SetOnDrop<'a>(&'a AtomicBool);

impl Drop for SetOnDrop<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

fn panicked(_: Box<dyn std::any::Any + Send>) -> anyhow::Error {
    anyhow!("a thread panicked")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::demo::traffic::Train;

    fn tally(stream: StreamId, datagrams: u64) -> Tally {
        let (mut tally, mut payload) = (Tally::default(), Vec::new());
        for sequence in 0..datagrams {
            Train { segment: 24, count: 1, tail: 24 }.payload(stream, sequence, &mut payload);
            tally.add(&payload);
        }
        tally
    }

    fn verdict(outcome: &Outcome) -> Vec<String> {
        let stream = Stream {
            id: StreamId(1),
            label: "s".into(),
            from: 0,
            destination: "239.1.1.1:5000".parse().unwrap(),
            receivers: vec![1],
        };
        outcome.faults(&[stream], &["sender", "member", "other"].map(str::to_owned))
    }

    #[test]
    fn only_all_at_the_members_and_none_elsewhere_is_right() {
        let sent = vec![Sent { datagrams: 3, ..Sent::default() }];
        let good = Outcome {
            sent,
            received: vec![Tally::default(), tally(StreamId(1), 3), Tally::default()],
            strayed: vec![0; 3],
        };
        assert_eq!(verdict(&good), [""; 0]);
        let mut lost = good.clone();
        lost.received[1] = tally(StreamId(1), 2);
        assert_eq!(
            verdict(&lost),
            ["s: member received 2 of 3 datagrams (0 twice, 0 late, number 2 missing)"]
        );
        let mut leaked = good.clone();
        leaked.received[2] = tally(StreamId(1), 1);
        assert_eq!(verdict(&leaked), ["s: other received 1 of 0 datagrams (0 twice, 0 late)"]);
        let mut strayed = good.clone();
        strayed.strayed[2] = 1;
        assert_eq!(verdict(&strayed), ["other is no receiver, but saw 1 datagrams"]);
        let mut corrupt = good.clone();
        corrupt.received[1].corrupt = 2;
        assert_eq!(verdict(&corrupt), ["member received 2 corrupt datagrams"]);
        let silent = Outcome { sent: vec![Sent::default()], ..Outcome::default() };
        assert_eq!(verdict(&silent), ["s: nothing was sent"]);
    }
}
