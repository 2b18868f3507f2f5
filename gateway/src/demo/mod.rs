//! Room: demo. `gateway demo` shows the gateway at work on real traffic: kernel hosts in network
//! namespaces (or, without root, hosts in memory), every datagram checked at every receiver.
//!
//! *Invariant:* whatever it makes is gone when it ends, also when it is killed; it ends in bounded
//! time; it succeeds only if every datagram arrived intact.
#![allow(clippy::disallowed_methods)] // hosts around the gateway, not its path

pub mod exchange;
pub mod frame;
pub mod gateway;
pub mod host;
pub mod mdns;
pub mod namespace;
pub mod plan;
pub mod tap;
pub mod topology;
pub mod traffic;
