#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| swak_sdk::fuzz::expressions(data));
