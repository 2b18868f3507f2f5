//! The worker over simulated ports: every room of the path together, no DPDK.
#![allow(unreachable_pub)]

mod bridge;
mod capture;
mod census;
#[path = "../support/datagram.rs"]
mod datagram;
mod drops;
mod filters;
mod frames;
mod hang;
mod harness;
mod isolation;
mod latency;
#[path = "../support/membership.rs"]
mod membership;
mod multicast;
mod reload;
mod router;
mod shadow;
mod snooping;
mod storm;
mod s07;
mod too_big;
mod transparency;
mod two_workers;
mod watched;
