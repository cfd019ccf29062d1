//! TLS in an agent that was built without it: the options refuse it, so that nothing of this is
//! ever made.

use std::convert::Infallible;

use tokio::net::TcpStream;

use super::{Stream, TlsError, TlsFiles};

/// The side that connects.
#[derive(Clone, Debug)]
pub(crate) struct Connector(Infallible);

/// The side that listens.
#[derive(Clone, Debug)]
pub(crate) struct Acceptor(Infallible);

impl Connector {
    /// Never called.
    pub(crate) fn new(_: &TlsFiles, name: &str) -> Result<Self, TlsError> {
        Err(TlsError::Name(name.to_owned()))
    }

    /// Never called.
    pub(crate) async fn connect(&self, _: TcpStream) -> Result<Stream, TlsError> {
        match self.0 {}
    }
}

impl Acceptor {
    /// Never called.
    pub(crate) fn new(_: &TlsFiles) -> Result<Self, TlsError> {
        Err(TlsError::Name(String::new()))
    }

    /// Never called.
    pub(crate) async fn accept(&self, _: TcpStream) -> Result<Stream, TlsError> {
        match self.0 {}
    }
}
