#![no_main]
//! See `targets::resegment`.

libfuzzer_sys::fuzz_target!(|data: &[u8]| targets::resegment::run(data));
