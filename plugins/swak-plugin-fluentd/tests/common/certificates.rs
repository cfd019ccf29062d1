//! Certificates, made by the `openssl` command.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use tempfile::TempDir;

/// A root, and what leads to it; and a certificate that signs itself.
pub(crate) struct Certificates {
    folder: TempDir,
}

impl Certificates {
    pub(crate) fn new() -> Self {
        let made = Certificates { folder: TempDir::new().expect("a folder can be made") };
        std::fs::write(made.path("config"), "[req]\ndistinguished_name=dn\n[dn]\n")
            .expect("it can be written");
        let root = ["-addext", "basicConstraints=critical,CA:TRUE"];
        made.make("ca", "/CN=Swak test root", &root);
        made.make("other-ca", "/CN=Another root", &root);
        let (ca, ca_key) = (made.text("ca.pem"), made.text("ca-key.pem"));
        let signed = |names: &'static str| {
            [
                "-CA",
                &ca,
                "-CAkey",
                &ca_key,
                "-addext",
                names,
                "-addext",
                "basicConstraints=CA:FALSE",
            ]
        };
        made.make("server", "/CN=localhost", &signed("subjectAltName=DNS:localhost,IP:127.0.0.1"));
        made.make("elsewhere", "/CN=else", &signed("subjectAltName=DNS:elsewhere.example"));
        made.make("client", "/CN=client", &signed("subjectAltName=DNS:client"));
        // What most people make first: at once a root and its own.
        made.make("self", "/CN=whoever", &root);
        made
    }

    /// The path of `ca.pem`, `server.pem`, `server-key.pem` and so on.
    pub(crate) fn path(&self, file: &str) -> PathBuf {
        self.folder.path().join(file)
    }

    /// The same as text.
    pub(crate) fn text(&self, file: &str) -> String {
        self.path(file).display().to_string()
    }

    fn make(&self, name: &str, subject: &str, args: &[&str]) {
        let mut command = openssl();
        command.args(["req", "-x509", "-nodes", "-days", "2", "-newkey", "ec"]);
        command.args(["-pkeyopt", "ec_paramgen_curve:P-256", "-subj", subject]);
        command.args(["-config", &self.text("config")]).args(args);
        command.args(["-keyout", &self.text(&format!("{name}-key.pem"))]);
        command.args(["-out", &self.text(&format!("{name}.pem"))]);
        let made = command.stderr(Stdio::piped()).output().expect("openssl can be run");
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    }
}

/// The command, which Debian has in the package `openssl`.
pub(crate) fn openssl() -> Command {
    Command::new("openssl")
}
