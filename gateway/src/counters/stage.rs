use core::fmt;

/// Where a datagram or its buffer can be, in the order of the path.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Stage {
    /// From a receive queue to a train or a decision: in a receive burst.
    Ingress,
    /// In a held train.
    Gro,
    /// From the decision to a transmit buffer: being split, rewritten or replicated.
    Fanout,
    /// In a transmit buffer.
    TxBuffer,
    /// In the ring to the worker that owns the port's queue.
    Handoff,
}

impl Stage {
    /// All stages, in the order of the path.
    pub const ALL: &[Self] =
        &[Self::Ingress, Self::Gro, Self::Fanout, Self::TxBuffer, Self::Handoff];

    /// The name in reports and metrics.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ingress => "ingress",
            Self::Gro => "gro",
            Self::Fanout => "fanout",
            Self::TxBuffer => "tx_buffer",
            Self::Handoff => "handoff",
        }
    }
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What went through one worker's transmit buffer for one port.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct EgressCounts {
    /// Frames given to it, those taken over from other workers included.
    pub queued: u64,
    /// Frames it gave to the worker that owns the queue.
    pub handed_out: u64,
    /// Frames in it now.
    pub held: u64,
}
