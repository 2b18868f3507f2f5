//! The search of RFC 2544 26.1: the highest rate at which no more than a given share is lost. With
//! a share of nothing that is the no-drop rate (NDR), with some it is a partial-drop rate (PDR).

/// What is searched.
#[derive(Clone, Copy, Debug)]
pub struct Search {
    /// Frames per second that are surely carried, and that are as much as the sender can do.
    pub range: (f64, f64),
    /// Share of frames that may be lost.
    pub loss: f64,
    /// Ends when what is left of the range is this share of its top.
    pub resolution: f64,
}

/// What one trial saw.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Loss {
    /// Frames offered.
    pub offered: u64,
    /// Frames that came out.
    pub carried: u64,
    /// Frames a second that were offered: a sender may be slower than it was told to be.
    pub rate: f64,
}

/// What was found.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Found {
    /// The highest rate that passed; `None` if the lowest did not.
    pub rate: Option<f64>,
    /// Trials made.
    pub trials: u32,
    /// The device carried all that could be offered: its limit lies beyond.
    pub at_top: bool,
}

impl Loss {
    /// Lost of offered.
    pub fn share(self) -> f64 {
        self.offered.saturating_sub(self.carried) as f64 / self.offered.max(1) as f64
    }
}

impl Search {
    /// Runs trials until the rate is known. A rate that passed is not tried again, and one that
    /// failed ends all above it.
    ///
    /// # Errors
    /// What a trial returned.
    pub fn run<E>(&self, mut trial: impl FnMut(f64) -> Result<Loss, E>) -> Result<Found, E> {
        let (mut low, mut high) = self.range;
        let mut found = Found { rate: None, trials: 0, at_top: false };
        // The rate that was really offered, if it passed.
        let mut passed = |rate: f64, found: &mut Found| -> Result<Option<f64>, E> {
            found.trials += 1;
            let loss = trial(rate)?;
            Ok((loss.share() <= self.loss).then_some(loss.rate.min(rate)))
        };
        if let Some(rate) = passed(high, &mut found)? {
            return Ok(Found { rate: Some(rate), at_top: true, ..found });
        }
        found.rate = passed(low, &mut found)?;
        while found.rate.is_some() && high - low > self.resolution * self.range.1 {
            let middle = f64::midpoint(low, high);
            match passed(middle, &mut found)? {
                Some(rate) => (low, found.rate) = (middle, Some(rate)),
                None => high = middle,
            }
        }
        Ok(found)
    }
}

#[cfg(test)]
mod tests {
    use core::convert::Infallible;

    use super::*;

    /// A device that carries `limit` frames of 1000 a second each and drops the rest.
    fn device(limit: f64) -> impl FnMut(f64) -> Result<Loss, Infallible> {
        move |rate| Ok(Loss { offered: rate as u64, carried: rate.min(limit) as u64, rate })
    }

    const NDR: Search = Search { range: (1e3, 1e6), loss: 0.0, resolution: 0.01 };

    #[test]
    fn the_limit_is_found_within_the_resolution() {
        for limit in [1_500.0, 123_456.0, 999_000.0] {
            let Ok(found) = NDR.run(device(limit));
            let rate = found.rate.expect("a rate");
            assert!(rate <= limit && limit - rate <= 1e4, "{rate} of {limit}");
            assert!(found.trials <= 2 + 7, "{} trials", found.trials);
        }
    }

    #[test]
    fn some_loss_allowed_finds_a_higher_rate() {
        let Ok(strict) = NDR.run(device(500_000.0));
        let Ok(lax) = Search { loss: 0.1, resolution: 0.001, ..NDR }.run(device(500_000.0));
        let (strict, lax) = (strict.rate.expect("NDR"), lax.rate.expect("PDR"));
        assert!(lax > strict && (lax / 500_000.0 - 1.0 / 0.9).abs() < 0.01, "{strict}, {lax}");
    }

    #[test]
    fn what_carries_all_and_what_carries_nothing() {
        let Ok(all) = NDR.run(device(2e6));
        assert_eq!(all, Found { rate: Some(1e6), trials: 1, at_top: true });
        // Of a sender that does half of what it is told, what it did counts.
        let Ok(half) = NDR.run(|rate| {
            Ok::<_, Infallible>(Loss {
                rate: rate.min(5e5),
                ..device(2e6)(rate).unwrap_or_else(|e| match e {})
            })
        });
        assert_eq!(half, Found { rate: Some(5e5), trials: 1, at_top: true });
        let Ok(nothing) = NDR.run(device(10.0));
        assert_eq!(nothing.rate, None);
    }
}
