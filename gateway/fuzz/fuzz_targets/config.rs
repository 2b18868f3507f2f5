#![no_main]
//! See `targets::config`.

libfuzzer_sys::fuzz_target!(|data: &[u8]| targets::config::run(data));
