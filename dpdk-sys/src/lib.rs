//! Raw bindings to DPDK 22.11 and newer: what bindgen makes of an allow-listed header, and a C shim
//! for static inlines in burst size, thread-locals and bit-fields.
//!
//! *Invariant:* no logic and no safe API. Members of `struct rte_mbuf` are reached by the `MBUF_*`
//! offsets the header at hand emits, never by field paths, which differ between releases.
#![allow(unsafe_code)]

/// Generated: house style does not apply.
mod bindings {
    #![allow(missing_docs, unreachable_pub, rust_2018_idioms)]
    #![allow(non_camel_case_types, non_snake_case, non_upper_case_globals)]
    #![allow(clippy::all, clippy::pedantic, clippy::missing_safety_doc)]
    #![allow(clippy::undocumented_unsafe_blocks, clippy::multiple_unsafe_ops_per_block)]

    include!(concat!(env!("OUT_DIR"), "/bindings.rs"));
}

pub use bindings::*;

#[cfg(test)]
mod tests;
