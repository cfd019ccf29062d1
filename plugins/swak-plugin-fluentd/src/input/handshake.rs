//! The handshake, as the side that listens has it.

use swak_sdk::data::Slice;
use swak_sdk::options::{Dict, Secret};
use tokio::io::AsyncWriteExt;

use super::connection::ConnectionError;
use super::incoming::Incoming;
use crate::forward::{ForwardError, Helo, Ping, Pong, digest, same};
use crate::host::random;
use crate::transport::Stream;

/// Who may send.
pub(super) struct Door {
    pub(super) shared_key: Secret,
    pub(super) self_hostname: String,
    /// Empty: whoever has the key.
    pub(super) users: Dict<Secret>,
    pub(super) keepalive: bool,
}

/// The longest PING: what a peer that is not yet let in can make us hold.
const MAX_PING: usize = 4096;

/// Lets a peer in, or says why not. What came after its PING stays in `incoming`.
pub(super) async fn admit(
    stream: &mut Stream,
    door: &Door,
    incoming: &mut Incoming,
) -> Result<(), ConnectionError> {
    let nonce = random::<16>();
    let auth = if door.users.is_empty() { Vec::new() } else { random::<16>().to_vec() };
    let mut bytes = Vec::new();
    let helo = Helo { nonce: nonce.to_vec(), auth, keepalive: door.keepalive };
    helo.write(&mut bytes);
    send(stream, &bytes).await?;

    let ping = read_one(stream, incoming).await?;
    let ping = Ping::read(&ping).map_err(ConnectionError::NoPing)?;
    let refused = door.refuses(&ping, &helo);
    let host = door.self_hostname.as_bytes();
    let pong = Pong {
        accepted: refused.map_or(Ok(()), |reason| Err(reason.to_owned())),
        host: host.into(),
        key_digest: match refused {
            None => digest(&[&ping.salt, host, &nonce, door.key()]).into_bytes().into(),
            Some(_) => Slice::from(&b""[..]),
        },
    };
    bytes.clear();
    pong.write(&mut bytes);
    send(stream, &bytes).await?;
    match refused {
        None => Ok(()),
        Some(reason) => {
            // Else the reason could be lost with the connection.
            let _ = stream.shutdown().await;
            let host: String = String::from_utf8_lossy(&ping.host).chars().take(100).collect();
            Err(ConnectionError::NotAdmitted { host, reason })
        }
    }
}

impl Door {
    fn key(&self) -> &[u8] {
        self.shared_key.reveal().as_bytes()
    }

    /// Why somebody is not let in.
    fn refuses(&self, ping: &Ping, helo: &Helo) -> Option<&'static str> {
        let expected = digest(&[&ping.salt, &ping.host, &helo.nonce, self.key()]);
        if !same(expected.as_bytes(), &ping.key_digest) {
            return Some("shared_key mismatch");
        }
        // Our answer would be its own digest, and prove nothing.
        if ping.host[..] == *self.self_hostname.as_bytes() {
            return Some("same hostname between input and output");
        }
        if self.users.is_empty() || self.knows(ping, &helo.auth) {
            None
        } else {
            Some("username/password mismatch")
        }
    }

    fn knows(&self, ping: &Ping, salt: &[u8]) -> bool {
        // All are tried, so that the time does not tell which names there are.
        self.users.iter().fold(false, |known, (user, password)| {
            let expected = digest(&[salt, user.as_bytes(), password.reveal().as_bytes()]);
            let password_is_right = same(expected.as_bytes(), &ping.password_digest);
            known | (same(user.as_bytes(), &ping.user) & password_is_right)
        })
    }
}

async fn send(stream: &mut Stream, bytes: &[u8]) -> Result<(), ConnectionError> {
    stream.write_all(bytes).await?;
    Ok(stream.flush().await?)
}

async fn read_one(stream: &mut Stream, incoming: &mut Incoming) -> Result<Slice, ConnectionError> {
    loop {
        match incoming.take_one(MAX_PING).map_err(ForwardError::Scan)? {
            Some(message) => return Ok(message),
            None if incoming.read_from(stream).await? == 0 => {
                return Err(ConnectionError::NoHandshake);
            }
            None => {}
        }
    }
}
