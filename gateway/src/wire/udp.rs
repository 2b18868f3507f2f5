use core::fmt;

use zerocopy::big_endian::U16;
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

/// The UDP header (RFC 768).
#[derive(
    Clone, Copy, PartialEq, Eq, Debug, FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned,
)]
#[repr(C)]
pub struct Udp {
    /// Source port.
    pub src_port: U16,
    /// Destination port.
    pub dst_port: U16,
    /// Bytes of header and payload.
    pub len: U16,
    /// Checksum over pseudo header, header and payload; 0 for none.
    pub checksum: U16,
}

impl Udp {
    /// Bytes of the header.
    pub const LEN: usize = size_of::<Self>();
}

impl fmt::Display for Udp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { src_port, dst_port, len, checksum } = self;
        write!(f, "udp {src_port} > {dst_port} length {len} checksum {checksum:#06x}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::view;

    #[test]
    fn reads_what_etherparse_writes() {
        let built = etherparse::UdpHeader {
            source_port: 5004,
            destination_port: 53,
            length: 20,
            checksum: 0xbeef,
        };
        let bytes = built.to_bytes();
        let header: &Udp = view(&bytes, 0).unwrap();
        assert_eq!(header.to_string(), "udp 5004 > 53 length 20 checksum 0xbeef");
    }
}
