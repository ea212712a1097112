//! The key under which challenges are remembered.

use std::fmt;

use hmac::{Hmac, KeyInit as _, Mac as _};
use issuance::ChallengeId;
use pki_core::{ChallengePassword, RandomFailed, SecureRandom};
use sha2::Sha256;
use zeroize::Zeroizing;

use crate::challenge_text;

/// The key of the HMAC-SHA-256 under which challenges are stored, so that whoever reads the store can use none of them
/// ([RFC 8894 §7.3](https://www.rfc-editor.org/rfc/rfc8894#section-7.3)). Wiped when dropped, never printed.
///
/// All who make and check the challenges of one store share it.
#[derive(Clone)]
pub struct ChallengeKey(Zeroizing<[u8; 32]>);

impl ChallengeKey {
    /// From 32 octets that were drawn at random.
    pub fn new(octets: [u8; 32]) -> Self {
        Self(Zeroizing::new(octets))
    }

    /// A fresh one.
    pub fn generate(random: &dyn SecureRandom) -> Result<Self, RandomFailed> {
        let mut octets = Zeroizing::new([0; 32]);
        random.fill(&mut *octets)?;
        Ok(Self(octets))
    }

    /// The secret octets.
    pub fn expose(&self) -> &[u8; 32] {
        &self.0
    }

    /// Under which a one-time challenge is stored. The way it is typed (case, groups, letters that look like digits)
    /// makes no difference.
    pub fn one_time_id(&self, challenge: &ChallengePassword) -> ChallengeId {
        self.id(b"one-time challenge", challenge_text::canonical(challenge.expose()).as_bytes())
    }

    pub(crate) fn static_id(&self, challenge: &ChallengePassword) -> ChallengeId {
        self.id(b"static challenge", challenge.expose().as_bytes())
    }

    fn id(&self, purpose: &[u8], secret: &[u8]) -> ChallengeId {
        // HMAC pads its key with zeros to one block of the digest.
        let mut block = Zeroizing::new([0u8; 64]);
        block.iter_mut().zip(self.0.iter()).for_each(|(slot, octet)| *slot = *octet);
        let mut mac = Hmac::<Sha256>::new((&*block).into());
        mac.update(purpose);
        mac.update(&[0]);
        mac.update(secret);
        ChallengeId::from_bytes(mac.finalize().into_bytes().into())
    }
}

impl fmt::Debug for ChallengeKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ChallengeKey(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secret(text: &str) -> ChallengePassword {
        ChallengePassword::new(text.into())
    }

    #[test]
    fn is_the_hmac_that_openssl_makes() {
        let key = ChallengeKey::new([0x2A; 32]);
        let hex_key = format!("hexkey:{}", "2a".repeat(32));
        let arguments = ["dgst", "-sha256", "-mac", "HMAC", "-macopt", &hex_key, "-r"];
        let text = b"one-time challenge\x00ABCD1";
        let digest = testkit::run_with_input(std::path::Path::new("."), "openssl", arguments, text);
        let digest = String::from_utf8(digest).unwrap();
        let octets = digest.as_bytes().chunks(2).take(32);
        let octets = octets.map(|pair| u8::from_str_radix(str::from_utf8(pair).unwrap(), 16).unwrap());
        assert_eq!(octets.collect::<Vec<_>>(), key.one_time_id(&secret("abcd-i")).as_bytes());
    }

    #[test]
    fn row_11_no_kind_of_challenge_is_stored_as_another() {
        let key = ChallengeKey::new([1; 32]);
        assert_ne!(key.one_time_id(&secret("ABCD")), key.static_id(&secret("ABCD")));
        assert_ne!(key.one_time_id(&secret("ABCD")), ChallengeKey::new([2; 32]).one_time_id(&secret("ABCD")));
    }
}
