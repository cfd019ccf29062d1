#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| swak_plugin_syslog::fuzz::framing(data));
