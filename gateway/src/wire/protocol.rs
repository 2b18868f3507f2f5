//! IP protocol numbers (IANA *Assigned Internet Protocol Numbers*), the ones the gateway names.

/// IPv6 hop-by-hop options (RFC 8200 4.3).
pub const HOP_BY_HOP: u8 = 0;
/// ICMP (RFC 792).
pub const ICMPV4: u8 = 1;
/// IGMP (RFC 3376).
pub const IGMP: u8 = 2;
/// TCP (RFC 9293).
pub const TCP: u8 = 6;
/// UDP (RFC 768).
pub const UDP: u8 = 17;
/// IPv6 routing header (RFC 8200 4.4).
pub const ROUTING: u8 = 43;
/// IPv6 fragment header (RFC 8200 4.5).
pub const FRAGMENT: u8 = 44;
/// Authentication header (RFC 4302).
pub const AH: u8 = 51;
/// ICMPv6 (RFC 4443).
pub const ICMPV6: u8 = 58;
/// Nothing follows (RFC 8200 4.7).
pub const NO_NEXT_HEADER: u8 = 59;
/// IPv6 destination options (RFC 8200 4.6).
pub const DESTINATION_OPTIONS: u8 = 60;
/// EIGRP (RFC 7868).
pub const EIGRP: u8 = 88;
/// OSPF (RFC 2328, RFC 5340).
pub const OSPF: u8 = 89;
/// PIM (RFC 7761).
pub const PIM: u8 = 103;
/// VRRP (RFC 9568).
pub const VRRP: u8 = 112;
/// Mobility header (RFC 6275).
pub const MOBILITY: u8 = 135;
/// Host identity protocol (RFC 7401).
pub const HIP: u8 = 139;
/// Shim6 (RFC 5533).
pub const SHIM6: u8 = 140;
