use core::net::Ipv6Addr;

use zerocopy::IntoBytes;
use zerocopy::big_endian::{U16, U32};

use super::{Writer, put_link};
use crate::packet::{FrameInfo, MacAddr};
use crate::wire::{
    Arp, Ethernet, Icmpv6, Ipv6, LinkAddressOption, NeighborMessage, checksum, protocol,
    source_link_address, view,
};

/// Neighbor discovery takes nothing that passed a router (RFC 4861 7.1.2).
const ND_HOP_LIMIT: u8 = 255;
/// ff02::1 and its link address (RFC 2464 7).
const ALL_NODES: (Ipv6Addr, MacAddr) =
    (Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 1), MacAddr([0x33, 0x33, 0, 0, 0, 1]));

/// The reply to the valid request in `head` (RFC 826): its target address is at `mac`.
pub fn arp_reply(info: &FrameInfo, head: &[u8], mac: MacAddr, out: &mut [u8]) -> Option<usize> {
    let l2_len = usize::from(info.l2_len);
    let request: &Arp = view(head, l2_len)?;
    let asker = (request.sender_mac, request.sender_ip);
    let reply = Arp::new(Arp::REPLY, (mac, request.target_ip), asker);
    let mut writer = Writer::new(out);
    put_link(&mut writer, head.get(..l2_len)?, request.sender_mac, mac)?;
    writer.put(reply.as_bytes())?;
    writer.finish()
}

/// The advertisement that answers the valid solicitation in `head` (RFC 4861 7.2.4): its target is
/// at `mac`, a router. A solicitation from `::` (RFC 4862 5.4.3) is answered to all nodes.
pub fn neighbor_advertisement(
    info: &FrameInfo,
    head: &[u8],
    mac: MacAddr,
    out: &mut [u8],
) -> Option<usize> {
    let l2_len = usize::from(info.l2_len);
    let ip: &Ipv6 = view(head, l2_len)?;
    let message = head.get(usize::from(info.l4_offset)..l2_len + info.ip_len as usize)?;
    let solicitation: &NeighborMessage = view(message, 0)?;
    let asker = Ipv6Addr::from(ip.src);
    let (dst, dst_mac, solicited) = if asker.is_unspecified() {
        (ALL_NODES.0, ALL_NODES.1, 0)
    } else {
        let told = source_link_address(message.get(NeighborMessage::LEN..)?);
        let sender = view::<Ethernet>(head, 0)?.src;
        let dst_mac = told.filter(|mac| mac.is_station()).unwrap_or(sender);
        (asker, dst_mac, NeighborMessage::SOLICITED)
    };
    let flags = NeighborMessage::ROUTER | solicited | NeighborMessage::OVERRIDE;
    let (message, option) = advertisement(solicitation.target, dst, flags, mac);
    let len = (NeighborMessage::LEN + LinkAddressOption::LEN) as u16;
    let src = Ipv6Addr::from(solicitation.target);

    let mut writer = Writer::new(out);
    put_link(&mut writer, head.get(..l2_len)?, dst_mac, mac)?;
    writer.put(Ipv6::new(src, dst, protocol::ICMPV6, ND_HOP_LIMIT, len).as_bytes())?;
    writer.put(message.as_bytes())?;
    writer.put(option.as_bytes())?;
    writer.finish()
}

/// With its checksum; the target is the source of the packet.
fn advertisement(
    target: [u8; 16],
    dst: Ipv6Addr,
    flags: u32,
    mac: MacAddr,
) -> (NeighborMessage, LinkAddressOption) {
    let option = LinkAddressOption { kind: LinkAddressOption::TARGET, units: 1, mac };
    let mut message = NeighborMessage {
        kind: Icmpv6::NEIGHBOR_ADVERTISEMENT,
        code: 0,
        checksum: U16::ZERO,
        flags: U32::new(flags),
        target,
    };
    let len = (NeighborMessage::LEN + LinkAddressOption::LEN) as u32;
    let sum = checksum::pseudo_v6(target, dst.octets(), protocol::ICMPV6, len);
    message.checksum.set(sum.bytes(message.as_bytes()).bytes(option.as_bytes()).checksum());
    (message, option)
}
