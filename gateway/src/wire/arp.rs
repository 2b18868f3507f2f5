use core::fmt;
use core::net::Ipv4Addr;

use zerocopy::big_endian::U16;
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

use super::ethertype;
use crate::packet::MacAddr;

/// An ARP message for IPv4 over Ethernet (RFC 826).
#[derive(
    Clone, Copy, PartialEq, Eq, Debug, FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned,
)]
#[repr(C)]
pub struct Arp {
    /// Hardware type, 1 for Ethernet.
    pub hardware_type: U16,
    /// Protocol type, 0x0800 for IPv4.
    pub protocol_type: U16,
    /// Bytes of a hardware address, 6.
    pub hardware_len: u8,
    /// Bytes of a protocol address, 4.
    pub protocol_len: u8,
    /// [`Arp::REQUEST`], [`Arp::REPLY`], or another.
    pub operation: U16,
    /// Link address of the sender.
    pub sender_mac: MacAddr,
    /// Address of the sender; zero in a probe (RFC 5227).
    pub sender_ip: [u8; 4],
    /// Link address of the target; meaningless in a request.
    pub target_mac: MacAddr,
    /// Address of the target.
    pub target_ip: [u8; 4],
}

impl Arp {
    /// Bytes of the message.
    pub const LEN: usize = size_of::<Self>();
    /// Who has the target address?
    pub const REQUEST: u16 = 1;
    /// The sender has the sender address.
    pub const REPLY: u16 = 2;

    /// A message with the four constants of IPv4 over Ethernet filled in.
    pub fn new(operation: u16, sender: (MacAddr, [u8; 4]), target: (MacAddr, [u8; 4])) -> Self {
        Self {
            hardware_type: U16::new(1),
            protocol_type: U16::new(ethertype::IPV4),
            hardware_len: 6,
            protocol_len: 4,
            operation: U16::new(operation),
            sender_mac: sender.0,
            sender_ip: sender.1,
            target_mac: target.0,
            target_ip: target.1,
        }
    }

    /// Whether it is about IPv4 over Ethernet, so that the other fields are where they seem.
    pub fn is_ipv4_over_ethernet(&self) -> bool {
        self.hardware_type == 1
            && self.protocol_type == ethertype::IPV4
            && self.hardware_len == 6
            && self.protocol_len == 4
    }
}

impl fmt::Display for Arp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (sender, target) = (Ipv4Addr::from(self.sender_ip), Ipv4Addr::from(self.target_ip));
        match self.operation.get() {
            Self::REQUEST => {
                write!(f, "arp who has {target}, tell {sender} at {}", self.sender_mac)
            }
            Self::REPLY => write!(f, "arp {sender} is at {}", self.sender_mac),
            other => write!(f, "arp operation {other} from {sender} about {target}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::view;

    #[test]
    fn reads_and_writes_what_etherparse_does() {
        let built = etherparse::ArpEthIpv4Packet {
            operation: etherparse::ArpOperation::REQUEST,
            sender_mac: [2, 0, 0, 0, 0, 2],
            sender_ipv4: [10, 1, 0, 2],
            target_mac: [0; 6],
            target_ipv4: [10, 1, 0, 1],
        };
        let bytes = built.to_bytes();
        let message: &Arp = view(&bytes, 0).unwrap();
        assert!(message.is_ipv4_over_ethernet());
        assert_eq!(message.to_string(), "arp who has 10.1.0.1, tell 10.1.0.2 at 02:00:00:00:00:02");
        let sender = (MacAddr([2, 0, 0, 0, 0, 2]), [10, 1, 0, 2]);
        let ours = Arp::new(Arp::REQUEST, sender, (MacAddr([0; 6]), [10, 1, 0, 1]));
        assert_eq!(ours.as_bytes(), bytes);
    }

    #[test]
    fn other_hardware_is_not_ours() {
        let mut message =
            Arp::new(Arp::REPLY, (MacAddr([2; 6]), [0; 4]), (MacAddr([2; 6]), [0; 4]));
        assert!(message.is_ipv4_over_ethernet());
        message.hardware_len = 8;
        assert!(!message.is_ipv4_over_ethernet());
    }
}
