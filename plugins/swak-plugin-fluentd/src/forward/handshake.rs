//! The messages that come before all others where a shared key is asked for.
//!
//! ```text
//! server ─▶ client  ["HELO", {"nonce": n, "auth": a, "keepalive": bool}]
//! client ─▶ server  ["PING", client, salt, H(salt client n key), user, H(a user password)]
//! server ─▶ client  ["PONG", ok, reason, server, H(salt server n key)]
//! ```
//!
//! H is SHA-512 of these strings one after the other, in hexadecimal. So neither side tells the other
//! its key, and each learns that the other has it. `a` is empty when no user is asked for. The two
//! host names must differ: else the server's answer would be what the client has just sent, and
//! anybody could give it.

use swak_sdk::data::{Slice, Value};
use swak_sdk::options::Secret;
use swak_sdk::{Result, ensure};

use crate::msgpack::{Malformed, Reader, Writer};

/// What the server begins with.
#[derive(Debug, PartialEq)]
pub(crate) struct Helo {
    pub(crate) nonce: Vec<u8>,
    /// Empty: no user is asked for.
    pub(crate) auth: Vec<u8>,
    /// Whether the connection may be kept for more than one chunk.
    pub(crate) keepalive: bool,
}

/// What the client answers.
#[derive(Debug, PartialEq)]
pub(crate) struct Ping {
    pub(crate) host: Slice,
    pub(crate) salt: Slice,
    pub(crate) key_digest: Slice,
    pub(crate) user: Slice,
    pub(crate) password_digest: Slice,
}

/// What the server says to that.
#[derive(Debug, PartialEq)]
pub(crate) struct Pong {
    /// `Err` is the reason why it is the end.
    pub(crate) accepted: Result<(), String>,
    pub(crate) host: Slice,
    pub(crate) key_digest: Slice,
}

/// SHA-512 of these parts one after the other, in hexadecimal.
pub(crate) fn digest(parts: &[&[u8]]) -> String {
    use sha2::Digest as _;
    use std::fmt::Write as _;
    let mut hash = sha2::Sha512::new();
    for part in parts {
        hash.update(part);
    }
    let mut hex = String::with_capacity(128);
    for byte in hash.finalize() {
        write!(hex, "{byte:02x}").expect("writing to a string does not fail");
    }
    hex
}

/// Whether two digests are the same, in a time that does not tell how much of them is.
pub(crate) fn same(a: &[u8], b: &[u8]) -> bool {
    a.len() == b.len() && std::iter::zip(a, b).fold(0, |differ, (a, b)| differ | (a ^ b)) == 0
}

/// Says no to a key that everybody has: that of a variable which somebody forgot to set.
pub(crate) fn check_shared_key(key: Option<&Secret>) -> Result<()> {
    ensure!(
        key.is_none_or(|key| !key.reveal().is_empty()),
        "`shared_key` is empty; left out, there is none"
    );
    Ok(())
}

/// Whether a value is the beginning of a handshake.
pub(crate) fn is_helo(message: &Slice) -> bool {
    begin(message, "HELO").is_ok()
}

impl Helo {
    pub(crate) fn write(&self, out: &mut Vec<u8>) {
        let mut writer = Writer(out);
        writer.array(2);
        writer.str("HELO");
        writer.begin_map(3);
        writer.str("nonce");
        writer.bin(&self.nonce);
        writer.str("auth");
        writer.bin(&self.auth);
        writer.str("keepalive");
        writer.bool(self.keepalive);
    }

    pub(crate) fn read(message: &Slice) -> Result<Self, Malformed> {
        let (mut reader, items) = begin(message, "HELO")?;
        let options = if items < 2 { Default::default() } else { reader.map()? };
        let bytes = |name| {
            options.get(name).and_then(Value::as_bytes).map(<[u8]>::to_vec).unwrap_or_default()
        };
        let keepalive = !matches!(options.get("keepalive"), Some(Value::Bool(false)));
        Ok(Helo { nonce: bytes("nonce"), auth: bytes("auth"), keepalive })
    }
}

impl Ping {
    pub(crate) fn write(&self, out: &mut Vec<u8>) {
        let mut writer = Writer(out);
        writer.array(6);
        writer.str("PING");
        for text in [&self.host, &self.salt, &self.key_digest, &self.user, &self.password_digest] {
            writer.text_or_bytes(text);
        }
    }

