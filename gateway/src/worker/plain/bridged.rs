use super::Way;
use crate::forward::{Between, PlainBridge};
use crate::ingress::plain_in_vlan;
use crate::packet::PortId;
use crate::wire::{Ethernet, view};

/// Through a bridge: to the port that a station is on.
pub(super) struct Bridged<'a> {
    bridge: PlainBridge<'a>,
    mtu: usize,
}

impl<'a> Bridged<'a> {
    /// For IP packets of up to `mtu` bytes.
    pub(super) fn new(bridge: PlainBridge<'a>, mtu: usize) -> Self {
        Self { bridge, mtu }
    }
}

impl Way for Bridged<'_> {
    type Question<'p> = Between;
    type Hop = PortId;

    #[inline]
    fn question(&self, frame: &[u8]) -> Option<Between> {
        let Ethernet { dst, src, .. } = *view(frame, 0)?;
        let (vlan, l2_len) = plain_in_vlan(frame)?;
        if frame.len() > l2_len + self.mtu {
            return None;
        }
        Between::new(src, dst, vlan)
    }

    #[inline]
    fn answer(&mut self, between: Between) -> Option<PortId> {
        self.bridge.answer(between)
    }

    #[inline]
    fn is_same(one: PortId, other: PortId) -> bool {
        one == other
    }

    #[inline]
    fn port(port: PortId) -> PortId {
        port
    }

    #[inline]
    fn rewrite(_: &mut [u8], _: PortId) {}
}
