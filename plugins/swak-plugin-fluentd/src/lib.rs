//! Swak plugins: fluentd.
