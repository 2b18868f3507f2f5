//! Random operations on packets of two pools, each packet beside a plain vector that says what its
//! bytes must be. A write that reached another holder's bytes would show there.

use gateway::packet::{BufPool, PacketBuf, SharedBuf, TxBuf};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

use crate::{Make, is_full, taken};

/// What to do, to which packets, how much. Indices wrap around.
#[derive(Clone, Copy, Debug)]
struct Step {
    what: What,
    one: usize,
    other: usize,
    amount: usize,
}

#[derive(Clone, Copy, Debug)]
enum What {
    Alloc,
    Share,
    Clone,
    PrivateHeader,
    Copy,
    Unshare,
    Prepend,
    Append,
    TrimFront,
    Truncate,
    Chain,
    Detach,
    Write,
    Send,
    Drop,
}

enum Packet<B: PacketBuf> {
    Owned(B),
    Shared(B::Shared),
    Sent(B::Tx),
}

struct World<B: PacketBuf> {
    pools: [B::Pool; 2],
    packets: Vec<(Packet<B>, Vec<u8>)>,
    written: u8,
}

pub(crate) fn random_operations<B: PacketBuf>(make: Make<B>) {
    let mut runner = TestRunner::new(Config::with_cases(400));
    let result = runner.run(&prop::collection::vec(step(), 1..80), |steps| {
        let pools = [make(48, 300), make(32, 300)];
        let mut world = World::<B> { pools, packets: vec![], written: 0 };
        for step in steps {
            world.apply(step);
            world.check()?;
        }
        world.packets.clear();
        prop_assert!(world.pools.iter().all(is_full));
        Ok(())
    });
    result.unwrap_or_else(|e| panic!("{e}"));
}

fn step() -> impl Strategy<Value = Step> {
    use What::*;
    let what = prop::sample::select(vec![
        Alloc,
        Alloc,
        Alloc,
        Share,
        Share,
        Clone,
        PrivateHeader,
        PrivateHeader,
        Copy,
        Unshare,
        Prepend,
        Append,
        TrimFront,
        Truncate,
        Chain,
        Chain,
        Detach,
        Write,
        Write,
        Send,
        Drop,
    ]);
    (what, any::<usize>(), any::<usize>(), 0..160usize)
        .prop_map(|(what, one, other, amount)| Step { what, one, other, amount })
}

impl<B: PacketBuf> World<B> {
    fn apply(&mut self, step: Step) {
        if let What::Alloc = step.what {
            let bytes = vec![step.one as u8; step.amount];
            if let Some(packet) = self.pools[step.other % 2].alloc_from(&bytes) {
                self.packets.push((Packet::Owned(packet), bytes));
            }
        } else if !self.packets.is_empty() {
            let (packet, bytes) = self.packets.swap_remove(step.one % self.packets.len());
            match packet {
                Packet::Owned(packet) => self.on_owned(step, packet, bytes),
                Packet::Shared(shared) => self.on_shared(step, shared, bytes),
                Packet::Sent(_) if matches!(step.what, What::Drop) => {}
                Packet::Sent(tx) => self.packets.push((Packet::Sent(tx), bytes)),
            }
        }
    }

    fn on_owned(&mut self, step: Step, mut packet: B, mut bytes: Vec<u8>) {
        self.written = self.written.wrapping_add(1);
        let value = self.written;
        match step.what {
            What::Share => return self.packets.push((Packet::Shared(packet.share()), bytes)),
            What::Send => return self.packets.push((Packet::Sent(packet.into_tx()), bytes)),
            What::Drop => return,
            What::Prepend => {
                if let Some(room) = packet.prepend(step.amount) {
                    room.fill(value);
                    bytes.splice(0..0, vec![value; step.amount]);
                }
            }
            What::Append => {
                if let Some(room) = packet.append(step.amount) {
                    room.fill(value);
                    bytes.resize(bytes.len() + step.amount, value);
                }
            }
            What::TrimFront => {
                let fits = step.amount <= packet.head().len();
                assert_eq!(packet.trim_front(step.amount), fits);
                bytes.drain(..if fits { step.amount } else { 0 });
            }
            What::Truncate => {
                packet.truncate(step.amount);
                bytes.truncate(step.amount);
            }
            What::Chain => self.chain(step, &mut packet, &mut bytes),
            What::Detach => {
                let head_len = packet.head().len();
                if let Some(rest) = packet.detach() {
                    self.packets.push((Packet::Owned(rest), bytes.split_off(head_len)));
                    assert_eq!(packet.piece_count(), 1);
                }
            }
            What::Write => {
                let head = packet.head_mut();
                head.fill(value);
                bytes[..head.len()].fill(value);
            }
            _ => {}
        }
        self.packets.push((Packet::Owned(packet), bytes));
    }

    fn chain(&mut self, step: Step, packet: &mut B, bytes: &mut Vec<u8>) {
        let count = self.packets.len();
        let mut order = (0..count).map(|n| (n + step.other % count) % count);
        let Some(at) = order.find(|&at| matches!(self.packets[at].0, Packet::Owned(_))) else {
            return;
        };
        if let (Packet::Owned(tail), more) = self.packets.swap_remove(at) {
            let pieces = packet.piece_count() + tail.piece_count();
            packet.chain(tail);
            bytes.extend(more);
            assert_eq!(packet.piece_count(), pieces);
        }
    }

    fn on_shared(&mut self, step: Step, shared: B::Shared, bytes: Vec<u8>) {
        let pool = &self.pools[step.other % 2];
        let before = taken(pool);
        let made = match step.what {
            What::Clone => Some(Packet::Shared(shared.clone())),
            What::PrivateHeader => {
                let replica = shared.with_private_header(step.amount, pool);
                let pieces = replica.as_ref().map_or(0, PacketBuf::piece_count);
                assert_eq!(taken(pool), before + pieces);
                replica.map(Packet::Owned)
            }
            What::Copy => {
                let copy = shared.copy(pool);
                assert_eq!(taken(pool), before + usize::from(copy.is_some()));
                copy.map(Packet::Owned)
            }
            What::Send => Some(Packet::Sent(shared.clone().into_tx())),
            What::Unshare => {
                let packet = match shared.try_unshare() {
                    Ok(packet) => Packet::Owned(packet),
                    Err(shared) => Packet::Shared(shared),
                };
                return self.packets.push((packet, bytes));
            }
            What::Drop => return,
            _ => None,
        };
        self.packets.extend(made.map(|packet| (packet, bytes.clone())));
        self.packets.push((Packet::Shared(shared), bytes));
    }

    fn check(&self) -> Result<(), TestCaseError> {
        for (packet, bytes) in &self.packets {
            let (seen, len, pieces, counted) = match packet {
                Packet::Owned(p) => {
                    (p.to_vec(), p.frame_len(), p.pieces().count(), p.piece_count())
                }
                Packet::Shared(s) => {
                    let seen = s.pieces().flatten().copied().collect();
                    (seen, s.frame_len(), s.pieces().count(), s.piece_count())
                }
                Packet::Sent(tx) => (bytes.clone(), tx.frame_len(), 1, 1),
            };
            prop_assert_eq!(&seen, bytes);
            prop_assert_eq!(len, bytes.len());
            prop_assert_eq!(pieces, counted);
        }
        Ok(())
    }
}
