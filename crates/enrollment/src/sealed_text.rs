//! How sealed challenges are written: `docs/sealed-challenges.md`, section 2.

use std::fmt;

use crate::challenge_text::{ALPHABET, canonical};

/// With what every sealed challenge of version 1 begins.
const PREFIX: &str = "CBS1";

/// RFC 2985 §5.4.1: a challengePassword has no more characters.
const LONGEST: usize = 255;

/// The text of a sealed challenge: `CBS1-`, then its octets in Crockford's base 32. Nothing is known of them yet.
///
/// Letters may be large or small; hyphens, white space and letters that look like digits make no difference.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SealedText(Vec<u8>);

impl SealedText {
    /// The octets that `text` stands for; `None` when it is no sealed challenge.
    pub fn parse(text: &str) -> Option<Self> {
        if text.len() > LONGEST {
            return None;
        }
        let text = canonical(text);
        decode(text.strip_prefix(PREFIX)?).map(Self)
    }

    /// Of these octets; `None` when the text would have more than 255 characters.
    pub fn of_octets(octets: Vec<u8>) -> Option<Self> {
        let symbols = octets.len().checked_mul(8)?.div_ceil(5);
        let length = symbols.checked_add(PREFIX.len())?.checked_add(1)?;
        (length <= LONGEST).then_some(Self(octets))
    }

    /// The octets.
    pub fn octets(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Display for SealedText {
    /// All of it can stand in a PrintableString and, unescaped, in an URL or XML.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{PREFIX}-")?;
        for five in self.0.chunks(5) {
            let mut block = [0; 8];
            block.iter_mut().skip(3).zip(five).for_each(|(slot, octet)| *slot = *octet);
            let bits = u64::from_be_bytes(block);
            let symbols = five.len().saturating_mul(8).div_ceil(5);
            for shift in (0..40).step_by(5).rev().take(symbols) {
                let symbol = usize::try_from(bits >> shift & 31).ok().and_then(|value| ALPHABET.get(value));
                write!(f, "{}", char::from(*symbol.ok_or(fmt::Error)?))?;
            }
        }
        Ok(())
    }
}

/// Fails for symbols that are none, and where bits are left over that are not zero: each value has one text.
fn decode(symbols: &str) -> Option<Vec<u8>> {
    let (mut octets, mut bits, mut count) = (Vec::with_capacity(symbols.len()), 0u32, 0u32);
    for symbol in symbols.bytes() {
        let value = ALPHABET.iter().position(|known| *known == symbol)?;
        bits = (bits << 5 | u32::try_from(value).ok()?) & 0xFFF;
        count = count.saturating_add(5);
        if count >= 8 {
            count = count.saturating_sub(8);
            octets.push(u8::try_from(bits >> count & 0xFF).ok()?);
        }
    }
    let left_over = bits & (1u32 << count).saturating_sub(1);
    (count < 5 && left_over == 0).then_some(octets)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(200))]

        #[test]
        fn octets_are_written_and_read_again(octets in proptest::collection::vec(any::<u8>(), 0..156)) {
            let text = SealedText::of_octets(octets).unwrap();
            let written = text.to_string();
            prop_assert!(written.len() <= LONGEST);
            prop_assert_eq!(SealedText::parse(&written), Some(text.clone()));
            prop_assert_eq!(SealedText::parse(&written.to_lowercase().replace('-', " ")), Some(text));
        }

        #[test]
        fn whatever_reads_has_one_text(text in "(CBS1|cbs1)-?[0-9A-Z-]{0,30}") {
            if let Some(read) = SealedText::parse(&text) {
                prop_assert_eq!(read.to_string().replace('-', ""), canonical(&text).to_string());
            }
        }
    }

    #[test]
    fn what_is_no_sealed_challenge_is_not_read() {
        for text in ["", "CBS1-0", "CBS1-000", "CBS1-01", "CBS2-00", "00", "CBS1-0U", "CBS1-é0", "CBS1-00é"]
        {
            assert_eq!(SealedText::parse(text), None, "{text}");
        }
        assert_eq!(SealedText::parse(&format!("CBS1{}", "0".repeat(252))), None);
        assert_eq!(SealedText::of_octets(vec![0; 157]), None);
        assert_eq!(SealedText::of_octets(b"foobar".to_vec()).unwrap().to_string(), "CBS1-CSQPYRK1E8");
    }
}
