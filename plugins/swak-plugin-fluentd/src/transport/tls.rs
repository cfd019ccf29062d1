//! TLS 1.2 and 1.3 over TCP (RFC 5246, RFC 8446), by rustls with ring.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::server::WebPkiClientVerifier;
use rustls::{ClientConfig, RootCertStore, ServerConfig};
use tokio::net::TcpStream;
use tokio_rustls::{TlsAcceptor, TlsConnector};

use super::tls_files::read;
use super::verify::NamedOrTrusted;
use super::{Stream, TlsError, TlsFiles};

/// The side that connects.
#[derive(Clone)]
pub(crate) struct Connector {
    connector: TlsConnector,
    name: ServerName<'static>,
}

/// The side that listens.
#[derive(Clone)]
pub(crate) struct Acceptor(TlsAcceptor);

impl Connector {
    /// Reads the files. Without a CA file the roots of the public web are trusted; with one, those
    /// in it and nobody else. A certificate of the receiver itself may be in it too.
    pub(crate) fn new(files: &TlsFiles, name: &str) -> Result<Self, TlsError> {
        let server_name =
            ServerName::try_from(name.to_owned()).map_err(|_| TlsError::Name(name.to_owned()))?;
        let provider = provider();
        let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()
            .expect("ring has the ciphers of every version");
        let builder = match &files.ca {
            Some(path) => {
                let named = certificates(path)?;
                let roots = Arc::new(roots(path, &named)?);
                let verifier = NamedOrTrusted::new(named, roots, &provider)
                    .map_err(|why| unusable(path, CERTIFICATE, &why))?;
                // "Dangerous" is what a verifier of one's own could be; this one only asks for more
                // than rustls' own where a certificate is not named itself.
                builder.dangerous().with_custom_certificate_verifier(Arc::new(verifier))
            }
            None => {
                let public = webpki_roots::TLS_SERVER_ROOTS.to_vec();
                builder.with_root_certificates(RootCertStore { roots: public })
            }
        };
        let config = match identity(files)? {
            Some((certificates, key)) => builder
                .with_client_auth_cert(certificates, key)
                .map_err(|why| TlsError::Identity(why.to_string()))?,
            None => builder.with_no_client_auth(),
        };
        Ok(Connector { connector: TlsConnector::from(Arc::new(config)), name: server_name })
    }

    /// Makes a TLS connection of one that is open.
    pub(crate) async fn connect(&self, stream: TcpStream) -> Result<Stream, TlsError> {
        let stream = self.connector.connect(self.name.clone(), stream).await;
        Ok(Stream::Tls(Box::new(stream.map_err(TlsError::Handshake)?.into())))
    }
}

impl Acceptor {
    /// Reads the files. With a CA file, peers must show a certificate that it leads to.
    ///
    /// # Panics
    /// If no certificate is named: the options see to it that one is.
    pub(crate) fn new(files: &TlsFiles) -> Result<Self, TlsError> {
        let provider = provider();
        let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()
            .expect("ring has the ciphers of every version");
        let builder = match &files.ca {
            Some(path) => {
                let roots = Arc::new(roots(path, &certificates(path)?)?);
                let verifier = WebPkiClientVerifier::builder_with_provider(roots, provider)
                    .build()
                    .map_err(|why| unusable(path, CERTIFICATE, &why))?;
                builder.with_client_cert_verifier(verifier)
            }
            None => builder.with_no_client_auth(),
        };
        let (certificates, key) = identity(files)?.expect("TLS that listens has a certificate");
        let config = builder
            .with_single_cert(certificates, key)
            .map_err(|why| TlsError::Identity(why.to_string()))?;
        Ok(Acceptor(TlsAcceptor::from(Arc::new(config))))
    }

    /// Makes a TLS connection of one that was accepted.
    pub(crate) async fn accept(&self, stream: TcpStream) -> Result<Stream, TlsError> {
        let stream = self.0.accept(stream).await;
        Ok(Stream::Tls(Box::new(stream.map_err(TlsError::Handshake)?.into())))
    }
}

const CERTIFICATE: &str = "certificate";
const KEY: &str = "private key";

/// Named each time: a default for the whole process may be another crate's.
fn provider() -> Arc<CryptoProvider> {
    Arc::new(ring::default_provider())
}

fn identity(
    files: &TlsFiles,
) -> Result<Option<(Vec<CertificateDer<'static>>, PrivateKeyDer<'static>)>, TlsError> {
    match (&files.cert, &files.key) {
        (Some(cert), Some(key)) => Ok(Some((certificates(cert)?, private_key(key)?))),
        _ => Ok(None),
    }
}

fn roots(path: &Path, named: &[CertificateDer<'static>]) -> Result<RootCertStore, TlsError> {
    let mut roots = RootCertStore::empty();
    for certificate in named {
        roots.add(certificate.clone()).map_err(|why| unusable(path, CERTIFICATE, &why))?;
    }
    Ok(roots)
}

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let bytes = read(path)?;
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&bytes).collect();
    let found = found.map_err(|why| unusable(path, CERTIFICATE, &why))?;
    if found.is_empty() {
        return Err(TlsError::Nothing { path: path.to_owned(), what: CERTIFICATE });
    }
    Ok(found)
}

fn private_key(path: &Path) -> Result<PrivateKeyDer<'static>, TlsError> {
    PrivateKeyDer::from_pem_slice(&read(path)?).map_err(|why| match why {
        pem::Error::NoItemsFound => TlsError::Nothing { path: path.to_owned(), what: KEY },
        why => unusable(path, KEY, &why),
    })
}

fn unusable(path: &Path, what: &'static str, why: &dyn std::fmt::Display) -> TlsError {
    TlsError::Unusable { path: PathBuf::from(path), what, why: why.to_string() }
}
