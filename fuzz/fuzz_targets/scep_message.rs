//! A pkiMessage from outside, as far as it goes without its keys; signatures are taken as they come.
#![no_main]

use certbound_fuzz::{Anything, CONTENT_KEY, Counting, ca};
use libfuzzer_sys::fuzz_target;
use pki_core::{ChallengePassword, ContentKey, SignatureAlgorithm, UnixTime};
use scep_proto::{
    AlgorithmPolicy, FailInfo, Legacy, PkiMessage, ReplySigner,
    explain::{Aids, explain},
};

fuzz_target!(|input: &[u8]| {
    let told = explain(input, &Aids::default().with_verifier(&Anything));
    let _ = told.to_string();
    let Ok(message) = PkiMessage::parse(input) else { return };
    let policy = AlgorithmPolicy::default().with_legacy(Legacy::Sha1).with_legacy(Legacy::TripleDes);
    let signer = ReplySigner::new(ca().clone(), SignatureAlgorithm::RsaPkcs1Sha256);
    let failure = message.exchange().failure(&signer, FailInfo::BadRequest, None, &Counting, UnixTime(0));
    failure.expect("every message that parses can be answered").finish(&[0; 256]);
    if let Ok(verified) = message.verify(&Anything, &policy) {
        let challenge = ChallengePassword::new("fuzz".into());
        let _ = verified.open_with_challenge(&challenge, ca(), &Anything, &Counting);
        let Ok(sealed) = verified.sealed_for(ca()) else { return };
        for key in [Some(ContentKey::new(CONTENT_KEY.to_vec())), None] {
            let _ = sealed.open(key, &Anything, &Counting);
        }
    }
});
