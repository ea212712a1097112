//! Requests made by OpenSSL and GnuTLS, and what is wrong with others.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::arithmetic_side_effects,
    missing_docs,
    reason = "tests"
)]

mod vectors;

use der_07::Decode as _;
use ocsp_proto::{ErrorStatus, Request, RequestError};
use proptest::prelude::*;
use vectors::{hex, vector, vectors};

// clause: RFC 6960 25, 26
#[test]
fn requests_by_openssl_and_gnutls_are_read() {
    for vector in vectors("request-") {
        let der = vector.file("input.der");
        match (Request::parse(&der), vector.text("error")) {
            (Err(error), Some(expected)) => assert_eq!(error.status().name(), expected, "{}", vector.name),
            (Ok(request), None) => {
                assert_eq!(cert_ids(&request), vector.list("cert_ids"), "{}", vector.name);
                assert_eq!(request.nonce().map(hex), vector.text("nonce"), "{}", vector.name);
            }
            (result, expected) => panic!("{}: {result:?} instead of {expected:?}", vector.name),
        }
    }
}

fn cert_ids(request: &Request<'_>) -> Vec<String> {
    let cert_id = |id: &ocsp_proto::CertId<'_>| {
        let digest = id.digest().map_or("other".into(), |digest| format!("{digest:?}"));
        format!("{digest} {}", hex(id.serial_octets()))
    };
    request.cert_ids().iter().map(cert_id).collect()
}

// clause: RFC 6960 49
#[test]
fn cert_ids_keep_their_bytes() {
    for vector in vectors("request-") {
        let der = vector.file("input.der");
        let Ok(request) = Request::parse(&der) else { continue };
        for cert_id in request.cert_ids() {
            assert!(der.windows(cert_id.as_der().len()).any(|window| window == cert_id.as_der()));
        }
    }
}

// clause: RFC 6960 25
#[test]
fn serial_numbers_that_cannot_be_ours_do_not_fail_the_request() {
    for name in ["request-long-serial", "request-negative-serial"] {
        let der = vector(name).file("input.der");
        assert_eq!(Request::parse(&der).unwrap().cert_ids()[0].serial_number(), None, "{name}");
    }
}

// clause: RFC 6960 12, 64
// clause: RFC 9919 105
#[test]
fn row_57_cert_id_list_bomb_is_unauthorized() {
    let der = vector("request-nine").file("input.der");
    let error = Request::parse(&der).unwrap_err();
    assert_eq!(error, RequestError::TooManyCertIds { limit: 8 });
    assert_eq!(error.status(), ErrorStatus::Unauthorized);
    assert_eq!(Request::parse_at_most(&der, 9).unwrap().cert_ids().len(), 9);
    let der = vector("request-three").file("input.der");
    assert!(Request::parse_at_most(&der, 2).is_err());

    let bomb = request(&seq(&seq(&cert_id()).repeat(1000)), &[]);
    assert_eq!(Request::parse(&bomb).unwrap_err(), RequestError::TooManyCertIds { limit: 8 });
}

// clause: RFC 6960 12, 25
#[test]
fn row_34_empty_structures_are_malformed() {
    let list = seq(&seq(&cert_id()));
    let malformed = [
        vec![],
        seq(&[]),
        seq(&seq(&[])),
        seq(&tlv(0x30, &seq(&[]))),
        request(&seq(&[]), &[]),
        request(&seq(&seq(&[])), &[]),
        request(&seq(&seq(&seq(&[]))), &[]),
        request(&list, &tlv(0xA2, &[])),
        request(&list, &tlv(0xA2, &seq(&seq(&[])))),
        request(&list, &extensions(&[(&[], &[], b"x")])),
        request(&seq(&seq(&seq(&[&seq(&SHA1_OID)[..], &[4, 0], &[4, 0], &[2, 0]].concat()))), &[]),
    ];
    for der in malformed {
        let error = Request::parse(&der).unwrap_err();
        assert_eq!(error.status(), ErrorStatus::MalformedRequest, "{der:02x?}");
    }
    assert!(Request::parse(&request(&list, &tlv(0xA2, &seq(&[])))).is_ok(), "empty Extensions are taken");
}

// clause: RFC 6960 64
#[test]
fn row_31_nested_elements_are_malformed_and_end_nothing() {
    for depth in [33, 65, 4_100] {
        let indefinite = [0x30, 0x80].repeat(depth);
        assert!(Request::parse(&indefinite).is_err());
        let definite = (0..depth).fold(Vec::new(), |inner, _| seq(&inner));
        assert!(Request::parse(&definite).is_err());
        // Where anything may stand, it is skipped and not entered.
        let named = seq(&seq(&[tlv(0xA1, &definite), seq(&seq(&cert_id()))].concat()));
        assert!(Request::parse(&named).is_ok(), "requestorName of depth {depth}");
    }
}

// clause: RFC 9654 107, 109, 110, 112
#[test]
fn row_53_nonces_of_other_sizes_are_malformed() {
    let list = seq(&seq(&cert_id()));
    for (length, allowed) in
        [(0, false), (1, true), (15, true), (16, true), (32, true), (33, true), (128, true), (129, false)]
    {
        let nonce = vec![7; length];
        let wrapped = tlv(4, &nonce);
        for value in [&wrapped, &nonce] {
            let der = request(&list, &extensions(&[(NONCE, &[], value)]));
            match Request::parse(&der) {
                Ok(request) => assert!(allowed && request.nonce() == Some(&nonce), "{length}"),
                Err(error) => {
                    assert!(!allowed && error.status() == ErrorStatus::MalformedRequest, "{length}");
                }
            }
        }
    }
    let twice = request(&list, &extensions(&[(NONCE, &[], b"1"), (NONCE, &[], b"1")]));
    assert!(Request::parse(&twice).is_err());
}

