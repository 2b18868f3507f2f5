#![no_main]
//! See `targets::membership`.

libfuzzer_sys::fuzz_target!(|data: &[u8]| targets::membership::run(data));
