//! The test of the tests: what a faulty gateway would do is planted, and must be noticed.

use gateway::packet::BufPool;
use gateway::sim::{HeapBuf, HeapPool};
use proptest::strategy::ValueTree;

use crate::check::Observed;
use crate::plan::{Plan, of_seed};
use crate::run::run_tampered;

/// A run without faults that sends many frames.
fn plan() -> Plan {
    for seed in 0..200 {
        let plan = of_seed(seed).current();
        let steps = plan.steps.iter().filter(|step| !step.is_fault()).cloned().collect();
        let mut plan = Plan { steps, linger: true, ..plan };
        (plan.settings.tx_buffer, plan.settings.handoff) = (4096, 4096);
        if run_tampered(&plan, None, &mut |_, _| {}).is_ok_and(|run| run.sent > 100) {
            return plan;
        }
    }
    panic!("no plan sends 100 frames");
}

fn noticed(name: &str, mut tamper: impl FnMut(&mut Observed, &HeapPool)) {
    let result = run_tampered(&plan(), None, &mut tamper);
    assert!(result.is_err(), "nobody noticed: {name}");
}

/// The port that sent most.
fn busiest(observed: &mut Observed) -> &mut Vec<Vec<u8>> {
    observed.sent.iter_mut().max_by_key(|sent| sent.len()).unwrap()
}

/// The first two frames of one flow there that differ.
fn pair(sent: &[Vec<u8>]) -> (usize, usize) {
    let flow =
        |frame: &[u8]| frame.get(..42).map(|head| (head[..12].to_vec(), head[26..38].to_vec()));
    for (n, frame) in sent.iter().enumerate() {
        let rest = sent.iter().enumerate().skip(n + 1);
        let same = |other: &(usize, &Vec<u8>)| flow(other.1) == flow(frame) && other.1 != frame;
        if let Some((other, _)) = rest.into_iter().find(same) {
            return (n, other);
        }
    }
    panic!("no flow has two frames");
}

#[test]
fn nothing_planted_is_fine() {
    assert!(run_tampered(&plan(), None, &mut |_, _| {}).is_ok());
}

#[test]
fn a_changed_byte_is_noticed_wherever_it_is() {
    for at in [0, 6, 14, 22, 30, 40] {
        noticed("a changed byte", |observed, _| busiest(observed)[3][at] ^= 1);
    }
    noticed("the last byte", |observed, _| *busiest(observed)[3].last_mut().unwrap() ^= 1);
}

#[test]
fn a_lost_doubled_or_made_up_frame_is_noticed() {
    noticed("a lost frame", |observed, _| drop(busiest(observed).remove(5)));
    noticed("a doubled frame", |observed, _| {
        let sent = busiest(observed);
        sent.insert(5, sent[5].clone());
    });
    noticed("a made-up frame", |observed, _| busiest(observed).push(vec![7; 60]));
    noticed("a frame at another port", |observed, _| {
        let frame = busiest(observed).remove(5);
        observed.sent.iter_mut().min_by_key(|sent| sent.len()).unwrap().push(frame);
    });
}

#[test]
fn a_swapped_pair_is_noticed() {
    noticed("a swapped pair", |observed, _| {
        let sent = busiest(observed);
        let (one, other) = pair(sent);
        sent.swap(one, other);
    });
}

#[test]
fn a_wrong_count_is_noticed() {
    noticed("a drop too many", |observed, _| observed.workers[0].counters.ports[0].drops[1] += 1);
    noticed("a byte too many", |observed, _| observed.workers[0].counters.ports[0].tx_bytes += 1);
    noticed("a datagram consumed", |observed, _| observed.workers[0].counters.local += 1);
}

#[test]
fn a_leaked_buffer_is_noticed() {
    let mut leaked: Vec<HeapBuf> = Vec::new();
    noticed("a leaked buffer", |_, pool| leaked.extend(pool.alloc()));
}
