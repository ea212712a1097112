//! Signatures, and delegates that are none.

use pki_core::{
    BasicConstraints, Clock as _, Extension, KeyUsage, SignatureAlgorithm, SystemClock, UnixTime, oids, tlv,
};
use testkit::keys;

use super::Fault;
use crate::support::{
    authority::{reissue, validity},
    broken_ocsp::Break::{Basic, Delegate, Signed},
};

pub(super) const FAULTS: &[Fault] = &[
    Fault::new(Signed(|basic| basic.signature[9] ^= 1), &["signature"]).blocking(),
    Fault::new(
        Basic(|basic, _| basic.algorithm = SignatureAlgorithm::RsaPkcs1Sha1.to_der()),
        &["signature", "signature-algorithm", "preferred-algorithm-weak"],
    )
    .blocking(),
    Fault::new(
        Delegate(|delegates| reissue(&delegates.sound(), &*keys::rsa(keys::STRANGER_PEM), |_| {})),
        &["delegate-of-the-issuer"],
    ),
    Fault::new(Delegate(|delegates| delegates.with_extensions(&[no_check(), usage()])), &["delegate-usage"]),
    Fault::new(Basic(|basic, _| basic.certificates.clear()), &["signature", "delegate-in-response"])
        .blocking(),
    Fault::new(
        Delegate(|delegates| delegates.with(|parts| parts[4] = validity("200101000000Z", "210101000000Z"))),
        &["delegate-valid", "delegate-outlives-answer"],
    ),
    Fault::new(
        Delegate(|delegates| {
            let end = UnixTime(SystemClock.now().0 + 120);
            let times = [tlv::time(UnixTime(1_700_000_000)), tlv::time(end)].concat();
            delegates.with(|parts| parts[4] = tlv::wrap(tlv::SEQUENCE, &times))
        }),
        &["delegate-outlives-answer"],
    ),
    Fault::new(Delegate(|delegates| delegates.with_extensions(&[signing(), usage()])), &["delegate-nocheck"]),
    Fault::new(
        Delegate(|delegates| {
            let ca = BasicConstraints { ca: true, path_len: None }.to_der();
            let ca = Extension::new(oids::BASIC_CONSTRAINTS, ca).critical();
            delegates.with_extensions(&[signing(), usage(), no_check(), ca])
        }),
        &["delegate-no-ca"],
    ),
];

fn signing() -> Extension {
    Extension::new(oids::EXTENDED_KEY_USAGE, tlv::wrap(tlv::SEQUENCE, &tlv::oid(oids::KP_OCSP_SIGNING)))
}

fn no_check() -> Extension {
    Extension::new(oids::OCSP_NOCHECK, vec![5, 0])
}

fn usage() -> Extension {
    Extension::new(oids::KEY_USAGE, KeyUsage::DIGITAL_SIGNATURE.to_der()).critical()
}
