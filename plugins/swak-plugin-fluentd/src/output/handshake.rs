//! The handshake, as the side that connects has it.

use super::connection::{Connection, ConnectionError};
use super::peer::Credentials;
use crate::forward::{Helo, Ping, Pong, digest, same};
use crate::host::random;

/// Waits for the receiver's HELO, proves that we have its key and the user's password, and sees to it
/// that the receiver has the key too.
pub(super) async fn greet(
    connection: &mut Connection,
    credentials: &Credentials,
) -> Result<(), ConnectionError> {
    let Credentials { shared_key, self_hostname, username, password } = credentials;
    let key = shared_key.reveal().as_bytes();
    let helo = Helo::read(&connection.answer().await?).map_err(ConnectionError::Handshake)?;
    if !helo.auth.is_empty() && username.is_empty() {
        return Err(ConnectionError::WantsUser);
    }
    // As text, which some receivers want it to be.
    let salt: String = random::<16>().iter().map(|byte| format!("{byte:02x}")).collect();
    let password_digest = match helo.auth.is_empty() {
        true => String::new(),
        false => digest(&[&helo.auth, username.as_bytes(), password.reveal().as_bytes()]),
    };
    let user = if helo.auth.is_empty() { "" } else { username };
    let ping = Ping {
        host: self_hostname.as_bytes().into(),
        salt: salt.as_bytes().into(),
        key_digest: digest(&[salt.as_bytes(), self_hostname.as_bytes(), &helo.nonce, key])
            .into_bytes()
            .into(),
        user: user.as_bytes().into(),
        password_digest: password_digest.into_bytes().into(),
    };
    let mut bytes = Vec::new();
    ping.write(&mut bytes);
    connection.send(&bytes).await?;
    let pong = Pong::read(&connection.answer().await?).map_err(ConnectionError::Handshake)?;
    pong.accepted.map_err(ConnectionError::Refused)?;
    // Its answer would be our own digest, which it can give without the key.
    if pong.host[..] == *self_hostname.as_bytes() {
        return Err(ConnectionError::SameName(self_hostname.clone()));
    }
    let expected = digest(&[salt.as_bytes(), &pong.host, &helo.nonce, key]);
    if !same(expected.as_bytes(), &pong.key_digest) {
        return Err(ConnectionError::OtherKey);
    }
    connection.keepalive = helo.keepalive;
    Ok(())
}
