//! Turns a build config into a Swak agent.
