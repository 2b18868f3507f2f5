use crate::packet::DropReason;

/// What one worker counted for one port.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PortCounters {
    /// Frames received.
    pub rx_frames: u64,
    /// Bytes received, without FCS.
    pub rx_bytes: u64,
    /// Frames the port's queue accepted.
    pub tx_frames: u64,
    /// Bytes the port's queue accepted, without FCS.
    pub tx_bytes: u64,
    /// By [`DropReason::index`]: under the ingress port until a decision names an egress port,
    /// under that egress port from then on.
    pub drops: [u64; DropReason::COUNT],
    /// Times a transmit burst was accepted in part or not at all.
    pub tx_partial: u64,
}

impl Default for PortCounters {
    fn default() -> Self {
        Self {
            rx_frames: 0,
            rx_bytes: 0,
            tx_frames: 0,
            tx_bytes: 0,
            drops: [0; DropReason::COUNT],
            tx_partial: 0,
        }
    }
}

impl PortCounters {
    /// Counts `frames` dropped for `reason`.
    pub fn drop(&mut self, reason: DropReason, frames: u64) {
        self.drops[reason.index()] += frames;
    }

    /// Drops of all reasons.
    pub fn dropped(&self) -> u64 {
        self.drops.iter().sum()
    }

    /// Drops of frames that were queued for the port.
    pub fn dropped_in_egress(&self) -> u64 {
        DropReason::IN_EGRESS.iter().map(|reason| self.drops[reason.index()]).sum()
    }

    /// Adds what another worker counted for the same port.
    pub fn add(&mut self, other: &Self) {
        self.rx_frames += other.rx_frames;
        self.rx_bytes += other.rx_bytes;
        self.tx_frames += other.tx_frames;
        self.tx_bytes += other.tx_bytes;
        self.tx_partial += other.tx_partial;
        for (sum, drops) in self.drops.iter_mut().zip(&other.drops) {
            *sum += drops;
        }
    }
}
