//! Room: counters.
