//! What docs/sizing.md says of memory, held against the tables themselves by a counting allocator.
#![allow(clippy::disallowed_methods, clippy::disallowed_macros)]

use core::fmt::Write;
use core::net::Ipv6Addr;
use core::time::Duration;
use std::alloc::System;
use std::sync::Mutex;

use gateway::config::{self, Gro, GroMode};
use gateway::dpdk::Mbuf;
use gateway::forward::{PortFacts, Tables};
use gateway::gro::GroTable;
use gateway::packet::MacAddr;
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// Tests in one process would see each other's memory.
static ALONE: Mutex<()> = Mutex::new(());

/// Bytes that `make` keeps, while its result lives.
fn bytes_of<T>(make: impl FnOnce() -> T) -> usize {
    let region = Region::new(ALLOCATOR);
    let made = make();
    let change = region.change();
    drop(made);
    change.bytes_allocated.saturating_sub(change.bytes_deallocated)
}

fn tables(text: &str) -> usize {
    let config = config::parse("sizing.toml", text).expect("a valid file");
    let facts: Vec<_> = config.ports.iter().map(|_| PortFacts { mac: MacAddr([2; 6]) }).collect();
    bytes_of(|| Tables::build(&config, &facts, 1))
}

const PORTS: &str = "[[port]]\nname = \"p0\"\ndevice = \"net_null0\"\naddresses = [\"198.18.0.1/24\"]\n\
    [[port]]\nname = \"p1\"\ndevice = \"net_null1\"\naddresses = [\"198.18.1.1/24\"]\n";

#[test]
fn a_flow_of_the_gro_table() {
    let _alone = ALONE.lock();
    const FLOWS: usize = 65_536;
    for (max_segments, most) in [(64, 1024), (128, 1536)] {
        let settings = Gro {
            mode: GroMode::List,
            max_segments,
            max_hold: Duration::ZERO,
            flows: FLOWS as u32,
            adaptive: true,
        };
        let bytes = bytes_of(|| GroTable::<Mbuf>::new(&settings, 1)) / FLOWS;
        println!("{bytes} bytes per flow, {max_segments} segments");
        assert!((256..=most).contains(&bytes), "{bytes} bytes per flow, {max_segments} segments");
    }
}

/// Prefixes of a length that ends a step, spread as widely as they can be.
#[test]
fn a_route() {
    let _alone = ALONE.lock();
    const ROUTES: usize = 20_000;
    let mut text = PORTS.to_owned();
    for n in 0..ROUTES {
        let (a, b, c) = (20 + n / 65_536, n / 256 % 256, n % 256);
        writeln!(text, "[[route]]\nprefix = \"{a}.{b}.{c}.0/24\"\nvia = \"198.18.1.2\"")
            .expect("text");
    }
    let bytes = (tables(&text) - tables(PORTS)) / ROUTES;
    println!("{bytes} bytes per route");
    assert!(bytes <= 256, "{bytes} bytes per route");
}

/// Prefixes that share with their neighbours no more octets than so many must.
#[test]
fn an_ipv6_route() {
    let _alone = ALONE.lock();
    const ROUTES: u64 = 20_000;
    let ports = PORTS.replace("198.18.1.1/24\"", "198.18.1.1/24\", \"2001:db8::1/64\"");
    let mut text = ports.clone();
    for n in 0..ROUTES {
        // Of a multiplicative congruential generator: all 64 bits differ.
        let bits = 0x2000 << 48 | n.wrapping_mul(0xd134_2543_de82_ef95) >> 3;
        let prefix = Ipv6Addr::from_bits(u128::from(bits) << 64);
        writeln!(text, "[[route]]\nprefix = \"{prefix}/64\"\nvia = \"2001:db8::2\"").expect("text");
    }
    let bytes = (tables(&text) - tables(&ports)) / ROUTES as usize;
    println!("{bytes} bytes per IPv6 route");
    assert!(bytes <= 2304, "{bytes} bytes per IPv6 route");
}

#[test]
fn a_multicast_route() {
    let _alone = ALONE.lock();
    const GROUPS: usize = 10_000;
    let mut text = PORTS.to_owned();
    for n in 0..GROUPS {
        let (b, c) = (n / 256, n % 256);
        writeln!(text, "[[multicast]]\ngroup = \"239.1.{b}.{c}\"\nfrom = \"p0\"\nto = [\"p1\"]")
            .expect("text");
    }
    let bytes = (tables(&text) - tables(PORTS)) / GROUPS;
    println!("{bytes} bytes per multicast route");
    assert!(bytes <= 512, "{bytes} bytes per multicast route");
}

/// A bridge learns no more than it is told to.
#[test]
fn a_station() {
    let _alone = ALONE.lock();
    let file = |entries: usize| {
        tables(&format!(
            "[runtime]\nfdb_entries = {entries}\n[[port]]\nname = \"p0\"\ndevice = \"net_null0\"\n\
             [[bridge]]\nname = \"br0\"\nports = [\"p0\"]\n"
        ))
    };
    let (few, many) = (file(64), file(1_048_576));
    let bytes = (many - few) / 1_048_576;
    println!("{bytes} bytes per station");
    assert!((16..=96).contains(&bytes), "{bytes} bytes per station");
}
