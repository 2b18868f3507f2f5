//! Room: forward.

pub mod answer;
pub mod rate;
