//! Swak plugins: mylog.