// clause: RFC 6960 27, 29, 57
#[test]
fn unknown_extensions_are_ignored_unless_critical() {
    const CRITICAL: &[u8] = &[1, 1, 0xFF];
    let list = seq(&seq(&cert_id()));
    let parse = |id: &[u8], critical: &[u8]| {
        Request::parse(&request(&list, &extensions(&[(id, critical, b"x")]))).map(|_| ())
    };
    assert_eq!(parse(UNKNOWN, &[]), Ok(()));
    assert_eq!(parse(UNKNOWN, &[1, 1, 0]), Ok(()), "an explicit FALSE");
    assert_eq!(parse(NONCE, CRITICAL), Ok(()), "known, critical or not");
    assert_eq!(parse(ACCEPTABLE_RESPONSES, CRITICAL), Ok(()));
    let error = parse(UNKNOWN, CRITICAL).unwrap_err();
    assert!(matches!(error, RequestError::UnknownCriticalExtension(_)));
    assert_eq!(error.status(), ErrorStatus::MalformedRequest);

    let single = |critical: &[u8]| {
        let extensions = seq(&seq(&[&tlv(6, UNKNOWN), critical, &tlv(4, b"x")].concat()));
        let der = request(&seq(&seq(&[cert_id(), tlv(0xA0, &extensions)].concat())), &[]);
        Request::parse(&der).map(|_| ())
    };
    assert_eq!(single(&[]), Ok(()));
    assert!(matches!(single(CRITICAL), Err(RequestError::UnknownCriticalExtension(_))));
}

// clause: RFC 6960 25
#[test]
fn a_version_other_than_1_is_malformed() {
    let list = seq(&seq(&cert_id()));
    let versioned = |version: u8| seq(&seq(&[tlv(0xA0, &[2, 1, version]), list.clone()].concat()));
    assert!(Request::parse(&versioned(0)).is_ok(), "v1, though DER leaves it out");
    assert!(Request::parse(&versioned(1)).is_err());
}

// clause: RFC 6960 12
#[test]
fn trailing_bytes_are_malformed() {
    let mut der = vector("request-sha1").file("input.der");
    der.push(0);
    assert!(Request::parse(&der).is_err());
}

proptest! {
    #[test]
    fn any_octets_give_an_answer(octets in prop::collection::vec(any::<u8>(), 0..300)) {
        let _ = Request::parse(&octets);
    }

    #[test]
    fn what_is_read_of_a_mutant_is_what_others_read(
        name in prop::sample::select(&["request-sha1-nonce", "request-sha256-nonce", "request-three", "request-signed"]),
        at in any::<prop::sample::Index>(),
        octet in any::<u8>(),
    ) {
        let mut der = vector(name).file("input.der");
        let at = at.index(der.len());
        der[at] = octet;
        let Ok(ours) = Request::parse(&der) else { return Ok(()) };
        let serials = |serials: Vec<Vec<u8>>| {
            prop_assert_eq!(ours.cert_ids().iter().map(|id| id.serial_octets().to_vec()).collect::<Vec<_>>(), serials);
            Ok(())
        };
        if let Ok(theirs) = rasn::der::decode::<rasn_ocsp::OcspRequest>(&der) {
            let list = theirs.tbs_request.request_list.iter();
            serials(list.map(|request| rasn::der::encode(&request.req_cert.serial_number).unwrap()[2..].to_vec()).collect())?;
        }
        if let Ok(theirs) = x509_ocsp::OcspRequest::from_der(&der) {
            let list = theirs.tbs_request.request_list.iter();
            serials(list.map(|request| request.req_cert.serial_number.as_bytes().to_vec()).collect())?;
            // Bare nonces are read here only.
            if let Some(nonce) = theirs.nonce() {
                prop_assert_eq!(ours.nonce(), Some(nonce.0.as_bytes()));
            }
        }
    }
}

const SHA1_OID: [u8; 7] = [6, 5, 0x2B, 0x0E, 3, 2, 0x1A];
const NONCE: &[u8] = &[0x2B, 6, 1, 5, 5, 7, 0x30, 1, 2];
const ACCEPTABLE_RESPONSES: &[u8] = &[0x2B, 6, 1, 5, 5, 7, 0x30, 1, 4];
const UNKNOWN: &[u8] = &[0x2B, 6, 1, 4, 1, 0x83, 0x7F];

fn tlv(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = content.len().to_be_bytes();
    let header = match content.len() {
        0..=0x7F => vec![tag, length[7]],
        0x80..=0xFF => vec![tag, 0x81, length[7]],
        0x100..=0xFFFF => vec![tag, 0x82, length[6], length[7]],
        _ => vec![tag, 0x83, length[5], length[6], length[7]],
    };
    [header, content.to_vec()].concat()
}

fn seq(content: &[u8]) -> Vec<u8> {
    tlv(0x30, content)
}

fn cert_id() -> Vec<u8> {
    seq(&[seq(&SHA1_OID), tlv(4, &[1; 20]), tlv(4, &[2; 20]), tlv(2, &[5])].concat())
}

fn request(list: &[u8], extensions: &[u8]) -> Vec<u8> {
    seq(&seq(&[list, extensions].concat()))
}

/// requestExtensions of these: id, critical, value.
fn extensions(list: &[(&[u8], &[u8], &[u8])]) -> Vec<u8> {
    let extension = |(id, critical, value): &(&[u8], &[u8], &[u8])| {
        seq(&[&tlv(6, id), *critical, &tlv(4, value)].concat())
    };
    tlv(0xA2, &seq(&list.iter().flat_map(extension).collect::<Vec<_>>()))
}
