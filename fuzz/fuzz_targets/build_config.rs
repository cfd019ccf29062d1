#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| swak_makebuild::fuzz::build_config(data));
