//! Room: gro.
