//! Challenges that are not looked at, and CSRs that get what they ask for.

use pki_core::{CertificationRequest, KeyUsage, Oid, oids, tlv};

use super::{Fault, replies::is_guess};
use crate::support::broken_scep::{
    Break::{Grant, Status},
    Loose,
};

pub(super) const FAULTS: &[Fault] = &[
    Fault::new(Grant(|loose| is_guess(&loose.challenges())), &["challenge-wrong"]).blocking(),
    Fault::new(Grant(|loose| challenge(loose) == Some((0x13, Vec::new()))), &["challenge-empty"]),
    Fault::new(
        Grant(|loose| {
            loose.is_type("19")
                && loose.is_self_signed()
                && loose.csr_is_signed()
                && loose.challenges().is_empty()
        }),
        &["challenge-missing"],
    ),
    Fault::new(Grant(|loose| loose.challenges().len() == 2), &["challenge-twice"]),
    Fault::new(Grant(|loose| loose.seen.challenge_of_another_key), &["challenge-reuse"]),
    Fault::new(
        Status(500, |loose| challenge(loose).is_some_and(|(tag, _)| tag == 0x0C)),
        &["challenge-as-utf8-string"],
    ),
    Fault::new(
        Status(500, |loose| challenge(loose).is_some_and(|(tag, _)| tag == 0x1E)),
        &["challenge-as-bmp-string"],
    ),
    Fault::new(Grant(|loose| loose.asks_for(oids::BASIC_CONSTRAINTS, &[1, 1, 0xFF])), &["csr-ca-true"]),
    Fault::new(
        Grant(|loose| {
            let usage = loose.csr.as_ref().and_then(|csr| csr.key_usage().ok().flatten());
            usage.is_some_and(|usage| usage.contains(KeyUsage::KEY_CERT_SIGN))
        }),
        &["csr-key-cert-sign"],
    ),
    Fault::new(Grant(|loose| asks_for_usage(loose, oids::KP_OCSP_SIGNING)), &["csr-ocsp-signing"]),
    Fault::new(Grant(|loose| asks_for_usage(loose, oids::ANY_EXTENDED_KEY_USAGE)), &["csr-any-usage"]),
    Fault::new(
        Grant(|loose| asks_for_usage(loose, Oid::new_unwrap("1.3.6.1.4.1.311.20.2.1"))),
        &["csr-request-agent"],
    ),
    Fault::new(
        Grant(|loose| loose.asks_for(Oid::new_unwrap("1.3.6.1.4.1.311.25.2"), b"S-1-5-21")),
        &["csr-security-identifier"],
    ),
    Fault::new(
        Status(500, |loose| {
            let extensions = loose.csr.iter().flat_map(CertificationRequest::extensions);
            let mut empty = extensions.filter(|extension| extension.value() == [tlv::SEQUENCE, 0]);
            empty.any(|extension| extension.id() == oids::SUBJECT_ALT_NAME)
        }),
        &["csr-empty-elements"],
    ),
    Fault::new(Status(500, |loose| loose.plain.as_deref() == Some(b"")), &["csr-malformed"]),
    Fault::new(
        Grant(|loose| {
            let md5 = tlv::oid(Oid::new_unwrap("1.2.840.113549.1.1.4"));
            loose.plain.as_ref().is_some_and(|plain| plain.windows(md5.len()).any(|window| window == md5))
        }),
        &["csr-signed-with-md5"],
    ),
    Fault::new(
        Grant(|loose| {
            let name = loose.csr.as_ref().and_then(|csr| csr.subject().common_name());
            name.is_some_and(|name| name.contains('\u{202e}'))
        }),
        &["csr-control-characters"],
    ),
];

fn challenge(loose: &Loose) -> Option<(u8, Vec<u8>)> {
    match loose.challenges().as_slice() {
        [one] => Some(one.clone()),
        _ => None,
    }
}

fn asks_for_usage(loose: &Loose, usage: Oid) -> bool {
    loose.asks_for(oids::EXTENDED_KEY_USAGE, &tlv::oid(usage))
}
