use core::net::{Ipv4Addr, Ipv6Addr};

use super::IcmpError;
use crate::packet::{FrameInfo, Network};
use crate::wire::{Ethernet, Icmpv4, Icmpv6, Ipv4, Ipv6, WalkEnd, protocol, view, walk};

/// Whether an error may be sent about the datagram in `head`.
pub(super) fn may_report(error: IcmpError, info: &FrameInfo, head: &[u8]) -> Option<bool> {
    let to_group = view::<Ethernet>(head, 0)?.dst.is_group();
    let (l2_len, l4_offset) = (usize::from(info.l2_len), usize::from(info.l4_offset));
    match info.network {
        Network::Ipv4 => Some(!to_group && may_report_v4(view(head, l2_len)?, head, l4_offset)),
        Network::Ipv6 => {
            let ip: &Ipv6 = view(head, l2_len)?;
            // RFC 4443 2.4 (e.3): path MTU discovery works for multicast.
            let to_group = to_group || Ipv6Addr::from(ip.dst).is_multicast();
            let is_for_groups = matches!(error, IcmpError::TooBig { .. });
            Some((!to_group || is_for_groups) && may_report_v6(ip, head, info))
        }
        Network::Arp | Network::Other | Network::Broken(_) => Some(false),
    }
}

/// RFC 1122 3.2.2, RFC 1812 4.3.2.7.
fn may_report_v4(ip: &Ipv4, head: &[u8], l4_offset: usize) -> bool {
    let (src, dst) = (Ipv4Addr::from(ip.src), Ipv4Addr::from(ip.dst));
    // 0/8 and 240/4 (the broadcast address among them) name no single host.
    let is_host =
        !matches!(src.octets()[0], 0 | 240..) && !src.is_loopback() && !src.is_multicast();
    let is_error = ip.protocol == protocol::ICMPV4
        && view::<Icmpv4>(head, l4_offset).is_none_or(|icmp| !icmp.is_informational());
    is_host && !dst.is_multicast() && !dst.is_broadcast() && ip.fragment_offset() == 0 && !is_error
}

/// RFC 4443 2.4 (e), but for the destination.
fn may_report_v6(ip: &Ipv6, head: &[u8], info: &FrameInfo) -> bool {
    let src = Ipv6Addr::from(ip.src);
    let is_host = !src.is_unspecified() && !src.is_multicast() && !src.is_loopback();
    let is_error = info.protocol == protocol::ICMPV6
        && (is_later_fragment(ip, head, info)
            || view::<Icmpv6>(head, info.l4_offset.into()).is_none_or(Icmpv6::forbids_errors));
    is_host && !is_error
}

/// Whether what is at the transport offset is not the start of a message, so may be part of an error.
fn is_later_fragment(ip: &Ipv6, head: &[u8], info: &FrameInfo) -> bool {
    let extensions = head.get(usize::from(info.l2_len) + Ipv6::LEN..).unwrap_or(&[]);
    walk(ip.next_header, extensions).end == WalkEnd::Fragment { first: false }
}
