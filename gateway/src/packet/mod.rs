//! What packets are made of: the ownership traits every buffer obeys, and the small values that
//! travel with a packet from room to room.
//!
//! *Invariant:* only a [`PacketBuf`] gives `&mut` to bytes, and only to a head piece that it alone
//! owns. Nothing here knows DPDK; the rooms of the path meet in these types only.

mod addr;
mod buf;
mod decision;
mod drop;
mod info;
mod merged;
mod ports;
mod punt;
mod super_packet;
mod trail;

pub use addr::MacAddr;
pub use buf::{BufPool, PacketBuf, RxChecksum, SharedBuf, TxBuf, read_pieces};
pub use decision::{Answer, Decision, Listener, ListenerSet, NextHop, WatchId};
pub use drop::DropReason;
pub use info::{Coalesce, FrameInfo, Malformed, Network};
pub use merged::{Geometry, IdStep, MAX_SEGMENTS, Merged};
pub use ports::{MAX_PORTS, PortId, PortMask};
pub use punt::PuntClass;
pub use super_packet::SuperPacket;
pub use trail::{Last, Missing, Trail};
