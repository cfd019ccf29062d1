//! Swak plugins: std.
