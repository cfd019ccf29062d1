#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| swak_plugin_std::transforms::fuzz::captures(data));
