//! Test harness for Swak plugins: run one plugin, conformance, faults.
