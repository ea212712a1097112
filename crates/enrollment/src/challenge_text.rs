//! How one-time challenges are written: 28 letters and digits in groups of four.

use pki_core::{ChallengePassword, RandomFailed, SecureRandom};
use zeroize::Zeroizing;

/// Letters and digits that cannot be taken for each other (Crockford's base 32); all of them fit a PrintableString.
pub(crate) const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// 28 symbols of 5 bits: 140 bits, where security asks for 128.
const SYMBOLS: usize = 28;

const GROUP: usize = 4;

/// A fresh challenge, such as `7Q4K-0ZPM-X2D9-HJ5T-VB8E-1RNC-W6GA`.
pub(crate) fn generate(random: &dyn SecureRandom) -> Result<ChallengePassword, RandomFailed> {
    let mut octets = Zeroizing::new([0u8; SYMBOLS]);
    random.fill(&mut *octets)?;
    // Made as long as it gets, so that no copy of the secret is left behind by growing.
    let mut text = String::with_capacity(SYMBOLS.saturating_mul(2));
    for (at, octet) in octets.iter().enumerate() {
        if at % GROUP == 0 && at > 0 {
            text.push('-');
        }
        // 32 divides 256, so that every symbol is as likely as any other.
        text.extend(ALPHABET.get(usize::from(octet % 32)).copied().map(char::from));
    }
    Ok(ChallengePassword::new(text))
}

/// The same text for every way that people type one challenge.
pub(crate) fn canonical(text: &str) -> Zeroizing<String> {
    let mut canonical = Zeroizing::new(String::with_capacity(text.len()));
    let symbols = text.chars().filter(|c| *c != '-' && !c.is_whitespace());
    canonical.extend(symbols.map(|c| match c.to_ascii_uppercase() {
        'O' => '0',
        'I' | 'L' => '1',
        other => other,
    }));
    canonical
}

#[cfg(test)]
mod tests {
    use testkit::SeededRandom;

    use super::*;

    #[test]
    fn a_challenge_is_long_enough_and_easy_to_type() {
        let challenge = generate(&SeededRandom::new(1)).unwrap();
        let groups: Vec<&str> = challenge.expose().split('-').collect();
        assert_eq!(groups.len(), 7);
        for group in groups {
            assert_eq!(group.len(), GROUP);
            assert!(group.bytes().all(|octet| ALPHABET.contains(&octet)));
        }
    }

    #[test]
    fn typing_it_another_way_makes_no_difference() {
        let expected = "01AB11";
        for text in ["01AB-11", "01ab-11", "o1ab-il", " O I a b L 1 \n", "01AB11"] {
            assert_eq!(&**canonical(text), expected, "{text:?}");
        }
        assert_ne!(&**canonical("01AB-12"), expected);
    }
}
