//! The census of one worker: what it holds by stage, and the conservation law stage by stage. A
//! stage counts what comes in where the datagram enters and what goes out where it leaves, so a
//! loss between the two is named.

use super::WorkerSnapshot;
use crate::counters::{EgressCounts, PortCounters, Stage};
use crate::packet::PortId;

/// What a stage of one worker holds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Holding {
    /// The stage.
    pub stage: Stage,
    /// The port it is for or from; `None`: of no one port.
    pub port: Option<PortId>,
    /// Datagrams or frames. One that several hold counts for each.
    pub count: u64,
}

/// A stage that did not give out what it took in.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Imbalance {
    /// The stage.
    pub stage: Stage,
    /// The port it is for or from; `None`: of no one port.
    pub port: Option<PortId>,
    /// What is missing; negative: what came out without having come in.
    pub missing: i128,
}

impl WorkerSnapshot {
    /// By stage and port, nothing left out.
    pub fn holdings(&self) -> impl Iterator<Item = Holding> {
        let hold = |stage, port, count| Holding { stage, port, count };
        let gro =
            self.gro.iter().map(move |(port, stats)| hold(Stage::Gro, Some(*port), stats.held));
        let buffers = self
            .by_port()
            .map(move |(port, egress, _)| hold(Stage::TxBuffer, Some(port), egress.held));
        let rest = [
            hold(Stage::Ingress, None, self.held_in_burst),
            hold(Stage::Fanout, None, self.held_in_hand),
            hold(Stage::Handoff, None, self.inbox),
        ];
        rest.into_iter().chain(gro).chain(buffers)
    }

    /// The stages of this worker for which the law does not hold.
    pub fn imbalances(&self) -> Vec<Imbalance> {
        let off = |stage, port, missing| Imbalance { stage, port, missing };
        let gro = self.gro.iter().map(|(port, stats)| {
            let gone = stats.held + stats.left();
            off(Stage::Gro, Some(*port), difference(&[stats.packets], &[gone]))
        });
        let buffers = self.by_port().map(|(port, egress, counters)| {
            let gone = [egress.handed_out, egress.held, counters.tx_frames];
            let gone = gone.iter().sum::<u64>() + counters.dropped_in_egress();
            off(Stage::TxBuffer, Some(port), difference(&[egress.queued], &[gone]))
        });
        let whole = [
            off(Stage::Ingress, None, self.missing_before_decision()),
            off(Stage::Fanout, None, self.missing_behind_decision()),
        ];
        let all = whole.into_iter().chain(gro).chain(buffers);
        all.filter(|imbalance| imbalance.missing != 0).collect()
    }

    /// received = refused + held + decided on
    fn missing_before_decision(&self) -> i128 {
        let counters = &self.counters;
        let received = counters.ports.iter().map(|port| port.rx_frames).sum();
        difference(&[received], &[counters.unparsed, self.held_in_gro, counters.decided])
    }

    /// decided on + replicas + own + taken over = consumed + dropped + queued
    fn missing_behind_decision(&self) -> i128 {
        let counters = &self.counters;
        let came = [counters.decided, counters.replicated, counters.originated, counters.handed_in];
        let ports = counters.ports.iter();
        let dropped: u64 = ports.map(|port| port.dropped() - port.dropped_in_egress()).sum();
        let queued = self.egress.iter().map(|egress| egress.queued).sum();
        difference(&came, &[counters.local, dropped, queued]) + i128::from(counters.unparsed)
    }

    fn by_port(&self) -> impl Iterator<Item = (PortId, &EgressCounts, &PortCounters)> {
        let ports = self.egress.iter().zip(&self.counters.ports).enumerate();
        ports.map(|(index, (egress, counters))| (PortId(index as u16), egress, counters))
    }
}

fn difference(came: &[u64], gone: &[u64]) -> i128 {
    let sum = |counts: &[u64]| counts.iter().map(|&count| i128::from(count)).sum::<i128>();
    sum(came) - sum(gone)
}
