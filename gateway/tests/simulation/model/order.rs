//! Between which frames order is promised.

use super::read::{Frame, Net, Reach};

/// Order holds among frames of one class, and among a flow's and those of the fragments between its
/// addresses; always of one ingress port.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub(crate) enum Class {
    /// Link header without priorities, addresses, UDP ports.
    Flow { ingress: usize, link: Vec<u8>, pair: Vec<u8>, ports: Vec<u8> },
    /// Of UDP between these addresses.
    Fragment { ingress: usize, pair: Vec<u8> },
    /// Anything else that has addresses.
    Plain { ingress: usize, key: Vec<u8> },
    /// Only that it leaves.
    Loose,
    /// The gateway's own.
    Own,
}

impl Class {
    pub(super) fn of(ingress: usize, frame: &Frame<'_>) -> Self {
        let mut link = [frame.dst, frame.src].concat();
        for (kind, contents) in &frame.tags {
            link.extend(kind.to_be_bytes());
            link.extend((contents & 0x0fff).to_be_bytes());
        }
        link.extend(frame.ethertype.to_be_bytes());
        let (protocol, pair, l4, end, is_fragment) = match &frame.net {
            Net::V4(ip) => {
                let pair = [ip.src.octets(), ip.dst.octets()].concat();
                let l4 = frame.l3 + ip.header_len;
                let is_fragment = ip.more || ip.offset > 0;
                (ip.protocol, pair, l4, frame.l3 + ip.ip_len, is_fragment)
            }
            Net::V6(ip) => {
                let pair = [ip.src.octets(), ip.dst.octets()].concat();
                (ip.upper, pair, ip.l4, frame.l3 + ip.ip_len, ip.reach != Reach::Whole)
            }
            Net::BadIp => return Self::Loose,
            _ => return Self::Plain { ingress, key: link },
        };
        match protocol {
            17 if is_fragment || end < l4 + 8 => Self::Fragment { ingress, pair },
            17 => Self::Flow { ingress, link, pair, ports: frame.bytes[l4..l4 + 4].to_vec() },
            _ => Self::Plain { ingress, key: [link, pair, vec![protocol]].concat() },
        }
    }

    /// The fragments that keep their place among this flow's datagrams.
    pub(crate) fn fragments(&self) -> Option<Self> {
        match self {
            Self::Flow { ingress, pair, .. } => {
                Some(Self::Fragment { ingress: *ingress, pair: pair.clone() })
            }
            _ => None,
        }
    }
}
