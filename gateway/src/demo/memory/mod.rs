//! The demonstration without a kernel: the same plan, the same trains, the real workers, on ports
//! and hosts in memory. What ARP and neighbour discovery would find out is known beforehand.

mod gateway;
mod hosts;

use std::sync::atomic::AtomicBool;
use std::time::Duration;

use anyhow::Result;

use self::gateway::{MemoryGateway, Remains};
use super::account::{EndingAccount, ReplayAccount};
use super::{Findings, RATE, mdns, plan};

/// Runs the plan in memory for `duration`, then the mDNS pair.
///
/// # Errors
/// When the gateway does not start or does not take what it is sent.
pub(super) fn run(duration: Duration, stop: &AtomicBool) -> Result<Findings> {
    let streams = plan::streams();
    let gateway = MemoryGateway::start(&plan::configuration(null_device))?;
    let (outcome, Remains { numbers, outcome: end }) =
        hosts::exchange(gateway, &streams, RATE, duration, stop)?;
    let mut faults = Vec::new();
    if !end.is_balanced() {
        faults.push(format!("the gateway in memory does not balance: {end}"));
    }
    let totals = end.to_string().lines().map(str::to_owned).collect();
    let ending = EndingAccount { status: None, took_ms: 0, totals };
    let replay = replay(&mut faults)?;
    Ok(Findings { streams, outcome, numbers, ending, replay, faults })
}

/// The mDNS pair into a bridge of three ports.
fn replay(faults: &mut Vec<String>) -> Result<ReplayAccount> {
    let gateway = MemoryGateway::start(&mdns::configuration(null_device))?;
    let ports = gateway.ports().to_vec();
    let frames = mdns::frames()?;
    frames.iter().for_each(|frame| ports[0].inject(frame.clone()));
    gateway.stop()?;
    let sent: Vec<_> = ports.iter().map(crate::sim::SimPort::take_sent).collect();
    faults.extend(mdns::faults(&frames, &sent));
    Ok(ReplayAccount { ports: "memory".into(), frames: sent.iter().map(Vec::len).collect() })
}

/// A device that is not asked for.
fn null_device(port: usize) -> String {
    format!("net_null{port}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_datagram_arrives_in_memory() {
        let findings = run(Duration::from_millis(300), &AtomicBool::new(false)).unwrap();
        let names: Vec<_> = plan::hosts().iter().map(|host| host.name.to_owned()).collect();
        let mut faults = findings.outcome.faults(&findings.streams, &names);
        faults.extend(findings.faults);
        faults.extend(findings.numbers.faults());
        assert_eq!(faults, [""; 0]);
        assert_eq!(findings.replay.frames, [0, 2, 2]);
        assert!(findings.numbers.gro[0].mean_train > 2.0, "nothing was coalesced");
    }
}
