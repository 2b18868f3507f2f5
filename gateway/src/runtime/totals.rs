use core::fmt;

use crate::counters::Ledger;
use crate::packet::DropReason;
use crate::worker::WorkerSnapshot;

/// What all workers did, at the end.
#[derive(Clone, Default, Debug)]
pub struct Totals {
    /// The sums of the conservation law.
    pub ledger: Ledger,
    /// By [`DropReason::index`].
    pub drops: Vec<u64>,
}

impl Totals {
    /// Sums up.
    pub fn of<'a>(workers: impl IntoIterator<Item = &'a WorkerSnapshot>) -> Self {
        let mut totals = Self { ledger: Ledger::default(), drops: vec![0; DropReason::COUNT] };
        for worker in workers {
            totals.ledger = totals.ledger + worker.ledger();
            for port in &worker.counters.ports {
                for (sum, drops) in totals.drops.iter_mut().zip(&port.drops) {
                    *sum += drops;
                }
            }
        }
        totals
    }

    /// Whether every frame is accounted for and none is held any more.
    pub fn balance(&self) -> bool {
        self.ledger.imbalance() == 0
            && self.ledger.held == 0
            && self.ledger.handed_in == self.ledger.handed_out
    }
}

impl fmt::Display for Totals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.ledger)?;
        for reason in DropReason::ALL {
            match self.drops.get(reason.index()) {
                Some(&count) if count > 0 => write!(f, "\n  dropped {count}: {}", reason.name())?,
                _ => {}
            }
        }
        Ok(())
    }
}
