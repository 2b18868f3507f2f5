//! ARP on a routed port (RFC 826): requests for its addresses are answered, other messages heard.
//! Absent: learning from them; neighbours are configured, or the host's kernel knows them.

use core::net::Ipv4Addr;

use super::address::Address;
use super::interface::Interface;
use crate::packet::{Answer, Decision, DropReason};
use crate::wire::Arp;

/// What becomes of a message of valid form.
pub(super) fn decide(message: &Arp, interface: &Interface) -> Result<Decision, DropReason> {
    let owns = |address: [u8; 4]| interface.v4().contains(&Ipv4Addr::from(address));
    let sender = Ipv4Addr::from(message.sender_ip);
    // A sender of 0.0.0.0 is a probe (RFC 5227 2.1.1) and gets its answer. One with our address is
    // a conflict or a loop: never to be believed.
    let sender_may_be = sender.is_unspecified() || !sender.is_martian_source();
    if !message.sender_mac.is_station() || !sender_may_be || owns(message.sender_ip) {
        return Err(DropReason::BadNeighborMessage);
    }
    match message.operation.get() {
        Arp::REQUEST if owns(message.target_ip) => Ok(Decision::Answer(Answer::ArpReply)),
        Arp::REQUEST | Arp::REPLY => Ok(Decision::Consume),
        _ => Err(DropReason::BadNeighborMessage),
    }
}
