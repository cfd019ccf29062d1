//! Derive macros of swak-sdk: typed plugin options from a struct.
