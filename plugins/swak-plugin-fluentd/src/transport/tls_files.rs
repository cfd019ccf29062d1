//! The files that TLS takes.

use std::path::{Path, PathBuf};

use swak_sdk::{Result, ensure};

/// The files of one side of TLS, as its options name them. They are read when they are needed, so
/// that a certificate that was renewed is taken without a restart.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct TlsFiles {
    /// Whom to trust.
    pub(crate) ca: Option<PathBuf>,
    /// Who we are: the certificate and those that lead to its root.
    pub(crate) cert: Option<PathBuf>,
    /// The private key of `cert`.
    pub(crate) key: Option<PathBuf>,
}

/// Why there is no TLS.
#[derive(Debug, thiserror::Error)]
#[cfg_attr(not(feature = "tls"), allow(dead_code))]
pub(crate) enum TlsError {
    #[error("cannot read {}", path.display())]
    Read { path: PathBuf, source: std::io::Error },
    #[error("{} holds no {what} in PEM", path.display())]
    Nothing { path: PathBuf, what: &'static str },
    #[error("{} holds a {what} that cannot be used: {why}", path.display())]
    Unusable { path: PathBuf, what: &'static str, why: String },
    #[error("the certificate and its key do not go together: {0}")]
    Identity(String),
    #[error("`{0}` is no name that a certificate could have")]
    Name(String),
    #[error("TLS: {0}")]
    Handshake(#[source] std::io::Error),
}

impl TlsFiles {
    /// Checks what can be seen without reading files. `tls` is whether TLS is on, `ca_option` what
    /// the option of `ca` is called.
    pub(crate) fn check(&self, tls: bool, ca_option: &str) -> Result<()> {
        let given = [
            (self.ca.is_some(), ca_option),
            (self.cert.is_some(), "tls_cert_file"),
            (self.key.is_some(), "tls_key_file"),
        ];
        for (given, name) in given {
            ensure!(tls || !given, "`{name}` is given, but TLS is off: add `tls=True`");
        }
        ensure!(
            self.cert.is_some() == self.key.is_some(),
            "`tls_cert_file` and `tls_key_file` go together, and only one of them is given"
        );
        ensure!(
            !tls || cfg!(feature = "tls"),
            "`tls` is not in this agent: its swak-plugin-fluentd was built without the feature \
             `tls`; leave `default-features: false` out of the build config, or add \
             `features: [tls]`"
        );
        Ok(())
    }
}

/// Reads a file whole.
#[cfg_attr(not(feature = "tls"), allow(dead_code))]
pub(super) fn read(path: &Path) -> Result<Vec<u8>, TlsError> {
    std::fs::read(path).map_err(|source| TlsError::Read { path: path.to_owned(), source })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_without_tls_and_halves_of_a_pair_are_mistakes() {
        let error =
            |files: &TlsFiles, tls| files.check(tls, "tls_ca_file").unwrap_err().to_string();
        let with_ca = TlsFiles { ca: Some("ca.pem".into()), ..TlsFiles::default() };
        assert!(error(&with_ca, false).contains("`tls_ca_file` is given, but TLS is off"));
        let half = TlsFiles { cert: Some("cert.pem".into()), ..TlsFiles::default() };
        assert!(error(&half, true).contains("go together"));
        assert!(TlsFiles::default().check(false, "tls_ca_file").is_ok());
        assert_eq!(with_ca.check(true, "tls_ca_file").is_ok(), cfg!(feature = "tls"));
    }
}
