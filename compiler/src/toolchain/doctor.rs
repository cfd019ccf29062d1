//! Looking at everything that targets need.
