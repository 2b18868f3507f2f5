use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::Result;

use super::gateway::{MemoryGateway, Remains, port_mac};
use crate::demo::exchange::{Outcome, Stream};
use crate::demo::frame::{Datagram, announcement, read_datagram};
use crate::demo::host::{HOPS, Sent};
use crate::demo::plan::{self, PlannedHost};
use crate::demo::traffic::{Tally, Train};
use crate::packet::MacAddr;
use crate::sim::SimPort;

/// UDP port of the senders.
const SOURCE_PORT: u16 = 40_000;
/// IPv6 flow label of the senders.
const FLOW_LABEL: u32 = 0x77;

/// The plan's hosts, in memory.
struct Hosts<'a> {
    hosts: Vec<PlannedHost>,
    streams: &'a [Stream],
    outcome: Outcome,
    /// IPv4 identification of the next datagram of each stream.
    identifications: Vec<u16>,
}

/// Sends the plan's streams through `gateway`, each at `datagrams_per_s`, for `duration` or until
/// `stop`; then stops the gateway and judges what arrived.
///
/// # Errors
/// When the gateway does not take or forward what it is sent within a few seconds.
pub(super) fn exchange(
    gateway: MemoryGateway,
    streams: &[Stream],
    datagrams_per_s: u32,
    duration: Duration,
    stop: &AtomicBool,
) -> Result<(Outcome, Remains)> {
    let mut hosts = Hosts::new(streams);
    hosts.announce(&gateway)?;
    let start = Instant::now();
    while start.elapsed() < duration && !stop.load(Ordering::Relaxed) {
        let due = (start.elapsed().as_secs_f64() * f64::from(datagrams_per_s)) as u64;
        for index in 0..streams.len() {
            if hosts.outcome.sent[index].datagrams <= due {
                hosts.send_train(index, &gateway)?;
            }
        }
        hosts.receive(gateway.ports());
        thread::sleep(Duration::from_micros(200));
    }
    let ports = gateway.ports().to_vec();
    let remains = gateway.stop()?;
    hosts.receive(&ports);
    Ok((hosts.outcome, remains))
}

impl<'a> Hosts<'a> {
    fn new(streams: &'a [Stream]) -> Self {
        let hosts = plan::hosts();
        let outcome = Outcome {
            sent: vec![Sent { segmented: true, ..Sent::default() }; streams.len()],
            received: vec![Tally::default(); hosts.len()],
            strayed: vec![0; hosts.len()],
        };
        Self { hosts, streams, outcome, identifications: vec![0; streams.len()] }
    }

    /// As kernel hosts do when they look for each other: the bridge learns who is where.
    fn announce(&self, gateway: &MemoryGateway) -> Result<()> {
        for (host, port) in self.hosts.iter().zip(gateway.ports()) {
            if let (true, IpAddr::V4(address)) =
                (host.gateways.is_empty(), host.addresses[0].addr())
            {
                port.inject(announcement(host.mac, address)?);
            }
        }
        gateway.settle()
    }

    fn send_train(&mut self, index: usize, gateway: &MemoryGateway) -> Result<()> {
        let (stream, sent) = (&self.streams[index], &mut self.outcome.sent[index]);
        let train = Train::nth(sent.trains);
        let mut payloads = Vec::new();
        train.payload(stream.id, sent.datagrams, &mut payloads);
        let from = &self.hosts[stream.from];
        for payload in payloads.chunks(train.segment.into()) {
            let datagram = Datagram {
                src_mac: from.mac,
                dst_mac: link_destination(&self.hosts, stream),
                src: SocketAddr::new(address_like(from, stream.destination.ip()), SOURCE_PORT),
                dst: stream.destination,
                hops: HOPS as u8,
                flow_label: FLOW_LABEL,
                payload,
            };
            gateway.ports()[stream.from].inject(datagram.to_frame(self.identifications[index])?);
            self.identifications[index] = self.identifications[index].wrapping_add(1);
        }
        sent.trains += 1;
        sent.datagrams += u64::from(train.count);
        sent.bytes += payloads.len() as u64;
        Ok(())
    }

    fn receive(&mut self, ports: &[SimPort]) {
        for (index, port) in ports.iter().enumerate() {
            for frame in port.take_sent() {
                self.judge(index, &frame);
            }
        }
    }

    /// As a kernel would judge it, and more strictly: hop limit and link addresses too.
    fn judge(&mut self, index: usize, frame: &[u8]) {
        let tally = &mut self.outcome.received[index];
        let datagram = match read_datagram(frame) {
            Ok(Some(datagram)) => datagram,
            Ok(None) => return, // an announcement
            Err(_) => {
                tally.corrupt += 1;
                return;
            }
        };
        let Some(stream) = self.streams.iter().find(|s| s.destination == datagram.dst) else {
            tally.corrupt += 1;
            return;
        };
        let has_part = |s: &Stream| s.from == index || s.receivers.contains(&index);
        if !self.streams.iter().any(has_part) {
            self.outcome.strayed[index] += 1;
            return;
        }
        let from = &self.hosts[stream.from];
        let is_routed = !from.gateways.is_empty();
        let group = stream.destination.ip();
        let expected = Datagram {
            src_mac: if is_routed { port_mac(index) } else { from.mac },
            dst_mac: if group.is_multicast() {
                MacAddr::of_group(group)
            } else {
                self.hosts[index].mac
            },
            src: SocketAddr::new(address_like(from, group), SOURCE_PORT),
            dst: stream.destination,
            hops: HOPS as u8 - u8::from(is_routed),
            flow_label: if group.is_ipv6() { FLOW_LABEL } else { 0 },
            payload: datagram.payload,
        };
        if datagram == expected {
            tally.add(datagram.payload);
        } else {
            tally.corrupt += 1;
        }
    }
}

/// Where the sender of a stream sends it on its link: group, host, or the gateway's port.
fn link_destination(hosts: &[PlannedHost], stream: &Stream) -> MacAddr {
    match (stream.destination.ip(), hosts[stream.from].gateways.is_empty()) {
        (group, _) if group.is_multicast() => MacAddr::of_group(group),
        (_, true) => hosts[stream.receivers[0]].mac,
        (_, false) => port_mac(stream.from),
    }
}

fn address_like(host: &PlannedHost, like: IpAddr) -> IpAddr {
    let [v4, v6] = host.addresses.map(|network| network.addr());
    if like.is_ipv4() { v4 } else { v6 }
}
