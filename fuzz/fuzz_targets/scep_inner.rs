//! What lies in the envelope of a pkiMessage. The first octet of the input says of which messageType; the rest is
//! encrypted and wrapped up as a client would.
#![no_main]

use certbound_fuzz::{Anything, CONTENT_KEY, Counting, Plainly, ca, pki_message};
use libfuzzer_sys::fuzz_target;
use pki_core::{ContentKey, SignatureAlgorithm, UnixTime};
use scep_proto::{AlgorithmPolicy, FailInfo, PkiMessage, ReplySigner, RequestMessage};

const TYPES: [&str; 5] = ["19", "17", "20", "21", "22"];

fuzz_target!(|input: &[u8]| {
    let Some((kind, plaintext)) = input.split_first() else { return };
    if plaintext.len() > 32 * 1024 {
        return;
    }
    let message = pki_message(TYPES[usize::from(*kind) % TYPES.len()], plaintext);
    let message = PkiMessage::parse(&message).expect("the message around it is right");
    let verified = message.verify(&Anything, &AlgorithmPolicy::default()).expect("every signature is taken");
    let sealed = verified.sealed_for(ca()).expect("it is for this CA");
    match sealed.open(Some(ContentKey::new(CONTENT_KEY.to_vec())), &Anything, &Counting) {
        Ok(request) => answer(&request),
        Err(rejection) => assert_eq!(rejection.fail_info(), FailInfo::BadMessageCheck, "one failure for all"),
    }
});

fn answer(request: &scep_proto::Request) {
    let signer = ReplySigner::new(ca().clone(), SignatureAlgorithm::RsaPkcs1Sha256);
    if let RequestMessage::PkcsReq(csr) | RequestMessage::RenewalReq(csr) = &request.message {
        let _ =
            (csr.subject().to_string(), csr.key_usage(), csr.extended_key_usages(), csr.subject_alt_names());
        let _ = (csr.basic_constraints(), csr.challenge_password(), csr.verify(&Anything));
    }
    let exchange = &request.exchange;
    let reply = exchange.success(std::slice::from_ref(ca()), &signer, &Plainly, &Counting, UnixTime(0));
    let _ = reply.map(|reply| reply.finish(&[0; 256]));
}
