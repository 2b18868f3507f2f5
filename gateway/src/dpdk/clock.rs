//! The time of a worker: read once per poll, handed down as an argument.

use dpdk_sys as sys;

use super::Eal;
use crate::time::Nanos;

/// Nanoseconds since it was made, from the time-stamp counter. `Copy`: all copies share the start,
/// so workers can compare times where the machine's counters are synchronous, as on all x86 with
/// an invariant counter.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    start: u64,
    /// Nanoseconds per tick, as a fraction of 2^32.
    scale: u64,
}

impl Clock {
    /// Starts at zero. The EAL has measured the counter's frequency.
    pub fn new(_eal: &Eal) -> Self {
        // SAFETY: reads a number the EAL has set.
        let hertz = unsafe { sys::rte_get_tsc_hz() };
        Self { start: ticks(), scale: scale(hertz) }
    }

    /// Ticks of the counter in a nanosecond.
    pub fn cycles_per_nano(self) -> f64 {
        (1u64 << 32) as f64 / self.scale as f64
    }

    /// Now.
    pub fn now(self) -> Nanos {
        Nanos(nanos(ticks().saturating_sub(self.start), self.scale))
    }
}

fn ticks() -> u64 {
    // SAFETY: reads a counter.
    unsafe { sys::sys_tsc() }
}

fn scale(hertz: u64) -> u64 {
    (1_000_000_000 << 32) / hertz.max(1)
}

fn nanos(ticks: u64, scale: u64) -> u64 {
    ((u128::from(ticks) * u128::from(scale)) >> 32) as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_is_off_by_less_than_a_millisecond() {
        for hertz in [1_000_000_000, 2_599_999_877, 3_700_000_000] {
            let day = nanos(86_400 * hertz, scale(hertz));
            assert!(day.abs_diff(86_400_000_000_000) < 1_000_000, "{hertz}: {day}");
        }
    }
}
