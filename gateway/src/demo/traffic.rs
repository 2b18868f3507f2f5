//! What the hosts send and how they know it again: every datagram carries its stream, its
//! sequence number, its length and a digest of all its bytes; a [`Tally`] judges what arrives.
//!
//! *Invariant:* a train is a function of its number alone, so both sides agree without talking.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hasher};

use serde::Serialize;

/// Bytes of bookkeeping in front of the body: the shortest payload there is.
pub const HEADER_LEN: usize = 24;
/// First bytes of every payload.
pub const MAGIC: [u8; 4] = *b"gwdm";
/// What fits an Ethernet frame of 1514 bytes behind IPv6 and UDP.
pub const MAX_PAYLOAD: usize = 1452;
/// Sequence numbers a stream may use; beyond it a datagram counts as corrupt (memory is bounded).
const MAX_SEQUENCE: u64 = 1 << 24;

/// A stream of datagrams from one socket to one destination.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize)]
pub struct StreamId(pub u16);

/// Datagrams sent in one system call: equal ones, then perhaps a shorter one.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Train {
    /// Payload bytes of all but the last.
    pub segment: u16,
    /// Datagrams.
    pub count: u16,
    /// Payload bytes of the last.
    pub tail: u16,
}

impl Train {
    /// The `number`th train of every stream: sizes from the smallest to the largest, lengths from
    /// 1 to 44, with and without a shorter tail.
    pub fn nth(number: u64) -> Self {
        const SEGMENTS: [u16; 7] = [1316, 1200, 160, MAX_PAYLOAD as u16, 24, 700, 1316];
        const COUNTS: [u16; 5] = [16, 2, 44, 7, 1];
        let segment = SEGMENTS[(number % 7) as usize];
        let count = COUNTS[(number % 5) as usize];
        let shorter = (number * 97 % u64::from(segment)) as u16;
        let tail = if number % 3 == 0 { segment } else { shorter.max(HEADER_LEN as u16) };
        Self { segment, count, tail }
    }

    /// The datagrams one behind the other, as UDP_SEGMENT takes them.
    pub fn payload(self, stream: StreamId, first_sequence: u64, out: &mut Vec<u8>) {
        out.clear();
        for index in 0..self.count {
            let len = if index + 1 == self.count { self.tail } else { self.segment };
            append_datagram(stream, first_sequence + u64::from(index), len.into(), out);
        }
    }
}

/// Appends one datagram of `len` bytes, at least [`HEADER_LEN`].
fn append_datagram(stream: StreamId, sequence: u64, len: usize, out: &mut Vec<u8>) {
    let start = out.len();
    out.extend_from_slice(&MAGIC);
    out.extend_from_slice(&stream.0.to_be_bytes());
    out.extend_from_slice(&(len as u16).to_be_bytes());
    out.extend_from_slice(&sequence.to_be_bytes());
    out.extend_from_slice(&[0; 8]);
    let seed = sequence.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ u64::from(stream.0);
    out.extend((0..len - HEADER_LEN).map(|i| (seed >> (i % 57)) as u8 ^ i as u8));
    let digest = digest(&out[start..]);
    out[start + 16..start + HEADER_LEN].copy_from_slice(&digest.to_be_bytes());
}

/// Of all bytes but the digest's own.
fn digest(payload: &[u8]) -> u64 {
    let mut hasher = DefaultHasher::new(); // SipHash with a fixed key: both sides are one program
    hasher.write(&payload[..16]);
    hasher.write(&payload[HEADER_LEN..]);
    hasher.finish()
}

/// What one host received of one stream.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Received {
    /// Different datagrams, intact.
    pub intact: u64,
    /// Datagrams that had come before.
    pub duplicate: u64,
    /// Datagrams that came after a later one.
    pub reordered: u64,
    #[serde(skip)]
    next: u64,
    #[serde(skip)]
    seen: Vec<u64>,
}

impl Received {
    fn add(&mut self, sequence: u64) {
        let (word, bit) = ((sequence / 64) as usize, 1 << (sequence % 64));
        if self.seen.len() <= word {
            self.seen.resize(word + 1, 0);
        }
        if self.seen[word] & bit != 0 {
            self.duplicate += 1;
            return;
        }
        self.seen[word] |= bit;
        self.intact += 1;
        if sequence < self.next {
            self.reordered += 1;
        }
        self.next = self.next.max(sequence + 1);
    }

    /// The first datagram of `sent` that did not come.
    pub fn first_missing(&self, sent: u64) -> Option<u64> {
        let is_seen = |at: u64| {
            self.seen.get((at / 64) as usize).is_some_and(|word| word & (1 << (at % 64)) != 0)
        };
        (0..sent).find(|&at| !is_seen(at))
    }

    /// Whether exactly the datagrams 0..`sent` came, in order.
    pub fn is_exactly(&self, sent: u64) -> bool {
        self.intact == sent && self.next == sent && self.duplicate == 0 && self.reordered == 0
    }
}

