//! Failures the field has had (semantics, *Failures*), number by number, on whole gateways: each
//! scenario in every form of super-packets, and the same frames must leave. Tests that have the
//! same numbers in `gso`, `worker::merging`, `ingress` and the namespace tests ask one room.

mod geometry;
mod matching;
mod operation;
mod rewriting;
mod sharing;

use gateway::counters::FanoutCounters;
use gateway::sim::HeapBuf;

use crate::harness::Gateway;

/// Of super-packets.
const FORMS: [&str; 3] = ["off", "list", "merge"];

fn with_form(toml: &str, form: &str) -> String {
    format!("{toml}[gro]\nmode = \"{form}\"\n")
}

/// What left each port.
type Sent = Vec<Vec<Vec<u8>>>;

/// One burst on port 0 in every form; what left each port, which is the same in all.
#[track_caller]
fn in_every_form(toml: &str, frames: &[Vec<u8>]) -> Sent {
    alike(|form| {
        let mut gateway = Gateway::new(&with_form(toml, form));
        burst(&mut gateway, frames);
        let sent = gateway.sent();
        gateway.finish();
        sent
    })
}

/// What `run` returns for each form, which is the same for all.
#[track_caller]
fn alike<T: PartialEq>(mut run: impl FnMut(&str) -> T) -> T {
    let [off, list, merge] = FORMS.map(&mut run);
    assert!(off == list, "list differs from off");
    assert!(off == merge, "merge differs from off");
    off
}

/// One burst on port 0.
fn burst(gateway: &mut Gateway, frames: &[Vec<u8>]) {
    for frame in frames {
        gateway.ports[0].inject(frame.clone());
    }
    gateway.run();
}

/// The same of packets as they are.
fn burst_of_packets(gateway: &mut Gateway, packets: Vec<HeapBuf>) {
    for packet in packets {
        gateway.ports[0].inject_packet(packet);
    }
    gateway.run();
}

/// Datagrams that went in trains of two or more.
fn coalesced(gateway: &Gateway) -> u64 {
    gateway.assembly.workers[0].snapshot().gro.iter().map(|(_, gro)| gro.coalesced).sum()
}

fn fanout(gateway: &Gateway) -> FanoutCounters {
    gateway.assembly.workers[0].snapshot().fanout
}
