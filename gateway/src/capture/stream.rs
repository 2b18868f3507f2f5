use crate::packet::DropReason;

/// What happened to a frame.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Event {
    /// The port received it.
    Received,
    /// It was put in the port's transmit buffer.
    Sent,
    /// It was dropped and counted under the port it came from.
    Dropped(DropReason),
    /// It was to leave by the port and was dropped.
    Refused(DropReason),
}

/// One frame of a capture.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Captured<'a> {
    /// What happened to it.
    pub event: Event,
    /// When the poll began in which it did, nanoseconds since 1970.
    pub wall_nanos: u64,
    /// Bytes it had.
    pub frame_len: u32,
    /// The first of them.
    pub bytes: &'a [u8],
}

/// What a capture is made of on its way over the control socket, all numbers little-endian:
///
/// ```text
/// kind u8 | reason u8 | 0 u16 | bytes u32 | frame length u32 | time or lost u64 | bytes…
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Item<'a> {
    /// A frame.
    Frame(Captured<'a>),
    /// Copies lost so far, from time to time.
    Lost(u64),
}

/// Bytes before those of the frame.
pub const RECORD_HEADER: usize = 20;
const LOST: u8 = 0;
const RECEIVED: u8 = 1;
const SENT: u8 = 2;
const DROPPED: u8 = 3;
const REFUSED: u8 = 4;

impl Captured<'_> {
    /// Appends it to a stream.
    pub fn encode(&self, out: &mut Vec<u8>) {
        let (kind, reason) = match self.event {
            Event::Received => (RECEIVED, 0),
            Event::Sent => (SENT, 0),
            Event::Dropped(reason) => (DROPPED, reason as u8),
            Event::Refused(reason) => (REFUSED, reason as u8),
        };
        let len = self.bytes.len() as u32;
        header(kind, reason, len, self.frame_len, self.wall_nanos, out);
        out.extend_from_slice(self.bytes);
    }
}

impl<'a> Item<'a> {
    /// Appends how many copies were lost.
    pub fn encode_lost(lost: u64, out: &mut Vec<u8>) {
        header(LOST, 0, 0, 0, lost, out);
    }

    /// The first item of a stream and its bytes; `None` if it is not all there, or none.
    pub fn decode(stream: &'a [u8]) -> Option<(Self, usize)> {
        let (header, rest) = stream.split_first_chunk::<RECORD_HEADER>()?;
        let &[kind, reason, _, _, a, b, c, d, e, f, g, h, ref last @ ..] = header;
        let (len, frame_len) = (u32::from_le_bytes([a, b, c, d]), u32::from_le_bytes([e, f, g, h]));
        let wall_nanos = u64::from_le_bytes(*last);
        let bytes = rest.get(..len as usize)?;
        let reason = DropReason::ALL.get(usize::from(reason)).copied();
        let event = match kind {
            LOST => return Some((Self::Lost(wall_nanos), RECORD_HEADER)),
            RECEIVED => Event::Received,
            SENT => Event::Sent,
            DROPPED => Event::Dropped(reason?),
            REFUSED => Event::Refused(reason?),
            _ => return None,
        };
        let frame = Captured { event, wall_nanos, frame_len, bytes };
        Some((Self::Frame(frame), RECORD_HEADER + bytes.len()))
    }

    /// Bytes of the first item of a stream, once they can be told.
    pub fn len_of(stream: &[u8]) -> Option<usize> {
        let header = stream.first_chunk::<RECORD_HEADER>()?;
        let len = u32::from_le_bytes([header[4], header[5], header[6], header[7]]);
        Some(RECORD_HEADER + len as usize)
    }
}

fn header(kind: u8, reason: u8, len: u32, frame_len: u32, last: u64, out: &mut Vec<u8>) {
    out.extend_from_slice(&[kind, reason, 0, 0]);
    out.extend_from_slice(&len.to_le_bytes());
    out.extend_from_slice(&frame_len.to_le_bytes());
    out.extend_from_slice(&last.to_le_bytes());
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn every_event_survives_the_stream() {
        let events = DropReason::ALL.iter().flat_map(|&r| [Event::Dropped(r), Event::Refused(r)]);
        for event in events.chain([Event::Received, Event::Sent]) {
            let captured = Captured { event, wall_nanos: 1 << 60, frame_len: 1500, bytes: b"abc" };
            let mut stream = Vec::new();
            captured.encode(&mut stream);
            Item::encode_lost(9, &mut stream);
            let (first, used) = Item::decode(&stream).unwrap();
            assert_eq!((first, Item::len_of(&stream)), (Item::Frame(captured), Some(used)));
            assert_eq!(Item::decode(&stream[used..]), Some((Item::Lost(9), RECORD_HEADER)));
            assert_eq!(Item::decode(&stream[..used - 1]), None);
        }
    }

    proptest! {
        #[test]
        fn whatever_comes_is_read_without_a_panic(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
            if let Some((_, used)) = Item::decode(&bytes) {
                prop_assert!(used <= bytes.len());
            }
        }
    }
}
