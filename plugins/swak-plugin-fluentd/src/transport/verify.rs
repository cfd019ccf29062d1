//! Whom to trust when a file says so.

use std::sync::Arc;

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::VerifierBuilderError;
use rustls::{DigitallySignedStruct, Error, RootCertStore, SignatureScheme};

/// Trusts a receiver whose certificate leads to a root in the file and is for its name, and one
/// whose very certificate is in the file.
///
/// The second is for certificates that sign themselves: `openssl req -x509` makes one that is at
/// once a root and the receiver's own, which path validation (RFC 5280) refuses. Whoever names a
/// certificate itself has said more than any root could; that the receiver has its key, it proves in
/// the handshake all the same.
#[derive(Debug)]
pub(super) struct NamedOrTrusted {
    named: Vec<CertificateDer<'static>>,
    trusted: Arc<WebPkiServerVerifier>,
    provider: Arc<CryptoProvider>,
}

impl NamedOrTrusted {
    pub(super) fn new(
        named: Vec<CertificateDer<'static>>,
        roots: Arc<RootCertStore>,
        provider: &Arc<CryptoProvider>,
    ) -> Result<Self, VerifierBuilderError> {
        let provider = Arc::clone(provider);
        let builder = WebPkiServerVerifier::builder_with_provider(roots, Arc::clone(&provider));
        Ok(NamedOrTrusted { named, trusted: builder.build()?, provider })
    }
}

impl ServerCertVerifier for NamedOrTrusted {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        if self.named.iter().any(|named| named.as_ref() == end_entity.as_ref()) {
            return Ok(ServerCertVerified::assertion());
        }
        self.trusted.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now)
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls12_signature(message, cert, signed, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls13_signature(message, cert, signed, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}
