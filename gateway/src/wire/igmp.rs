use core::fmt;
use core::net::Ipv4Addr;

use zerocopy::big_endian::U16;
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

use super::membership::{Membership, Records};
use super::{checksum, view};

/// The first eight bytes of every IGMP message (RFC 1112, RFC 2236, RFC 3376).
#[derive(
    Clone, Copy, PartialEq, Eq, Debug, FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned,
)]
#[repr(C)]
pub struct Igmp {
    /// [`Igmp::QUERY`] and the others.
    pub kind: u8,
    /// Of a query: how long an answer may take, in 0.1 s up to 127; 0 in version 1.
    pub max_response: u8,
    /// Checksum of the whole message.
    pub checksum: U16,
    /// The group; in a version 3 report two bytes reserved and the number of records.
    pub group: [u8; 4],
}

impl Igmp {
    /// Bytes of the message up to version 2.
    pub const LEN: usize = size_of::<Self>();
    /// Type: membership query.
    pub const QUERY: u8 = 0x11;
    /// Type: version 1 report.
    pub const REPORT_V1: u8 = 0x12;
    /// Type: version 2 report.
    pub const REPORT_V2: u8 = 0x16;
    /// Type: version 2 leave.
    pub const LEAVE: u8 = 0x17;
    /// Type: version 3 report.
    pub const REPORT_V3: u8 = 0x22;
    /// Bytes of a version 3 query without sources.
    const QUERY_V3_LEN: usize = 12;

    /// Whether a message of this type tells or asks of membership.
    pub const fn is_kind(kind: u8) -> bool {
        matches!(
            kind,
            Self::QUERY | Self::REPORT_V1 | Self::REPORT_V2 | Self::LEAVE | Self::REPORT_V3
        )
    }

    /// What the IP payload `message` says; `None` if it is malformed or of another type.
    pub fn read(message: &[u8]) -> Option<Membership<'_, 4>> {
        let header: &Self = view(message, 0)?;
        if !checksum::Sum::new().bytes(message).is_valid() {
            return None;
        }
        let group = header.group;
        match header.kind {
            Self::QUERY => {
                Some(Membership::Query { version: query_version(header, message)?, group })
            }
            Self::REPORT_V1 | Self::REPORT_V2 => Some(Membership::Report { group }),
            Self::LEAVE => Some(Membership::Leave { group }),
            Self::REPORT_V3 => {
                let [_, _, high, low] = group;
                let count = u16::from_be_bytes([high, low]);
                Records::new(count, message.get(Self::LEN..)?).map(Membership::Records)
            }
            _ => None,
        }
    }
}

impl fmt::Display for Igmp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let group = Ipv4Addr::from(self.group);
        match self.kind {
            Self::QUERY if group.is_unspecified() => f.write_str("igmp general query"),
            Self::QUERY => write!(f, "igmp query for {group}"),
            Self::REPORT_V1 | Self::REPORT_V2 => write!(f, "igmp report of {group}"),
            Self::LEAVE => write!(f, "igmp leave of {group}"),
            Self::REPORT_V3 => f.write_str("igmp report, version 3"),
            other => write!(f, "igmp type {other:#04x}"),
        }
    }
}

