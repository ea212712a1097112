//! Where a server is.

use std::{fmt, str::FromStr};

/// A URL of scheme `http` or `https`, taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    pub(crate) secure: bool,
    pub(crate) host: String,
    pub(crate) port: u16,
    /// What the Host header says.
    pub(crate) authority: String,
    /// With its leading slash; never empty.
    pub(crate) path: String,
}

/// A server of this machine.
impl Default for Endpoint {
    fn default() -> Self {
        let host = String::from("localhost");
        Self { secure: false, authority: host.clone(), host, port: 80, path: "/".into() }
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.secure { "https" } else { "http" };
        write!(f, "{scheme}://{}{}", self.authority, self.path)
    }
}

impl FromStr for Endpoint {
    type Err = InvalidUrl;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wrong = || InvalidUrl(text.to_owned());
        let (scheme, rest) = text.split_once("://").ok_or_else(wrong)?;
        let secure = match scheme.to_ascii_lowercase().as_str() {
            "http" => false,
            "https" => true,
            _ => return Err(wrong()),
        };
        let (authority, path) = match rest.find('/') {
            Some(at) => rest.split_at(at),
            None => (rest, "/"),
        };
        let fits = |text: &str| {
            text.bytes().all(|octet| octet.is_ascii_graphic()) && !text.contains(['?', '#', '@'])
        };
        if authority.is_empty() || !fits(authority) || !fits(path) {
            return Err(wrong());
        }
        let default = if secure { 443 } else { 80 };
        let (host, port) = match authority.rsplit_once(':') {
            // The colons within brackets are an IPv6 address's own.
            Some((host, port)) if !port.ends_with(']') => (host, port.parse().map_err(|_| wrong())?),
            _ => (authority, default),
        };
        let host = host.trim_start_matches('[').trim_end_matches(']').to_owned();
        Ok(Self { secure, host, port, authority: authority.to_owned(), path: path.to_owned() })
    }
}

/// Text that is no such URL.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expected a URL such as http://ca.example.com/scep, without a query: {0:?}")]
pub struct InvalidUrl(String);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_are_taken_apart() {
        for (text, secure, host, port, path) in [
            ("http://ca.example/scep", false, "ca.example", 80, "/scep"),
            ("HTTPS://ca.example:8443", true, "ca.example", 8443, "/"),
            ("http://[::1]:8080/a/b", false, "::1", 8080, "/a/b"),
            ("https://[::1]/", true, "::1", 443, "/"),
        ] {
            let read: Endpoint = text.parse().unwrap();
            let parts = (read.secure, &*read.host, read.port, &*read.path);
            assert_eq!(parts, (secure, host, port, path));
        }
        for text in ["ca.example", "ftp://a/", "http:///x", "http://a:b/", "http://a/?x=y", "http://a b/"] {
            assert!(text.parse::<Endpoint>().is_err(), "{text}");
        }
    }
}
