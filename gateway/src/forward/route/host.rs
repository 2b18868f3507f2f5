//! What a routed port with a shadow gives to the host's kernel: what is for the host, and what only
//! the kernel can settle. Everything else keeps its decision.

use crate::packet::{Answer, Decision, DropReason, FrameInfo, Network, PortId, PuntClass};
use crate::wire::{Ethernet, Icmpv6, Ipv4, Udp, ethertype, protocol, view};

/// BGP (RFC 4271), LDP (RFC 5036).
const TCP_ROUTING: [u16; 2] = [179, 646];
/// BFD (RFC 5881, RFC 5883), RIP (RFC 2453), RIPng (RFC 2080), LDP.
const UDP_ROUTING: [u16; 6] = [3784, 3785, 4784, 520, 521, 646];

/// The decision of a port whose shadow is `shadow`, given what it would be without one.
pub(super) fn decide(
    alone: Result<Decision, DropReason>,
    info: &FrameInfo,
    head: &[u8],
    shadow: PortId,
) -> Result<Decision, DropReason> {
    match class(&alone, info, head) {
        Some(class) => Ok(Decision::Punt { shadow, class }),
        None => alone,
    }
}

fn class(alone: &Result<Decision, DropReason>, info: &FrameInfo, head: &[u8]) -> Option<PuntClass> {
    match alone {
        Ok(
            Decision::Consume | Decision::Answer(Answer::ArpReply | Answer::NeighborAdvertisement),
        ) => Some(PuntClass::Neighbor),
        Ok(Decision::Multicast { .. } | Decision::MulticastWatched { .. })
        | Err(DropReason::TtlExpired) => membership(info, head),
        // A snooping switch queries from 0.0.0.0 (RFC 4541 2.1.1); a host asks DHCP from there.
        Err(DropReason::MartianSource | DropReason::MartianDestination) => {
            membership(info, head).or_else(|| to_everybody(info, head).then_some(PuntClass::Local))
        }
        Err(DropReason::NoHost | DropReason::LinkLocal) => Some(for_us(info, head)),
        Err(DropReason::NoMulticastRoute | DropReason::WrongIngress) => {
            membership(info, head).or(Some(PuntClass::Unresolved))
        }
        Err(DropReason::NoRoute | DropReason::NoNeighbor) => Some(PuntClass::Unresolved),
        // LLDP, LACP, 802.1X and whatever else a daemon on the shadow listens to.
        Err(DropReason::LinkReserved | DropReason::UnknownEthertype) => Some(PuntClass::Routing),
        _ => None,
    }
}

fn for_us(info: &FrameInfo, head: &[u8]) -> PuntClass {
    if let Some(class) = membership(info, head) {
        return class;
    }
    let ports = || {
        view::<Udp>(head, info.l4_offset.into()).map(|l4| [l4.src_port.get(), l4.dst_port.get()])
    };
    let talks =
        |known: &[u16]| ports().is_some_and(|ports| ports.iter().any(|p| known.contains(p)));
    let is_routing = match info.protocol {
        protocol::OSPF | protocol::EIGRP | protocol::VRRP => true,
        // The first bytes of a TCP header are those of a UDP header: the ports.
        protocol::TCP => talks(&TCP_ROUTING),
        protocol::UDP => talks(&UDP_ROUTING),
        protocol::ICMPV6 => return of_icmpv6(info, head),
        _ => false,
    };
    if is_routing { PuntClass::Routing } else { PuntClass::Local }
}

/// Neighbour discovery that the room next door did not take, for it is not for us alone.
fn of_icmpv6(info: &FrameInfo, head: &[u8]) -> PuntClass {
    match view::<Icmpv6>(head, info.l4_offset.into()) {
        Some(icmp) if (133..=Icmpv6::REDIRECT).contains(&icmp.kind) => PuntClass::Neighbor,
        _ => PuntClass::Local,
    }
}

/// IGMP, MLD and PIM, sent to a group.
fn membership(info: &FrameInfo, head: &[u8]) -> Option<PuntClass> {
    let is_group = view::<Ethernet>(head, 0).is_some_and(|ethernet| ethernet.dst.is_group());
    let is_membership = match (info.network, info.protocol) {
        (Network::Ipv4, protocol::IGMP) | (_, protocol::PIM) => true,
        // RFC 2710, RFC 3810 and multicast router discovery (RFC 4286).
        (Network::Ipv6, protocol::ICMPV6) => view::<Icmpv6>(head, info.l4_offset.into())
            .is_some_and(|icmp| matches!(icmp.kind, 130..=132 | 143 | 151..=153)),
        _ => false,
    };
    (is_group && is_membership).then_some(PuntClass::Membership)
}

/// 255.255.255.255, in a frame to everybody.
fn to_everybody(info: &FrameInfo, head: &[u8]) -> bool {
    info.ethertype == ethertype::IPV4
        && view::<Ipv4>(head, info.l2_len.into()).is_some_and(|ip| ip.dst == [255; 4])
}
