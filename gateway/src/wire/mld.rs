use core::fmt;
use core::net::Ipv6Addr;

use zerocopy::big_endian::U16;
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

use super::membership::{Membership, Records};
use super::{checksum, protocol, view};

/// An MLDv1 message, and the first 24 bytes of an MLDv2 query (RFC 2710 3, RFC 3810 5.1).
#[derive(
    Clone, Copy, PartialEq, Eq, Debug, FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned,
)]
#[repr(C)]
pub struct Mld {
    /// [`Mld::QUERY`] and the others.
    pub kind: u8,
    /// 0.
    pub code: u8,
    /// Checksum of pseudo header and message.
    pub checksum: U16,
    /// Of a query: how long an answer may take, in milliseconds up to 32767.
    pub max_response: U16,
    /// 0.
    pub reserved: U16,
    /// The group.
    pub group: [u8; 16],
}

/// The head of an MLDv2 report (RFC 3810 5.2).
#[derive(FromBytes, Immutable, KnownLayout, Unaligned)]
#[repr(C)]
struct ReportV2 {
    kind: u8,
    code: u8,
    checksum: U16,
    reserved: U16,
    record_count: U16,
}

impl Mld {
    /// Bytes of the message in version 1.
    pub const LEN: usize = size_of::<Self>();
    /// ICMPv6 type: listener query.
    pub const QUERY: u8 = 130;
    /// ICMPv6 type: version 1 report.
    pub const REPORT_V1: u8 = 131;
    /// ICMPv6 type: version 1 done.
    pub const DONE: u8 = 132;
    /// ICMPv6 type: version 2 report.
    pub const REPORT_V2: u8 = 143;
    /// Bytes of a version 2 query without sources.
    const QUERY_V2_LEN: usize = 28;

    /// Whether an ICMPv6 message of this type belongs to MLD.
    pub const fn is_kind(kind: u8) -> bool {
        matches!(kind, Self::QUERY | Self::REPORT_V1 | Self::DONE | Self::REPORT_V2)
    }

    /// What the ICMPv6 `message` between these addresses says; `None` if it is malformed or not MLD.
    pub fn read(message: &[u8], src: [u8; 16], dst: [u8; 16]) -> Option<Membership<'_, 16>> {
        let len = u32::try_from(message.len()).ok()?;
        let sum = checksum::pseudo_v6(src, dst, protocol::ICMPV6, len).bytes(message);
        if !sum.is_valid() {
            return None;
        }
        if *message.first()? == Self::REPORT_V2 {
            let report: &ReportV2 = view(message, 0)?;
            let records = message.get(size_of::<ReportV2>()..)?;
            return Records::new(report.record_count.get(), records).map(Membership::Records);
        }
        let &Self { kind, group, .. } = view(message, 0)?;
        match kind {
            Self::QUERY => match message.len() {
                Self::LEN => Some(Membership::Query { version: 1, group }),
                len if len >= Self::QUERY_V2_LEN => Some(Membership::Query { version: 2, group }),
                // RFC 3810 8.1: of no version, ignored.
                _ => None,
            },
            Self::REPORT_V1 => Some(Membership::Report { group }),
            Self::DONE => Some(Membership::Leave { group }),
            _ => None,
        }
    }
}

