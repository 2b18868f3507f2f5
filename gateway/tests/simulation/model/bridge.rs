//! 802.1D: learn, age, move, flood; groups to their members; frames leave as they came.

use core::net::IpAddr;
use std::collections::HashMap;

use gateway::packet::DropReason;

use super::fate::Fate;
use super::read::{Frame, Net};
use crate::world::{Mac, World};

/// Who was heard where, and when.
pub(crate) struct Stations {
    ageing: u64,
    known: HashMap<(Mac, u16), (usize, u64)>,
}

impl Stations {
    pub(super) fn new(ageing_s: u64) -> Self {
        Self { ageing: ageing_s * 1_000_000_000, known: HashMap::new() }
    }

    /// Whether that changes where anything goes.
    pub(super) fn learn(&mut self, frame: &Frame<'_>, port: usize, now: u64) -> bool {
        if !is_station(frame.src) {
            return false;
        }
        let station = (frame.src, frame.vlan());
        let before = self.lookup(station, now);
        self.known.insert(station, (port, now));
        before != Some(port)
    }

    pub(super) fn forget(&mut self, port: usize) {
        self.known.retain(|_, (at, _)| *at != port);
    }

    fn lookup(&self, station: (Mac, u16), now: u64) -> Option<usize> {
        let &(port, heard) = self.known.get(&station)?;
        (now - heard <= self.ageing).then_some(port)
    }
}

pub(super) fn decide(
    world: &World,
    bridge: usize,
    stations: &Stations,
    ingress: usize,
    frame: &Frame<'_>,
    now: u64,
) -> Fate {
    if let [1, 0x80, 0xc2, 0, 0, last] = frame.dst {
        if last < 0x10 {
            return Fate::dropped(DropReason::LinkReserved);
        }
    }
    if !is_station(frame.src) {
        return Fate::dropped(DropReason::BadSourceMac);
    }
    let all = world.members(bridge);
    let ports = if frame.is_to_group() {
        members(world, bridge, frame).unwrap_or(all)
    } else {
        match stations.lookup((frame.dst, frame.vlan()), now) {
            Some(port) if port == ingress => return Fate::dropped(DropReason::SamePort),
            Some(port) => vec![port],
            None => all,
        }
    };
    let ports: Vec<_> = ports.into_iter().filter(|&port| port != ingress).collect();
    if ports.is_empty() {
        return Fate::dropped(DropReason::NoEgress);
    }
    let mut fate = Fate::default();
    for port in ports {
        if frame.bytes.len() - frame.l3 > usize::from(world.ports[port].mtu) {
            fate.drops.push(DropReason::TooBig);
        } else {
            fate.leaves.push((port, frame.bytes.to_vec()));
        }
    }
    fate
}

/// `None`: to all.
fn members(world: &World, bridge: usize, frame: &Frame<'_>) -> Option<Vec<usize>> {
    if !world.snooping || frame.dst == [0xff; 6] {
        return None;
    }
    let group: IpAddr = match &frame.net {
        // IGMP, and what never leaves its link, is for everybody
        Net::V4(ip) if !ip.checksum_is_right || ip.protocol == 2 => return None,
        Net::V4(ip) => ip.dst.into(),
        Net::V6(ip) => {
            let kind = frame.bytes.get(ip.l4..ip.l4 + 8).map(|message| message[0]);
            if ip.upper == 58 && matches!(kind, Some(130..=132 | 143)) {
                return None;
            }
            ip.dst.into()
        }
        _ => return None,
    };
    let listed = world.groups.iter().find(|g| (g.bridge, g.group) == (bridge, group))?;
    Some(listed.ports.clone())
}

fn is_station(mac: Mac) -> bool {
    mac[0] & 1 == 0 && mac != [0; 6]
}
