//! What responses say, and when.

use conformance::ocsp::message::{BasicMessage, OcspMessage, extension};
use pki_core::{Clock as _, Extension, Oid, SystemClock, tlv};

use super::Fault;
use crate::support::broken_ocsp::{
    Asked,
    Break::{Basic, Error, Http},
    NONCE, time,
};

const UNHEARD_OF: Oid = Oid::new_unwrap("1.3.6.1.4.1.32473.6.1");

pub(super) const FAULTS: &[Fault] = &[
    Fault::new(
        Http(|_, answer| {
            if let Ok(message) = OcspMessage::read(&answer.body) {
                let bytes = message.bytes.map(|(_, content)| (UNHEARD_OF, content));
                answer.body = OcspMessage { bytes, ..message }.encode();
            }
        }),
        &["response-type-basic", "good"],
    )
    .blocking(),
    Fault::new(
        Http(|asked, answer| {
            if !asked.is_get() && OcspMessage::read(&answer.body).is_ok_and(|message| message.status == 0) {
                answer.body.push(0);
            }
        }),
        &["response-der"],
    ),
    Fault::new(
        Basic(|basic, _| basic.version = Some(vec![0xA0, 3, tlv::INTEGER, 1, 0])),
        &["response-version"],
    ),
    Fault::new(
        Basic(|basic, _| {
            basic.responder_id = tlv::wrap(0xA2, &tlv::wrap(tlv::OCTET_STRING, &[0; 20]));
        }),
        &["responder-id"],
    ),
    Fault::new(
        Basic(|basic, _| {
            let name = basic.parsed_certificates()[0].subject().clone();
            basic.responder_id = tlv::wrap(0xA1, name.as_der());
        }),
        &["responder-id-by-key"],
    ),
    Fault::new(Basic(|basic, _| basic.responses.push(basic.responses[0].clone())), &["one-answer"]),
    Fault::new(
        Basic(|basic, asked| {
            let plain = asked.ids.len() == 1 && basic.responses[0].cert_id.windows(2).any(|it| it == [5, 0]);
            if plain && asked.is_about_issuer() {
                let mut parts = tlv::Cursor::into(&asked.ids[0], tlv::SEQUENCE, "a CertID").unwrap();
                let digest = parts.enter(tlv::SEQUENCE).unwrap().oid().unwrap();
                let rest: Vec<u8> = (0..3).flat_map(|_| parts.next().unwrap().bytes.to_vec()).collect();
                let bare = tlv::sequence([&*tlv::oid(digest)]);
                basic.responses[0].cert_id = tlv::sequence([&*bare, &rest]);
            }
        }),
        &["answer-is-about-the-question"],
    ),
    Fault::new(
        Basic(|basic, asked| {
            if asked.extensions.is_empty() {
                basic.extensions.push(Extension::new(UNHEARD_OF, vec![5, 0]).to_der());
            }
        }),
        &["no-response-extensions"],
    ),
    Fault::new(
        Basic(|basic, asked| {
            if asked.extensions.is_empty() {
                let value = tlv::wrap(tlv::OCTET_STRING, &[7; 16]);
                basic.extensions.push(Extension::new(NONCE, value).to_der());
            }
        }),
        &["no-response-extensions", "nonce-not-invented"],
    ),
    Fault::new(
        Basic(|basic, asked| {
            if asked.is_about_good() {
                let extension = Extension::new(UNHEARD_OF, vec![5, 0]).critical();
                basic.responses[0].extensions.push(extension.to_der());
            }
        }),
        &["no-critical-extensions"],
    ),
    Fault::new(
        Http(|_, answer| {
            if let Ok(message) = OcspMessage::read(&answer.body)
                && message.status != 0
            {
                let bytes = Some((Oid::new_unwrap("1.3.6.1.5.5.7.48.1.1"), vec![tlv::SEQUENCE, 0]));
                answer.body = OcspMessage { bytes, ..message }.encode();
            }
        }),
        &["errors-have-no-bytes"],
    ),
    Fault::new(Error(2, |asked| asked.body == b"no request"), &["malformed-request"]),
    Fault::new(
        Basic(|basic, _| {
            basic.produced_at = tlv::wrap(tlv::GENERALIZED_TIME, b"20261121120000.5Z");
        }),
        &["times-without-fraction", "produced-at", "header-last-modified"],
    ),
    Fault::new(
        Basic(|basic, asked| {
            times(basic, asked, Some(3600), 3600, Some(7200));
        }),
        &["this-update-not-in-future", "produced-at"],
    ),
    Fault::new(Basic(no_next_update), &["next-update"])
        .also(&[("next-update-in-future", conformance::Verdict::NotOffered)])
        .blocking(),
    Fault::new(
        Basic(|basic, asked| times(basic, asked, Some(-1000), -500, Some(-10))),
        &["next-update-in-future"],
    ),
    Fault::new(Basic(|basic, asked| times(basic, asked, Some(-100), -200, Some(600))), &["produced-at"]),
    Fault::new(
        Basic(|basic, asked| times(basic, asked, Some(-11 * 86_400), 0, Some(600))),
        &["answer-not-old"],
    ),
    Fault::new(
        Basic(|basic, asked| {
            for der in &asked.extensions {
                if extension(std::slice::from_ref(der), UNHEARD_OF).is_some_and(|(_, value)| value == [5, 0])
                {
                    basic.extensions.push(der.clone());
                }
            }
        }),
        &["extension-not-echoed"],
    ),
];

/// Sets thisUpdate, producedAt and nextUpdate of the good certificate's answer by POST, in seconds from now.
fn times(basic: &mut BasicMessage, asked: &Asked, this: Option<i64>, produced: i64, next: Option<i64>) {
    if asked.is_get() || !asked.is_about_good() {
        return;
    }
    let now = SystemClock.now().0;
    let at = |seconds: i64| time(now.checked_add_signed(seconds).unwrap());
    basic.produced_at = at(produced);
    if let Some(this) = this {
        basic.responses[0].this_update = at(this);
    }
    basic.responses[0].next_update = next.map(at);
}

fn no_next_update(basic: &mut BasicMessage, asked: &Asked) {
    if !asked.is_get() && asked.is_about_good() {
        basic.responses[0].next_update = None;
    }
}
