//! URLs of this machine.

use std::{
    net::{SocketAddr, ToSocketAddrs as _},
    str::FromStr,
};

use crate::Failure;

/// An `http` URL whose host is this machine.
#[derive(Debug, Clone)]
pub(crate) struct Target {
    address: SocketAddr,
    host: String,
    path: String,
}

impl Target {
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    pub(crate) fn host(&self) -> &str {
        &self.host
    }

    pub(crate) fn path(&self) -> &str {
        &self.path
    }
}

impl FromStr for Target {
    type Err = Failure;

    fn from_str(url: &str) -> Result<Self, Failure> {
        let rest = url.strip_prefix("http://").ok_or("expected a URL such as http://127.0.0.1:8080/ocsp")?;
        let (host, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        let with_port = if host.rsplit(']').next().unwrap_or(host).contains(':') {
            host.into()
        } else {
            format!("{host}:80")
        };
        let address = with_port.to_socket_addrs()?.next().ok_or("the host has no address")?;
        if !address.ip().is_loopback() {
            return Err(format!(
                "{} is not an address of this machine; load is for your own servers",
                address.ip()
            )
            .into());
        }
        Ok(Self { address, host: host.into(), path: if path.is_empty() { "/".into() } else { path.into() } })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_this_machine_is_taken() {
        for url in
            ["http://192.0.2.1/ocsp", "http://[2001:db8::1]:80/", "https://127.0.0.1/", "127.0.0.1:8080"]
        {
            assert!(url.parse::<Target>().is_err(), "{url}");
        }
        let target: Target = "http://127.0.0.1:8080/a/b?c".parse().unwrap();
        assert_eq!(
            (target.address().port(), target.host(), target.path()),
            (8080, "127.0.0.1:8080", "/a/b?c")
        );
        let target: Target = "http://[::1]".parse().unwrap();
        assert_eq!((target.address().port(), target.path()), (80, "/"));
    }
}