/// RFC 3376 7.1: the version of a query is told by its length, and for 8 bytes by the response time.
fn query_version(header: &Igmp, message: &[u8]) -> Option<u8> {
    match message.len() {
        Igmp::LEN if header.max_response == 0 => Some(1),
        Igmp::LEN => Some(2),
        len if len >= Igmp::QUERY_V3_LEN => Some(3),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use etherparse::igmp::{
        GroupAddress, LeaveGroupType, MaxResponseCode, MembershipQueryType,
        MembershipQueryWithSourcesHeader, MembershipReportV2Type, MembershipReportV3Header,
        ReportGroupRecordType, ReportGroupRecordV3Header,
    };
    use etherparse::{IgmpHeader, IgmpType};
    use proptest::prelude::*;

    use super::*;
    use crate::wire::Record;

    const GROUP: [u8; 4] = [239, 1, 1, 1];

    fn build(kind: IgmpType, payload: &[u8]) -> Vec<u8> {
        [&IgmpHeader::with_checksum(kind, payload).to_bytes(), payload].concat()
    }

    fn query(max_response_time: u8, group: [u8; 4]) -> Vec<u8> {
        let group_address = GroupAddress::new(group);
        build(
            IgmpType::MembershipQuery(MembershipQueryType { max_response_time, group_address }),
            &[],
        )
    }

    fn query_v3(group: [u8; 4]) -> Vec<u8> {
        let header = MembershipQueryWithSourcesHeader {
            max_response_code: MaxResponseCode(100),
            group_address: GroupAddress::new(group),
            raw_byte_8: 2,
            qqic: 125,
            num_of_sources: 1,
        };
        build(IgmpType::MembershipQueryWithSources(header), &[192, 0, 2, 1])
    }

    fn record(kind: u8, sources: u16, auxiliary: u8) -> Vec<u8> {
        let header = ReportGroupRecordV3Header {
            record_type: ReportGroupRecordType(kind),
            aux_data_len: auxiliary,
            num_of_sources: sources,
            multicast_address: GROUP,
        };
        let behind = vec![7; usize::from(sources) * 4 + usize::from(auxiliary) * 4];
        [header.to_bytes().to_vec(), behind].concat()
    }

    fn report_v3(num_of_records: u16, records: &[u8]) -> Vec<u8> {
        let header = MembershipReportV3Header { flags: [0; 2], num_of_records };
        build(IgmpType::MembershipReportV3(header), records)
    }

    #[test]
    fn queries_of_three_versions() {
        let general = [0; 4];
        for (message, version, group) in [
            (query(0, general), 1, general),
            (query(100, general), 2, general),
            (query(10, GROUP), 2, GROUP),
            (query_v3(GROUP), 3, GROUP),
        ] {
            assert_eq!(Igmp::read(&message), Some(Membership::Query { version, group }));
        }
        let text = |message: &[u8]| view::<Igmp>(message, 0).unwrap().to_string();
        assert_eq!(text(&query(0, general)), "igmp general query");
        assert_eq!(text(&query(0, GROUP)), "igmp query for 239.1.1.1");
    }

    #[test]
    fn joining_and_leaving() {
        let group_address = GroupAddress::new(GROUP);
        let report =
            build(IgmpType::MembershipReportV2(MembershipReportV2Type { group_address }), &[]);
        assert_eq!(Igmp::read(&report), Some(Membership::Report { group: GROUP }));
        let leave = build(IgmpType::LeaveGroup(LeaveGroupType { group_address }), &[]);
        assert_eq!(Igmp::read(&leave), Some(Membership::Leave { group: GROUP }));
    }

    #[test]
    fn records_of_version_3() {
        let records = [record(4, 0, 0), record(3, 0, 2), record(5, 3, 1), record(6, 1, 0)].concat();
        let message = report_v3(4, &records);
        let Some(Membership::Records(records)) = Igmp::read(&message) else {
            panic!("{message:?}")
        };
        let seen: Vec<_> = records.map(|(r, sources)| (r.kind, r.joins(), sources.len())).collect();
        assert_eq!(seen, [(4, true, 0), (3, false, 0), (5, true, 12), (6, false, 4)]);
        assert!(records.clone().all(|(record, _)| record.group == GROUP));
        let first: &Record<4> = records.clone().next().unwrap().0;
        assert_eq!(first.to_string(), "record type 4 group [ef, 01, 01, 01] sources 0");
    }

    #[test]
    fn malformed_is_none() {
        let mut wrong = query(100, GROUP);
        wrong[3] ^= 1;
        assert_eq!(Igmp::read(&wrong), None);
        assert_eq!(Igmp::read(&query(100, GROUP)[..7]), None);
        assert_eq!(Igmp::read(&report_v3(2, &record(4, 0, 0))), None);
        let short = record(4, 2, 0);
        assert_eq!(Igmp::read(&report_v3(1, &short[..short.len() - 1])), None);
        // 9 to 11 bytes are of no version; a zero byte keeps the checksum right.
        let odd = [query(100, GROUP), vec![0, 0]].concat();
        assert_eq!(Igmp::read(&odd), None);
    }

    proptest! {
        #[test]
        fn any_bytes_end(mut message: Vec<u8>, kind in 0x10u8..0x23) {
            if message.len() >= 4 {
                message[0] = kind;
                message[2..4].fill(0);
                let check = checksum::checksum(&message);
                message[2..4].copy_from_slice(&check.to_be_bytes());
            }
            if let Some(Membership::Records(records)) = Igmp::read(&message) {
                prop_assert!(records.count() <= message.len() / 8);
            }
        }
    }
}
