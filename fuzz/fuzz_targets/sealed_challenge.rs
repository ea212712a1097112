//! Sealed challenges, from outside and, as a holder of the key would have them, from inside.
#![no_main]

use enrollment::{SealedTerms, SealedText};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|octets: &[u8]| {
    if let Ok(text) = std::str::from_utf8(octets)
        && let Some(read) = SealedText::parse(text)
    {
        let written = read.to_string();
        assert_eq!(SealedText::parse(&written), Some(read), "text reads back");
    }
    if let Ok(terms) = SealedTerms::decode(octets) {
        assert_eq!(terms.encode().expect("what reads is written"), octets, "terms have one form");
    }
});
