//! Parse, coalesce and flush one burst over heap buffers: instructions aside, what a train saves
//! and what a lone datagram pays. `off` parses only.
#![allow(missing_docs)]

use core::time::Duration;
use std::hint::black_box;

use bench::{Case, Journey};
use criterion::{BatchSize, BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use gateway::config::{Gro, GroMode};
use gateway::gro::{GroTable, Saving};
use gateway::ingress;
use gateway::packet::{BufPool, PacketBuf, PortId, SuperPacket};
use gateway::sim::{HeapBuf, HeapPool};
use gateway::time::Nanos;

const BURST: usize = 64;

fn coalesce(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("gro");
    group.throughput(Throughput::Elements(BURST as u64));
    for train in [1, 2, 4, 16, 64] {
        let pool = HeapPool::new(2 * BURST, 2048);
        let case = Case { train, frames: BURST, ..Case::new(Journey::Route) };
        let frames = case.frames().expect("frames");
        let burst = || -> Vec<HeapBuf> {
            frames.iter().filter_map(|frame| pool.alloc_from(frame)).collect()
        };
        for mode in [GroMode::Off, GroMode::List] {
            let settings = Gro {
                mode,
                max_segments: 64,
                max_hold: Duration::ZERO,
                flows: 1024,
                adaptive: false,
            };
            let mut table = GroTable::new(&settings, 1);
            let name = BenchmarkId::new(format!("{mode:?}"), train);
            group.bench_function(name, |bencher| {
                bencher.iter_batched(
                    burst,
                    |burst| poll(burst, mode, &mut table),
                    BatchSize::SmallInput,
                );
            });
        }
    }
    group.finish();
}

fn poll(burst: Vec<HeapBuf>, mode: GroMode, table: &mut GroTable<HeapBuf>) {
    let now = Nanos(0);
    let sink = &mut |packet: SuperPacket<'_, HeapBuf>| {
        drop(black_box(packet));
        Saving::ROUTED
    };
    for packet in burst {
        let parsed =
            ingress::parse(PortId(0), packet.head(), packet.frame_len(), packet.rx_checksum());
        let Ok(info) = black_box(parsed) else { continue };
        if mode == GroMode::Off {
            continue;
        }
        if let Err(unjoined) = table.join(packet, &info, now, sink) {
            table.settle(unjoined, now, sink);
        }
    }
    table.end_burst(now, sink);
}

criterion_group!(benches, coalesce);
criterion_main!(benches);
