//! The law of coalescing, from outside: random bursts against a declarative model, and the failures
//! the field has had (semantics 7), by name.
#![cfg(feature = "sim")]

mod bench;
#[path = "../support/datagram.rs"]
mod datagram;
mod model;
mod properties;
mod scenarios;
mod trains;
