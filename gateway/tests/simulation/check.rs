//! Compares what was observed with what the model owes.
//!
//! Without faults: every frame that must leave a port left it, none that must not did, each class in
//! order, every drop under its name. With faults: some may be missing, each for the name of a fault;
//! still nothing is altered, doubled or out of order.

mod choices;
mod order;
mod totals;

use std::collections::{BTreeMap, HashMap};

use gateway::packet::DropReason;
use gateway::worker::WorkerSnapshot;

use crate::model::{Class, ErrorKind, Fate, Model};

/// What a run let be seen.
pub(crate) struct Observed {
    /// Frames and bytes that workers received, by port.
    pub(crate) received: Vec<(u64, u64)>,
    /// What left, by port, in order.
    pub(crate) sent: Vec<Vec<Vec<u8>>>,
    /// At the end.
    pub(crate) workers: Vec<WorkerSnapshot>,
}

/// A frame that may leave a port, in order of arrival.
struct Item<'a> {
    bytes: &'a [u8],
    class: &'a Class,
    must: bool,
}

/// At least so many ICMP errors of a kind come at once from every worker, then a rate.
const ERRORS_AT_ONCE: usize = 50;

impl Observed {
    pub(crate) fn new(ports: usize) -> Self {
        Self { received: vec![(0, 0); ports], sent: vec![vec![]; ports], workers: vec![] }
    }

    /// By name, over all ports and workers.
    pub(crate) fn drops(&self) -> BTreeMap<&'static str, u64> {
        let count = |reason: &DropReason| (reason.name(), self.dropped(*reason));
        DropReason::ALL.iter().map(count).filter(|(_, count)| *count > 0).collect()
    }

    fn dropped(&self, reason: DropReason) -> u64 {
        let ports = self.workers.iter().flat_map(|worker| &worker.counters.ports);
        ports.map(|port| port.drops[reason.index()]).sum()
    }
}

pub(crate) fn check(model: &Model, observed: &Observed, faulty: bool) -> Result<(), String> {
    let fates = choices::resolve(&model.arrivals, &observed.sent)?;
    let mut errors = Errors::of(model, &fates);
    for (port, sent) in observed.sent.iter().enumerate() {
        let mut items = items(model, &fates, port, faulty);
        let of_bytes = classes(&items);
        items.iter_mut().for_each(|item| item.class = of_bytes[item.bytes]);
        let mut forwarded = Vec::new();
        for frame in sent {
            match of_bytes.get(&frame[..]) {
                Some(class) => forwarded.push((&frame[..], *class)),
                None if errors.take(port, frame) => {}
                None => return Err(format!("port {port} sent what nobody owes: {}", hex(frame))),
            }
        }
        order::check(&items, &forwarded).map_err(|error| format!("port {port}: {error}"))?;
    }
    if !faulty {
        errors.check_told()?;
    }
    totals::check(model, &fates, observed, faulty)
}

/// The class of what leaves. Of equal frames from two classes nobody can tell which is which, so
/// their place among the others is nobody's: an empty datagram from two link addresses, routed.
fn classes<'a>(items: &[Item<'a>]) -> HashMap<&'a [u8], &'a Class> {
    let mut of_bytes = HashMap::new();
    for item in items {
        let class = of_bytes.entry(item.bytes).or_insert(item.class);
        if *class != item.class {
            *class = &Class::Loose;
        }
    }
    of_bytes
}

/// What may leave a port; what must, if nothing is lost.
fn items<'a>(
    model: &'a Model,
    fates: &[Vec<&'a Fate>],
    port: usize,
    faulty: bool,
) -> Vec<Item<'a>> {
    let mut items = Vec::new();
    let here = |list: &'a [(usize, Vec<u8>)]| {
        list.iter().filter(move |(at, _)| *at == port).map(|(_, bytes)| &bytes[..])
    };
    for (arrival, fates) in model.arrivals.iter().zip(fates) {
        for (n, fate) in fates.iter().enumerate() {
            for bytes in here(&fate.leaves) {
                let leaves = |fate: &&Fate| here_contains(fate, port, bytes);
                if n > 0 && fates[..n].iter().any(leaves) {
                    continue;
                }
                let must = !faulty && fates.iter().all(leaves);
                items.push(Item { bytes, class: &arrival.class, must });
            }
            let must = !faulty && fates.len() == 1;
            let answers = here(&fate.answers);
            items.extend(answers.map(|bytes| Item { bytes, class: &Class::Own, must }));
        }
    }
    items
}

fn here_contains(fate: &Fate, port: usize, bytes: &[u8]) -> bool {
    fate.leaves.iter().any(|(at, left)| *at == port && left == bytes)
}

/// ICMP errors that may leave, each once.
struct Errors<'a> {
    told: Vec<Told<'a>>,
    /// Indices into `told`, by port and frame.
    by_frame: HashMap<(usize, &'a [u8]), Vec<usize>>,
}

struct Told<'a> {
    worker: usize,
    kind: ErrorKind,
    /// Whatever the frame's fate.
    certain: bool,
    sent: bool,
    ways: &'a [(usize, Vec<u8>)],
}

impl<'a> Errors<'a> {
    fn of(model: &Model, fates: &[Vec<&'a Fate>]) -> Self {
        let mut errors = Self { told: vec![], by_frame: HashMap::new() };
        for (arrival, fates) in model.arrivals.iter().zip(fates) {
            for told in fates.iter().flat_map(|fate| &fate.errors) {
                let worker = arrival.worker;
                let certain = fates.len() == 1;
                errors.told.push(Told {
                    worker,
                    kind: told.kind,
                    certain,
                    sent: false,
                    ways: &told.ways,
                });
            }
        }
        for (n, told) in errors.told.iter().enumerate() {
            for (port, frame) in told.ways {
                errors.by_frame.entry((*port, &frame[..])).or_default().push(n);
            }
        }
        errors
    }

    fn take(&mut self, port: usize, frame: &[u8]) -> bool {
        let told = &mut self.told;
        let free =
            self.by_frame.get(&(port, frame)).into_iter().flatten().find(|&&n| !told[n].sent);
        free.map(|&n| told[n].sent = true).is_some()
    }

    fn check_told(&self) -> Result<(), String> {
        let mut kinds: BTreeMap<_, (usize, usize)> = BTreeMap::new();
        for told in &self.told {
            let (certain, sent) = kinds.entry((told.worker, told.kind)).or_default();
            *certain += usize::from(told.certain);
            *sent += usize::from(told.sent);
        }
        for ((worker, kind), (certain, sent)) in kinds {
            if sent < certain.min(ERRORS_AT_ONCE) {
                return Err(format!("worker {worker}: {sent} of {certain} told: {kind:?}"));
            }
        }
        Ok(())
    }
}

fn hex(frame: &[u8]) -> String {
    let shown: String = frame.iter().take(96).map(|byte| format!("{byte:02x}")).collect();
    format!("{} bytes {shown}", frame.len())
}
