//! Everything that looks random here, and is the same each time.

use std::{
    fmt::Write as _,
    sync::atomic::{AtomicU64, Ordering},
};

use base64ct::{Base64UrlUnpadded, Encoding as _};
use pki_core::DigestAlgorithm;

/// SHA-256 of seed, purpose and number. Nothing made of it protects anything.
#[derive(Debug)]
pub(crate) struct Sequence {
    seed: u64,
    next: AtomicU64,
}

impl Sequence {
    /// Starts the sequence of `seed`.
    pub(crate) fn new(seed: u64) -> Self {
        Self { seed, next: AtomicU64::new(0) }
    }

    /// The id of number `number` of whatever is called `what`: the same for the same seed.
    pub(crate) fn uuid(&self, what: &str, number: u64) -> String {
        uuid(&self.octets(what, number))
    }

    /// Text of 43 characters, by the same rule.
    pub(crate) fn text(&self, what: &str, number: u64) -> String {
        Base64UrlUnpadded::encode_string(&self.octets(what, number))
    }

    /// 32 octets, by the same rule.
    pub(crate) fn octets(&self, what: &str, number: u64) -> Vec<u8> {
        let input = format!("{}/{what}/{number}", self.seed);
        DigestAlgorithm::Sha256.digest(input.as_bytes()).unwrap_or_default()
    }

    /// The next id in the order in which they are asked for.
    pub(crate) fn next_uuid(&self) -> String {
        self.uuid("next", self.next.fetch_add(1, Ordering::Relaxed))
    }

    /// The next 32 octets.
    pub(crate) fn next_octets(&self) -> Vec<u8> {
        self.octets("next", self.next.fetch_add(1, Ordering::Relaxed))
    }

    /// The next text of 43 characters.
    pub(crate) fn next_text(&self) -> String {
        self.text("next", self.next.fetch_add(1, Ordering::Relaxed))
    }
}

/// The first 16 of `octets` as a random UUID ([RFC 9562 §5.4](https://www.rfc-editor.org/rfc/rfc9562#section-5.4)).
fn uuid(octets: &[u8]) -> String {
    let mut text = String::with_capacity(36);
    for (at, octet) in octets.iter().take(16).enumerate() {
        if matches!(at, 4 | 6 | 8 | 10) {
            text.push('-');
        }
        let octet = match at {
            6 => 0x40 | octet & 0x0F,
            8 => 0x80 | octet & 0x3F,
            _ => *octet,
        };
        // Text in memory takes everything.
        let _ = write!(text, "{octet:02x}");
    }
    text
}

/// Whether `text` is a UUID as services write them.
pub(crate) fn is_uuid(text: &str) -> bool {
    let form = |(at, octet): (usize, u8)| {
        if matches!(at, 8 | 13 | 18 | 23) { octet == b'-' } else { octet.is_ascii_hexdigit() }
    };
    text.len() == 36 && text.bytes().enumerate().all(form)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_is_the_same_sequence() {
        let [one, again, other] = [1, 1, 2].map(Sequence::new);
        assert_eq!(one.uuid("device", 7), again.uuid("device", 7));
        assert_ne!(one.uuid("device", 7), other.uuid("device", 7));
        assert_ne!(one.uuid("device", 7), one.uuid("user", 7));
        assert_eq!(one.next_uuid(), again.next_uuid());
        assert_ne!(one.next_uuid(), one.next_uuid());
    }

    #[test]
    fn ids_have_the_form_of_version_4() {
        let id = Sequence::new(1).uuid("device", 0);
        assert!(is_uuid(&id), "{id}");
        assert_eq!((&id[14..15], "89ab".contains(&id[19..20])), ("4", true), "{id}");
        for text in ["", "x", "d6b58414-60ed-426b-b382-276a3e8d626", "d6b58414.60ed-426b-b382-276a3e8d626d"] {
            assert!(!is_uuid(text), "{text}");
        }
    }
}
