//! RTM_GETMDB (linux/if_bridge.h, net/bridge/br_mdb.c): members and router ports of the kernel's
//! bridges, which netlink-packet-route does not know.

use core::convert::Infallible;
use std::net::IpAddr;

use netlink_packet_core::{
    NetlinkDeserializable, NetlinkHeader, NetlinkSerializable, NlaBuffer, NlasIterator, parse_ip,
};
use zerocopy::byteorder::{BigEndian, NativeEndian, U16, U32};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

const RTM_GETMDB: u16 = 86;
/// `PF_BRIDGE`
const FAMILY: u8 = 7;
// Attributes, each level with numbers of its own.
const MDBA_MDB: u16 = 1;
const MDBA_ROUTER: u16 = 2;
const MDBA_MDB_EATTR_GROUP_MODE: u16 = 3;
const MDBA_MDB_EATTR_SOURCE: u16 = 4;
const MDBA_ROUTER_PATTR_INET_TIMER: u16 = 3;
const MDBA_ROUTER_PATTR_INET6_TIMER: u16 = 4;
/// `MDB_FLAGS_BLOCKED`
const BLOCKED: u8 = 1 << 3;
/// `MCAST_INCLUDE`
const INCLUDE: u8 = 1;
const ETH_P_IP: u16 = 0x0800;
const ETH_P_IPV6: u16 = 0x86dd;

/// `struct br_port_msg`
#[derive(FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned)]
#[repr(C)]
struct Header {
    family: u8,
    reserved: [u8; 3],
    index: U32<NativeEndian>,
}

/// `struct br_mdb_entry`
#[derive(FromBytes, Immutable, KnownLayout, Unaligned)]
#[repr(C)]
struct RawEntry {
    index: U32<NativeEndian>,
    state: u8,
    flags: u8,
    vlan: U16<NativeEndian>,
    group: [u8; 16],
    protocol: U16<BigEndian>,
    reserved: [u8; 2],
}

/// What one message of a dump tells of one bridge; a request for all of them is the default.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(super) struct MdbMessage {
    /// The bridge's interface.
    pub(super) bridge: u32,
    pub(super) entries: Vec<MdbEntry>,
    pub(super) routers: Vec<Router>,
}

/// A port that is a member of a group, or of one of its sources.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct MdbEntry {
    /// The port's interface; the bridge's own for the host.
    pub(super) index: u32,
    pub(super) group: IpAddr,
    pub(super) source: Option<IpAddr>,
    /// Whether it gets the datagrams; `false`: of this source, or of any without an entry, it does
    /// not want them.
    pub(super) wants: bool,
}

/// A port behind which is a router.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Router {
    pub(super) index: u32,
    /// Of IPv4 and IPv6 groups.
    pub(super) families: [bool; 2],
}

impl NetlinkSerializable for MdbMessage {
    fn message_type(&self) -> u16 {
        RTM_GETMDB
    }

    fn buffer_len(&self) -> usize {
        size_of::<Header>()
    }

    fn serialize(&self, buffer: &mut [u8]) {
        let index = self.bridge.into();
        let header = Header { family: FAMILY, reserved: [0; 3], index };
        let _ = header.write_to_prefix(buffer); // `buffer_len` bytes, says the trait
    }
}

impl NetlinkDeserializable for MdbMessage {
    type Error = Infallible;

    /// What cannot be read is not there.
    fn deserialize(_: &NetlinkHeader, payload: &[u8]) -> Result<Self, Infallible> {
        let mut message = Self::default();
        let Ok((header, attributes)) = Header::ref_from_prefix(payload) else { return Ok(message) };
        message.bridge = header.index.get();
        for attribute in attributes_of(attributes) {
            for inner in attributes_of(attribute.value()) {
                match attribute.kind() {
                    MDBA_MDB => {
                        let entries = attributes_of(inner.value());
                        message.entries.extend(entries.filter_map(|e| entry(e.value())));
                    }
                    MDBA_ROUTER => message.routers.extend(router(inner.value())),
                    _ => {}
                }
            }
        }
        Ok(message)
    }
}

fn attributes_of(bytes: &[u8]) -> impl Iterator<Item = NlaBuffer<&[u8]>> {
    NlasIterator::new(bytes).filter_map(Result::ok)
}

