//! What the tests of this folder share.

use std::net::{TcpListener, TcpStream, UdpSocket};
use std::sync::atomic::{AtomicU32, Ordering};

/// A port that nobody uses, for TCP and UDP.
///
/// Not one that the system picks: it gives such a port to somebody else as soon as it is free again,
/// and tests run side by side. These are below the ports that systems pick, and differ for each
/// process and call.
pub(crate) fn free_port() -> u16 {
    static CALLS: AtomicU32 = AtomicU32::new(0);
    loop {
        let call = CALLS.fetch_add(1, Ordering::Relaxed);
        let port =
            10_000 + (std::process::id().wrapping_mul(16).wrapping_add(call) % 20_000) as u16;
        let address = ("127.0.0.1", port);
        if TcpListener::bind(address).is_ok() && UdpSocket::bind(address).is_ok() {
            return port;
        }
    }
}

/// Waits until it is done.
pub(crate) fn until(mut done: impl FnMut() -> bool) {
    for _ in 0..6000 {
        if done() {
            return;
        }
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    panic!("it did not come about within a minute");
}

/// A connection, as soon as somebody listens.
#[allow(dead_code, reason = "not every file of tests connects")]
pub(crate) fn connect(port: u16) -> TcpStream {
    let mut stream = None;
    until(|| {
        stream = TcpStream::connect(("127.0.0.1", port)).ok();
        stream.is_some()
    });
    stream.expect("it is connected")
}
