//! Frames of more pieces than a port takes.

use crate::packet::{BufPool, PacketBuf};

/// All bytes in as few fresh pieces as they need; `None` if the pool is dry.
#[cold]
pub(super) fn repack<'a, B: PacketBuf>(
    pieces: impl Iterator<Item = &'a [u8]>,
    pool: &B::Pool,
) -> Option<B> {
    let room = pool.data_room();
    let (mut whole, mut last): (Option<B>, B) = (None, pool.alloc()?);
    for mut piece in pieces {
        while !piece.is_empty() {
            if last.frame_len() == room {
                let full = core::mem::replace(&mut last, pool.alloc()?);
                whole = Some(chained(whole, full));
            }
            let (now, later) = piece.split_at(piece.len().min(room - last.frame_len()));
            last.append(now.len())?.copy_from_slice(now);
            piece = later;
        }
    }
    Some(chained(whole, last))
}

fn chained<B: PacketBuf>(front: Option<B>, tail: B) -> B {
    match front {
        Some(mut front) => {
            front.chain(tail);
            front
        }
        None => tail,
    }
}

#[cfg(all(test, feature = "sim"))]
mod tests {
    use super::*;
    use crate::sim::HeapPool;

    #[test]
    fn as_few_pieces_as_the_bytes_need() {
        let (source, pool) = (HeapPool::new(64, 100), HeapPool::new(8, 100));
        for len in [1usize, 99, 100, 101, 250, 300] {
            let bytes: Vec<u8> = (0..len).map(|n| n as u8).collect();
            let mut packet = source.alloc().unwrap();
            bytes.chunks(7).for_each(|piece| packet.chain(source.alloc_from(piece).unwrap()));
            let whole: crate::sim::HeapBuf = repack(packet.pieces(), &pool).unwrap();
            assert_eq!(whole.to_vec(), bytes);
            assert_eq!(whole.piece_count(), len.div_ceil(100), "{len}");
            pool.fail_after(len.div_ceil(100) as u64 - 1);
            assert!(repack::<crate::sim::HeapBuf>(packet.pieces(), &pool).is_none());
            drop(whole);
            assert!(pool.is_full());
        }
    }
}