fn entry(bytes: &[u8]) -> Option<MdbEntry> {
    let (raw, attributes) = RawEntry::ref_from_prefix(bytes).ok()?;
    let group = match raw.protocol.get() {
        ETH_P_IP => parse_ip(raw.group.first_chunk::<4>()?).ok()?,
        ETH_P_IPV6 => parse_ip(&raw.group).ok()?,
        _ => return None, // of link addresses
    };
    let mut entry =
        MdbEntry { index: raw.index.get(), group, source: None, wants: raw.flags & BLOCKED == 0 };
    let mut includes = false;
    for attribute in attributes_of(attributes) {
        match attribute.kind() {
            MDBA_MDB_EATTR_SOURCE => entry.source = Some(parse_ip(attribute.value()).ok()?),
            MDBA_MDB_EATTR_GROUP_MODE => includes = attribute.value() == [INCLUDE],
            _ => {}
        }
    }
    // A port that includes sources has an entry for each of them.
    entry.wants &= entry.source.is_some() || !includes;
    Some(entry)
}

fn router(bytes: &[u8]) -> Option<Router> {
    let (index, attributes) = U32::<NativeEndian>::ref_from_prefix(bytes).ok()?;
    let kinds: Vec<u16> = attributes_of(attributes).map(|attribute| attribute.kind()).collect();
    let has = |kind| kinds.contains(&kind);
    let families = [has(MDBA_ROUTER_PATTR_INET_TIMER), has(MDBA_ROUTER_PATTR_INET6_TIMER)];
    // Linux before 5.14 does not tell them apart.
    let families = if families == [false; 2] { [true; 2] } else { families };
    Some(Router { index: index.get(), families })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// An attribute, padded to four bytes.
    fn attribute(kind: u16, value: &[u8]) -> Vec<u8> {
        let mut bytes = (value.len() as u16 + 4).to_ne_bytes().to_vec();
        bytes.extend(kind.to_ne_bytes());
        bytes.extend(value);
        bytes.resize(bytes.len().next_multiple_of(4), 0);
        bytes
    }

    fn member(index: u32, flags: u8, group: [u8; 4], more: &[u8]) -> Vec<u8> {
        let mut raw = index.to_ne_bytes().to_vec();
        raw.extend([0, flags, 0, 0]);
        raw.extend(group);
        raw.extend([0; 12]);
        raw.extend([0x08, 0x00, 0, 0]);
        attribute(1, &[&raw, more].concat())
    }

    fn read(payload: &[u8]) -> MdbMessage {
        let Ok(message) = MdbMessage::deserialize(&NetlinkHeader::default(), payload);
        message
    }

    #[test]
    fn members_sources_and_routers() {
        let group = [239, 1, 1, 1];
        let source = attribute(MDBA_MDB_EATTR_SOURCE, &[10, 0, 0, 1]);
        let includes = attribute(MDBA_MDB_EATTR_GROUP_MODE, &[INCLUDE]);
        let entries = [
            member(7, 0, group, &[]),
            member(8, 0, group, &includes),
            member(8, 0, group, &[includes.clone(), source.clone()].concat()),
            member(9, BLOCKED, group, &source),
        ];
        let router = |index: u32, more: &[u8]| attribute(1, &[&index.to_ne_bytes(), more].concat());
        let timer = attribute(MDBA_ROUTER_PATTR_INET6_TIMER, &[0; 4]);
        let payload = [
            &[FAMILY, 0, 0, 0][..],
            &3_u32.to_ne_bytes(),
            &attribute(MDBA_MDB, &attribute(1, &entries.concat())),
            &attribute(MDBA_ROUTER, &[router(7, &timer), router(8, &[])].concat()),
        ]
        .concat();
        let message = read(&payload);
        let source = Some("10.0.0.1".parse().unwrap());
        let entry = |index, source, wants| MdbEntry { index, group: group.into(), source, wants };
        let entries = [
            entry(7, None, true),
            entry(8, None, false),
            entry(8, source, true),
            entry(9, source, false),
        ];
        assert_eq!((message.bridge, &message.entries[..]), (3, &entries[..]));
        let routers = [(7, [false, true]), (8, [true, true])];
        let routers = routers.map(|(index, families)| Router { index, families });
        assert_eq!(message.routers, routers);
        // Cut off anywhere, what is whole is read.
        for len in 0..payload.len() {
            assert!(read(&payload[..len]).entries.len() <= 4);
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_read(
            payload in prop::collection::vec(prop_oneof![0..12_u8, any::<u8>()], 0..200),
        ) {
            prop_assert!(read(&payload).entries.len() <= payload.len() / 28);
        }
    }
}
