//! A pkiMessage from outside, read by our outer parser and by rasn's.
#![no_main]

use certbound_fuzz::differential::disagreement;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    if let Some(difference) = disagreement(input) {
        panic!("{difference}");
    }
});
