//! What the benches share: bursts of real frames, by etherparse.

use etherparse::PacketBuilder;

/// Frames of a burst: trains of equal datagrams, each train of another flow.
#[derive(Clone, Copy, Debug)]
pub struct Shape {
    /// Datagrams in the burst.
    pub burst: usize,
    /// Equal datagrams of one flow in a row.
    pub train: usize,
    /// Bytes of UDP payload.
    pub payload: usize,
    /// Destination address; a group gets the group's Ethernet address (RFC 1112 6.4).
    pub dst: [u8; 4],
}

impl Shape {
    /// The frames, in order. They come from 10.0.0.2, and a routed one is for 02:00:00:00:00:00.
    pub fn frames(&self) -> Vec<Vec<u8>> {
        (0..self.burst).map(|n| self.frame((n / self.train) as u16)).collect()
    }

    fn frame(&self, flow: u16) -> Vec<u8> {
        let [a, b, c, d] = self.dst;
        let dst_mac = if a >= 224 { [1, 0, 0x5e, b & 0x7f, c, d] } else { [2, 0, 0, 0, 0, 0] };
        let mut frame = Vec::new();
        let builder = PacketBuilder::ethernet2([2, 0, 0, 0, 1, 0], dst_mac)
            .ipv4([10, 0, 0, 2], self.dst, 64)
            .udp(4000, 5000 + flow);
        let payload = vec![flow as u8; self.payload];
        // Writing into a vector cannot fail; a failed build shows as an empty frame at once.
        let _ = builder.write(&mut frame, &payload);
        frame
    }
}
