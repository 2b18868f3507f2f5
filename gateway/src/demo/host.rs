//! The sockets of a kernel host: a paced sender of UDP_SEGMENT trains and a receiver that joins
//! its groups by interface. Both act in the namespace of the thread that makes them.

use std::io::{self, ErrorKind};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use nix::errno::Errno;
use nix::sys::socket::{setsockopt, sockopt};
use serde::Serialize;
use socket2::{Domain, InterfaceIndexOrAddress, Protocol, Socket, Type};

use super::traffic::{StreamId, Tally, Train};
use super::window::{Progress, WINDOW};

/// Hop limit of what the demo sends: enough for the gateway's one hop, and told apart from 255.
pub const HOPS: u32 = 32;
/// Bytes asked for in a receiver's socket: more than it is sent while it is not scheduled.
const RECEIVE_BUFFER: usize = 16 << 20;
/// How long a receiver goes on listening after the last datagram.
pub const QUIET: Duration = Duration::from_millis(400);
/// How often a receiver looks whether it may end.
const POLL: Duration = Duration::from_millis(50);

/// How much a sender sends, and how fast at most.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    /// On average.
    pub datagrams_per_s: u32,
    /// What sending takes where nothing has to be waited for.
    pub duration: Duration,
}

impl Pace {
    /// So many in all: the same on a crowded machine, which takes longer.
    fn datagrams(self) -> u64 {
        (f64::from(self.datagrams_per_s) * self.duration.as_secs_f64()) as u64
    }

    /// When so many must have been sent.
    fn due(self, datagrams: u64) -> Duration {
        Duration::from_secs_f64(datagrams as f64 / f64::from(self.datagrams_per_s))
    }

    /// No machine may take longer.
    fn limit(self) -> Duration {
        self.duration * 4 + Duration::from_secs(10)
    }
}

/// What a sender did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Sent {
    /// Datagrams.
    pub datagrams: u64,
    /// Trains: system calls that sent them, where the kernel does UDP_SEGMENT.
    pub trains: u64,
    /// Payload bytes.
    pub bytes: u64,
    /// Whether the kernel split the trains; `false`: it refused, so each datagram went by itself.
    pub segmented: bool,
}

/// A socket that sends to one destination.
#[derive(Debug)]
pub struct Sender {
    socket: Socket,
    destination: SocketAddr,
    /// The segment size set last; `None` once the kernel refused.
    segment: Option<u16>,
}

impl Sender {
    /// From the host's `interface` and any local port.
    ///
    /// # Errors
    /// The system call that failed.
    pub fn new(interface: &str, destination: SocketAddr) -> Result<Self> {
        let socket = udp_socket(&destination)?;
        if destination.is_ipv4() {
            socket.set_multicast_ttl_v4(HOPS)?;
            socket.set_ttl_v4(HOPS)?;
            socket.set_multicast_loop_v4(false)?;
        } else {
            socket.set_multicast_hops_v6(HOPS)?;
            socket.set_unicast_hops_v6(HOPS)?;
            socket.set_multicast_loop_v6(false)?;
        }
        socket.bind_device(Some(interface.as_bytes())).context("cannot bind to the interface")?;
        Ok(Self { socket, destination, segment: Some(0) })
    }

    /// Whether trains go to the kernel whole. Before Linux 6.11 UDP_SEGMENT needs an interface
    /// with checksum offload (EIO without), which the cables of the demo have not.
    pub fn is_segmented(&self) -> bool {
        self.segment.is_some()
    }

    /// Sends `payload` as datagrams of `segment` bytes, the last perhaps shorter; as one if
    /// `segment` is 0.
    ///
    /// # Errors
    /// The destination and the system's error.
    pub fn send(&mut self, payload: &[u8], segment: u16) -> Result<()> {
        if let Some(current) = self.segment {
            if current != segment {
                setsockopt(&self.socket, sockopt::UdpGsoSegment, &segment.into())
                    .context("cannot set UDP_SEGMENT")?;
                self.segment = Some(segment);
            }
            match self.send_whole(payload) {
                Err(error) if error.raw_os_error() == Some(Errno::EIO as i32) => {
                    setsockopt(&self.socket, sockopt::UdpGsoSegment, &0)?;
                    self.segment = None;
                }
                sent => {
                    return sent.with_context(|| format!("cannot send to {}", self.destination));
                }
            }
        }
        let len = if segment == 0 { payload.len() } else { segment.into() };
        for datagram in payload.chunks(len.max(1)) {
            self.send_whole(datagram)
                .with_context(|| format!("cannot send to {}", self.destination))?;
        }
        Ok(())
    }

