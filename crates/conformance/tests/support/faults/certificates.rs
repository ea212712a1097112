//! GetCACaps, GetCACert and GetNextCACert.

use conformance::{
    Verdict,
    scep::cms::{self, SignedMessage, Signer},
};
use pki_core::{Certificate, DigestAlgorithm, KeyUsage, SigningKey, oids, tlv};
use testkit::{block_on, keys};

use super::Fault;
use crate::support::{
    authority::{Authority, degenerate, reissue, validity},
    broken_scep::{
        Break::{Http, Status},
        put_capabilities, put_certificates,
    },
    proxy::{Incoming, Outgoing},
};

pub(super) const FAULTS: &[Fault] = &[
    Fault::new(
        Http(|request, answer, _| {
            if request.query().starts_with("operation=GetCACaps") {
                *answer = Outgoing::new(404, "text/plain", "no");
            }
        }),
        &["caps-answered", "caps-mandatory", "caps-standard"],
    )
    .also(&[
        ("renewal", Verdict::Tolerated),
        ("path-ignored", Verdict::NotOffered),
        ("http-1-0-without-host", Verdict::NotOffered),
    ])
    .may(&["digest-sha-512", "next-ca-as-advertised"])
    .blocking(),
    Fault::new(
        Http(|request, answer, _| {
            put_capabilities(request, answer, |text| text.replace("SCEPStandard", "ScepStandard"));
        }),
        &["caps-keywords"],
    ),
    Fault::new(
        Http(|request, answer, _| put_capabilities(request, answer, |text| format!("{text}<p>and more\n"))),
        &["caps-lines"],
    ),
    Fault::new(
        Http(|request, answer, _| {
            if request.query().starts_with("operation=GetCACaps") {
                answer.media_type = "application/x-pki-message".into();
            }
        }),
        &["caps-media-type"],
    ),
    Fault::new(
        Http(|request, answer, _| {
            put_capabilities(request, answer, |text| {
                let mandatory = ["AES", "POSTPKIOperation", "SHA-256", "SCEPStandard"];
                text.lines().filter(|line| !mandatory.contains(line)).collect::<Vec<_>>().join("\n")
            });
        }),
        &["caps-mandatory", "caps-standard"],
    ),
    Fault::new(
        Http(|request, answer, _| {
            put_capabilities(request, answer, |text| {
                text.replace("SCEPStandard", "AES\nPOSTPKIOperation\nSHA-256")
            });
        }),
        &["caps-standard"],
    ),
    Fault::new(
        Http(|request, answer, _| put_capabilities(request, answer, |text| format!("{text}DES\n"))),
        &["caps-nothing-broken"],
    ),
    Fault::new(
        Http(|request, answer, _| {
            if request.query().starts_with("operation=GetCACert") {
                *answer = Outgoing::new(404, "text/plain", "no");
            }
        }),
        &[
            "ca-cert-answered",
            "ca-cert-validity",
            "ca-cert-fingerprint",
            "ca-cert-media-type",
            "ca-cert-any-message",
            "body-empty",
            "body-garbage",
            "body-nested",
            "body-false-length",
            "body-oversize",
            "target-oversize",
            "long-identifier",
        ],
    )
    .also(&[("ca-cert-degenerate", Verdict::NotOffered)])
    .blocking(),
    Fault::new(
        Http(|request, answer, _| {
            if request.query().starts_with("operation=GetCACert") {
                answer.media_type = "application/octet-stream".into();
            }
        }),
        &["ca-cert-media-type"],
    ),
    Fault::new(
        Http(|request, answer, authority| {
            if request.query().starts_with("operation=GetCACert") {
                let certificates = [authority.ra.clone(), authority.ca.clone()];
                let message =
                    SignedMessage { content: Some(Vec::new()), ..degenerate(&certificates, Vec::new()) };
                answer.body = message.encode();
            }
        }),
        &["ca-cert-degenerate"],
    ),
    Fault::new(
        Http(|request, answer, authority| {
            with_ra(request, answer, authority, |authority| {
                authority.reissue(&authority.ra, |parts| parts[7] = without_key_usage(&authority.ra))
            });
        }),
        &["ca-cert-key-usage"],
    ),
    Fault::new(
        Http(|request, answer, authority| {
            with_ra(request, answer, authority, |authority| {
                reissue(&authority.ra, &*keys::rsa(keys::STRANGER_PEM), |_| {})
            });
        }),
        &["ca-cert-ra-issued-by-ca"],
    ),
    Fault::new(
        Http(|request, answer, authority| {
            with_ra(request, answer, authority, |authority| {
                let past = validity("200101000000Z", "210101000000Z");
                authority.reissue(&authority.ra, |parts| parts[4] = past)
            });
        }),
        &["ca-cert-validity"],
    ),
    Fault::new(
        Http(|request, answer, authority| {
            let another = authority.reissue(&authority.ca, |parts| parts[1] = vec![tlv::INTEGER, 1, 5]);
            put_certificates(request, answer, &[authority.ra.clone(), another]);
        }),
        &["ca-cert-fingerprint"],
    ),
    Fault::new(
        Http(|request, answer, _| {
            if request.query() == "operation=GetCACert&message=0" {
                *answer = Outgoing::new(404, "text/plain", "no such CA");
            }
        }),
        &["ca-cert-any-message"],
    ),
    // One that does all by one key, and calls it the CA's.
    Fault::new(
        Http(|request, answer, authority| {
            let all = KeyUsage::DIGITAL_SIGNATURE | KeyUsage::KEY_ENCIPHERMENT | KeyUsage::KEY_CERT_SIGN;
            let extensions = [
                pki_core::Extension::new(oids::KEY_USAGE, all.to_der()).critical().to_der(),
                pki_core::Extension::new(oids::BASIC_CONSTRAINTS, vec![0x30, 3, 1, 1, 0xFF])
                    .critical()
                    .to_der(),
            ];
            let one = reissue(&authority.ra, &authority.ra_key, |parts| {
                parts[5] = authority.ca.subject().as_der().to_vec();
                parts[7] = tlv::wrap(0xA3, &tlv::wrap(tlv::SEQUENCE, &extensions.concat()));
            });
            put_certificates(request, answer, &[one]);
        }),
        &["certificate-issuer", "get-crl-signature", "ca-cert-fingerprint"],
    )
    .also(&[
        ("ca-cert-ca-key-apart", Verdict::Tolerated),
        ("ca-cert-degenerate", Verdict::NotOffered),
        ("ca-cert-ra-issued-by-ca", Verdict::NotOffered),
    ]),
    Fault::new(
        Http(|request, answer, _| {
            if request.query().starts_with("operation=GetNextCACert") {
                *answer = Outgoing::new(200, "application/x-x509-next-ca-cert", "soon");
            }
        }),
        &["next-ca-as-advertised"],
    ),
    Fault::new(
        Http(|request, answer, authority| {
            next_ca(request, answer, authority, "application/octet-stream", &authority.ca_key);
        }),
        &["next-ca-media-type"],
    )
    .also(&[("next-ca-as-advertised", Verdict::Pass), ("next-ca-signed", Verdict::Pass)]),
    Fault::new(
        Http(|request, answer, authority| {
            let media_type = "application/x-x509-next-ca-cert";
            next_ca(request, answer, authority, media_type, &*keys::rsa(keys::STRANGER_PEM));
        }),
        &["next-ca-signed"],
    )
    .also(&[("next-ca-as-advertised", Verdict::Pass), ("next-ca-media-type", Verdict::Pass)]),
    // Nothing is granted at all.
    Fault::new(Status(403, |_| true), &["enroll"]).blocking(),
];

