//! The short way through a bridge: of a datagram between two stations that are known only the port is
//! asked for, and nothing is said of why there is none.

use super::Bridge;
use super::fdb::{Fdb, Station};
use crate::ideas;
use crate::packet::{MacAddr, PortId};
use crate::time::Nanos;

/// A bridge as plain datagrams of one of its ports ask it, and what it said last: the next datagram
/// is often from the same station, or to the same.
pub struct PlainBridge<'a> {
    fdb: &'a Fdb,
    /// Where the datagrams came in.
    port: PortId,
    /// Where nothing leaves to: the host is reached another way from each port.
    host: Option<PortId>,
    now: Nanos,
    /// Known to be here.
    sender: Option<Station>,
    receiver: Option<Station>,
    /// Where the receiver is.
    at: Option<PortId>,
}

/// All that the way of a plain datagram through a bridge depends on.
#[derive(Clone, Copy)]
pub struct Between {
    sender: Station,
    receiver: Station,
}

impl Between {
    /// The stations of a frame; `None` if either address is none of a station.
    #[inline]
    pub fn new(src: MacAddr, dst: MacAddr, vlan: u16) -> Option<Self> {
        Some(Self { sender: Station::new(src, vlan)?, receiver: Station::new(dst, vlan)? })
    }
}

impl<'a> PlainBridge<'a> {
    pub(in crate::forward) fn new(bridge: &'a Bridge, port: PortId, now: Nanos) -> Self {
        let (fdb, host) = (&*bridge.fdb, bridge.host());
        Self { fdb, port, host, now, sender: None, receiver: None, at: None }
    }

    /// The one port that such a datagram leaves by: if there is one, `decide` says
    /// [`Decision::Bridge`](crate::packet::Decision::Bridge) with it, and nothing is to be learned
    /// that would change that.
    #[inline]
    pub fn answer(&mut self, between: Between) -> Option<PortId> {
        let Between { sender, receiver } = between;
        if !ideas::MEMO || self.sender != Some(sender) {
            if self.fdb.would_learn(sender, self.port, self.now).is_change() {
                return None;
            }
            self.sender = Some(sender);
        }
        if !ideas::MEMO || self.receiver != Some(receiver) {
            self.receiver = Some(receiver);
            let at = self.fdb.lookup(receiver, self.now);
            self.at = at.filter(|at| *at != self.port && Some(*at) != self.host);
        }
        self.at
    }
}
