//! The gateway's own numbers, as `gateway show` tells them.

use serde::Serialize;

use crate::control::{
    DropsReport, FanoutReport, GroReport, Observe, PoolReport, PortReport, WorkerReport,
};
use crate::packet::DropReason;

/// What the gateway says of itself.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Numbers {
    /// In port order.
    pub ports: Vec<PortReport>,
    /// In port order.
    pub gro: Vec<GroReport>,
    /// Replication.
    pub fanout: FanoutReport,
    /// Drops.
    pub drops: DropsReport,
    /// By worker.
    pub workers: Vec<WorkerReport>,
    /// Packet pools.
    pub pools: Vec<PoolReport>,
}

impl Numbers {
    /// Of a gateway in this process.
    pub fn observe(gateway: &dyn Observe) -> Self {
        Self {
            ports: gateway.ports(),
            gro: gateway.gro(),
            fanout: gateway.fanout(),
            drops: gateway.drops(),
            workers: gateway.workers(),
            pools: gateway.pools(),
        }
    }

    /// Drops that are not the hosts' own: a kernel that joins a group reports it by IGMP and MLD
    /// to link-local groups, which end at a router.
    pub fn unexpected_drops(&self) -> impl Iterator<Item = (&str, u64)> {
        self.drops
            .by_reason
            .iter()
            .map(|(reason, &count)| (reason.as_str(), count))
            .filter(|&(reason, count)| count > 0 && reason != DropReason::LinkLocal.name())
    }

    /// What is not as it must be, one sentence each.
    pub fn faults(&self) -> Vec<String> {
        let drops = self
            .unexpected_drops()
            .map(|(reason, count)| format!("the gateway dropped {count} for {reason}"));
        let laws = self.workers.iter().filter(|worker| worker.imbalance != 0).map(|worker| {
            format!("worker on lcore {}: conservation is off by {}", worker.lcore, worker.imbalance)
        });
        let missed = self.ports.iter().filter(|port| port.imissed + port.rx_nombuf > 0).map(|p| {
            format!(
                "{}: the device missed {}, had no buffer {} times",
                p.name, p.imissed, p.rx_nombuf
            )
        });
        drops.chain(laws).chain(missed).collect()
    }
}
