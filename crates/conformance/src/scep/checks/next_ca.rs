//! GetNextCACert.

use keys_software::AwsLc;
use pki_core::{DigestAlgorithm, Oid, SignatureAlgorithm, SignatureVerifier as _, tlv};
use scep_proto::Capability;

use crate::{
    Check, Judgement,
    http::HttpResponse,
    scep::{
        Session,
        cms::SignedMessage,
        sections::{NEXT_CA, NEXT_CA_RESPONSE, must, says},
    },
};

pub(super) const CHECKS: &[Check<Session>] = &[
    Check {
        id: "next-ca-as-advertised",
        clause: says(NEXT_CA, "GetNextCACert is answered where GetCACaps names it, and nowhere else"),
        run: |session| {
            let advertised = session.capabilities()?.has(Capability::GetNextCaCert);
            let response = session.ask("GetNextCACert")?;
            match (advertised, response.status) {
                (true, 200) => Ok(Judgement::pass("offered")),
                (true, _) => Err(Judgement::fail(format!("advertised, but {}", response.summary()))),
                (false, 400..=499 | 501) => Ok(Judgement::not_offered(response.summary())),
                (false, _) => Err(Judgement::fail(format!("not advertised, but {}", response.summary()))),
            }
        },
    },
    Check {
        id: "next-ca-media-type",
        clause: says(NEXT_CA_RESPONSE, "the answer is of type x-x509-next-ca-cert"),
        run: |session| {
            let response = offered(session)?;
            match response.media_type().as_deref() {
                Some("application/x-x509-next-ca-cert") => Ok(Judgement::pass("it is")),
                other => Err(Judgement::fail(other.unwrap_or("none"))),
            }
        },
    },
    Check {
        id: "next-ca-signed",
        clause: must(NEXT_CA_RESPONSE, "the answer is signed by the current CA and holds the next one"),
        run: |session| {
            let response = offered(session)?;
            let message = SignedMessage::read(&response.body).map_err(Judgement::fail)?;
            let ca = session.authority()?.ca;
            let signer = message.signer().ok_or_else(|| Judgement::fail("nobody signed it"))?;
            let oid = tlv::Cursor::into(&signer.algorithm, tlv::SEQUENCE, "an algorithm")
                .and_then(|mut fields| fields.oid());
            let algorithm = oid.ok().and_then(|oid| algorithm(oid, signer.digest));
            let algorithm = algorithm.ok_or_else(|| Judgement::fail("an unknown signature algorithm"))?;
            AwsLc
                .verify(ca.public_key(), algorithm, &message.to_be_signed(), &signer.signature)
                .map_err(|_| Judgement::fail("the signature is not the CA's"))?;
            let inner = SignedMessage::read(&message.content.unwrap_or_default()).map_err(Judgement::fail)?;
            match inner.parsed_certificates().first() {
                Some(next) => Ok(Judgement::pass(next.subject())),
                None => Err(Judgement::fail("no certificate in it")),
            }
        },
    },
];

fn offered(session: &mut Session) -> Result<HttpResponse, Judgement> {
    if !session.capabilities()?.has(Capability::GetNextCaCert) {
        return Err(Judgement::not_offered("GetCACaps does not name it"));
    }
    let response = session.ask("GetNextCACert")?;
    if response.status == 200 { Ok(response) } else { Err(Judgement::not_judged(response.summary())) }
}

fn algorithm(oid: Oid, digest: Oid) -> Option<SignatureAlgorithm> {
    SignatureAlgorithm::of_signer(oid, DigestAlgorithm::from_oid(digest).ok()?).ok()
}
