//! Who asks, when a proxy asks for them.

use std::{net::IpAddr, str::FromStr};

use hyper::HeaderMap;

/// Proxies whose word on where a request came from is taken, by address or prefix.
///
/// ```
/// # use {http_listener::TrustedProxies, hyper::HeaderMap};
/// let proxies = TrustedProxies::parse(["127.0.0.1", "10.0.0.0/8"])?;
/// let mut headers = HeaderMap::new();
/// headers.insert("x-forwarded-for", "198.51.100.7, 10.1.2.3".parse()?);
/// let told = proxies.client("127.0.0.1".parse()?, &headers);
/// assert_eq!(told.to_string(), "198.51.100.7");
/// let stranger = proxies.client("192.0.2.1".parse()?, &headers);
/// assert_eq!(stranger.to_string(), "192.0.2.1");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Default)]
pub struct TrustedProxies(Vec<Prefix>);

/// The addresses that begin alike.
#[derive(Debug, Clone, Copy)]
struct Prefix {
    /// As IPv6; an IPv4 address as the one that it is mapped to.
    bits: u128,
    mask: u128,
}

impl TrustedProxies {
    /// From addresses such as `127.0.0.1` and prefixes such as `10.0.0.0/8`.
    pub fn parse<'a>(texts: impl IntoIterator<Item = &'a str>) -> Result<Self, NotAPrefix> {
        texts.into_iter().map(str::parse).collect::<Result<_, _>>().map(Self)
    }

    /// Whether the address is one of theirs.
    pub fn contains(&self, address: IpAddr) -> bool {
        self.0.iter().any(|prefix| bits(address) & prefix.mask == prefix.bits)
    }

    /// Whom the request came from that `peer` sent: `peer` itself, unless it is trusted; then the last address of
    /// X-Forwarded-For that is not trusted. What stands before that, anybody can have written.
    pub fn client(&self, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
        if !self.contains(peer) {
            return peer;
        }
        let lines = headers.get_all("x-forwarded-for").iter().rev();
        let told = lines.flat_map(|line| line.to_str().unwrap_or_default().rsplit(','));
        let mut known = peer;
        for text in told {
            let Some(address) = address(text.trim()) else { return known };
            known = address;
            if !self.contains(address) {
                break;
            }
        }
        known
    }
}

impl FromStr for Prefix {
    type Err = NotAPrefix;

    fn from_str(text: &str) -> Result<Self, NotAPrefix> {
        let wrong = || NotAPrefix(text.to_owned());
        let (address, length) = match text.split_once('/') {
            Some((address, length)) => (address, Some(length.parse::<u32>().map_err(|_| wrong())?)),
            None => (text, None),
        };
        let address: IpAddr = address.parse().map_err(|_| wrong())?;
        let all: u32 = if address.is_ipv4() { 32 } else { 128 };
        // The bits of the address that may be anything.
        let free = all.checked_sub(length.unwrap_or(all)).ok_or_else(wrong)?;
        let mask = u128::MAX.checked_shl(free).unwrap_or(0);
        if bits(address) & mask != bits(address) {
            return Err(wrong());
        }
        Ok(Self { bits: bits(address), mask })
    }
}

fn bits(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(v4) => v4.to_ipv6_mapped().to_bits(),
        IpAddr::V6(v6) => v6.to_bits(),
    }
}

/// An address as proxies write it, some with a port.
fn address(text: &str) -> Option<IpAddr> {
    let with_port = || text.parse::<std::net::SocketAddr>().ok().map(|address| address.ip());
    let bare = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or(text);
    bare.parse().ok().or_else(with_port)
}

/// Neither an address nor a prefix.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "expected an address such as 127.0.0.1, or a prefix such as 10.0.0.0/8 whose other bits are 0: {0:?}"
)]
pub struct NotAPrefix(String);

#[cfg(test)]
mod tests {
    use hyper::header::HeaderValue;

    use super::*;

    fn told(proxies: &[&str], peer: &str, lines: &[&'static str]) -> String {
        let proxies = TrustedProxies::parse(proxies.iter().copied()).unwrap();
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append("x-forwarded-for", HeaderValue::from_static(line));
        }
        proxies.client(peer.parse().unwrap(), &headers).to_string()
    }

    #[test]
    fn only_the_word_of_trusted_proxies_counts() {
        let ours = ["10.0.0.0/8", "fd00::/8"];
        for (peer, lines, expected) in [
            ("192.0.2.1", &["198.51.100.7"][..], "192.0.2.1"),
            ("10.0.0.1", &[], "10.0.0.1"),
            ("10.0.0.1", &["198.51.100.7"], "198.51.100.7"),
            ("::ffff:10.0.0.1", &["198.51.100.7"], "198.51.100.7"),
            // Whatever a client writes itself stands before what the proxies add.
            ("10.0.0.1", &["203.0.113.9, 198.51.100.7, 10.0.0.2"], "198.51.100.7"),
            ("10.0.0.1", &["203.0.113.9", "198.51.100.7"], "198.51.100.7"),
            ("fd00::1", &["[2001:db8::1]:443"], "2001:db8::1"),
            ("fd00::1", &["2001:db8::1"], "2001:db8::1"),
            ("10.0.0.1", &["198.51.100.7:1234"], "198.51.100.7"),
            ("10.0.0.1", &["198.51.100.7, unknown, 10.0.0.2"], "10.0.0.2"),
            ("10.0.0.1", &["nonsense"], "10.0.0.1"),
            ("10.0.0.1", &["10.0.0.2, 10.0.0.3"], "10.0.0.2"),
        ] {
            assert_eq!(told(&ours, peer, lines), expected, "{peer} {lines:?}");
        }
        assert_eq!(told(&[], "127.0.0.1", &["198.51.100.7"]), "127.0.0.1", "nobody is trusted unasked");
        assert_eq!(told(&["0.0.0.0/0"], "127.0.0.1", &["198.51.100.7"]), "198.51.100.7");
    }

    #[test]
    fn what_is_no_prefix_is_refused() {
        for text in ["", "10.0.0.0/33", "10.0.0.1/8", "::/129", "example.com", "10.0.0.0/", "10/8"] {
            let refused = TrustedProxies::parse([text]).unwrap_err();
            assert!(refused.to_string().contains(&format!("{text:?}")), "{refused}");
        }
    }
}
