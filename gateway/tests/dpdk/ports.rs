use gateway::device::{RxQueue, TxQueue};
use gateway::dpdk::{Error, Mbuf, Opened, Pool, Port, PortOptions, RxQueue as Rx};
use gateway::packet::{BufPool, PacketBuf, SharedBuf};

use crate::eal::{eal, pool};

const OPTIONS: PortOptions = PortOptions {
    mac: None,
    mtu: 1500,
    rx_queues: 1,
    tx_queues: 1,
    descriptors: 512,
    promiscuous: true,
    multi_segment: false,
};

fn open(device: &str, pool: &Pool) -> Opened {
    let device = device.parse().unwrap();
    Port::open(eal(), &device, pool, &OPTIONS).unwrap_or_else(|e| panic!("{e}; {}", e.remedy()))
}

#[test]
fn null_port_yields_and_swallows_bursts() {
    let pool = pool(1024, 2048);
    let Opened { port, mut rx, mut tx, notes } = open("net_null0,size=100", &pool);
    assert_eq!(notes, Vec::<String>::new());
    let mut burst = Vec::with_capacity(32);
    assert_eq!(rx[0].rx_burst(&mut burst), 32);
    assert!(burst.iter().all(|packet| packet.frame_len() == 100));
    let mut frames: Vec<_> = burst.drain(..).map(PacketBuf::into_tx).collect();
    assert_eq!(tx[0].tx_burst(&mut frames), 32);
    assert!(frames.is_empty());
    assert_eq!(port.stats().tx_packets, 32);
    assert!(port.link().up);
    assert!(pool.is_full());
}

/// What the queue has, all of it, within a few polls.
fn receive(rx: &mut Rx) -> Vec<Mbuf> {
    let mut burst = Vec::with_capacity(64);
    while rx.rx_burst(&mut burst) > 0 {}
    burst
}

#[test]
fn ring_port_gives_owned_packets_back_as_they_are() {
    let pool = pool(512, 2048);
    let Opened { port, mut rx, mut tx, .. } = open("net_ring0", &pool);
    let sent: Vec<Vec<u8>> = (1..=40u8).map(|n| vec![n; usize::from(n)]).collect();
    let mut frames: Vec<_> =
        sent.iter().map(|bytes| pool.alloc_from(bytes).unwrap().into_tx()).collect();
    assert_eq!(tx[0].tx_burst(&mut frames), 40);
    assert_eq!(pool.available(), 512 - 40);
    let received = receive(&mut rx[0]);
    assert!(received.iter().map(PacketBuf::to_vec).eq(sent));
    assert_eq!(pool.available(), 512 - 40, "pointers crossed the ring, nothing was copied");
    drop((received, port, rx, tx));
    assert!(pool.is_full());
}

#[test]
fn what_comes_out_of_a_ring_is_owned_though_others_hold_what_went_in() {
    let pool = pool(512, 2048);
    let Opened { mut rx, mut tx, .. } = open("net_ring1", &pool);
    let kept = pool.alloc_from(b"headerpayload").unwrap().share();
    let chain = kept.with_private_header(6, &pool).unwrap();
    let mut frames = vec![kept.clone().into_tx(), chain.into_tx()];
    assert_eq!(tx[0].tx_burst(&mut frames), 2);
    let mut received = receive(&mut rx[0]);
    assert_eq!(received.len(), 2);
    for packet in &mut received {
        assert_eq!(packet.to_vec(), b"headerpayload");
        packet.head_mut().fill(b'x');
    }
    assert_eq!(received[0].piece_count(), 1, "copied: its bytes were shared");
    assert_eq!(received[1].piece_count(), 2, "taken as it is: its head is private");
    assert_eq!(received[1].to_vec(), b"xxxxxxpayload");
    assert_eq!(kept.head(), b"headerpayload");
    drop((received, kept));
    assert!(pool.is_full());
}

#[test]
fn a_packet_that_cannot_be_copied_is_refused_and_counted() {
    let pool = pool(512, 2048);
    let Opened { mut rx, mut tx, .. } = open("net_ring2", &pool);
    let kept = pool.alloc_from(b"shared").unwrap().share();
    let owned = pool.alloc_from(b"owned").unwrap();
    let mut frames = vec![kept.clone().into_tx(), owned.into_tx(), kept.clone().into_tx()];
    assert_eq!(tx[0].tx_burst(&mut frames), 3);
    let rest: Vec<_> = std::iter::from_fn(|| pool.alloc()).collect();
    assert_eq!(rest.len(), 512 - 2);
    let received = receive(&mut rx[0]);
    assert_eq!(received.iter().map(PacketBuf::to_vec).collect::<Vec<_>>(), [b"owned"]);
    assert_eq!(rx[0].refused(), 2);
    drop((rest, received, kept));
    assert!(pool.is_full());
}

