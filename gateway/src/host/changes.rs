//! What may have changed in the kernel, by the messages it sends of itself.

use netlink_packet_core::NetlinkBuffer;

use super::mirror::MULTICAST_FAMILIES;

// linux/rtnetlink.h
const RTM_NEWROUTE: u16 = 24;
const RTM_DELROUTE: u16 = 25;
const RTM_NEWNEIGH: u16 = 28;
const RTM_DELNEIGH: u16 = 29;
const RTM_NEWMDB: u16 = 84;
const RTM_DELMDB: u16 = 85;
const RTM_NEWNEXTHOP: u16 = 104;
const RTM_DELNEXTHOP: u16 = 105;
/// linux/socket.h: a neighbour of this family is a station of a bridge.
const AF_BRIDGE: u8 = 7;

/// Kinds of what it knows.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Changes {
    pub(super) addresses: bool,
    pub(super) neighbors: bool,
    pub(super) routes: bool,
    pub(super) multicast: bool,
    /// What its bridges have learned by IGMP and MLD.
    pub(super) snooped: bool,
    /// Groups that programs on the host have joined.
    pub(super) joined: bool,
}

impl Changes {
    /// Everything.
    pub const ALL: Self = Self {
        addresses: true,
        neighbors: true,
        routes: true,
        multicast: true,
        snooped: true,
        joined: true,
    };

    /// Whether there are any.
    pub fn any(self) -> bool {
        self != Self::default()
    }

    /// Without those that take long to ask for.
    #[must_use]
    pub fn but_routes(self) -> Self {
        Self { routes: false, ..self }
    }

    /// Whether interfaces may have gone.
    pub fn has_links(self) -> bool {
        self.addresses
    }

    /// Whether asking may take long.
    pub fn has_routes(self) -> bool {
        self.routes
    }

    /// Those of both.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        self.with(other, |mine, others| mine | others)
    }

    /// Those that are not among the others.
    #[must_use]
    pub fn but(self, others: Self) -> Self {
        self.with(others, |mine, others| mine & !others)
    }

    fn with(self, other: Self, both: impl Fn(bool, bool) -> bool) -> Self {
        Self {
            addresses: both(self.addresses, other.addresses),
            neighbors: both(self.neighbors, other.neighbors),
            routes: both(self.routes, other.routes),
            multicast: both(self.multicast, other.multicast),
            snooped: both(self.snooped, other.snooped),
            joined: both(self.joined, other.joined),
        }
    }

    /// What the messages of a datagram tell of.
    pub(super) fn read(mut datagram: &[u8]) -> Self {
        let mut changes = Self::default();
        while let Ok(message) = NetlinkBuffer::new_checked(datagram) {
            let family = message.payload().first().copied().unwrap_or_default();
            changes = changes.and(Self::of(message.message_type(), family));
            let len = (message.length() as usize).next_multiple_of(4);
            datagram = datagram.get(len..).unwrap_or_default();
        }
        changes
    }

    /// Whoever reads no more than this must know what goes without a word: an interface or an address
    /// takes routes with it (`fib_sync_down_addr`, `fib_flush`), so of them everything is asked for,
    /// and of what is unknown here.
    fn of(kind: u16, family: u8) -> Self {
        let none = Self::default();
        match kind {
            RTM_NEWNEIGH | RTM_DELNEIGH if family == AF_BRIDGE => none,
            RTM_NEWNEIGH | RTM_DELNEIGH => Self { neighbors: true, ..none },
            RTM_NEWROUTE | RTM_DELROUTE if MULTICAST_FAMILIES.contains(&family) => {
                Self { multicast: true, ..none }
            }
            // The routes by a next hop go with it without a word (`remove_nexthop`).
            RTM_NEWROUTE | RTM_DELROUTE | RTM_NEWNEXTHOP | RTM_DELNEXTHOP => {
                Self { routes: true, ..none }
            }
            RTM_NEWMDB | RTM_DELMDB => Self { snooped: true, ..none },
            _ => Self::ALL,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A message whose payload is its family and three bytes.
    fn message(kind: u16, family: u8) -> Vec<u8> {
        let mut bytes = 20_u32.to_ne_bytes().to_vec();
        bytes.extend(kind.to_ne_bytes());
        bytes.extend([0; 10]);
        bytes.extend([family, 0, 0, 0]);
        bytes
    }

    #[test]
    fn messages_name_what_changed() {
        let none = Changes::default();
        let (inet, mfc, link, address) = (2, 128, 16, 20);
        let cases = [
            (RTM_NEWMDB, AF_BRIDGE, Changes { snooped: true, ..none }),
            (RTM_NEWNEIGH, AF_BRIDGE, none),
            (RTM_DELNEIGH, inet, Changes { neighbors: true, ..none }),
            (RTM_NEWROUTE, inet, Changes { routes: true, ..none }),
            (RTM_DELROUTE, mfc, Changes { multicast: true, ..none }),
            (RTM_DELNEXTHOP, 0, Changes { routes: true, ..none }),
            (link, 0, Changes::ALL),
            (address, inet, Changes::ALL),
        ];
        for (kind, family, expected) in cases {
            assert_eq!(Changes::read(&message(kind, family)), expected, "{kind} {family}");
        }
        let both = [message(RTM_NEWMDB, AF_BRIDGE), message(RTM_NEWROUTE, inet)].concat();
        let expected = Changes { snooped: true, routes: true, ..none };
        assert_eq!(Changes::read(&both), expected);
        assert_eq!(expected.but_routes(), Changes { snooped: true, ..none });
        for len in 0..both.len() {
            assert!(!Changes::read(&both[..len]).routes, "cut off after {len} bytes");
        }
        assert!(!Changes::read(&[0; 64]).any());
    }
}
