//! Messages that come again, polls, renewals and queries.

use conformance::scep::cms::TRANSACTION_ID;
use keys_software::AwsLc;
use pki_core::{Certificate, CertificationRequest, tlv};

use super::Fault;
use crate::support::broken_scep::{
    Break::{GiveAway, GiveCrl, Grant, Pend, Refuse, Status},
    Loose, crl_of_another_name, crl_with_a_false_signature, crl_without_an_end, is_strangers, old_crl,
};

pub(super) const FAULTS: &[Fault] = &[
    Fault::new(Grant(|loose| loose.is_type("19") && loose.seen.message), &["repeated-message"]),
    Fault::new(
        Grant(|loose| {
            loose.is_type("19")
                && loose.count(TRANSACTION_ID) == 1
                && loose.seen.transaction
                && !loose.seen.message
                && !loose.seen.transaction_of_another_key
        }),
        &["repeated-request"],
    ),
    Fault::new(GiveAway(|loose| loose.seen.transaction_of_another_key), &["transaction-id-of-another"]),
    Fault::new(Grant(|loose| loose.is_type("20") && !loose.seen.transaction), &["poll-unknown"]),
    Fault::new(
        Grant(|loose| loose.is_type("20") && loose.seen.transaction && !is_strangers(loose.signer.as_ref())),
        &["poll-own"],
    ),
    Fault::new(Grant(|loose| loose.is_type("20") && is_strangers(loose.signer.as_ref())), &["poll-foreign"]),
    Fault::new(Refuse(|loose| loose.is_type("17")), &["renewal"]),
    Fault::new(Status(500, |loose| loose.is_type("19") && loose.names_the_ca()), &["renewal-by-pkcs-req"]),
    Fault::new(Grant(|loose| loose.is_type("17") && loose.is_self_signed()), &["renewal-self-signed"]),
    Fault::new(
        Grant(|loose| is_forged(loose) && serial(loose) == [0x41, 0x42, 0x43, 0x44]),
        &["renewal-of-another-ca"],
    ),
    Fault::new(
        Grant(|loose| is_forged(loose) && serial(loose) != [0x41, 0x42, 0x43, 0x44]),
        &["renewal-serial-of-another"],
    ),
    Fault::new(
        Grant(|loose| {
            let name = loose.csr.as_ref().and_then(|csr| csr.subject().common_name());
            loose.is_type("17") && name.as_deref() == Some("administrator")
        }),
        &["renewal-other-subject"],
    ),
    Fault::new(
        Pend(|loose| loose.is_type("21") && asks_for_a_number(loose) && !is_made_up(loose)),
        &["get-cert"],
    )
    .may(&["get-cert-stranger"]),
    Fault::new(Grant(|loose| loose.is_type("21") && is_made_up(loose)), &["get-cert-unknown"]),
    Fault::new(Status(500, |loose| loose.is_type("21") && loose.is_self_signed()), &["get-cert-stranger"]),
    Fault::new(
        Pend(is_own_crl),
        &["get-crl", "get-crl-issuer", "get-crl-signature", "get-crl-current", "get-crl-next-update"],
    ),
    Fault::new(GiveCrl(is_own_crl, old_crl), &["get-crl-current"]),
    Fault::new(GiveCrl(is_own_crl, crl_of_another_name), &["get-crl-issuer"]),
    Fault::new(GiveCrl(is_own_crl, crl_with_a_false_signature), &["get-crl-signature"]),
    Fault::new(GiveCrl(is_own_crl, crl_without_an_end), &["get-crl-next-update"]),
    Fault::new(
        GiveCrl(|loose| loose.is_type("22") && asks_for_a_number(loose) && !is_own_crl(loose), old_crl),
        &["get-crl-other-issuer"],
    ),
    Fault::new(
        Grant(|loose| (loose.is_type("21") || loose.is_type("22")) && loose.csr.is_some()),
        &["query-malformed"],
    ),
];

fn is_forged(loose: &Loose) -> bool {
    let Some(signer) = &loose.signer else { return false };
    loose.is_type("17")
        && loose.names_the_ca()
        && signer.verify_signed_by(loose.ca.public_key(), &AwsLc).is_err()
}

fn serial(loose: &Loose) -> &[u8] {
    loose.signer.as_ref().map(Certificate::serial_octets).unwrap_or_default()
}

fn asks_for_a_number(loose: &Loose) -> bool {
    loose.plain.as_ref().is_some_and(|plain| CertificationRequest::from_der(plain).is_err())
}

/// The number that was never given.
fn is_made_up(loose: &Loose) -> bool {
    let Some(plain) = &loose.plain else { return false };
    let number = || {
        let mut fields = tlv::Cursor::into(plain, tlv::SEQUENCE, "a query").ok()?;
        fields.next().ok()?;
        Some(fields.next().ok()?.value.to_vec())
    };
    number().is_some_and(|number| number.len() == 17 && number[0] == 0x3A)
}

fn is_own_crl(loose: &Loose) -> bool {
    let issuer = loose.ca.subject().as_der();
    loose.is_type("22")
        && loose.csr.is_none()
        && loose.plain.as_ref().is_some_and(|plain| plain.windows(issuer.len()).any(|part| part == issuer))
}
