//! Room: dpdk.
