//! Room: sim.
