//! The command line of a Swak agent.