    /// Sends trains at the `pace`, at most a window ahead of the receivers' `progress`, until all
    /// is sent, time is up, nothing arrives any more or `stop` is set. Then waits for what is
    /// under way.
    ///
    /// # Errors
    /// As [`send`](Self::send).
    pub fn send_stream(
        &mut self,
        stream: StreamId,
        pace: Pace,
        progress: &Progress,
        stop: &AtomicBool,
    ) -> Result<Sent> {
        let (mut sent, mut payload) = (Sent::default(), Vec::new());
        let start = Instant::now();
        while sent.datagrams < pace.datagrams() && start.elapsed() < pace.limit() {
            let train = Train::nth(sent.trains);
            let end = sent.datagrams + u64::from(train.count);
            if !progress.await_reached(end.saturating_sub(WINDOW), stop) {
                break;
            }
            train.payload(stream, sent.datagrams, &mut payload);
            self.send(&payload, train.segment)?;
            sent.trains += 1;
            sent.datagrams = end;
            sent.bytes += payload.len() as u64;
            std::thread::sleep(pace.due(end).saturating_sub(start.elapsed()));
            if stop.load(Ordering::Relaxed) {
                break;
            }
        }
        progress.await_reached(sent.datagrams, stop);
        sent.segmented = self.is_segmented();
        Ok(sent)
    }

    fn send_whole(&self, payload: &[u8]) -> io::Result<()> {
        self.socket.send_to(payload, &self.destination.into()).map(drop)
    }
}

/// A socket that receives from anybody.
#[derive(Debug)]
pub struct Receiver {
    socket: Socket,
}

impl Receiver {
    /// Listens on `port` of the host's `interface`; of the family of `any`, an unspecified address.
    ///
    /// # Errors
    /// The system call that failed.
    pub fn new(interface: &str, any: IpAddr, port: u16) -> Result<Self> {
        let address = SocketAddr::new(any, port);
        let socket = udp_socket(&address)?;
        socket.bind_device(Some(interface.as_bytes())).context("cannot bind to the interface")?;
        // Beyond net.core.rmem_max; it needs CAP_NET_ADMIN, which whoever makes namespaces has.
        setsockopt(&socket, sockopt::RcvBufForce, &RECEIVE_BUFFER)
            .context("cannot set SO_RCVBUFFORCE")?;
        socket.set_read_timeout(Some(POLL))?;
        socket.bind(&address.into()).with_context(|| format!("cannot bind to {address}"))?;
        Ok(Self { socket })
    }

    /// Becomes a member of `group` on `interface`.
    ///
    /// # Errors
    /// The group and the system's error.
    pub fn join(&self, interface: &str, group: IpAddr) -> Result<()> {
        let index = nix::net::if_::if_nametoindex(interface)?;
        match group {
            IpAddr::V4(group) => {
                self.socket.join_multicast_v4_n(&group, &InterfaceIndexOrAddress::Index(index))
            }
            IpAddr::V6(group) => self.socket.join_multicast_v6(&group, index),
        }
        .with_context(|| format!("cannot join {group}"))
    }

    /// The next datagram; `None` if none came for a short while.
    ///
    /// # Errors
    /// The system's.
    pub fn receive<'b>(&self, buffer: &'b mut [u8]) -> Result<Option<&'b [u8]>> {
        match io::Read::read(&mut &self.socket, buffer) {
            Ok(len) => Ok(Some(&buffer[..len])),
            Err(error) if is_nothing_yet(&error) => Ok(None),
            Err(error) => Err(error).context("cannot receive"),
        }
    }

    /// Judges everything that comes until `finished` is set and nothing came for a while; tells
    /// `reached` how far a stream has got.
    ///
    /// # Errors
    /// As [`receive`](Self::receive).
    pub fn receive_streams(
        &self,
        finished: &AtomicBool,
        reached: impl Fn(StreamId, u64),
    ) -> Result<Tally> {
        let (mut tally, mut buffer) = (Tally::default(), vec![0; 1 << 16]);
        let mut last = Instant::now();
        loop {
            if let Some(payload) = self.receive(&mut buffer)? {
                if let Some((stream, next)) = tally.add(payload) {
                    reached(stream, next);
                }
                last = Instant::now();
            } else if finished.load(Ordering::Relaxed) && last.elapsed() > QUIET {
                return Ok(tally);
            }
        }
    }
}

/// The unspecified address of the family of `address`.
pub fn any_like(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
        IpAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
    }
}

fn udp_socket(like: &SocketAddr) -> Result<Socket> {
    let socket = Socket::new(Domain::for_address(*like), Type::DGRAM, Some(Protocol::UDP))
        .context("cannot make a UDP socket")?;
    if like.is_ipv6() {
        socket.set_only_v6(true)?;
    }
    Ok(socket)
}

fn is_nothing_yet(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut | ErrorKind::Interrupted)
}
