//! net_af_packet on real interfaces: what its replaced sockets must do that the driver's do not.
#![cfg(feature = "dpdk")]
#![allow(clippy::disallowed_methods)] // hosts, not the path

#[path = "support/eal.rs"]
mod eal;
#[path = "support/netns.rs"]
mod netns;

use std::net::UdpSocket;
use std::thread::sleep;
use std::time::{Duration, Instant};

use gateway::demo::tap::Tap;
use gateway::demo::topology::{INTERFACE, Lab};
use gateway::device::{RxQueue, TxQueue};
use gateway::dpdk::{Opened, Pool, Port, PortOptions};
use gateway::packet::{BufPool, PacketBuf};

use eal::{eal, pool};

/// The number of this process's next device: names are per process.
fn open(lab: &Lab, number: u32, arguments: &str, queues: u16, pool: &Pool) -> Opened {
    let options = PortOptions {
        mac: None,
        mtu: 1500,
        rx_queues: queues,
        tx_queues: queues,
        descriptors: 256,
        promiscuous: true,
        multi_segment: false,
    };
    let device = format!("net_af_packet{number},iface=p0{arguments}").parse().unwrap();
    let open = || Ok(Port::open(eal(), &device, pool, &options)?);
    let opened = lab.middle.enter(open).unwrap();
    assert_eq!(opened.notes, Vec::<String>::new());
    assert!(!opened.port.can_restart(), "stopping it closes its sockets");
    opened
}

fn lab() -> Option<Lab> {
    let mut lab = netns::lab()?;
    netns::plug_lan(&mut lab, 1);
    // Whoever asks for an address gets silence: the test is the network.
    for n in 2..40 {
        let entry = format!("neigh add 10.78.0.{n} lladdr 02:00:00:00:00:99 dev {INTERFACE}");
        lab.hosts[0].namespace.ip(&entry).unwrap();
    }
    Some(lab)
}

/// Everything the queues receive until nothing came for a while; IPv6 noise of the host left out.
fn receive(rx: &mut [gateway::dpdk::RxQueue]) -> Vec<Vec<Vec<u8>>> {
    let mut all = vec![Vec::new(); rx.len()];
    let mut burst = Vec::with_capacity(32);
    let mut quiet_since = Instant::now();
    while quiet_since.elapsed() < Duration::from_millis(200) {
        for (queue, frames) in rx.iter_mut().zip(&mut all) {
            if queue.rx_burst(&mut burst) > 0 {
                quiet_since = Instant::now();
            }
            frames
                .extend(burst.drain(..).map(|p| p.to_vec()).filter(|f| f[12..14] != [0x86, 0xdd]));
        }
    }
    all
}

fn send_udp(lab: &Lab, datagrams: &[(&str, usize)]) {
    let send = || {
        let socket = UdpSocket::bind("10.78.0.1:0")?;
        for &(to, len) in datagrams {
            socket.send_to(&vec![b'x'; len], to)?;
        }
        Ok(())
    };
    lab.hosts[0].namespace.enter(send).unwrap();
}

/// Identification, offset in bytes, payload length.
fn fragment(frame: &[u8]) -> (u16, usize, usize) {
    let word = |at: usize| u16::from_be_bytes([frame[at], frame[at + 1]]);
    (word(18), usize::from(word(20) & 0x1fff) * 8, usize::from(word(16)) - 20)
}

#[test]
fn fragments_arrive_as_they_were_sent() {
    let Some(lab) = lab() else { return };
    let pool = pool(2048, 2048);
    let Opened { mut rx, port: _port, .. } = open(&lab, 0, "", 1, &pool);
    send_udp(&lab, &[("10.78.0.2:9", 100), ("10.78.0.2:9", 1800), ("10.78.0.2:9", 4000)]);
    let frames = receive(&mut rx).remove(0);
    let parts: Vec<_> = frames.iter().map(|f| fragment(f)).map(|(_, at, len)| (at, len)).collect();
    assert_eq!(
        parts,
        [(0, 108), (0, 1480), (1480, 328), (0, 1480), (1480, 1480), (2960, 1048)],
        "what the wire carried"
    );
}

#[test]
fn what_the_host_itself_sends_is_not_received() {
    let Some(lab) = lab() else { return };
    for queues in [1, 2] {
        let pool = pool(2048, 2048);
        let Opened { mut rx, port: _port, .. } = open(&lab, queues.into(), "", queues, &pool);
        let own = [&[0xff; 12][..], &[0x88, 0xb5], &[1; 50]].concat();
        let others = [&[0xff; 12][..], &[0x88, 0xb5], &[2; 50]].concat();
        lab.middle.enter(|| Tap::new("p0")?.send(&own)).unwrap();
        lab.hosts[0].namespace.enter(|| Tap::new(INTERFACE)?.send(&others)).unwrap();
        assert_eq!(receive(&mut rx).concat(), [others], "{queues} queue(s)");
    }
}

