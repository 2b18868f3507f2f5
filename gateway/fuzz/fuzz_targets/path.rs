#![no_main]
//! See `targets::path`.

libfuzzer_sys::fuzz_target!(|data: &[u8]| targets::path::run(data));
