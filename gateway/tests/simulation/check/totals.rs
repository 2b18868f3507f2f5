//! Numbers: every drop under the name that is owed, counters that count what was seen.

use gateway::packet::DropReason;

use super::Observed;
use crate::model::{Fate, Model};

/// Reasons that only a fault gives.
const FAULTS: [DropReason; 7] = [
    DropReason::NoBuffer,
    DropReason::ReplicaNoBuffer,
    DropReason::TxFull,
    DropReason::LinkDown,
    DropReason::PortReset,
    DropReason::HandoffFull,
    DropReason::Shutdown,
];

pub(super) fn check(
    model: &Model,
    fates: &[Vec<&Fate>],
    observed: &Observed,
    faulty: bool,
) -> Result<(), String> {
    // a datagram may be lost for want of a buffer before its decision, by port, is carried out
    let lost = if faulty { observed.dropped(DropReason::NoBuffer) } else { 0 };
    let mut undecided = lost * observed.sent.len() as u64;
    for &reason in DropReason::ALL {
        if faulty && FAULTS.contains(&reason) {
            continue;
        }
        let of = |fate: &Fate| fate.drops.iter().filter(|&&drop| drop == reason).count() as u64;
        within(reason.name(), observed.dropped(reason), bounds(fates, of), &mut undecided)?;
    }
    let local = observed.workers.iter().map(|worker| worker.counters.local).sum();
    within("local", local, bounds(fates, |fate| fate.local), &mut undecided)?;
    if model.arrivals.len() as u64 != observed.received.iter().map(|port| port.0).sum::<u64>() {
        return Err("the model did not see what was received".into());
    }
    (0..observed.sent.len()).try_for_each(|port| port_counters(observed, port))
}

/// The least and the most, over what may have become of every frame.
fn bounds(fates: &[Vec<&Fate>], count: impl Fn(&Fate) -> u64) -> (u64, u64) {
    let of_frame = |fates: &Vec<&Fate>| {
        let counts = || fates.iter().map(|fate| count(fate));
        (counts().min().unwrap_or(0), counts().max().unwrap_or(0))
    };
    fates.iter().map(of_frame).fold((0, 0), |sum, of| (sum.0 + of.0, sum.1 + of.1))
}

fn within(
    name: &str,
    count: u64,
    (least, most): (u64, u64),
    undecided: &mut u64,
) -> Result<(), String> {
    let missing = least.saturating_sub(count);
    if count > most || missing > *undecided {
        return Err(format!("{count} counted as {name}, {least} to {most} are owed"));
    }
    *undecided -= missing;
    Ok(())
}

fn port_counters(observed: &Observed, port: usize) -> Result<(), String> {
    let sum = |of: fn(&gateway::counters::PortCounters) -> u64| -> u64 {
        observed.workers.iter().map(|worker| of(&worker.counters.ports[port])).sum()
    };
    let sent = &observed.sent[port];
    let bytes: usize = sent.iter().map(Vec::len).sum();
    let seen =
        [observed.received[port].0, observed.received[port].1, sent.len() as u64, bytes as u64];
    let counted =
        [sum(|p| p.rx_frames), sum(|p| p.rx_bytes), sum(|p| p.tx_frames), sum(|p| p.tx_bytes)];
    if seen == counted {
        return Ok(());
    }
    Err(format!("port {port}: {counted:?} frames and bytes in and out counted, {seen:?} seen"))
}
