//! The DPDK end on real mbufs and virtual devices.
#![cfg(feature = "dpdk")]

#[path = "../support/eal.rs"]
mod eal;
mod ports;
