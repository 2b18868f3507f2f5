use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crossbeam_queue::ArrayQueue;

use super::{Captured, Event};
use crate::packet::{DropReason, PortId};
use crate::time::Nanos;

/// One capture: what is wanted, and records on their way.
pub struct Tap {
    port: PortId,
    wants_drops: bool,
    /// control: w, worker: r
    free: ArrayQueue<Box<Record>>,
    /// worker: w, control: r
    full: ArrayQueue<Box<Record>>,
    /// Copies without a free record. // worker: w, control: r
    lost: AtomicU64,
}

/// A copy of one frame.
pub struct Record {
    time: Nanos,
    event: Event,
    frame_len: u32,
    len: usize,
    bytes: Box<[u8]>,
}

/// A worker's end of a [`Tap`].
pub struct Capturer {
    tap: Arc<Tap>,
    /// When the current poll began.
    now: Nanos,
}

impl Tap {
    /// Of what `port` receives and sends, with `records` records of up to `snap` bytes.
    pub fn new(port: PortId, wants_drops: bool, records: usize, snap: usize) -> Self {
        let tap = Self {
            port,
            wants_drops,
            free: ArrayQueue::new(records.max(1)),
            full: ArrayQueue::new(records.max(1)),
            lost: AtomicU64::new(0),
        };
        for _ in 0..records.max(1) {
            let bytes = vec![0; snap].into();
            let (time, event) = (Nanos(0), Event::Received);
            // There are as many places as records.
            let _ = tap.free.push(Box::new(Record { time, event, frame_len: 0, len: 0, bytes }));
        }
        tap
    }

    /// Copies no worker could take because all records were full.
    pub fn lost(&self) -> u64 {
        self.lost.load(Ordering::Relaxed)
    }

    /// Appends the oldest copy to a stream; `false` if there is none. Control side.
    pub fn drain(&self, to_wall: impl Fn(Nanos) -> u64, out: &mut Vec<u8>) -> bool {
        let Some(record) = self.full.pop() else { return false };
        let captured = Captured {
            event: record.event,
            wall_nanos: to_wall(record.time),
            frame_len: record.frame_len,
            bytes: record.bytes.get(..record.len).unwrap_or_default(),
        };
        captured.encode(out);
        self.give_back(record);
        true
    }

    fn give_back(&self, record: Box<Record>) {
        let _ = self.free.push(record);
    }
}

impl Capturer {
    /// For one worker.
    pub fn new(tap: Arc<Tap>, now: Nanos) -> Self {
        Self { tap, now }
    }

    /// A poll begins.
    pub fn tick(&mut self, now: Nanos) {
        self.now = now;
    }

    /// What `port` received.
    pub fn received<'a>(&self, port: PortId, pieces: impl Iterator<Item = &'a [u8]>) {
        if port == self.tap.port {
            self.keep(Event::Received, |bytes| copy(pieces, bytes));
        }
    }

    /// What was dropped and counted under `port`: the one it came from, or one it was to leave by.
    pub fn dropped<'a>(
        &self,
        port: PortId,
        came_from_it: bool,
        reason: DropReason,
        pieces: impl Iterator<Item = &'a [u8]>,
    ) {
        if port == self.tap.port && self.tap.wants_drops {
            let event = if came_from_it { Event::Dropped(reason) } else { Event::Refused(reason) };
            self.keep(event, |bytes| copy(pieces, bytes));
        }
    }

    /// A copy of what is about to be queued at `port`, to be kept or not when that has happened.
    pub fn before_send(
        &self,
        port: PortId,
        copy: impl FnOnce(&mut [u8]) -> (usize, usize),
    ) -> Option<Box<Record>> {
        if port == self.tap.port { self.take(Event::Sent, copy) } else { None }
    }

    /// It was queued there.
    pub fn sent(&self, record: Box<Record>) {
        self.put(record);
    }

    /// It was dropped instead.
    pub fn refused(&self, mut record: Box<Record>, reason: DropReason) {
        record.event = Event::Refused(reason);
        if self.tap.wants_drops { self.put(record) } else { self.not_sent(record) }
    }

    /// Another worker has it now.
    pub fn not_sent(&self, record: Box<Record>) {
        self.tap.give_back(record);
    }

    fn keep(&self, event: Event, copy: impl FnOnce(&mut [u8]) -> (usize, usize)) {
        if let Some(record) = self.take(event, copy) {
            self.put(record);
        }
    }

    fn take(
        &self,
        event: Event,
        copy: impl FnOnce(&mut [u8]) -> (usize, usize),
    ) -> Option<Box<Record>> {
        let Some(mut record) = self.tap.free.pop() else {
            self.tap.lost.fetch_add(1, Ordering::Relaxed);
            return None;
        };
        let (len, frame_len) = copy(&mut record.bytes);
        (record.time, record.event) = (self.now, event);
        (record.len, record.frame_len) = (len, frame_len as u32);
        Some(record)
    }

    fn put(&self, record: Box<Record>) {
        // There are as many places as records.
        let _ = self.tap.full.push(record);
    }
}

/// Fills `out` from the pieces; bytes copied, and bytes there were.
fn copy<'a>(pieces: impl Iterator<Item = &'a [u8]>, out: &mut [u8]) -> (usize, usize) {
    let (mut done, mut all) = (0, 0);
    for piece in pieces {
        let take = piece.len().min(out.len() - done);
        out[done..done + take].copy_from_slice(&piece[..take]);
        done += take;
        all += piece.len();
    }
    (done, all)
}

#[cfg(test)]
mod tests {
    use super::super::Item;
    use super::*;

    fn drain(tap: &Tap) -> Vec<(Event, u32, Vec<u8>)> {
        let mut stream = Vec::new();
        while tap.drain(|time| time.0 + 5, &mut stream) {}
        let mut rest = &stream[..];
        let mut all = Vec::new();
        while let Some((Item::Frame(captured), used)) = Item::decode(rest) {
            all.push((captured.event, captured.frame_len, captured.bytes.to_vec()));
            rest = &rest[used..];
        }
        all
    }

    #[test]
    fn a_slow_reader_loses_copies_and_knows_how_many() {
        let tap = Arc::new(Tap::new(PortId(1), true, 2, 4));
        let capturer = Capturer::new(Arc::clone(&tap), Nanos(7));
        let frame: [&[u8]; 2] = [b"abc", b"def"];
        for _ in 0..5 {
            capturer.received(PortId(1), frame.into_iter());
        }
        capturer.received(PortId(0), frame.into_iter());
        assert_eq!(tap.lost(), 3);
        assert_eq!(drain(&tap), vec![(Event::Received, 6, b"abcd".to_vec()); 2]);
        capturer.dropped(PortId(1), true, DropReason::NoRoute, frame.into_iter());
        assert_eq!(drain(&tap), [(Event::Dropped(DropReason::NoRoute), 6, b"abcd".to_vec())]);
        assert_eq!((tap.lost(), tap.free.len()), (3, 2));
    }

    #[test]
    fn drops_are_kept_only_when_asked_for() {
        let tap = Arc::new(Tap::new(PortId(0), false, 2, 4));
        let capturer = Capturer::new(Arc::clone(&tap), Nanos(0));
        capturer.dropped(PortId(0), true, DropReason::NoRoute, [&b"x"[..]].into_iter());
        let record = capturer.before_send(PortId(0), |_| (0, 0)).unwrap();
        capturer.refused(record, DropReason::TxFull);
        assert_eq!((drain(&tap).len(), tap.free.len()), (0, 2));
    }
}