fn with_ra(
    request: &Incoming,
    answer: &mut Outgoing,
    authority: &Authority,
    ra: impl FnOnce(&Authority) -> Certificate,
) {
    put_certificates(request, answer, &[ra(authority), authority.ca.clone()]);
}

fn without_key_usage(certificate: &Certificate) -> Vec<u8> {
    let kept = certificate.extensions().iter().filter(|extension| extension.id() != oids::KEY_USAGE);
    let list: Vec<u8> = kept.flat_map(pki_core::Extension::to_der).collect();
    tlv::wrap(0xA3, &tlv::wrap(tlv::SEQUENCE, &list))
}

/// Offers a next CA, in an answer signed by `key`.
fn next_ca(
    request: &Incoming,
    answer: &mut Outgoing,
    authority: &Authority,
    media_type: &str,
    key: &dyn SigningKey,
) {
    put_capabilities(request, answer, |text| format!("{text}GetNextCACert\n"));
    if !request.query().starts_with("operation=GetNextCACert") {
        return;
    }
    let mut message = degenerate(std::slice::from_ref(&authority.ca), Vec::new());
    message.signers.push(Signer {
        id: cms::issuer_and_serial(&authority.ca),
        digest: DigestAlgorithm::Sha256.oid(),
        signed_attributes: Vec::new(),
        unsigned_attributes: Vec::new(),
        algorithm: key.algorithm().to_der(),
        signature: Vec::new(),
    });
    message.change(|signer| signer.add(cms::CONTENT_TYPE, tlv::oid(cms::DATA)));
    message.put_content(degenerate(std::slice::from_ref(&authority.ca), Vec::new()).encode());
    let signature = block_on(key.sign(&message.to_be_signed())).unwrap();
    message.change(|signer| signer.signature = signature);
    *answer = Outgoing::new(200, media_type, message.encode());
}
