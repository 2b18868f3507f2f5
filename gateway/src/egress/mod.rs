//! Room: egress.
