#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| swak_buffer::fuzz::frames(data));
