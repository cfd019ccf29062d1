//! What must hold when an agent is killed, or gets input that is out of all measure. The agent is a
//! process of its own: this test program, started again.

mod agent;
mod kill;
#[cfg(target_os = "linux")]
mod memory;
