//! How requests arrive over HTTP.
#![allow(clippy::unwrap_used, missing_docs, reason = "tests")]

use std::borrow::Cow;

use base64ct::{Base64, Encoding as _};
use proptest::prelude::*;
use scep_proto::{Method, Operation, TransportError, ca_identifier, limits, pki_operation_query};

fn get(query: &str) -> Result<Operation<'static>, TransportError> {
    Operation::parse(Method::Get, Some(query.as_bytes()), b"")
}

proptest! {
    // clause: RFC 8894 S16, C13
    #[test]
    fn row_37_every_spelling_of_base64_is_the_same_message(octets in prop::collection::vec(any::<u8>(), 1..300)) {
        let text = Base64::encode_string(&octets);
        let lines: Vec<String> = text.as_bytes().chunks(64).map(|line| String::from_utf8_lossy(line).into()).collect();
        for query in [
            pki_operation_query(&octets),
            format!("operation=PKIOperation&message={text}"),
            format!("message={text}&operation=PKIOperation"),
            format!("operation=PKIOperation&message={}", text.replace('+', " ")),
            format!("operation=PKIOperation&message={}", text.replace('=', "%3D")),
            format!("operation=PKIOperation&message={}", text.replace('=', "")),
            format!("operation=PKIOperation&message={}", text.replace('+', "-").replace('/', "_")),
            format!("operation=PKIOperation&message={}%0A", lines.join("%0A")),
            format!("operation=pkioperation&message={text}"),
        ] {
            prop_assert_eq!(get(&query).unwrap(), Operation::PkiOperation(Cow::Borrowed(&octets)), "{}", query);
        }
    }

    #[test]
    fn any_query_gets_an_answer(query in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = Operation::parse(Method::Get, Some(&query), b"");
        let _ = Operation::parse(Method::Post, Some(&query), b"x");
    }
}

// clause: RFC 8894 C14
#[test]
fn the_operations() {
    for (query, operation) in [
        ("operation=GetCACaps", Operation::GetCaCaps),
        ("operation=GetCACaps&message=CAIdentifier", Operation::GetCaCaps),
        ("operation=GetCACert&message=", Operation::GetCaCert),
        ("message=0&operation=GetCACert", Operation::GetCaCert),
        ("operation=GetNextCACert", Operation::GetNextCaCert),
    ] {
        assert_eq!(get(query).unwrap(), operation);
    }
    assert_eq!(ca_identifier(b"operation=GetCACert&message=ca-1"), Some(&b"ca-1"[..]));
    assert_eq!(ca_identifier(b"operation=GetCACert&message="), None);
    assert_eq!(ca_identifier(b"operation=GetCACert"), None);
}

// clause: RFC 8894 S18
#[test]
fn a_post_is_a_pki_operation_unless_it_says_otherwise() {
    for query in [None, Some(&b""[..]), Some(b"operation=PKIOperation"), Some(b"message=x")] {
        let operation = Operation::parse(Method::Post, query, b"body").unwrap();
        assert_eq!(operation, Operation::PkiOperation(Cow::Borrowed(b"body")));
    }
    let caps = Operation::parse(Method::Post, Some(b"operation=GetCACaps"), b"").unwrap();
    assert_eq!(caps, Operation::GetCaCaps);
}

#[test]
fn what_is_no_scep_request_says_what_is_missing() {
    assert_eq!(Operation::parse(Method::Get, None, b""), Err(TransportError::NoOperation));
    assert_eq!(get("operation"), Err(TransportError::NoOperation));
    assert_eq!(get("operation=PKIOperation"), Err(TransportError::NoMessage));
    assert_eq!(get("operation=PKIOperation&message="), Err(TransportError::NoMessage));
    assert!(matches!(get("operation=PKIOperation&message=%zz"), Err(TransportError::NotBase64(_))));
    assert_eq!(get("operation=Issue%0A"), Err(TransportError::UnknownOperation("Issue%0A".into())));
    let long = vec![0; limits::MAX_MESSAGE_LEN + 1];
    let refused = Operation::parse(Method::Post, None, &long);
    assert_eq!(refused, Err(TransportError::TooLong(limits::MAX_MESSAGE_LEN + 1)));
}
