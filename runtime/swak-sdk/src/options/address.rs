//! Network addresses: `127.0.0.1:24224`, `[::1]:24224`, `host`.

use std::fmt;
use std::net::Ipv6Addr;
use std::str::FromStr;

use super::scalar::read_text;
use super::{Literal, OptionError, OptionErrors, OptionValue, TextKind, TypeSpec};

/// A host with or without a port. The host is a name or an IP address; names are looked up by
/// whoever connects.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Address {
    /// A name or an IP address, without brackets.
    pub host: String,
    /// The port, when one was given.
    pub port: Option<u16>,
}

impl Address {
    /// The same address, with this port if it has none.
    #[must_use]
    pub fn with_default_port(mut self, port: u16) -> Self {
        self.port.get_or_insert(port);
        self
    }

    /// The host and the port, as `tokio::net::TcpStream::connect` takes them; `default` if there is
    /// no port.
    pub fn host_and_port(&self, default: u16) -> (&str, u16) {
        (&self.host, self.port.unwrap_or(default))
    }
}

/// Written so that it can be read again: with brackets around an IPv6 address.
impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.host.contains(':'), self.port) {
            (true, Some(port)) => write!(f, "[{}]:{port}", self.host),
            (true, None) => write!(f, "[{}]", self.host),
            (false, Some(port)) => write!(f, "{}:{port}", self.host),
            (false, None) => f.write_str(&self.host),
        }
    }
}

/// Why a text is not an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AddressError {
    /// Nothing before the port.
    NoHost,
    /// The host holds a character that no name or address has.
    BadHost,
    /// The brackets do not hold an IPv6 address.
    BadIpv6,
    /// The port is not a number from 0 to 65535.
    BadPort,
    /// It is a URL.
    Url,
}

impl fmt::Display for AddressError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            AddressError::NoHost => "the host is missing",
            AddressError::BadHost => "the host is neither a name nor an IP address",
            AddressError::BadIpv6 => "the brackets do not hold an IPv6 address",
            AddressError::BadPort => "the port is not a number from 0 to 65535",
            AddressError::Url => "it is a URL",
        })
    }
}

impl std::error::Error for AddressError {}

impl FromStr for Address {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        if text.contains("://") {
            return Err(AddressError::Url);
        }
        let (host, port) = match text.strip_prefix('[') {
            Some(rest) => {
                let (host, rest) = rest.split_once(']').ok_or(AddressError::BadIpv6)?;
                host.parse::<Ipv6Addr>().map_err(|_| AddressError::BadIpv6)?;
                match rest.strip_prefix(':') {
                    Some(port) => (host, Some(port)),
                    None if rest.is_empty() => (host, None),
                    None => return Err(AddressError::BadIpv6),
                }
            }
            // More than one colon: an IPv6 address without a port.
            None if text.parse::<Ipv6Addr>().is_ok() => (text, None),
            None => match text.rsplit_once(':') {
                Some((host, port)) => (host, Some(port)),
                None => (text, None),
            },
        };
        if host.is_empty() {
            return Err(AddressError::NoHost);
        }
        let in_host = |c: char| c.is_alphanumeric() || "-_.".contains(c);
        if !host.chars().all(in_host) && host.parse::<Ipv6Addr>().is_err() {
            return Err(AddressError::BadHost);
        }
        let port = port.map(parse_port).transpose()?;
        Ok(Address { host: host.to_owned(), port })
    }
}

impl OptionValue for Address {
    fn type_spec() -> TypeSpec {
        TypeSpec::Text(TextKind::Address)
    }

    fn read(literal: &Literal) -> Result<Self, OptionErrors> {
        let text = read_text(literal, TextKind::Address)?;
        text.parse().map_err(|error: AddressError| {
            let help = match error {
                AddressError::NoHost if text.starts_with(':') => {
                    format!("to listen on every address, write `0.0.0.0{text}` or `[::]{text}`")
                }
                AddressError::Url => "write the host and port only: host:24224".to_owned(),
                _ => "an address is written host:24224, 127.0.0.1:24224 or [::1]:24224".to_owned(),
            };
            OptionError::new(literal.span, format!("expected an address, found `{text}`: {error}"))
                .with_help(help)
                .into()
        })
    }
}

fn parse_port(text: &str) -> Result<u16, AddressError> {
    // `parse` would take a `+`.
    if text.is_empty() || !text.bytes().all(|b| b.is_ascii_digit()) {
        return Err(AddressError::BadPort);
    }
    text.parse().map_err(|_| AddressError::BadPort)
}

#[cfg(test)]
mod tests {
    use super::super::testing::{error, read, text};
    use super::*;

    #[test]
    fn every_spelling_reads_and_is_shown_again() {
        for (written, host, port, shown) in [
            ("host", "host", None, "host"),
            ("log-1.example.org:514", "log-1.example.org", Some(514), "log-1.example.org:514"),
            ("192.168.0.1", "192.168.0.1", None, "192.168.0.1"),
            ("127.0.0.1:0", "127.0.0.1", Some(0), "127.0.0.1:0"),
            ("[::1]:24224", "::1", Some(24224), "[::1]:24224"),
            ("[::1]", "::1", None, "[::1]"),
            ("::1", "::1", None, "[::1]"),
            ("fe80::1:2", "fe80::1:2", None, "[fe80::1:2]"),
        ] {
            let address: Address = read(text(written)).unwrap();
            assert_eq!((address.host.as_str(), address.port), (host, port), "{written}");
            assert_eq!(address.to_string(), shown);
            assert_eq!(shown.parse(), Ok(address));
        }
    }

    #[test]
    fn a_port_that_is_given_wins() {
        let address = |text: &str| text.parse::<Address>().unwrap();
        assert_eq!(address("a").with_default_port(5).to_string(), "a:5");
        assert_eq!(address("a:1").with_default_port(5).to_string(), "a:1");
        assert_eq!(address("::1").host_and_port(5), ("::1", 5));
    }

    #[test]
    fn what_is_not_an_address() {
        for (wrong, why) in [
            ("", AddressError::NoHost),
            (":514", AddressError::NoHost),
            ("a b", AddressError::BadHost),
            ("a:1:2", AddressError::BadHost),
            ("host/path", AddressError::BadHost),
            ("[::1", AddressError::BadIpv6),
            ("[host]:1", AddressError::BadIpv6),
            ("[::1]1", AddressError::BadIpv6),
            ("host:", AddressError::BadPort),
            ("host:+5", AddressError::BadPort),
            ("host:65536", AddressError::BadPort),
            ("http://host", AddressError::Url),
        ] {
            assert_eq!(wrong.parse::<Address>(), Err(why), "{wrong}");
        }
        let e = error::<Address>(text("host:99999"));
        assert_eq!(
            e.message,
            "expected an address, found `host:99999`: the port is not a number from 0 to 65535"
        );
        assert!(error::<Address>(text(":514")).help.unwrap().contains("0.0.0.0:514"));
    }
}
