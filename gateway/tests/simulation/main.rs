//! The gateway against a model that shares none of its code: whole workers on a virtual clock, over
//! random worlds, traffic, faults and table changes. What must leave each port, in which order, and
//! which drop is owed, is decided frame by frame from the semantics; the gateway must do just that.
//!
//! `plan` says what happens, `run` makes it happen, `model` says what is owed, `check` compares.
#![cfg(feature = "sim")]

mod check;
mod exhaustion;
mod model;
mod packet;
mod plan;
mod planted;
mod properties;
mod restarts;
mod run;
mod soak;
mod world;
