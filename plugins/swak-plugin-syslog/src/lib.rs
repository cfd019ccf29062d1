//! Swak plugins: syslog.
