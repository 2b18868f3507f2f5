//! The way of a train to its port.

use gateway::packet::{BufPool, PacketBuf, RxChecksum};

use super::Run;
use crate::packet::{Frame, Train};
use crate::plan::Noise;

/// More than the headers of any frame here.
const LONGEST_HEADERS: usize = 256;

impl Run {
    pub(super) fn send(&mut self, train: &Train, noise: &[Noise]) {
        let world = &self.worlds[self.world];
        let routed: Vec<_> = (0..world.ports.len()).map(|port| world.is_routed(port)).collect();
        let mut frames = train.frames(&routed, &mut self.serial);
        for noise in noise {
            disturb(&mut frames, *noise);
        }
        for frame in frames {
            self.inject(frame);
        }
    }

    fn inject(&mut self, mut frame: Frame) {
        if let (Some(head), true) = (frame.pieces.first_mut(), self.keeps_heads_whole) {
            *head = (*head).max(LONGEST_HEADERS);
        }
        let port = &self.ports[frame.ingress];
        let plain = frame.pieces.is_empty() && frame.checksum == RxChecksum::Unknown;
        if plain {
            return port.inject(frame.bytes);
        }
        // as a port does that scatters a frame over buffers; a dry pool loses the frame
        let mut rest = &frame.bytes[..];
        let mut packet = None;
        for len in frame.pieces.iter().copied().chain([usize::MAX]) {
            let (piece, behind) = rest.split_at(len.min(rest.len()));
            rest = behind;
            if piece.is_empty() && packet.is_some() {
                break;
            }
            let Some(piece) = self.pool.alloc_from(piece) else { return };
            match &mut packet {
                None => packet = Some(piece),
                Some(packet) => packet.chain(piece),
            }
        }
        if let Some(mut packet) = packet {
            packet.set_rx_checksum(frame.checksum);
            port.inject_packet(packet);
        }
    }
}

fn disturb(frames: &mut Vec<Frame>, noise: Noise) {
    let count = frames.len();
    if count == 0 {
        return;
    }
    match noise {
        Noise::Lose(n) => drop(frames.remove(n % count)),
        Noise::Double(n) => frames.insert(n % count, frames[n % count].clone()),
        Noise::Swap(n) => frames.swap(n % count, (n + 1) % count),
        Noise::Flip { frame, bit } => {
            let frame = &mut frames[frame % count];
            let bits = frame.bytes.len() * 8;
            if bits > 0 {
                frame.bytes[bit % bits / 8] ^= 1 << (bit % 8);
                frame.checksum = RxChecksum::Unknown;
            }
        }
        Noise::Cut { frame, len } => {
            let frame = &mut frames[frame % count];
            frame.bytes.truncate(len);
            frame.checksum = RxChecksum::Unknown;
        }
    }
}
