//! IGMP and MLD messages: any bytes, read beside a plain reading of the RFCs.

use gateway::wire::{Igmp, Membership, Mld, view};

const SRC: [u8; 16] = [0xfe, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1];
const DST: [u8; 16] = [0xff, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x16];

/// A byte of choices, then the message.
pub fn run(data: &[u8]) {
    let &[choice, ref message @ ..] = data else { return };
    let (is_mld, repair) = (choice & 1 != 0, choice & 2 != 0);
    let mut message = message.to_vec();
    let pseudo = if is_mld { pseudo_header(message.len()) } else { Vec::new() };
    if repair && message.len() >= 4 {
        message[2..4].fill(0);
        let checksum = !sum(&[&pseudo[..], &message].concat());
        message[2..4].copy_from_slice(&checksum.to_be_bytes());
    }
    let is_right = sum(&[&pseudo[..], &message].concat()) == 0xffff;
    if is_mld {
        let read = Mld::read(&message, SRC, DST);
        assert!(read.is_none() || is_right, "a wrong checksum");
        check(read, mld(&message).filter(|_| is_right), &message, 8);
        if let Some(header) = view::<Mld>(&message, 0) {
            assert!(!header.to_string().is_empty());
        }
    } else {
        let read = Igmp::read(&message);
        assert!(read.is_none() || is_right, "a wrong checksum");
        check(read, igmp(&message).filter(|_| is_right), &message, 8);
        if let Some(header) = view::<Igmp>(&message, 0) {
            assert!(!header.to_string().is_empty());
        }
    }
}

/// What a message says, told without the code under test.
#[derive(Debug)]
enum Told {
    Query {
        version: u8,
    },
    Report,
    Leave,
    /// Group and sources of each record.
    Records(Vec<(usize, usize)>),
}

fn check<const N: usize>(
    read: Option<Membership<'_, N>>,
    told: Option<Told>,
    message: &[u8],
    group: usize,
) {
    match (read, told) {
        (None, None) => {}
        (Some(Membership::Query { version, group: g }), Some(Told::Query { version: v })) => {
            assert_eq!((version, &g[..]), (v, &message[group_at::<N>(group)][..N]));
        }
        (Some(Membership::Report { group: g }), Some(Told::Report))
        | (Some(Membership::Leave { group: g }), Some(Told::Leave)) => {
            assert_eq!(&g[..], &message[group_at::<N>(group)][..N]);
        }
        (Some(Membership::Records(records)), Some(Told::Records(places))) => {
            assert_eq!(records.count(), places.len());
            for ((record, sources), (place, source_bytes)) in records.zip(places) {
                assert_eq!(record.kind, message[place]);
                assert_eq!(record.group[..], message[place + 4..place + 4 + N]);
                assert_eq!(sources, &message[place + 4 + N..][..source_bytes]);
                let listens = match record.kind {
                    2 | 4 => true,
                    1 | 3 | 5 => source_bytes > 0,
                    _ => false,
                };
                assert_eq!(record.joins(), listens);
                assert!(!record.to_string().is_empty());
            }
        }
        (read, told) => panic!("{read:?}, but {told:?}"),
    }
}

fn group_at<const N: usize>(mld: usize) -> std::ops::RangeFrom<usize> {
    if N == 4 { 4.. } else { mld.. }
}

/// RFC 1112, RFC 2236, RFC 3376 7.1.
fn igmp(message: &[u8]) -> Option<Told> {
    let len = message.len();
    match *message.first().filter(|_| len >= 8)? {
        0x11 if len == 8 => Some(Told::Query { version: if message[1] == 0 { 1 } else { 2 } }),
        0x11 if len >= 12 => Some(Told::Query { version: 3 }),
        0x12 | 0x16 => Some(Told::Report),
        0x17 => Some(Told::Leave),
        0x22 => records::<4>(message),
        _ => None,
    }
}

/// RFC 2710, RFC 3810 8.1.
fn mld(message: &[u8]) -> Option<Told> {
    let len = message.len();
    match *message.first()? {
        143 if len >= 8 => records::<16>(message),
        130 if len == 24 => Some(Told::Query { version: 1 }),
        130 if len >= 28 => Some(Told::Query { version: 2 }),
        131 if len >= 24 => Some(Told::Report),
        132 if len >= 24 => Some(Told::Leave),
        _ => None,
    }
}

/// RFC 3376 4.2, RFC 3810 5.2: place of each record and bytes of its sources.
fn records<const N: usize>(message: &[u8]) -> Option<Told> {
    let (mut place, mut records) = (8, Vec::new());
    for _ in 0..u16::from_be_bytes([message[6], message[7]]) {
        let head = message.get(place..place + 4 + N)?;
        let sources = usize::from(u16::from_be_bytes([head[2], head[3]])) * N;
        let end = place + 4 + N + sources + usize::from(head[1]) * 4;
        message.get(place..end)?;
        records.push((place, sources));
        place = end;
    }
    Some(Told::Records(records))
}

fn pseudo_header(len: usize) -> Vec<u8> {
    [&SRC[..], &DST, &(len as u32).to_be_bytes(), &[0, 0, 0, 58]].concat()
}

/// One's complement sum (RFC 1071).
fn sum(bytes: &[u8]) -> u16 {
    let words =
        bytes.chunks(2).map(|pair| u32::from(pair[0]) << 8 | u32::from(*pair.get(1).unwrap_or(&0)));
    let mut sum: u32 = words.sum();
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    sum as u16
}
