//! The servers that stand-ins hand their records to.

use std::io::{self, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

use super::mark::Scanner;
use super::tally::Tally;

/// Listens on loopback, notes what comes for a sink, and answers each frame. Gives the address. It
/// ends with the process.
///
/// # Errors
/// There is no port.
pub(super) fn listen(sink: usize, tally: &Arc<Mutex<Tally>>) -> io::Result<String> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = listener.local_addr()?.to_string();
    let tally = Arc::clone(tally);
    thread::spawn(move || {
        for connection in listener.incoming().flatten() {
            let tally = Arc::clone(&tally);
            // A peer that goes away ends its thread; there is nobody to tell.
            thread::spawn(move || serve(connection, sink, &tally));
        }
    });
    Ok(address)
}

/// What comes is a frame of a stand-in, see `stand_in`. Larger ones are garbage.
const LARGEST: usize = 1 << 28;

fn serve(mut connection: TcpStream, sink: usize, tally: &Mutex<Tally>) -> io::Result<()> {
    connection.set_nodelay(true)?;
    let mut frame = Vec::new();
    loop {
        let mut length = [0; 4];
        connection.read_exact(&mut length)?;
        let length = u32::from_be_bytes(length) as usize;
        if !(8..=LARGEST).contains(&length) {
            return Err(io::ErrorKind::InvalidData.into());
        }
        frame.resize(length, 0);
        connection.read_exact(&mut frame)?;
        let (number, records) = frame.split_at(8);
        let mut scanner = Scanner::default();
        {
            let mut tally = tally.lock().expect("no panic while the tally is locked");
            // The line end completes the last mark.
            scanner.feed(records, |mark| tally.arrive(sink, mark));
            tally.torn += scanner.torn();
        }
        connection.write_all(number)?;
    }
}