/// What one host received.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Tally {
    /// By stream.
    pub streams: BTreeMap<StreamId, Received>,
    /// Datagrams on a demo socket whose length, magic or digest is wrong.
    pub corrupt: u64,
}

impl Tally {
    /// Judges one payload; which stream it is of, and one past the highest sequence number seen.
    pub fn add(&mut self, payload: &[u8]) -> Option<(StreamId, u64)> {
        let Some((stream, sequence)) = parse(payload) else {
            self.corrupt += 1;
            return None;
        };
        let received = self.streams.entry(stream).or_default();
        received.add(sequence);
        Some((stream, received.next))
    }

    /// What was received of `stream`.
    pub fn of(&self, stream: StreamId) -> Received {
        self.streams.get(&stream).cloned().unwrap_or_default()
    }

    /// Adds another tally of the same host (another socket, so other streams).
    pub fn merge(&mut self, other: Self) {
        self.corrupt += other.corrupt;
        self.streams.extend(other.streams);
    }
}

/// Stream and sequence of an intact payload.
fn parse(payload: &[u8]) -> Option<(StreamId, u64)> {
    let header = payload.first_chunk::<HEADER_LEN>()?;
    let sequence = u64::from_be_bytes(header[8..16].try_into().ok()?);
    let whole = header[..4] == MAGIC
        && usize::from(u16::from_be_bytes([header[6], header[7]])) == payload.len()
        && header[16..] == digest(payload).to_be_bytes()
        && sequence < MAX_SEQUENCE;
    whole.then(|| (StreamId(u16::from_be_bytes([header[4], header[5]])), sequence))
}

#[cfg(test)]
mod tests {
    use super::*;

    const STREAM: StreamId = StreamId(7);

    /// Every datagram of the first `trains` trains.
    fn datagrams(trains: u64) -> Vec<Vec<u8>> {
        let (mut all, mut payload) = (Vec::new(), Vec::new());
        for number in 0..trains {
            let train = Train::nth(number);
            train.payload(STREAM, all.len() as u64, &mut payload);
            assert!(payload.len() <= 65_487, "{train:?} is too long for one send");
            all.extend(payload.chunks(train.segment.into()).map(<[u8]>::to_vec));
        }
        all
    }

    #[test]
    fn what_was_sent_is_known_again() {
        let sent = datagrams(105);
        let mut tally = Tally::default();
        sent.iter().for_each(|d| {
            tally.add(d);
        });
        assert!(tally.of(STREAM).is_exactly(sent.len() as u64));
        assert_eq!((tally.corrupt, tally.streams.len()), (0, 1));
    }

    #[test]
    fn trains_have_every_shape() {
        let trains: Vec<_> = (0..105).map(Train::nth).collect();
        assert!(trains.iter().any(|t| t.count == 1));
        assert!(trains.iter().any(|t| t.count == 44 && t.tail == t.segment));
        assert!(trains.iter().any(|t| t.count > 1 && t.tail < t.segment));
        assert!(trains.iter().all(|t| t.tail <= t.segment && usize::from(t.tail) >= HEADER_LEN));
    }

    #[test]
    fn every_changed_bit_and_length_is_seen() {
        let datagram = &datagrams(1)[3];
        for byte in 0..datagram.len() {
            let mut changed = datagram.clone();
            changed[byte] ^= 1 << (byte % 8);
            let mut tally = Tally::default();
            tally.add(&changed);
            assert_eq!(tally.corrupt, 1, "bit in byte {byte}");
        }
        for len in 0..datagram.len() {
            assert_eq!(parse(&datagram[..len]), None);
        }
        let longer = [datagram.as_slice(), &[0]].concat();
        assert_eq!(parse(&longer), None);
    }

    #[test]
    fn loss_duplicates_and_reordering_are_told_apart() {
        let sent = datagrams(3);
        let judge = |order: &[usize]| {
            let mut tally = Tally::default();
            for &i in order {
                tally.add(&sent[i]);
            }
            tally.of(STREAM)
        };
        assert!(judge(&[0, 1, 2]).is_exactly(3));
        assert!(!judge(&[0, 2]).is_exactly(3));
        assert!(!judge(&[0, 1]).is_exactly(3));
        assert!(!judge(&[1, 2, 3]).is_exactly(3));
        assert_eq!(judge(&[0, 2]).first_missing(3), Some(1));
        assert_eq!(judge(&[0, 1, 2]).first_missing(3), None);
        assert_eq!(Received::default().first_missing(200), Some(0));
        let doubled = judge(&[0, 1, 1, 2]);
        assert_eq!((doubled.intact, doubled.duplicate, doubled.reordered), (3, 1, 0));
        let swapped = judge(&[0, 2, 1]);
        assert_eq!((swapped.intact, swapped.duplicate, swapped.reordered), (3, 0, 1));
    }
}