#[test]
fn tags_arrive_as_they_were_sent() {
    let Some(lab) = lab() else { return };
    let pool = pool(2048, 2048);
    let Opened { mut rx, port: _port, .. } = open(&lab, 3, "", 1, &pool);
    let addresses = [0x02; 12];
    let one = [&addresses[..], &[0x81, 0, 0x20, 7, 8, 0], &[3; 100]].concat();
    let two = [&addresses[..], &[0x81, 0, 0, 5, 0x81, 0, 0, 6, 8, 0], &[4; 1500]].concat();
    let priority = [&addresses[..], &[0x81, 0, 0xe0, 0, 8, 0], &[5; 100]].concat();
    let sent = [one, two, priority];
    lab.hosts[0].namespace.ip(&format!("link set {INTERFACE} mtu 1504")).unwrap();
    lab.middle.ip("link set p0 mtu 1504").unwrap();
    let send = || {
        let tap = Tap::new(INTERFACE)?;
        sent.iter().try_for_each(|frame| tap.send(frame))
    };
    lab.hosts[0].namespace.enter(send).unwrap();
    assert_eq!(receive(&mut rx).remove(0), sent);
}

#[test]
fn a_blocked_interface_does_not_hold_its_worker_up() {
    let Some(lab) = lab() else { return };
    let pool = pool(4096, 2048);
    let Opened { mut tx, port, .. } = open(&lab, 4, ",qdisc_bypass=0", 1, &pool);
    // A bucket of one frame and 1 byte a millisecond: whatever else is sent waits in the queue.
    lab.middle
        .command("tc", "qdisc add dev p0 root tbf rate 8kbit burst 1600 limit 100000000")
        .unwrap();
    let frame = [&[0xff; 12][..], &[0x88, 0xb5], &[7; 1400]].concat();
    let mut frames: Vec<_> =
        (0..2000).map(|_| pool.alloc_from(&frame).unwrap().into_tx()).collect();
    let (mut longest, mut accepted) = (Duration::ZERO, 0);
    for _ in 0..200 {
        let start = Instant::now();
        accepted += tx[0].tx_burst(&mut frames);
        longest = longest.max(start.elapsed());
    }
    assert!(longest < Duration::from_millis(500), "{longest:?} in one call");
    assert!(
        (256..600).contains(&accepted),
        "{accepted}: the ring, and what the bucket let through"
    );
    assert_eq!(frames.len(), 2000 - accepted, "the rest came back");
    drop((frames, tx, port));
    assert!(pool.is_full());
}

#[test]
fn what_the_ring_had_no_room_for_is_counted() {
    let Some(lab) = lab() else { return };
    let pool = pool(2048, 2048);
    let Opened { mut rx, port, .. } = open(&lab, 5, "", 1, &pool);
    let before = port.stats();
    send_udp(&lab, &vec![("10.78.0.2:9", 64); 1000]);
    let received = receive(&mut rx).remove(0).len() as u64;
    let stats = port.stats();
    // Of 256 places a few may be taken by what the host's kernel says of itself.
    assert!((240..600).contains(&received), "a ring of 256: {received}");
    assert_eq!(received + stats.rx_missed - before.rx_missed, 1000);
    assert_eq!(port.stats().rx_missed, stats.rx_missed, "counted once");
}

#[test]
fn queues_are_chosen_by_addresses_so_that_fragments_keep_their_place() {
    let Some(lab) = lab() else { return };
    let pool = pool(2048, 2048);
    let Opened { mut rx, port: _port, .. } = open(&lab, 6, "", 2, &pool);
    assert_eq!(rx.len(), 2);
    let sent: Vec<_> = [64, 2000, 65, 2001, 66, 3000].map(|len| ("10.78.0.2:9", len)).to_vec();
    send_udp(&lab, &sent);
    let mut queues = receive(&mut rx);
    queues.sort_by_key(Vec::len);
    assert!(queues[0].is_empty(), "one pair of addresses, one queue");
    let sizes: Vec<_> =
        queues[1].iter().map(|f| fragment(f)).map(|(_, at, len)| at + len).collect();
    assert_eq!(sizes, [72, 1480, 2008, 73, 1480, 2009, 74, 1480, 2960, 3008]);

    let many: Vec<_> = (2..40).map(|n| format!("10.78.0.{n}:9")).collect();
    send_udp(&lab, &many.iter().map(|to| (to.as_str(), 64)).collect::<Vec<_>>());
    let counts: Vec<_> = receive(&mut rx).iter().map(Vec::len).collect();
    assert_eq!(counts.iter().sum::<usize>(), 38);
    assert!(counts.iter().all(|&count| count > 8), "{counts:?}: both queues get their share");
}

#[test]
fn the_interface_is_left_as_it_was() {
    let Some(lab) = lab() else { return };
    let pool = pool(512, 2048);
    let flags = |lab: &Lab| lab.middle.ip("-details link show p0").unwrap();
    let mut opened = open(&lab, 7, "", 1, &pool);
    assert!(flags(&lab).contains("promiscuity 1"), "{}", flags(&lab));
    let port = &mut opened.port;
    assert!(lab.middle.enter(move || Ok(port.link().up)).unwrap());
    drop(opened);
    sleep(Duration::from_millis(50));
    assert!(flags(&lab).contains("promiscuity 0"), "{}", flags(&lab));
}
