//! Statuses that are not so.

use conformance::{
    Verdict,
    ocsp::message::{BasicMessage, extension},
};
use pki_core::{Extension, Oid};

use super::Fault;
use crate::support::broken_ocsp::{
    Asked,
    Break::{Basic, Error, Good, NeverIssued},
    contains, revoked,
};

const EXTENDED_REVOKE: Oid = Oid::new_unwrap("1.3.6.1.5.5.7.48.1.9");
const SHA_1: [u8; 5] = [0x2B, 0x0E, 0x03, 0x02, 0x1A];
const HOLD: u8 = 6;

pub(super) const FAULTS: &[Fault] = &[
    Fault::new(Error(6, Asked::is_about_good), &["good"]).blocking(),
    Fault::new(
        Basic(|basic, _| {
            really_revoked(basic, &[0x80, 0]);
        }),
        &["revoked"],
    )
    .blocking(),
    Fault::new(
        Basic(|basic, _| {
            really_revoked(basic, &revoked(2_200_000_000, Some(HOLD)));
        }),
        &["revoked-time"],
    ),
    Fault::new(Good(Asked::is_never_given), &["unknown-not-good"]).also(&[
        ("unknown-extended-revoke", Verdict::NotOffered),
        ("unknown-reason", Verdict::NotOffered),
        ("unknown-time", Verdict::NotOffered),
        ("unknown-no-crl-extensions", Verdict::NotOffered),
        ("extended-revoke-not-critical", Verdict::NotOffered),
    ]),
    Fault::new(
        NeverIssued(|basic| basic.responses[0].status = revoked(0, Some(HOLD))),
        &["unknown-extended-revoke"],
    )
    .also(&[
        ("unknown-reason", Verdict::Pass),
        ("unknown-time", Verdict::Pass),
        ("unknown-no-crl-extensions", Verdict::Pass),
        ("extended-revoke-not-critical", Verdict::NotOffered),
    ]),
    Fault::new(NeverIssued(|basic| extended(basic, revoked(0, Some(1)))), &["unknown-reason"]).also(&[
        ("unknown-extended-revoke", Verdict::Pass),
        ("unknown-time", Verdict::Pass),
        ("unknown-no-crl-extensions", Verdict::Pass),
        ("extended-revoke-not-critical", Verdict::Pass),
    ]),
    Fault::new(NeverIssued(|basic| extended(basic, revoked(5, Some(HOLD)))), &["unknown-time"]).also(&[
        ("unknown-extended-revoke", Verdict::Pass),
        ("unknown-reason", Verdict::Pass),
        ("unknown-no-crl-extensions", Verdict::Pass),
        ("extended-revoke-not-critical", Verdict::Pass),
    ]),
    Fault::new(
        NeverIssued(|basic| {
            extended(basic, revoked(0, Some(HOLD)));
            let reason = Extension::new(Oid::new_unwrap("2.5.29.21"), vec![0x0A, 1, HOLD]);
            basic.responses[0].extensions.push(reason.to_der());
        }),
        &["unknown-no-crl-extensions"],
    )
    .also(&[
        ("unknown-extended-revoke", Verdict::Pass),
        ("unknown-reason", Verdict::Pass),
        ("unknown-time", Verdict::Pass),
        ("extended-revoke-not-critical", Verdict::Pass),
    ]),
    Fault::new(
        NeverIssued(|basic| {
            basic.responses[0].status = revoked(0, Some(HOLD));
            basic.extensions.push(Extension::new(EXTENDED_REVOKE, vec![5, 0]).critical().to_der());
        }),
        &["extended-revoke-not-critical"],
    )
    .also(&[
        ("unknown-extended-revoke", Verdict::Pass),
        ("unknown-reason", Verdict::Pass),
        ("unknown-time", Verdict::Pass),
        ("unknown-no-crl-extensions", Verdict::Pass),
    ]),
    Fault::new(
        Good(|asked| asked.serials == [[asked.good.as_slice(), &[0x17]].concat()]),
        &["serial-with-a-suffix"],
    ),
    Fault::new(
        Good(|asked| asked.serials == [asked.good[..asked.good.len() - 1].to_vec()]),
        &["serial-cut-short"],
    ),
    Fault::new(Good(|asked| by_sha_1(asked) && !has_name(asked) && !has_key(asked)), &["other-issuer"]),
    // Signed by another delegate, and otherwise sound: no fault at all.
    Fault::new(Basic(|_, _| {}), &[]),
    Fault::new(Good(|asked| by_sha_1(asked) && !has_name(asked) && has_key(asked)), &["issuer-name-hash"]),
    Fault::new(Good(|asked| by_sha_1(asked) && has_name(asked) && !has_key(asked)), &["issuer-key-hash"]),
];

fn extended(basic: &mut BasicMessage, status: Vec<u8>) {
    basic.responses[0].status = status;
    basic.extensions.push(Extension::new(EXTENDED_REVOKE, vec![5, 0]).to_der());
}

/// Changes what is revoked, and was issued.
fn really_revoked(basic: &mut BasicMessage, status: &[u8]) {
    if extension(&basic.extensions, EXTENDED_REVOKE).is_none() {
        let revoked = basic.responses.iter_mut().filter(|single| single.status.first() == Some(&0xA1));
        revoked.for_each(|single| single.status = status.to_vec());
    }
}

fn by_sha_1(asked: &Asked) -> bool {
    asked.is_about_good() && contains(&asked.ids[0], &SHA_1)
}

fn has_name(asked: &Asked) -> bool {
    let digest = pki_core::DigestAlgorithm::Sha1.digest(asked.ca.subject().as_der()).unwrap();
    contains(&asked.ids[0], &digest)
}

fn has_key(asked: &Asked) -> bool {
    contains(&asked.ids[0], &asked.ca.public_key().key_identifier())
}
