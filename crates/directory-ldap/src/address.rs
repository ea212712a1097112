//! Where a server is, and what is done before anything is said to it.

use std::{fmt, net::IpAddr};

use crate::LdapError;

/// What protects a connection to `ldap://`. One to `ldaps://` always has TLS.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[expect(clippy::exhaustive_enums, reason = "closed")]
pub enum Protection {
    /// StartTLS, or nothing is said.
    Required,
    /// The same, except to this machine itself.
    #[default]
    RequiredBeyondThisMachine,
    /// None: whoever is on the way reads the password, and answers in the directory's place.
    None,
}

/// A server, from its URL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Address {
    pub(crate) host: String,
    pub(crate) port: u16,
    pub(crate) opening: Opening,
}

/// How a connection begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Opening {
    Tls,
    StartTls,
    Plain,
}

impl Address {
    /// `ldap://host`, `ldaps://host:port`; an IPv6 address stands in brackets.
    pub(crate) fn parse(url: &str, protection: Protection) -> Result<Self, LdapError> {
        let wrong = |why: &str| LdapError::Settings { what: "server", why: format!("{why}: {url:?}") };
        let (scheme, rest) =
            url.split_once("://").ok_or_else(|| wrong("expected ldap://host or ldaps://host"))?;
        let rest = rest.strip_suffix('/').unwrap_or(rest);
        let is_tls = match scheme {
            "ldap" => false,
            "ldaps" => true,
            _ => return Err(wrong("expected ldap:// or ldaps://")),
        };
        let (host, port) = match rest.strip_prefix('[').map(|rest| rest.split_once(']')) {
            Some(Some((host, port))) => (host, port),
            Some(None) => return Err(wrong("expected a closing bracket")),
            None => rest.split_at(rest.find(':').unwrap_or(rest.len())),
        };
        let is_name = |c: char| c.is_ascii_alphanumeric() || "-._:".contains(c);
        if host.is_empty() || !host.chars().all(is_name) {
            return Err(wrong("expected the name or the address of a host, and nothing after it but a port"));
        }
        let port = match port.strip_prefix(':') {
            Some(port) => port.parse().map_err(|_| wrong("expected a port"))?,
            None if port.is_empty() => {
                if is_tls {
                    636
                } else {
                    389
                }
            }
            None => return Err(wrong("expected a port")),
        };
        let host = String::from(host);
        let opening = match protection {
            _ if is_tls => Opening::Tls,
            Protection::None => Opening::Plain,
            Protection::RequiredBeyondThisMachine if is_this_machine(&host) => Opening::Plain,
            Protection::RequiredBeyondThisMachine | Protection::Required => Opening::StartTls,
        };
        Ok(Self { host, port, opening })
    }
}

fn is_this_machine(host: &str) -> bool {
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let host = if self.host.contains(':') { format!("[{}]", self.host) } else { self.host.clone() };
        let scheme = if self.opening == Opening::Tls { "ldaps" } else { "ldap" };
        write!(f, "{scheme}://{host}:{}", self.port)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_say_where_and_how() {
        use Opening::{Plain, StartTls, Tls};
        use Protection::{Required, RequiredBeyondThisMachine as Beyond};
        for (url, protection, host, port, opening) in [
            ("ldaps://dc1.example.com", Beyond, "dc1.example.com", 636, Tls),
            ("ldaps://dc1.example.com:1636/", Protection::None, "dc1.example.com", 1636, Tls),
            ("ldap://dc1.example.com", Beyond, "dc1.example.com", 389, StartTls),
            ("ldap://127.0.0.1:1389", Beyond, "127.0.0.1", 1389, Plain),
            ("ldap://localhost", Beyond, "localhost", 389, Plain),
            ("ldap://localhost", Required, "localhost", 389, StartTls),
            ("ldap://localhost.example.com", Beyond, "localhost.example.com", 389, StartTls),
            ("ldap://[::1]:389", Beyond, "::1", 389, Plain),
            ("ldap://[fd00::1]", Beyond, "fd00::1", 389, StartTls),
            ("ldap://dc1.example.com", Protection::None, "dc1.example.com", 389, Plain),
        ] {
            let expected = Address { host: host.into(), port, opening };
            assert_eq!(Address::parse(url, protection), Ok(expected), "{url}");
        }
    }

    #[test]
    fn what_is_no_server_is_refused() {
        for url in [
            "",
            "dc1",
            "http://dc1",
            "ldap://",
            "ldap://dc1:x",
            "ldap://dc1/dc=example",
            "ldap://[::1",
            "ldap://a b",
            "ldap://user@dc1",
            "ldap://[::1]x",
            "ldap://dc1:99999",
        ] {
            assert!(Address::parse(url, Protection::None).is_err(), "{url}");
        }
    }
}
