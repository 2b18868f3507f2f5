//! Room: ingress.
