//! The key under which dates and numbers follow from requests.

use std::{
    fmt,
    sync::atomic::{AtomicU64, Ordering},
};

use hmac::{Hmac, KeyInit as _, Mac as _};
use pki_core::{RandomFailed, SecureRandom};
use serial_binding::SerialKey;
use sha2::Sha256;
use zeroize::Zeroizing;

const LABEL: &[u8] = b"certbound: issuance without a ledger, 1";

/// The key of the HMAC-SHA-256 by which nonces and dates follow from requests. Wiped when dropped, never printed.
///
/// All instances of a CA have the same one, because all have the same serial key.
#[derive(Clone)]
pub struct DerivationKey(Zeroizing<[u8; 32]>);

/// Octets that look random and are the same wherever the same was [derived](DerivationKey::stream).
pub(crate) struct DerivedStream {
    seed: DerivationKey,
    blocks: AtomicU64,
}

impl DerivationKey {
    /// The one that follows from the key of new serial numbers.
    pub fn of(serial_key: &SerialKey) -> Self {
        Self(Zeroizing::new(mac(serial_key.expose(), &[LABEL])))
    }

    /// 32 octets that follow from `parts`; `purpose` keeps those of one use apart from those of another.
    pub(crate) fn derive(&self, purpose: &[u8], parts: &[&[u8]]) -> [u8; 32] {
        mac(&self.0, &[&[purpose], parts].concat())
    }

    /// As many octets as are asked for, which follow from `parts`.
    pub(crate) fn stream(&self, purpose: &[u8], parts: &[&[u8]]) -> DerivedStream {
        let seed = Self(Zeroizing::new(self.derive(purpose, parts)));
        DerivedStream { seed, blocks: AtomicU64::new(0) }
    }
}

/// Each part goes in behind its length, so that no two lists of parts are one.
fn mac(key: &[u8; 32], parts: &[&[u8]]) -> [u8; 32] {
    // HMAC pads its key with zeros to one block of the digest.
    let mut block = Zeroizing::new([0u8; 64]);
    block.iter_mut().zip(key).for_each(|(slot, octet)| *slot = *octet);
    let mut mac = Hmac::<Sha256>::new((&*block).into());
    for part in parts {
        mac.update(&u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
        mac.update(part);
    }
    mac.finalize().into_bytes().into()
}

impl SecureRandom for DerivedStream {
    fn fill(&self, out: &mut [u8]) -> Result<(), RandomFailed> {
        for chunk in out.chunks_mut(32) {
            let number = self.blocks.fetch_add(1, Ordering::Relaxed).to_be_bytes();
            let block = Zeroizing::new(self.seed.derive(b"block", &[&number]));
            chunk.iter_mut().zip(block.iter()).for_each(|(slot, octet)| *slot = *octet);
        }
        Ok(())
    }
}

impl fmt::Debug for DerivationKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DerivationKey(..)")
    }
}

impl fmt::Debug for DerivedStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DerivedStream(..)")
    }
}

#[cfg(test)]
mod tests {
    use serial_binding::KeyId;

    use super::*;

    fn key(octet: u8) -> DerivationKey {
        DerivationKey::of(&SerialKey::from_slice(KeyId::FIRST, &[octet; 32]).unwrap())
    }

    #[test]
    fn every_part_and_every_length_counts() {
        let made = [
            key(1).derive(b"a", &[b"b", b"c"]),
            key(2).derive(b"a", &[b"b", b"c"]),
            key(1).derive(b"b", &[b"b", b"c"]),
            key(1).derive(b"a", &[b"bc"]),
            key(1).derive(b"a", &[b"bc", b""]),
            key(1).derive(b"a", &[b"c", b"b"]),
        ];
        for (at, octets) in made.iter().enumerate() {
            assert_eq!(made.iter().position(|first| first == octets), Some(at));
        }
    }

    /// Frozen: instances of different versions run side by side while a site is updated.
    #[test]
    fn is_what_openssl_derives() {
        let openssl = |key: &str, text: Vec<u8>| {
            let arguments = ["dgst", "-sha256", "-mac", "HMAC", "-macopt", &format!("hexkey:{key}"), "-r"];
            let digest = testkit::run_with_input(std::path::Path::new("."), "openssl", arguments, &text);
            String::from_utf8(digest).unwrap()[..64].to_owned()
        };
        let hex =
            |octets: &[u8]| octets.iter().fold(String::new(), |text, octet| format!("{text}{octet:02x}"));
        let framed = |parts: &[&[u8]]| {
            let frame = |part: &&[u8]| [&(part.len() as u64).to_be_bytes()[..], part].concat();
            parts.iter().flat_map(frame).collect::<Vec<u8>>()
        };
        let expected = openssl(&"07".repeat(32), framed(&[LABEL]));
        assert_eq!(hex(&*key(7).0), expected);
        let seed = openssl(&expected, framed(&[b"serial", b"x"]));
        let mut octets = [0; 40];
        key(7).stream(b"serial", &[b"x"]).fill(&mut octets).unwrap();
        let block = |number: u64| openssl(&seed, framed(&[b"block", &number.to_be_bytes()]));
        assert_eq!(hex(&octets), format!("{}{}", block(0), &block(1)[..16]));
    }

    #[test]
    fn row_67_a_key_is_never_printed() {
        assert_eq!(
            format!("{:?} {:?}", key(1), key(1).stream(b"", &[])),
            "DerivationKey(..) DerivedStream(..)"
        );
    }
}
