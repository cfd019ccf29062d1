//! TLS for those who connect, with certificates that may be renewed while the agent runs.

use std::time::{Duration, Instant};

use crate::transport::{Acceptor, TlsError, TlsFiles};

/// How old what was read from the files may get.
const FRESH: Duration = Duration::from_secs(60);

/// TLS as its files say.
pub(super) struct Secure {
    files: TlsFiles,
    acceptor: Acceptor,
    read: Instant,
}

impl Secure {
    /// Reads the files.
    pub(super) fn new(files: TlsFiles) -> Result<Self, TlsError> {
        let acceptor = Acceptor::new(&files)?;
        Ok(Secure { files, acceptor, read: Instant::now() })
    }

    /// What makes a TLS connection of one that was accepted. The files are read again from time to
    /// time; while they cannot be used, what they held before is.
    pub(super) fn acceptor(&mut self) -> Acceptor {
        if self.read.elapsed() >= FRESH {
            self.read = Instant::now();
            match Acceptor::new(&self.files) {
                Ok(acceptor) => self.acceptor = acceptor,
                Err(error) => {
                    let error = swak_sdk::Error::new(error);
                    tracing::warn!("the certificates of before stay in use: {error:#}");
                }
            }
        }
        self.acceptor.clone()
    }
}
