//! Splitting, from outside: what GRO merged comes back to the byte, whatever happened to the pieces
//! in between; impossible requests are refused; IPv4 fragments are reassembled by another's code.
#![cfg(feature = "sim")]

#[path = "../support/datagram.rs"]
mod datagram;
mod fragments;
mod requests;
mod round_trip;
mod scenarios;
mod setup;
