//! Room: forward.
