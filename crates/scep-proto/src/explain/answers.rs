//! Answers to GetCACert, GetNextCACert and GetCACaps.

use alloc::{format, string::ToString as _, vec::Vec};

use pki_core::{Certificate, KeyUsage};

use super::{Explanation, fact, schema, tree};
use crate::{
    Capabilities, Capability,
    ca_certificates::{self, RaCertificates},
};

/// A certificate, or a degenerate SignedData of several.
pub(super) fn certificates(der: &[u8], certificates: &[Certificate], told: &mut Explanation) {
    let count = if let [_] = certificates {
        "one certificate".to_string()
    } else {
        format!("{} certificates", certificates.len())
    };
    told.title = format!("GetCACert, {count}");
    if Certificate::from_der(der).is_ok() {
        told.section("certificate", tree::lines(der, &schema::CERTIFICATE));
    }
    judge(certificates, told);
}

fn judge(certificates: &[Certificate], told: &mut Explanation) {
    for certificate in certificates {
        let subject = certificate.subject().to_string();
        let is_ca = certificate.basic_constraints().is_ok_and(|found| found.ca);
        let usage = certificate.key_usage().ok().flatten();
        if is_ca && usage.is_some_and(|usage| !usage.contains(KeyUsage::DIGITAL_SIGNATURE)) {
            let text = format_args!("the CA {subject:?} has no digitalSignature in its keyUsage");
            told.note("ca-key-usage", "RFC 8894 §2.1.2", text);
        }
        if certificate.serial_octets().first() == Some(&0) {
            let text = format_args!(
                "{subject:?}: a serial number with its top bit set, which strongSwan 6.0 stumbles over"
            );
            told.note("serial-top-bit", "RFC 5280 §4.1.2.2", text);
        }
    }
    match RaCertificates::pick(certificates) {
        None => {
            let text = "no CA with an RSA key, and no RA certificate that requests could be encrypted to";
            told.breaks("no-recipient", "RFC 8894 §4.2.1", text);
        }
        Some(picked) => {
            let name =
                |certificate: &Certificate| certificate.subject().to_string().escape_debug().to_string();
            let lines = [
                fact("requests are encrypted to", name(&picked.encryption)),
                fact("replies are signed by", name(&picked.signing)),
                fact("certificates are issued by", name(&picked.ca)),
            ];
            told.section("a client picks", lines.into());
        }
    }
}

/// Whether `content` is that of an answer to GetNextCACert, and if so, what is in it.
pub(super) fn next_ca(content: &[u8], told: &mut Explanation) -> bool {
    let Ok(certificates) = ca_certificates::parse(content) else { return false };
    told.title = format!("GetNextCACert, {} certificates", certificates.len());
    told.section("next certificates", tree::lines(content, &schema::CONTENT_INFO));
    judge(&certificates, told);
    true
}

/// A list of keywords.
pub(super) fn capabilities(body: &[u8], told: &mut Explanation) {
    told.title = "GetCACaps".to_string();
    let known = Capabilities::parse(body);
    let mut lines = Vec::new();
    for line in body.split(|octet| matches!(octet, b'\n' | b'\r')).map(<[u8]>::trim_ascii) {
        if line.is_empty() {
            continue;
        }
        let alone = Capabilities::parse(line).iter().next();
        lines.push(fact(if alone.is_some() { "known" } else { "unknown" }, line.escape_ascii()));
        judge_keyword(line, alone, told);
    }
    told.section("keywords", lines);
    for (capability, name) in [
        (Capability::Aes, "AES"),
        (Capability::Sha256, "SHA-256"),
        (Capability::PostPkiOperation, "POSTPKIOperation"),
    ] {
        if !known.has(capability) {
            let text = format_args!("{name} is mandatory, and neither it nor SCEPStandard is named");
            told.note("missing-capability", "RFC 8894 §2.9", text);
        }
    }
}

fn judge_keyword(line: &[u8], known: Option<Capability>, told: &mut Explanation) {
    let shown = line.escape_ascii();
    match known {
        Some(known) if known.keyword().as_bytes() != line => {
            let text = format_args!("expected {}: {shown}", known.keyword());
            told.breaks("capability-case", "RFC 8894 §3.5.2", text);
        }
        None if matches!(line, b"DES" | b"MD5" | b"MD-5") => {
            told.breaks("forbidden-algorithm", "RFC 8894 §2.9", format_args!("{shown} must not be used"));
        }
        None => {
            told.note("unregistered-capability", "RFC 8894 §6", format_args!("{shown} is not registered"));
        }
        Some(_) => {}
    }
}
