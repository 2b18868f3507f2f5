//! How many ICMP errors may be sent (RFC 1812 4.3.2.8, RFC 4443 2.4 (f)): a token bucket per kind
//! and IP version, so that the first of each kind always passes. Time is an argument.

use super::answer::IcmpError;
use crate::packet::Network;
use crate::time::Nanos;

/// Tokens that come at a steady rate, up to a number; full at first.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct TokenBucket {
    /// Time in which one token comes.
    interval: Nanos,
    /// Time in which an empty bucket fills.
    fill_time: Nanos,
    /// When it will be full.
    full_at: Nanos,
}

impl TokenBucket {
    /// A bucket of `burst` tokens, `per_second` of which come each second; both at least 1.
    pub const fn new(per_second: u32, burst: u32) -> Self {
        let per_second = if per_second == 0 { 1 } else { per_second };
        let burst = if burst == 0 { 1 } else { burst };
        let interval = Nanos::from_secs(1).0 / per_second as u64;
        Self {
            interval: Nanos(interval),
            fill_time: Nanos(interval.saturating_mul(burst as u64)),
            full_at: Nanos(0),
        }
    }

    /// Takes a token; `false` if there is none.
    pub fn take(&mut self, now: Nanos) -> bool {
        let full_at = self.full_at.max(now) + self.interval;
        let is_there = full_at.since(now) <= self.fill_time;
        if is_there {
            self.full_at = full_at;
        }
        is_there
    }
}

/// The buckets of one worker.
#[derive(Clone, Debug)]
pub struct ErrorLimits {
    v4: [TokenBucket; KINDS],
    v6: [TokenBucket; KINDS],
}

/// Kinds of [`IcmpError`].
const KINDS: usize = 3;

impl ErrorLimits {
    /// Errors of each kind per second and IP version, and how many may come at once.
    pub const fn new(per_second: u32, burst: u32) -> Self {
        let bucket = TokenBucket::new(per_second, burst);
        Self { v4: [bucket; KINDS], v6: [bucket; KINDS] }
    }

    /// Whether this error about a packet of this version may be sent now.
    pub fn allow(&mut self, error: IcmpError, network: Network, now: Nanos) -> bool {
        let buckets = if network == Network::Ipv6 { &mut self.v6 } else { &mut self.v4 };
        let [exceeded, too_big, unreachable] = buckets;
        match error {
            IcmpError::TimeExceeded => exceeded.take(now),
            IcmpError::TooBig { .. } => too_big.take(now),
            IcmpError::Unreachable(_) => unreachable.take(now),
        }
    }
}

impl Default for ErrorLimits {
    /// What Linux allows a whole machine (`icmp_msgs_per_sec`, `icmp_msgs_burst`).
    fn default() -> Self {
        Self::new(1000, 50)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::answer::Unreachable;
    use super::*;

    #[test]
    fn a_burst_then_the_rate() {
        let mut bucket = TokenBucket::new(10, 3);
        let start = Nanos::from_secs(5);
        let taken = |bucket: &mut TokenBucket, now| (0..10).filter(|_| bucket.take(now)).count();
        assert_eq!(taken(&mut bucket, start), 3);
        assert_eq!(taken(&mut bucket, start + Nanos::from_micros(99_999)), 0);
        assert_eq!(taken(&mut bucket, start + Nanos::from_micros(100_000)), 1);
        assert_eq!(taken(&mut bucket, start + Nanos::from_secs(100)), 3);
    }

    #[test]
    fn the_first_of_each_kind_passes() {
        let mut limits = ErrorLimits::new(0, 0);
        for network in [Network::Ipv4, Network::Ipv6] {
            for error in [
                IcmpError::TimeExceeded,
                IcmpError::TooBig { mtu: 1400 },
                IcmpError::Unreachable(Unreachable::Port),
            ] {
                assert!(limits.allow(error, network, Nanos(0)), "{error:?}");
                assert!(!limits.allow(error, network, Nanos(999_999_999)), "{error:?}");
                assert!(limits.allow(error, network, Nanos::from_secs(1)), "{error:?}");
            }
        }
    }

    proptest! {
        /// Against a bucket that counts what it holds.
        #[test]
        fn is_a_token_bucket(
            per_second in 1u32..2000,
            burst in 1u32..100,
            steps in prop::collection::vec(prop_oneof![Just(0), 0u64..50_000_000], 1..300),
        ) {
            let mut bucket = TokenBucket::new(per_second, burst);
            let interval = 1_000_000_000 / u64::from(per_second);
            let full = interval * u64::from(burst);
            let (mut held, mut now) = (full, Nanos::from_secs(1));
            for step in steps {
                now = now + Nanos(step);
                held = full.min(held + step);
                prop_assert_eq!(bucket.take(now), held >= interval);
                held = if held >= interval { held - interval } else { held };
            }
        }
    }
}
