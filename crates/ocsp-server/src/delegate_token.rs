//! How a responder shows a CA that it may have delegates certified, without the secret going over the wire.
//!
//! A request is `POST {CA}/ocsp-delegate/{fingerprint of the CA's certificate}` with a certification request as its body
//! and `Authorization: Certbound-Delegate {Unix time} {MAC}`. The MAC is HMAC-SHA-256 under the shared secret over the
//! purpose, the fingerprint, the time and the body, in hexadecimal. The answer is the certificate. Nothing of this is
//! secret, and the responder checks the certificate as it checks any other, so that plain HTTP will do; whoever replays a
//! request within its minutes gets another certificate for a key that he does not have.

use std::{fmt, time::Duration};

use hmac::{Hmac, KeyInit as _, Mac as _};
use pki_core::UnixTime;
use sha2::Sha256;
use zeroize::Zeroizing;

/// The path below which delegates are certified.
pub const PATH: &str = "ocsp-delegate";

/// What clocks of responder and CA may differ by.
const MAX_SKEW: Duration = Duration::from_secs(300);
const SCHEME: &str = "Certbound-Delegate ";
const PURPOSE: &[u8] = b"certbound ocsp delegate 1\0";

/// The secret that a CA and its responders share.
#[derive(Clone)]
pub struct DelegateToken(Zeroizing<[u8; 32]>);

impl DelegateToken {
    /// From the octets of its file.
    pub fn new(secret: Zeroizing<[u8; 32]>) -> Self {
        Self(secret)
    }

    /// The value of `Authorization` for a request with that body at `now`.
    pub fn authorization(&self, ca: &[u8; 32], body: &[u8], now: UnixTime) -> String {
        let mac = self.mac(ca, now, body).map(|mac| mac.finalize().into_bytes());
        format!("{SCHEME}{} {}", now.0, hex(&mac.unwrap_or_default()))
    }

    /// Whether that value of `Authorization` was made with this secret for that CA and body, just now.
    pub fn admits(
        &self,
        authorization: &str,
        ca: &[u8; 32],
        body: &[u8],
        now: UnixTime,
    ) -> Result<(), NotAdmitted> {
        let fields = authorization.strip_prefix(SCHEME).and_then(|rest| rest.split_once(' '));
        let (time, mac) = fields.ok_or(NotAdmitted::NoToken)?;
        let time = UnixTime(time.parse().map_err(|_| NotAdmitted::NoToken)?);
        let expected = self.mac(ca, time, body).ok_or(NotAdmitted::OtherToken)?;
        let mac = octets(mac).ok_or(NotAdmitted::NoToken)?;
        expected.verify_slice(&mac).map_err(|_| NotAdmitted::OtherToken)?;
        // Judged last, so that only who has the secret learns of it.
        let skew = now.saturating_since(time).max(time.saturating_since(now));
        if skew > MAX_SKEW { Err(NotAdmitted::OtherTime) } else { Ok(()) }
    }

    fn mac(&self, ca: &[u8; 32], time: UnixTime, body: &[u8]) -> Option<Hmac<Sha256>> {
        let mut mac = Hmac::<Sha256>::new_from_slice(&*self.0).ok()?;
        for part in [PURPOSE, ca, &time.0.to_be_bytes(), body] {
            mac.update(part);
        }
        Some(mac)
    }
}

impl fmt::Debug for DelegateToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DelegateToken(..)")
    }
}

/// Why a request is not answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NotAdmitted {
    /// `Authorization` is absent or of another scheme.
    #[error("the request does not show a token")]
    NoToken,
    /// It was made with another secret, or for something else.
    #[error("the token of the request is another than ours")]
    OtherToken,
    /// It was made at another time.
    #[error("the request was made at another time; compare the clocks of CA and responder")]
    OtherTime,
}

/// The octets in hexadecimal.
pub fn hex(octets: &[u8]) -> String {
    let digits = octets.iter().flat_map(|octet| [octet >> 4, octet & 15]);
    digits.filter_map(|digit| char::from_digit(digit.into(), 16)).collect()
}

/// Exactly 32 octets from hexadecimal.
pub fn octets(text: &str) -> Option<[u8; 32]> {
    let digits = text.as_bytes();
    let mut out = [0; 32];
    if digits.len() != 64 {
        return None;
    }
    for (slot, pair) in out.iter_mut().zip(digits.chunks_exact(2)) {
        let digit = |at: usize| pair.get(at).and_then(|&digit| char::from(digit).to_digit(16));
        *slot = u8::try_from(digit(0)? << 4 | digit(1)?).ok()?;
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: UnixTime = UnixTime(1_795_262_400);

    fn token(octet: u8) -> DelegateToken {
        DelegateToken::new(Zeroizing::new([octet; 32]))
    }

    #[test]
    fn what_was_made_with_the_same_secret_is_admitted() {
        let authorization = token(1).authorization(&[2; 32], b"body", NOW);
        assert_eq!(token(1).admits(&authorization, &[2; 32], b"body", NOW), Ok(()));
        assert!(!format!("{:?} {authorization}", token(1)).contains("0101"), "the secret shows nowhere");
    }

    #[test]
    fn the_mac_is_that_of_openssl() {
        let message = [PURPOSE, &[2; 32], &NOW.0.to_be_bytes(), b"body"].concat();
        let key = format!("hexkey:{}", hex(&[1; 32]));
        let arguments = ["dgst", "-r", "-sha256", "-mac", "HMAC", "-macopt", &key];
        let theirs = testkit::run_with_input(std::path::Path::new("."), "openssl", arguments, &message);
        let theirs = String::from_utf8(theirs).unwrap();
        let ours = token(1).authorization(&[2; 32], b"body", NOW);
        assert_eq!(ours.rsplit(' ').next(), theirs.split(' ').next());
    }

    #[test]
    fn what_differs_in_anything_is_not_admitted() {
        let authorization = token(1).authorization(&[2; 32], b"body", NOW);
        let admits =
            |text: &str, ca, body: &[u8], now| token(1).admits(text, &[ca; 32], body, now).unwrap_err();
        assert_eq!(token(3).admits(&authorization, &[2; 32], b"body", NOW), Err(NotAdmitted::OtherToken));
        assert_eq!(admits(&authorization, 3, b"body", NOW), NotAdmitted::OtherToken);
        assert_eq!(admits(&authorization, 2, b"bodY", NOW), NotAdmitted::OtherToken);
        let moved = authorization.replacen("1795262400", "1795262401", 1);
        assert_eq!(admits(&moved, 2, b"body", NOW), NotAdmitted::OtherToken);
        for (skew, admitted) in [(300, true), (301, false)] {
            for now in [NOW.0 + skew, NOW.0 - skew] {
                let result = token(1).admits(&authorization, &[2; 32], b"body", UnixTime(now));
                assert_eq!(result, if admitted { Ok(()) } else { Err(NotAdmitted::OtherTime) }, "{now}");
            }
        }
        for text in
            ["", "Basic x", "Certbound-Delegate ", "Certbound-Delegate 1 zz", "Certbound-Delegate x 00"]
        {
            assert_eq!(admits(text, 2, b"body", NOW), NotAdmitted::NoToken, "{text}");
        }
    }
}
