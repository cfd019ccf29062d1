//! Ports for servers that a test starts.

use std::net::{Ipv4Addr, TcpListener, UdpSocket};

/// A port of 127.0.0.1 that nobody uses, neither for TCP nor for UDP.
///
/// It is not held: another process can take it before the server of the test does. Let a server choose
/// its port itself where it can say which one it took.
///
/// # Panics
/// If there is none.
pub fn free_port() -> u16 {
    let free = |_| {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).ok()?;
        let port = listener.local_addr().ok()?.port();
        UdpSocket::bind((Ipv4Addr::LOCALHOST, port)).ok().map(|_| port)
    };
    (0..100).find_map(free).expect("the loopback interface has a free port")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_free_port_can_be_bound_both_ways() {
        let port = free_port();
        TcpListener::bind((Ipv4Addr::LOCALHOST, port)).unwrap();
        UdpSocket::bind((Ipv4Addr::LOCALHOST, port)).unwrap();
    }
}
