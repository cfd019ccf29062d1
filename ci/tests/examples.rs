//! The examples in the documentation of every plugin of this repository.

use swak_sdk::Plugins;

fn register(plugins: &mut Plugins) {
    swak_plugin_fluentd::register(plugins);
    swak_plugin_mylog::register(plugins);
    swak_plugin_std::register(plugins);
    swak_plugin_syslog::register(plugins);
}

#[cfg(unix)]
#[test]
fn every_plugin_has_an_example_that_does_what_it_says() {
    assert_eq!(swak_test::examples(register), Vec::<String>::new(), "these have no example");
}