    pub(crate) fn read(message: &Slice) -> Result<Self, Malformed> {
        let (mut reader, items) = begin(message, "PING")?;
        if items != 6 {
            return Err(Malformed { expected: "a PING of six items" });
        }
        Ok(Ping {
            host: reader.bytes()?,
            salt: reader.bytes()?,
            key_digest: reader.bytes()?,
            user: reader.bytes()?,
            password_digest: reader.bytes()?,
        })
    }
}

impl Pong {
    pub(crate) fn write(&self, out: &mut Vec<u8>) {
        let mut writer = Writer(out);
        writer.array(5);
        writer.str("PONG");
        writer.bool(self.accepted.is_ok());
        writer.str(self.accepted.as_ref().err().map_or("", String::as_str));
        writer.text_or_bytes(&self.host);
        writer.text_or_bytes(&self.key_digest);
    }

    pub(crate) fn read(message: &Slice) -> Result<Self, Malformed> {
        let (mut reader, items) = begin(message, "PONG")?;
        if items != 5 {
            return Err(Malformed { expected: "a PONG of five items" });
        }
        let accepted = reader.bool()?;
        let reason: String =
            String::from_utf8_lossy(&reader.bytes()?).chars().take(MAX_REASON).collect();
        Ok(Pong {
            accepted: if accepted { Ok(()) } else { Err(reason) },
            host: reader.bytes()?,
            key_digest: reader.bytes()?,
        })
    }
}

/// How much of a receiver's reason is told.
const MAX_REASON: usize = 200;

fn begin<'a>(message: &'a Slice, word: &str) -> Result<(Reader<'a>, u32), Malformed> {
    let malformed = Malformed { expected: "a message of the handshake" };
    let mut reader = Reader::new(message);
    let items = reader.array().map_err(|_| malformed)?;
    let said = reader.bytes().map_err(|_| malformed)?;
    if said[..] == *word.as_bytes() { Ok((reader, items)) } else { Err(malformed) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn no_message_makes_it_panic(bytes in any::<Vec<u8>>(), head in 0..4usize) {
            let heads: [&[u8]; 4] =
                [b"", b"\x92\xa4HELO", b"\x96\xa4PING\xa1c", b"\x95\xa4PONG\xc2"];
            let message = Slice::from([heads[head], &bytes].concat());
            let read = [
                Helo::read(&message).is_ok(),
                Ping::read(&message).is_ok(),
                Pong::read(&message).is_ok(),
            ];
            prop_assert!(read.into_iter().filter(|read| *read).count() <= 1);
        }
    }

    #[test]
    fn a_digest_is_that_of_the_standard() {
        // FIPS 180-4, the example of one block.
        let expected = "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a\
                        2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f";
        assert_eq!(digest(&[b"a", b"", b"bc"]), expected);
        assert!(same(b"ab", b"ab"));
        assert!(!same(b"ab", b"ac") && !same(b"ab", b"a") && !same(b"", b"a"));
    }

    #[test]
    fn what_is_written_is_what_is_read() {
        let helo = Helo { nonce: vec![0, 255, 1], auth: b"salt".to_vec(), keepalive: false };
        let ping = Ping {
            host: b"client"[..].into(),
            salt: b"s\xff"[..].into(),
            key_digest: b"d"[..].into(),
            user: b""[..].into(),
            password_digest: b""[..].into(),
        };
        let host = b"server"[..].into();
        let pong = Pong { accepted: Err("no".into()), host, key_digest: b""[..].into() };
        let (mut a, mut b, mut c) = (Vec::new(), Vec::new(), Vec::new());
        helo.write(&mut a);
        ping.write(&mut b);
        pong.write(&mut c);
        let (a, b, c) = (Slice::from(a), Slice::from(b), Slice::from(c));
        assert_eq!(Helo::read(&a), Ok(helo));
        assert_eq!(Ping::read(&b), Ok(ping));
        assert_eq!(Pong::read(&c), Ok(pong));
        assert!(is_helo(&a) && !is_helo(&b));
        assert!(Ping::read(&a).is_err() && Pong::read(&b).is_err() && Helo::read(&c).is_err());
    }

    #[test]
    fn a_helo_may_say_less() {
        let bare = Helo::read(&b"\x91\xa4HELO"[..].into()).unwrap();
        assert_eq!(bare, Helo { nonce: vec![], auth: vec![], keepalive: true });
        assert!(!is_helo(&b"\x81\xa3ack\xa1x"[..].into()));
        assert!(Helo::read(&b"\x01"[..].into()).is_err());
    }
}
