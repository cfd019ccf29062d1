#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| swak_plugin_std::inputs::file_tailing::fuzz::gzip(data));
