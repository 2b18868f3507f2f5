//! The merge form on the path: a train becomes one packet with one header, is decided on, and is
//! split again for egress, since no port here takes super-packets.

use super::path::Path;
use crate::device::Backend;
use crate::gro::{Saving, merge};
use crate::gso::resegment;
use crate::ingress::udp_checksum_is_valid;
use crate::packet::{DropReason, Merged, PacketBuf, SuperPacket};
use crate::time::Nanos;

impl<K: Backend> Path<K> {
    /// A train that has to stay a list (a checksum nobody could restore) goes on as one.
    pub(super) fn accept_merging(&mut self, packet: SuperPacket<'_, K::Buf>, now: Nanos) -> Saving {
        let waited = packet.waited();
        match merge(packet, |info, segment| udp_checksum_is_valid(info, segment.pieces())) {
            Ok(merged) => self.forward_merged(merged, waited, now),
            Err(list) => self.forward(list, now),
        }
    }

    /// One decision by the one header, then the datagrams it was made from.
    pub(super) fn forward_merged(
        &mut self,
        merged: Merged<K::Buf>,
        waited: Nanos,
        now: Nanos,
    ) -> Saving {
        let (info, segments) = (*merged.info(), merged.geometry().segments);
        self.counters.decided += u64::from(segments);
        let decision = self.forwarder.decide(&info, merged.packet().head(), now);
        let mut saving = Saving::of(&decision, merged.packet().head());
        let mut split = std::mem::take(&mut self.split);
        match resegment(merged, &self.pool, &mut split) {
            Ok(lost) => self.counters.drop(info.port, DropReason::NoBuffer, lost as u64),
            Err(_) => {
                self.counters.drop(info.port, DropReason::BadSuperPacket, segments.into());
            }
        }
        if let Some(list) = SuperPacket::from_segments(info, &mut split) {
            let list = list.after(waited);
            match self.forwarder.filters() {
                Some(_) => saving = self.forward_filtered(list, now),
                None => self.carry_out(decision, list, now),
            }
        }
        self.split = split;
        saving
    }
}

#[cfg(test)]
mod tests {
    use crate::config;
    use crate::packet::{
        BufPool, DropReason, Geometry, IdStep, MacAddr, Merged, PacketBuf, PortId,
    };
    use crate::runtime::{Assembly, PortQueues, assemble};
    use crate::sim::{HeapPool, Sim, SimPort};
    use crate::time::Nanos;
    use crate::worker::{Path, Worker};

    const FILE: &str = "[[port]]\nname = \"a\"\ndevice = \"net_null0\"\n\
                        [[port]]\nname = \"b\"\ndevice = \"net_null1\"\n\
                        [[bridge]]\nname = \"br0\"\nports = [\"a\", \"b\"]\n";

    fn udp(payload: usize) -> Vec<u8> {
        let mut frame = Vec::new();
        etherparse::PacketBuilder::ethernet2([2; 6], [4; 6])
            .ipv4([10, 0, 0, 1], [10, 0, 0, 2], 64)
            .udp(1, 2)
            .write(&mut frame, &vec![7; payload])
            .unwrap();
        frame
    }

    /// Two bridged ports, and what is out of their pool.
    fn gateway(pool: &HeapPool) -> (Assembly<Sim>, SimPort) {
        let ports = [SimPort::new(), SimPort::new()];
        let queues = ports.iter().map(|port| {
            let (rx, tx) = (port.rx_queue(pool.clone()), port.tx_queue(1));
            PortQueues::new(MacAddr([2, 0, 0, 0, 0, 1]), vec![rx], vec![tx])
        });
        let config = config::parse("test.toml", FILE).unwrap();
        let assembly = assemble::<Sim>(&config, queues.collect(), pool, 1);
        let [_, out] = ports;
        (assembly, out)
    }

    /// What a peer asks for: 300 bytes of payload behind one header, to be split like this. Returns
    /// how many datagrams were refused.
    fn ask(worker: &mut Worker<Sim>, pool: &HeapPool, gso_size: u16, segments: u16) -> u64 {
        let path = &mut worker.path;
        let packet = pool.alloc_from(&udp(300)).unwrap();
        let (len, checksum) = (packet.frame_len(), packet.rx_checksum());
        let info = crate::ingress::parse(PortId(0), packet.head(), len, checksum).unwrap();
        let id_step = IdStep::Constant;
        let geometry = Geometry { gso_size, segments, id_step, udp_checksum: true };
        let refused =
            |path: &Path<Sim>| path.counters.ports[0].drops[DropReason::BadSuperPacket.index()];
        let before = refused(path);
        path.forward_merged(Merged::new(packet, info, geometry), Nanos(0), Nanos(0));
        refused(path) - before
    }

    /// Semantics 7.9 and 7.13: segment size 0 and other impossible geometries reach the splitter.
    #[test]
    fn s07_09_an_impossible_geometry_is_a_counted_drop() {
        let pool = HeapPool::new(256, 2048);
        let (mut assembly, out) = gateway(&pool);
        for (gso_size, segments) in [(0, 3), (0xffff, 3), (100, 129), (100, 2), (100, 0)] {
            let refused = ask(&mut assembly.workers[0], &pool, gso_size, segments);
            assert_eq!(refused, u64::from(segments), "{gso_size} {segments}");
        }
        assembly.workers[0].drain_once();
        assert!(out.take_sent().is_empty());
        assert!(pool.is_full());
    }

    #[test]
    fn s07_13_a_valid_request_of_a_peer_is_split() {
        let pool = HeapPool::new(256, 2048);
        for (gso_size, segments, last) in [(100, 3, 100), (299, 2, 1), (300, 1, 300), (3, 100, 3)] {
            let (mut assembly, out) = gateway(&pool);
            assert_eq!(ask(&mut assembly.workers[0], &pool, gso_size, segments), 0);
            assembly.workers[0].drain_once();
            let sent = out.take_sent();
            let full = udp(gso_size.into());
            assert_eq!(sent.len(), usize::from(segments));
            assert!(sent[..sent.len() - 1].iter().all(|frame| *frame == full), "{gso_size}");
            assert_eq!(sent.last(), Some(&udp(last)));
        }
        assert!(pool.is_full());
    }
}
