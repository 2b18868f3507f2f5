//! Room: fanout.
