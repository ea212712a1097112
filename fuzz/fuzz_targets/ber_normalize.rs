//! BER to DER: what comes out is in its final form, and no longer than what went in.
#![no_main]

use std::borrow::Cow;

use libfuzzer_sys::fuzz_target;
use scep_proto::ber::normalize;

fuzz_target!(|ber: &[u8]| {
    let Ok(der) = normalize(ber) else { return };
    assert!(der.len() <= ber.len(), "DER is never longer");
    let again = normalize(&der).expect("what comes out can go in");
    assert!(matches!(again, Cow::Borrowed(same) if same == &*der), "and comes out as it is");
});
