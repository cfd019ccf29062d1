//! Where to listen: `udp://127.0.0.1:514`, `tcp://[::]:601`, `unix:///run/log`, `unixgram:///dev/log`.

use std::fmt;
use std::path::PathBuf;

use swak_sdk::options::{
    Address, Literal, OptionError, OptionErrors, OptionValue, TextKind, TypeSpec,
};

/// Where to listen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Endpoint {
    Udp(Address),
    Tcp(Address),
    /// A socket of streams, as TCP has.
    UnixStream(PathBuf),
    /// A socket of datagrams, as `/dev/log` is.
    UnixDatagram(PathBuf),
}

/// The port of an address without one.
pub(crate) const PORT: u16 = 514;

impl Endpoint {
    fn parse(text: &str) -> Result<Self, String> {
        let (scheme, rest) =
            text.split_once("://").ok_or("it does not begin with a protocol".to_owned())?;
        let address = || rest.parse::<Address>().map_err(|error| error.to_string());
        let path = || match rest {
            "" => Err("the path is missing".to_owned()),
            _ if !cfg!(unix) => Err("Unix sockets are there on Unix only".to_owned()),
            _ if rest.contains('\0') => Err("a path cannot hold a zero character".to_owned()),
            path => Ok(PathBuf::from(path)),
        };
        match scheme {
            "udp" => address().map(Endpoint::Udp),
            "tcp" => address().map(Endpoint::Tcp),
            "unix" => path().map(Endpoint::UnixStream),
            "unixgram" => path().map(Endpoint::UnixDatagram),
            other => Err(format!("the protocol `{other}` is not known")),
        }
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Endpoint::Udp(address) => {
                write!(f, "udp://{}", address.clone().with_default_port(PORT))
            }
            Endpoint::Tcp(address) => {
                write!(f, "tcp://{}", address.clone().with_default_port(PORT))
            }
            Endpoint::UnixStream(path) => write!(f, "unix://{}", path.display()),
            Endpoint::UnixDatagram(path) => write!(f, "unixgram://{}", path.display()),
        }
    }
}

impl OptionValue for Endpoint {
    fn type_spec() -> TypeSpec {
        TypeSpec::Text(TextKind::Address)
    }

    fn read(literal: &Literal) -> Result<Self, OptionErrors> {
        let text = String::read(literal)?;
        Endpoint::parse(&text).map_err(|why| {
            let message = format!("expected an address to listen on, found `{text}`: {why}");
            let help = "write udp://127.0.0.1:514, tcp://127.0.0.1:601, unix:///run/log (streams) \
                        or unixgram:///dev/log (datagrams)";
            OptionError::new(literal.span, message).with_help(help).into()
        })
    }
}

#[cfg(test)]
mod tests {
    use swak_sdk::options::LiteralValue;

    use super::*;

    fn read(text: &str) -> Result<Endpoint, OptionErrors> {
        Endpoint::read(&Literal::bare(LiteralValue::Str(text.to_owned())))
    }

    #[test]
    fn every_endpoint_is_shown_as_it_is_written() {
        for text in ["udp://127.0.0.1:514", "tcp://[::1]:601", "udp://localhost:0"] {
            assert_eq!(read(text).unwrap().to_string(), text);
        }
        assert_eq!(read("udp://0.0.0.0").unwrap().to_string(), "udp://0.0.0.0:514");
    }

    #[test]
    #[cfg(unix)]
    fn unix_sockets_have_paths() {
        assert_eq!(read("unix:///run/a b").unwrap(), Endpoint::UnixStream("/run/a b".into()));
        assert_eq!(read("unixgram:///dev/log").unwrap(), Endpoint::UnixDatagram("/dev/log".into()));
        assert!(read("unix://").unwrap_err().to_string().contains("the path is missing"));
    }

    #[test]
    fn what_is_no_endpoint() {
        for (wrong, why) in [
            ("127.0.0.1:514", "does not begin with a protocol"),
            ("http://x", "`http` is not known"),
            ("udp://:514", "the host is missing"),
            ("tcp://x:99999", "the port is not a number"),
        ] {
            assert!(read(wrong).unwrap_err().to_string().contains(why), "{wrong}");
        }
        assert!(Endpoint::read(&Literal::bare(LiteralValue::Int(514))).is_err());
    }
}
