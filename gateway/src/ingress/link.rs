use super::{Frame, ParseError};
use crate::wire::{Ethernet, VlanTag};

/// VLAN tags read; a further one is payload of unknown type.
const MAX_TAGS: u8 = 2;

/// The Ethernet header and its tags; the fields are those of `FrameInfo`.
#[derive(Clone, Copy)]
pub(super) struct Link {
    pub(super) len: usize,
    pub(super) tags: u8,
    pub(super) vlan: u16,
    pub(super) ethertype: u16,
}

/// A tag that is cut short stays unread: its announcement is the type of an unknown payload.
#[inline]
pub(super) fn read(frame: Frame<'_>) -> Result<Link, ParseError> {
    let Some(ethernet) = frame.header::<Ethernet>(0)? else {
        return Err(ParseError::Runt);
    };
    let ethertype = ethernet.ethertype.get();
    let mut link = Link { len: Ethernet::LEN, tags: 0, vlan: 0, ethertype };
    while VlanTag::announced_by(link.ethertype) && link.tags < MAX_TAGS {
        let Some(tag) = frame.header::<VlanTag>(link.len)? else { break };
        link = Link {
            len: link.len + VlanTag::LEN,
            tags: link.tags + 1,
            vlan: if link.tags == 0 { tag.id() } else { link.vlan },
            ethertype: tag.ethertype.get(),
        };
    }
    Ok(link)
}
