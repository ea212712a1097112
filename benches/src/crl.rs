//! CRLs: written, read, and asked.

use std::{hint::black_box, sync::Arc, time::Duration};

use pki_core::{CertRef, Crl, CrlReason, EncodedCrlEntries, SerialNumber, SignatureAlgorithm, tlv};
use revocation::{CrlRevocations, CrlSourceParts, CrlSourceSettings, RevocationSource as _};
use testkit::{FixedClock, NOW, block_on, ca};

use crate::{Operation, Run};

/// The operations of this group.
pub const OPERATIONS: &[Operation] = &[
    Operation { name: "crl/encode 1000 entries", prepare: encode },
    Operation { name: "crl/parse 1000 entries", prepare: parse },
    Operation { name: "crl/look up, listed among a million", prepare: || look_up(0) },
    Operation { name: "crl/look up, not listed among a million", prepare: || look_up(1) },
];

/// A million; but where nothing is measured, as many as can be waited for.
const MANY: u32 = if cfg!(debug_assertions) { 10_000 } else { 1_000_000 };

/// Twenty octets, spread as those of sealed serial numbers are; even numbers are revoked.
fn serial(number: u32) -> SerialNumber {
    let mut octets = [0x20; 20];
    let spread = number.wrapping_mul(0x9E37_79B1).rotate_left(7);
    for (slot, octet) in
        octets.iter_mut().skip(1).zip(spread.to_be_bytes().into_iter().chain(number.to_be_bytes()))
    {
        *slot = octet;
    }
    SerialNumber::from_be_bytes(&octets).expect("a serial number")
}

fn entries(count: u32) -> EncodedCrlEntries {
    let mut entries = EncodedCrlEntries::with_capacity(usize::try_from(count).unwrap_or(0));
    for number in 0..count {
        entries.push(serial(number.wrapping_mul(2)), NOW, CrlReason::CessationOfOperation, None);
    }
    entries
}

fn list(count: u32) -> Vec<u8> {
    let ca = ca();
    let algorithm = SignatureAlgorithm::EcdsaSha256.to_der();
    let tbs = tlv::sequence([
        &[tlv::INTEGER, 1, 1][..],
        &algorithm,
        ca.certificate.subject().as_der(),
        &tlv::time(NOW),
        &tlv::time(NOW.saturating_add(Duration::from_secs(86_400))),
        &tlv::wrap(tlv::SEQUENCE, entries(count).as_bytes()),
    ]);
    let signature = block_on(ca.key.sign(&tbs)).expect("a signature");
    tlv::sequence([&*tbs, &algorithm, &tlv::wrap(tlv::BIT_STRING, &[&[0], &*signature].concat())])
}

fn encode() -> Run {
    Run::same(|| _ = black_box(entries(black_box(1000))))
}

fn parse() -> Run {
    let der = list(1000);
    Run::same(move || assert_eq!(Crl::from_der(black_box(&der)).expect("a CRL").len(), 1000))
}

/// Looks numbers up whose remainder by 2 is `odd`.
fn look_up(odd: u32) -> Run {
    let parts = CrlSourceParts {
        issuer: ca().certificate,
        verifier: Arc::new(keys_software::AwsLc),
        clock: Arc::new(FixedClock::default()),
        settings: CrlSourceSettings::default(),
    };
    let source = CrlRevocations::new(parts).expect("an issuer of CRLs");
    source.take_in(list(MANY)).expect("a CRL that is believed");
    let mut at = 0_u32;
    Run::same(move || {
        at = at.wrapping_add(7919) % MANY;
        let certificate =
            CertRef { issuer: source.issuer(), serial: serial(at.wrapping_mul(2).wrapping_add(odd)) };
        _ = black_box(block_on(source.status(black_box(certificate)))).expect("an answer");
    })
}
