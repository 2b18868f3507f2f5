//! What unicast tables are made of.

use std::sync::Arc;

use ipnet::IpNet;

use crate::config::{Config, KernelRoutes, Neighbor, Route};
use crate::packet::MacAddr;

/// Equal: so are the tables.
#[derive(PartialEq, Eq)]
pub(super) struct Origin {
    seed: u64,
    macs: Vec<MacAddr>,
    /// By port.
    addresses: Vec<Vec<IpNet>>,
    neighbors: Vec<Neighbor>,
    routes: Vec<Route>,
    /// One allocation as long as the kernel tells of no other route: compared by its address first.
    kernel: Arc<KernelRoutes>,
}

impl Origin {
    pub(super) fn of(config: &Config, macs: &[MacAddr], seed: u64) -> Self {
        Self {
            seed,
            macs: macs.to_vec(),
            addresses: config.ports.iter().map(|port| port.addresses.clone()).collect(),
            neighbors: config.neighbors.clone(),
            routes: config.routes.clone(),
            kernel: Arc::clone(&config.kernel_routes),
        }
    }
}
