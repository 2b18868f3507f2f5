//! `struct virtio_net_hdr` (virtio 1.2 section 5.1.6, linux/virtio_net.h) in host byte order, as a
//! TAP speaks it.

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

/// In front of every frame on a TAP with `IFF_VNET_HDR`.
#[derive(
    Clone, Copy, PartialEq, Eq, Debug, Default, FromBytes, IntoBytes, Immutable, KnownLayout,
)]
#[repr(C)]
pub(super) struct VnetHeader {
    pub(super) flags: u8,
    pub(super) gso_type: u8,
    pub(super) header_len: u16,
    pub(super) gso_size: u16,
    pub(super) checksum_start: u16,
    pub(super) checksum_offset: u16,
}

impl VnetHeader {
    pub(super) const LEN: usize = size_of::<Self>();
    /// The checksum field holds the pseudo header's sum only.
    pub(super) const NEEDS_CHECKSUM: u8 = 1;
    pub(super) const GSO_NONE: u8 = 0;
    /// Datagrams of one size.
    pub(super) const GSO_UDP_L4: u8 = 5;

    /// Reads the header; the frame is what follows.
    pub(super) fn split(bytes: &[u8]) -> Option<(Self, &[u8])> {
        Self::read_from_prefix(bytes).ok()
    }
}