#[test]
fn a_full_ring_gives_the_rest_back_in_order() {
    let pool = pool(4096, 2048);
    let Opened { mut rx, mut tx, .. } = open("net_ring3", &pool);
    let frame = |n: u16| pool.alloc_from(&n.to_be_bytes()).unwrap().into_tx();
    let mut frames: Vec<_> = (0..1100).map(frame).collect();
    assert_eq!(tx[0].tx_burst(&mut frames), 1023, "net_ring's rings hold 1024 - 1");
    assert_eq!(frames.len(), 77);
    let mut received: Vec<_> = std::iter::repeat_with(|| receive(&mut rx[0]))
        .take_while(|burst| !burst.is_empty())
        .flatten()
        .collect();
    assert_eq!(tx[0].tx_burst(&mut frames), 77);
    received.extend(std::iter::repeat_with(|| receive(&mut rx[0])).take(3).flatten());
    let numbers = received.iter().map(|p| u16::from_be_bytes(p.head().try_into().unwrap()));
    assert!(numbers.eq(0..1100));
    drop(received);
    assert!(pool.is_full());
}

#[test]
fn a_dropped_port_frees_what_its_queues_hold_and_its_name() {
    let pool = pool(512, 2048);
    for _ in 0..3 {
        let Opened { mut tx, .. } = open("net_null7", &pool);
        let mut frames = vec![pool.alloc_from(b"x").unwrap().into_tx()];
        assert_eq!(tx[0].tx_burst(&mut frames), 1);
    }
    assert!(pool.is_full());
}

#[test]
fn a_port_restarts_when_nobody_has_a_queue_of_it() {
    let pool = pool(512, 2048);
    let Opened { mut port, mut rx, tx, .. } = open("net_null6", &pool);
    assert!(port.can_restart());
    assert!(port.restart().unwrap().is_none(), "under a receive and a transmit queue");
    drop(tx);
    assert!(port.restart().unwrap().is_none(), "under a receive queue");
    let mut burst = Vec::with_capacity(8);
    assert_eq!(rx[0].rx_burst(&mut burst), 8, "the port was touched");
    drop(rx);
    for _ in 0..3 {
        let (mut rx, mut tx) = port.restart().unwrap().unwrap();
        assert_eq!((rx.len(), tx.len(), port.link().up), (1, 1, true));
        burst.clear();
        assert_eq!(rx[0].rx_burst(&mut burst), 8);
        let mut frames: Vec<_> = burst.drain(..).map(PacketBuf::into_tx).collect();
        assert_eq!(tx[0].tx_burst(&mut frames), 8);
    }
    drop(port);
    assert!(pool.is_full());
}

/// A ring nobody reads is full before and after: what is in it has been sent.
#[test]
fn what_is_in_a_ring_survives_a_restart_of_its_port() {
    let pool = pool(512, 2048);
    let Opened { mut port, rx, mut tx, .. } = open("net_ring4", &pool);
    let mut frames = vec![pool.alloc_from(b"sent").unwrap().into_tx()];
    assert_eq!(tx[0].tx_burst(&mut frames), 1);
    drop((rx, tx));
    let (mut rx, _tx) = port.restart().unwrap().unwrap();
    assert_eq!(receive(&mut rx[0]).iter().map(PacketBuf::to_vec).collect::<Vec<_>>(), [b"sent"]);
    drop((rx, port));
    assert!(pool.is_full());
}

#[test]
fn wrong_devices_are_named_with_a_remedy() {
    let pool = pool(512, 2048);
    for (device, text) in [
        ("net_af_packet9,iface=nowhere0", "no interface \"nowhere0\""),
        ("net_pcap9,rx_pcap=/nowhere/in.pcap", "/nowhere/in.pcap"),
        ("net_nonsense0", "net_nonsense0"),
        ("0000:ff:1f.7", "no such PCI device"),
    ] {
        let result = Port::open(eal(), &device.parse().unwrap(), &pool, &OPTIONS);
        let Err(error) = result else { panic!("{device} opened") };
        assert!(error.to_string().contains(device) && error.to_string().contains(text), "{error}");
        assert!(!error.remedy().is_empty());
    }
    let huge = PortOptions { mtu: 9000, ..OPTIONS };
    let result = Port::open(eal(), &"net_null8".parse().unwrap(), &pool, &huge);
    assert!(matches!(result, Err(Error::BufferTooSmall { needed: 9022, room: 2048, .. })));
}
