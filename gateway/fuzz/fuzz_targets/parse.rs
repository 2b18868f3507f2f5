#![no_main]
//! See `targets::parse`.

libfuzzer_sys::fuzz_target!(|data: &[u8]| targets::parse::run(data));