impl fmt::Display for Mld {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let group = Ipv6Addr::from(self.group);
        match self.kind {
            Self::QUERY if group.is_unspecified() => f.write_str("mld general query"),
            Self::QUERY => write!(f, "mld query for {group}"),
            Self::REPORT_V1 => write!(f, "mld report of {group}"),
            Self::DONE => write!(f, "mld done with {group}"),
            Self::REPORT_V2 => f.write_str("mld report, version 2"),
            other => write!(f, "icmpv6 type {other}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use etherparse::{IcmpEchoHeader, Icmpv6Header, Icmpv6Type};
    use proptest::prelude::*;

    use super::*;

    const SRC: [u8; 16] = [0xfe, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1];
    const DST: [u8; 16] = [0xff, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x16];
    const GROUP: [u8; 16] = [0xff, 0x3e, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 9];

    /// Checksummed by etherparse, which knows no MLD but takes any type and payload.
    fn build(kind: u8, body: &[u8]) -> Vec<u8> {
        let bytes5to8 = [body[0], body[1], body[2], body[3]];
        let unknown = Icmpv6Type::Unknown { type_u8: kind, code_u8: 0, bytes5to8 };
        let header = Icmpv6Header::with_checksum(unknown, SRC, DST, &body[4..]).unwrap();
        [&header.to_bytes(), &body[4..]].concat()
    }

    fn v1(kind: u8, group: [u8; 16]) -> Vec<u8> {
        build(kind, &[&[0x27, 0x10, 0, 0][..], &group].concat())
    }

    fn report_v2(count: u16, records: &[u8]) -> Vec<u8> {
        build(Mld::REPORT_V2, &[&[0, 0], &count.to_be_bytes()[..], records].concat())
    }

    fn record(kind: u8, sources: u16) -> Vec<u8> {
        let behind = vec![7; usize::from(sources) * 16];
        [&[kind, 0], &sources.to_be_bytes()[..], &GROUP, &behind].concat()
    }

    fn read(message: &[u8]) -> Option<Membership<'_, 16>> {
        Mld::read(message, SRC, DST)
    }

    #[test]
    fn both_versions() {
        let general = v1(Mld::QUERY, [0; 16]);
        assert_eq!(read(&general), Some(Membership::Query { version: 1, group: [0; 16] }));
        assert_eq!(view::<Mld>(&general, 0).unwrap().to_string(), "mld general query");
        let body = [&[0x27, 0x10, 0, 0][..], &GROUP, &[2, 125, 0, 0]].concat();
        let second = build(Mld::QUERY, &body);
        assert_eq!(read(&second), Some(Membership::Query { version: 2, group: GROUP }));
        let report = v1(Mld::REPORT_V1, GROUP);
        assert_eq!(read(&report), Some(Membership::Report { group: GROUP }));
        let done = v1(Mld::DONE, GROUP);
        assert_eq!(read(&done), Some(Membership::Leave { group: GROUP }));
        assert_eq!(view::<Mld>(&done, 0).unwrap().to_string(), "mld done with ff3e::9");
    }

    #[test]
    fn records_of_version_2() {
        let message = report_v2(2, &[record(3, 2), record(4, 0)].concat());
        let Some(Membership::Records(records)) = read(&message) else { panic!("{message:?}") };
        let seen: Vec<_> = records.map(|(r, sources)| (r.kind, r.group, sources.len())).collect();
        assert_eq!(seen, [(3, GROUP, 32), (4, GROUP, 0)]);
    }

    #[test]
    fn malformed_is_none() {
        let mut wrong = v1(Mld::REPORT_V1, GROUP);
        wrong[20] ^= 1;
        assert_eq!(read(&wrong), None);
        assert_eq!(Mld::read(&v1(Mld::REPORT_V1, GROUP), SRC, GROUP), None);
        assert_eq!(read(&report_v2(3, &[record(3, 2), record(4, 0)].concat())), None);
        assert_eq!(read(&build(Mld::QUERY, &[0; 22])), None);
        assert_eq!(read(&build(Mld::REPORT_V1, &[0; 8])), None);
        assert_eq!(read(&[]), None);
        let echo = Icmpv6Type::EchoRequest(IcmpEchoHeader { id: 1, seq: 1 });
        let echo = Icmpv6Header::with_checksum(echo, SRC, DST, &[0; 16]).unwrap();
        assert_eq!(read(&[&echo.to_bytes(), &[0; 16][..]].concat()), None);
        assert!(!Mld::is_kind(128) && Mld::is_kind(143));
    }

    proptest! {
        #[test]
        fn any_report_ends(count: u16, records: Vec<u8>) {
            if let Some(Membership::Records(records)) = read(&report_v2(count, &records)) {
                prop_assert_eq!(records.count(), usize::from(count));
            }
        }
    }
}
