//! What the benches share: bursts of real frames, by etherparse.

use etherparse::PacketBuilder;

/// Frames of a burst: `flows` flows in turn, each sending trains of `train` equal datagrams.
#[derive(Clone, Copy, Debug)]
pub struct Shape {
    /// Datagrams in the burst.
    pub burst: usize,
    /// Equal datagrams of one flow in a row.
    pub train: usize,
    /// Bytes of UDP payload.
    pub payload: usize,
}

impl Shape {
    /// The frames, in order; every train is of a flow of its own.
    pub fn frames(&self) -> Vec<Vec<u8>> {
        (0..self.burst).map(|n| self.frame((n / self.train) as u16)).collect()
    }

    fn frame(&self, flow: u16) -> Vec<u8> {
        let mut frame = Vec::new();
        let builder = PacketBuilder::ethernet2([2, 0, 0, 0, 0, 2], [2, 0, 0, 0, 0, 1])
            .ipv4([10, 0, 0, 2], [239, 1, 1, 1], 64)
            .udp(4000, 5000 + flow);
        let payload = vec![flow as u8; self.payload];
        // Writing into a vector cannot fail; a failed build shows as an empty frame at once.
        let _ = builder.write(&mut frame, &payload);
        frame
    }
}
