//! Streams of 1316-byte datagrams, as IPTV has them, and who sees them on the cable.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use gateway::demo::host::Sender;
use gateway::demo::tap::Tap;
use gateway::demo::topology::INTERFACE;

use crate::middle::Middle;
use crate::netns::{PORT, frames};

/// Datagrams of a look.
pub(crate) const COUNT: usize = 20;
/// Seven packets of an MPEG transport stream.
pub(crate) const BYTES: usize = 1316;
/// How long the tables may take to follow.
const PATIENCE: Duration = Duration::from_secs(20);

/// Sends until hosts 1 to 3 get as much as is expected, and again to see that it stays so.
pub(crate) fn becomes(middle: &Middle, group: &str, expected: [usize; 3]) -> [usize; 3] {
    let deadline = Instant::now() + PATIENCE;
    loop {
        // What is on its way for longer than a look takes is looked for again.
        let got = arrivals(middle, group, [0; 3]);
        if got == expected {
            return stays(middle, group, expected);
        }
        assert!(Instant::now() < deadline, "{group}: {got:?} arrive, not {expected:?}");
    }
}

/// What hosts 1 to 3 get, which is as expected.
pub(crate) fn stays(middle: &Middle, group: &str, expected: [usize; 3]) -> [usize; 3] {
    let got = arrivals(middle, group, expected);
    assert_eq!(got, expected, "{group}");
    got
}

/// What hosts 1 to 3 get of a stream of host 0.
pub(crate) fn arrivals(middle: &Middle, group: &str, expected: [usize; 3]) -> [usize; 3] {
    static LOOKS: std::sync::atomic::AtomicU64 = std::sync::atomic::AtomicU64::new(0);
    let look = LOOKS.fetch_add(1, Ordering::Relaxed).to_be_bytes();
    let mut sender = sender(middle, group);
    let mut payload = vec![0x47; BYTES];
    payload[BYTES - 8..].copy_from_slice(&look);
    for _ in 0..COUNT {
        sender.send(&payload, 0).unwrap();
    }
    see(middle, expected, |frame| frame.ends_with(&look) && frame.len() > BYTES)
}

/// How many of these frames of host 0 hosts 1 to 3 get.
pub(crate) fn seen_by(middle: &Middle, sent: &[Vec<u8>], expected: [usize; 3]) -> [usize; 3] {
    sent.iter().for_each(|frame| middle.send(0, frame));
    see(middle, expected, |frame| sent.iter().any(|sent| frame.starts_with(sent)))
}

fn see(
    middle: &Middle,
    expected: [usize; 3],
    is_wanted: impl Fn(&[u8]) -> bool + Sync,
) -> [usize; 3] {
    let count =
        |tap: &Tap, expected| frames(tap, expected, |frame| is_wanted(frame).then_some(())).len();
    std::thread::scope(|scope| {
        let counts = [1, 2, 3].map(|host| {
            let tap = &middle.taps[host];
            scope.spawn(move || count(tap, expected[host - 1]))
        });
        counts.map(|count| count.join().unwrap())
    })
}

fn sender(middle: &Middle, group: &str) -> Sender {
    let destination = SocketAddr::new(group.parse().unwrap(), PORT);
    middle.lab.hosts[0].namespace.enter(|| Sender::new(INTERFACE, destination)).unwrap()
}

/// From joining a group that is being sent to the first datagram; the host has left again afterwards.
pub(crate) fn zap(middle: &Middle, host: usize, group: &str) -> Duration {
    let (mut sender, stop) = (sender(middle, group), AtomicBool::new(false));
    let time = std::thread::scope(|scope| {
        let stop = &stop;
        scope.spawn(move || {
            let deadline = Instant::now() + PATIENCE;
            while !stop.load(Ordering::Relaxed) && Instant::now() < deadline {
                sender.send(&[0x47; BYTES], 0).unwrap();
                std::thread::sleep(Duration::from_millis(1));
            }
        });
        let began = Instant::now();
        let receiver = crate::join(middle, host, group);
        let mut buffer = [0; 2048];
        while receiver.receive(&mut buffer).unwrap().is_none() {
            assert!(began.elapsed() < PATIENCE, "no datagram after joining");
        }
        let time = began.elapsed();
        stop.store(true, Ordering::Relaxed);
        time
    });
    becomes(middle, group, [0, 0, 0]);
    time
}
