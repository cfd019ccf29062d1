//! What messages travel over: TCP, TLS over TCP, Unix sockets.

mod keepalive;
#[cfg(not(feature = "tls"))]
mod no_tls;
mod split;
mod stream;
#[cfg(feature = "tls")]
mod tls;
mod tls_files;
#[cfg(feature = "tls")]
mod verify;

pub(crate) use keepalive::enable as enable_keepalive;
#[cfg(not(feature = "tls"))]
pub(crate) use no_tls::{Acceptor, Connector};
pub(crate) use split::{Reader, Watch, Writer, split};
pub(crate) use stream::{Closing, Stream};
#[cfg(feature = "tls")]
pub(crate) use tls::{Acceptor, Connector};
pub(crate) use tls_files::{TlsError, TlsFiles};

use swak_sdk::{Result, ensure};

/// Says no where the system has no Unix sockets that the runtime could use.
pub(crate) fn check_unix_path(given: bool) -> Result<()> {
    ensure!(
        !given || cfg!(unix),
        "`unix_path` needs Unix sockets, which agents for this system do not have; use TCP"
    );
    Ok(())
}
