use core::fmt;
use core::ops::Add;

/// The conservation law of one worker, or of all: what came in equals what went out.
///
/// `rx + originated + replicated + handed_in = tx + local + dropped + handed_out + held`
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Ledger {
    /// Frames received.
    pub rx: u64,
    /// Frames of the gateway's own.
    pub originated: u64,
    /// Copies beyond the first.
    pub replicated: u64,
    /// Frames taken from other workers.
    pub handed_in: u64,
    /// Frames transmitted.
    pub tx: u64,
    /// Datagrams consumed by the gateway.
    pub local: u64,
    /// Drops of all reasons.
    pub dropped: u64,
    /// Frames given to other workers.
    pub handed_out: u64,
    /// Datagrams in GRO tables and transmit buffers.
    pub held: u64,
}

impl Ledger {
    /// What is missing (positive) or too much (negative); zero when the law holds.
    pub fn imbalance(&self) -> i128 {
        let sum = |parts: &[u64]| parts.iter().map(|&p| i128::from(p)).sum::<i128>();
        sum(&[self.rx, self.originated, self.replicated, self.handed_in])
            - sum(&[self.tx, self.local, self.dropped, self.handed_out, self.held])
    }
}

impl Add for Ledger {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            rx: self.rx + other.rx,
            originated: self.originated + other.originated,
            replicated: self.replicated + other.replicated,
            handed_in: self.handed_in + other.handed_in,
            tx: self.tx + other.tx,
            local: self.local + other.local,
            dropped: self.dropped + other.dropped,
            handed_out: self.handed_out + other.handed_out,
            held: self.held + other.held,
        }
    }
}

impl fmt::Display for Ledger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "rx {} + originated {} + replicated {} + handed in {} = tx {} + local {} + dropped {} \
             + handed out {} + held {}",
            self.rx,
            self.originated,
            self.replicated,
            self.handed_in,
            self.tx,
            self.local,
            self.dropped,
            self.handed_out,
            self.held
        )?;
        match self.imbalance() {
            0 => f.write_str(": exact"),
            off => write!(f, ": OFF BY {off}"),
        }
    }
}
