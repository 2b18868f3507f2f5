//! Replicas of one 16-datagram train over heap buffers, by fan-out and by the way they are made:
//! whole copies against private headers. Where the curves cross is where `copy_up_to` belongs
//! (over mbufs; heap buffers show the shape, not the place).
#![allow(missing_docs)]

use std::hint::black_box;

use bench::{Case, Journey};
use criterion::{BatchSize, BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use gateway::fanout::{Fanout, FanoutPort};
use gateway::ingress;
use gateway::packet::{BufPool, MacAddr, PacketBuf, PortId, PortMask, SuperPacket};
use gateway::sim::{HeapBuf, HeapPool};

const TRAIN: usize = 16;

fn replicate(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("fanout");
    for (payload, copies) in [(22, 1), (22, 3), (22, 8), (1400, 1), (1400, 3), (1400, 8)] {
        for (way, copy_up_to) in [("copies", usize::MAX), ("private-headers", 0)] {
            let pool = HeapPool::new(64 * TRAIN, 2048);
            let case =
                Case { train: TRAIN, frames: TRAIN, payload, ..Case::new(Journey::Multicast) };
            let frames = case.frames().expect("frames");
            // Addresses of their own: replicas for one address are made once.
            let port = |n| FanoutPort { mac: MacAddr([2, 0, 0, 0, 0, n as u8]), max_pieces: 40 };
            let ports = (0..=copies).map(port).collect();
            let mask: PortMask = (1..=copies as u16).map(PortId).collect();
            let mut fanout: Fanout<HeapBuf> = Fanout::new(pool.clone(), ports, copy_up_to);
            group.throughput(Throughput::Elements((TRAIN * copies) as u64));
            let name = BenchmarkId::new(format!("{way}/{payload}B"), copies);
            group.bench_function(name, |bencher| {
                bencher.iter_batched(
                    || frames.iter().filter_map(|f| pool.alloc_from(f)).collect::<Vec<_>>(),
                    |train| multicast(train, mask, &mut fanout),
                    BatchSize::SmallInput,
                );
            });
        }
    }
    group.finish();
}

fn multicast(mut train: Vec<HeapBuf>, ports: PortMask, fanout: &mut Fanout<HeapBuf>) {
    let Some(first) = train.first() else { return };
    let parsed = ingress::parse(PortId(0), first.head(), first.frame_len(), first.rx_checksum());
    let Some(packet) = parsed.ok().and_then(|info| SuperPacket::from_segments(info, &mut train))
    else {
        return;
    };
    fanout.multicast(packet, ports, &mut |_, frame| drop(black_box(frame)));
}

criterion_group!(benches, replicate);
criterion_main!(benches);
