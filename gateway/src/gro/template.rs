//! What must be equal, besides the order key, for datagrams to be coalesced.

use super::FlushReason;
use super::key::priorities;
use crate::packet::{FrameInfo, Network};
use crate::wire::{Ipv4, Ipv6, view};

/// The header fields all datagrams of a train share.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Template {
    /// Offset of the UDP header.
    headers_len: u16,
    /// TTL or hop limit.
    hop_limit: u8,
    /// TOS or traffic class, with ECN.
    traffic_class: u8,
    /// IPv4: flags and fragment offset, so that the reserved bit counts too.
    fragment: u16,
    /// IPv6: the type of the header behind the fixed one.
    next_header: u8,
    flow_label: u32,
    /// PCP and DEI of all tags.
    priorities: u64,
}

/// How the IPv4 identification goes on from datagram to datagram. IPv6 has none: constant 0.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Identification {
    last: u16,
    /// 0 or 1; unknown until there is a second datagram.
    step: Option<u16>,
}

impl Template {
    /// Reads the fields of a candidate and its identification.
    #[inline]
    pub(super) fn read(head: &[u8], info: &FrameInfo) -> Option<(Self, u16)> {
        let common = Self {
            headers_len: info.l4_offset,
            hop_limit: 0,
            traffic_class: 0,
            fragment: 0,
            next_header: 0,
            flow_label: 0,
            priorities: priorities(head, info)?,
        };
        if info.network == Network::Ipv4 {
            let ip: &Ipv4 = view(head, info.l2_len.into())?;
            let template = Self {
                hop_limit: ip.ttl,
                traffic_class: ip.tos,
                fragment: ip.flags_offset.get(),
                ..common
            };
            return Some((template, ip.id.get()));
        }
        let ip: &Ipv6 = view(head, info.l2_len.into())?;
        let template = Self {
            hop_limit: ip.hop_limit,
            traffic_class: ip.traffic_class(),
            next_header: ip.next_header,
            flow_label: ip.flow_label(),
            ..common
        };
        Some((template, 0))
    }

    /// Why a datagram with template `other` may not be added, if anything here forbids it.
    #[inline]
    pub(super) fn difference(&self, other: &Self) -> Option<FlushReason> {
        if self == other { None } else { Some(self.reason(other)) }
    }

    #[cold]
    fn reason(&self, other: &Self) -> FlushReason {
        if self.priorities != other.priorities {
            FlushReason::Priority
        } else if self.hop_limit != other.hop_limit {
            FlushReason::HopLimit
        } else if self.traffic_class != other.traffic_class {
            FlushReason::TrafficClass
        } else if self.fragment != other.fragment {
            FlushReason::DontFragment
        } else if self.flow_label != other.flow_label {
            FlushReason::FlowLabel
        } else {
            FlushReason::ExtensionHeaders
        }
    }
}

impl Identification {
    pub(super) fn new(first: u16) -> Self {
        Self { last: first, step: None }
    }

    /// The sequence with `next` added, if it goes on by the same step (RFC 6864: an atomic
    /// datagram's is arbitrary, so senders count or repeat).
    #[inline]
    pub(super) fn followed_by(self, next: u16) -> Option<Self> {
        let step = next.wrapping_sub(self.last);
        let fits = self.step.map_or(step <= 1, |expected| step == expected);
        fits.then_some(Self { last: next, step: Some(step) })
    }
}

/// The bytes of the IPv6 extension headers; empty without any and for IPv4.
#[inline]
pub(super) fn extension_headers<'a>(head: &'a [u8], info: &FrameInfo) -> &'a [u8] {
    if info.network != Network::Ipv6 {
        return &[];
    }
    let start = usize::from(info.l2_len) + Ipv6::LEN;
    head.get(start..usize::from(info.l4_offset)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identification_stays_or_counts_up() {
        let run = |ids: &[u16]| {
            let mut sequence = Identification::new(ids[0]);
            ids[1..]
                .iter()
                .take_while(|&&id| sequence.followed_by(id).map(|s| sequence = s).is_some())
                .count()
        };
        assert_eq!(run(&[7, 7, 7]), 2);
        assert_eq!(run(&[7, 8, 9]), 2);
        assert_eq!(run(&[0xffff, 0, 1]), 2);
        assert_eq!(run(&[7, 7, 8]), 1);
        assert_eq!(run(&[7, 8, 8]), 1);
        assert_eq!(run(&[7, 9]), 0);
        assert_eq!(run(&[7, 6]), 0);
    }
}
