//! SCEP over HTTP (RFC 8894 §4), from outside.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "tests")]

mod support;

use std::{slice, sync::Arc, time::Duration};

use bytes::Bytes;
use http_body_util::Full;
use http_listener::{Listener, ListenerLimits};
use hyper::{Request, StatusCode};
use keys_software::AwsLc;
use pki_core::{
    ChallengePassword, DecryptionKey as _, KeyError, RequestedExtensions, SigningKey,
    UnsignedCertificationRequest,
};
use scep_proto::{
    AlgorithmPolicy, CertRep, ContentCipher, Legacy, OutgoingRequest, RequestMessage, Requester,
    TransactionId, ca_certificates,
};
use scep_service::{Decision, Origin, PartsError, Renewal, ScepError, ScepParts, ScepService, handler_fn};
use support::{CHALLENGE, FailingKey, NoRandom, World, csr, forge, keys, signer, world, world_with};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

// clause: RFC 8894 M1, S11, S12, S14
#[tokio::test]
async fn capabilities_are_what_is_enforced() {
    let plain = "AES\nPOSTPKIOperation\nSHA-256\nSHA-512\nSCEPStandard\n";
    let with_renewal = "AES\nPOSTPKIOperation\nRenewal\nSHA-256\nSHA-512\nSCEPStandard\n";
    let legacy = "AES\nDES3\nPOSTPKIOperation\nSHA-1\nSHA-256\nSHA-512\nSCEPStandard\n";
    let old = AlgorithmPolicy::default().with_legacy(Legacy::Sha1).with_legacy(Legacy::TripleDes);
    for (policy, renewal, expected) in [
        (AlgorithmPolicy::default(), Renewal::Refused, plain),
        (AlgorithmPolicy::default(), Renewal::Offered, with_renewal),
        (old, Renewal::Refused, legacy),
    ] {
        let world = world_with(|parts| ScepParts { policy, renewal, ..parts });
        let answer = world.get("/scep?operation=GetCACaps").await;
        assert_eq!((answer.status, answer.text()), (StatusCode::OK, expected));
        assert_eq!(answer.media_type(), "text/plain");
    }
}

// clause: RFC 8894 M1, S2, S17
#[tokio::test]
async fn ca_certificates_come_with_the_ra_first() {
    let world = world();
    for query in ["operation=GetCACert", "operation=GetCACert&message=", "operation=getcacert&message=0"] {
        let answer = world.get(&format!("/scep?{query}")).await;
        assert_eq!((answer.status, answer.media_type()), (StatusCode::OK, "application/x-x509-ca-ra-cert"));
        let certificates = ca_certificates::parse(&answer.body).unwrap();
        assert_eq!(certificates, [world.ra.clone(), world.ca.clone()]);
    }
}

// clause: RFC 8894 S2, S17
#[tokio::test]
async fn a_single_certificate_comes_as_it_is() {
    let world = world_with(|parts| ScepParts { ca_certificates: Vec::new(), ..parts });
    let answer = world.get("/scep?operation=GetCACert").await;
    assert_eq!(answer.media_type(), "application/x-x509-ca-cert");
    assert_eq!(answer.body, world.ra.as_der());
}

// clause: RFC 8894 M1, M2, S4, S16, S19
#[tokio::test]
async fn an_enrollment_by_post_and_by_get() {
    let world = world();
    for by_get in [true, false] {
        let request = world.pkcs_req("laptop-1", CHALLENGE).await;
        let answer = if by_get {
            let query = scep_proto::pki_operation_query(&request.message);
            world.get(&format!("/cgi-bin/pkiclient.exe?{query}")).await
        } else {
            world.post(request.message.clone()).await
        };
        assert_eq!((answer.status, answer.media_type()), (StatusCode::OK, "application/x-pki-message"));
        let signers = [world.ra.clone()];
        let policy = AlgorithmPolicy::default();
        let reply = request.awaited.read(&answer.body, &signers, &AwsLc, &policy).unwrap();
        let CertRep::Success(sealed) = reply else { panic!("{reply:?}") };
        let key = keys().client.unwrap_key(sealed.wrapped_key()).await.unwrap();
        let issued = sealed.open(&key).unwrap();
        let [certificate] = issued.certificates.as_slice() else { panic!("{issued:?}") };
        assert_eq!(certificate.subject().common_name().as_deref(), Some("laptop-1"));
        certificate.verify_signed_by(world.ca.public_key(), &AwsLc).unwrap();
    }
    assert_eq!(world.issued(), 2);
}

// clause: RFC 8894 S18
#[tokio::test]
async fn a_post_without_an_operation_is_a_pki_operation() {
    let world = world();
    let message = world.pkcs_req("laptop-1", CHALLENGE).await.message;
    let answer = world.send(Request::post("/").body(Full::new(message.into())).unwrap()).await;
    assert_eq!((answer.status, world.issued()), (StatusCode::OK, 1));
}

#[tokio::test]
async fn what_is_no_scep_gets_a_status_and_a_sentence() {
    let world = world();
    for (target, status, said) in [
        ("/scep", StatusCode::BAD_REQUEST, "operation"),
        ("/scep?operation=", StatusCode::BAD_REQUEST, "GetCACaps"),
        ("/scep?operation=GetCrl", StatusCode::BAD_REQUEST, "GetCrl"),
        ("/scep?operation=PKIOperation", StatusCode::BAD_REQUEST, "pkiMessage"),
        ("/scep?operation=PKIOperation&message=%zz", StatusCode::BAD_REQUEST, "base64"),
        ("/scep?operation=PKIOperation&message=AAAA", StatusCode::BAD_REQUEST, "expected"),
        ("/scep?operation=GetNextCACert", StatusCode::NOT_FOUND, "no next certificate"),
    ] {
        let answer = world.get(target).await;
        assert_eq!(answer.status, status, "{target}");
        assert!(answer.text().contains(said), "{target}: {}", answer.text());
        assert_eq!(answer.media_type(), "text/plain; charset=utf-8");
    }
    let long = format!("/scep?operation=PKIOperation&message={}", "A".repeat(17_000));
    assert_eq!(world.get(&long).await.status, StatusCode::URI_TOO_LONG);
    assert_eq!(world.asked(), 0);
}

#[tokio::test]
async fn other_methods_are_told_which_ones_work() {
    let world = world();
    for method in ["PUT", "DELETE", "OPTIONS", "BREW"] {
        let request = Request::builder().method(method).uri("/scep?operation=GetCACaps");
        let answer = world.send(request.body(Full::default()).unwrap()).await;
        assert_eq!(answer.status, StatusCode::METHOD_NOT_ALLOWED, "{method}");
        assert_eq!(answer.headers["allow"], "GET, POST");
    }
    let answer = world.send(Request::post("/scep?operation=GetCACert").body(Full::default()).unwrap()).await;
    assert_eq!(
        (answer.status, &answer.headers["allow"]),
        (StatusCode::METHOD_NOT_ALLOWED, &"GET".parse().unwrap())
    );
}

#[tokio::test]
async fn row_18_ntlm_relay_no_request_meets_an_authentication_challenge() {
    let world = world();
    for (target, scheme) in [
        ("/scep?operation=GetCACaps", "NTLM TlRMTVNTUAABAAAA"),
        ("/scep?operation=PKIOperation", "Negotiate YII="),
        ("/certsrv/mscep_admin", "NTLM TlRMTVNTUAABAAAA"),
    ] {
        let request = Request::get(target).header("authorization", scheme).body(Full::default()).unwrap();
        let answer = world.send(request).await;
        assert_ne!(answer.status, StatusCode::UNAUTHORIZED);
        assert!(!answer.headers.contains_key("www-authenticate"));
    }
}

fn deciding(decision: fn() -> Decision) -> World {
    let handler = handler_fn(move |_| async move { decision() });
    world_with(|parts| ScepParts { handler: Arc::new(handler), ..parts })
}

#[tokio::test]
async fn try_later_is_503_with_retry_after() {
    let world = deciding(|| Decision::TryLater { after: Duration::from_secs(7) });
    let answer = world.post(world.pkcs_req("laptop-1", CHALLENGE).await.message).await;
    assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(answer.headers["retry-after"], "7");
}

// clause: RFC 8894 M22, M23, S9, S10, S19
#[tokio::test]
async fn pending_and_refusals_are_cert_reps() {
    let policy = AlgorithmPolicy::default();
    let world = deciding(|| Decision::Pending);
    let request = world.pkcs_req("laptop-1", CHALLENGE).await;
    let answer = world.post(request.message).await;
    let reply = request.awaited.read(&answer.body, slice::from_ref(&world.ra), &AwsLc, &policy).unwrap();
    assert!(matches!(reply, CertRep::Pending));

    let world = deciding(|| Decision::bad_request("the challenge was used before"));
    let request = world.pkcs_req("laptop-1", CHALLENGE).await;
    let answer = world.post(request.message).await;
    let reply = request.awaited.read(&answer.body, slice::from_ref(&world.ra), &AwsLc, &policy).unwrap();
    let CertRep::Failure { text, .. } = reply else { panic!("{reply:?}") };
    assert_eq!(text.as_deref(), Some("the challenge was used before"));
    assert_eq!(answer.fail_info(), "2");
}

// clause: RFC 8894 M21
#[tokio::test]
async fn a_crl_is_delivered_encrypted() {
    const CRL: [u8; 5] = [0x30, 3, 2, 1, 5];
    let world = deciding(|| Decision::Crl(CRL.to_vec()));
    let issuer = world.ca.subject().clone();
    let message = RequestMessage::GetCrl { issuer, serial: world.ra.serial_number().unwrap() };
    let request = world.request(&message, &signer().await, |requester| requester).await;
    let answer = world.post(request.message).await;
    let policy = AlgorithmPolicy::default();
    let reply = request.awaited.read(&answer.body, slice::from_ref(&world.ra), &AwsLc, &policy).unwrap();
    let CertRep::Success(sealed) = reply else { panic!("{reply:?}") };
    let key = keys().client.unwrap_key(sealed.wrapped_key()).await.unwrap();
    assert_eq!(sealed.open(&key).unwrap().crls, [CRL]);
}

#[tokio::test]
async fn row_68_internal_detail_stays_inside() {
    let no_certificate = deciding(|| Decision::Issue(Vec::new()));
    let no_random = world_with(|parts| ScepParts { random: Arc::new(NoRandom), ..parts });
    for world in [no_certificate, no_random] {
        let answer = world.post(world.pkcs_req("laptop-1", CHALLENGE).await.message).await;
        assert_eq!(answer.status, StatusCode::INTERNAL_SERVER_ERROR);
        assert!(answer.text().starts_with("something went wrong at the CA; its log tells more under "));
        assert_eq!(world.issued(), 0);
    }
}

#[tokio::test]
async fn a_key_that_cannot_be_reached_is_503() {
    let away = || Arc::new(FailingKey(KeyError::Unavailable("vault.internal: connection refused".into())));
    let opens = world_with(|parts| ScepParts { decryption_key: away(), ..parts });
    let signs = world_with(|parts| ScepParts { signing_key: away(), ..parts });
    for world in [opens, signs] {
        let answer = world.post(world.pkcs_req("laptop-1", CHALLENGE).await.message).await;
        assert_eq!(
            (answer.status, answer.headers["retry-after"].as_bytes()),
            (StatusCode::SERVICE_UNAVAILABLE, &b"30"[..])
        );
        assert!(!answer.text().contains("vault"), "{}", answer.text());
    }
}

#[tokio::test]
async fn a_key_that_refuses_to_decrypt_looks_like_any_other_undecryptable_message() {
    let refuses = || Arc::new(FailingKey(KeyError::Refused));
    let world = world_with(|parts| ScepParts { decryption_key: refuses(), ..parts });
    let answer = world.post(world.pkcs_req("laptop-1", CHALLENGE).await.message).await;
    assert_eq!(answer.fail_info(), "1");
    let world = world_with(|parts| ScepParts { signing_key: refuses(), ..parts });
    let answer = world.post(world.pkcs_req("laptop-1", CHALLENGE).await.message).await;
    assert_eq!(answer.status, StatusCode::INTERNAL_SERVER_ERROR);
}

#[tokio::test]
async fn renewal_is_refused_where_it_is_not_offered_and_reaches_the_handler_where_it_is() {
    for (renewal, asked) in [(Renewal::Refused, 0), (Renewal::Offered, 1)] {
        let world = world_with(|parts| ScepParts { renewal, ..parts });
        let message = RequestMessage::RenewalReq(csr("laptop-1", CHALLENGE).await);
        let request = world.request(&message, &signer().await, |requester| requester).await;
        assert_eq!(world.post(request.message).await.fail_info(), "2");
        assert_eq!((world.asked(), world.issued()), (asked, 0));
    }
}

// clause: RFC 8894 S27
#[tokio::test]
async fn row_09_proof_of_possession_a_csr_that_its_key_did_not_sign_reaches_no_handler() {
    let world = world();
    let mut der = csr("laptop-1", CHALLENGE).await.as_der().to_vec();
    *der.last_mut().unwrap() ^= 1;
    let message = RequestMessage::PkcsReq(pki_core::CertificationRequest::from_der(&der).unwrap());
    let request = world.request(&message, &signer().await, |requester| requester).await;
    assert_eq!(world.post(request.message).await.fail_info(), "1");
    assert_eq!((world.asked(), world.issued()), (0, 0));
}

/// A message of a client whose key signs and cannot encipher.
async fn of_ec_client(world: &World, challenge: &str, poll: bool) -> OutgoingRequest {
    let key = testkit::keys::p256();
    let (public, algorithm) = (SigningKey::public_key(&*key), key.algorithm());
    let name = pki_core::Name::of_common_name("laptop-1");
    let own = forge::certificate(3, &name, &*key, &name, public, &forge::ra_extensions()).await;
    let challenge = ChallengePassword::new(challenge.into());
    let extensions = RequestedExtensions::default();
    let unsigned = UnsignedCertificationRequest::new(&name, public, Some(&challenge), &extensions);
    let signature = key.sign(unsigned.tbs()).await.unwrap();
    let csr = unsigned.finish(algorithm, &signature).unwrap();
    let message = if poll {
        RequestMessage::CertPoll { issuer: world.ca.subject().clone(), subject: name.clone() }
    } else {
        RequestMessage::PkcsReq(csr)
    };
    let id = TransactionId::generate(public, &AwsLc).unwrap();
    let requester = Requester::new(own, algorithm, world.ra.clone());
    let unsigned = requester.prepare(&message, &id, &AwsLc, &AwsLc, testkit::NOW).unwrap();
    let signature = key.sign(unsigned.tbs()).await.unwrap();
    unsigned.finish(&signature)
}

// clause: RFC 8894 M5, M6
#[tokio::test]
async fn a_key_that_cannot_encipher_gets_its_reply_by_the_challenge() {
    let world = world();
    let request = of_ec_client(&world, CHALLENGE, false).await;
    let answer = world.post(request.message).await;
    let policy = AlgorithmPolicy::default();
    let reply = request.awaited.read(&answer.body, slice::from_ref(&world.ra), &AwsLc, &policy).unwrap();
    let CertRep::Success(sealed) = reply else { panic!("{reply:?}") };
    let issued = sealed.open_with_challenge(&ChallengePassword::new(CHALLENGE.into())).unwrap();
    assert_eq!(issued.certificates[0].subject().common_name().as_deref(), Some("laptop-1"));

    // What a CertPoll holds is not read, so that its reply has nothing to be encrypted by.
    let certificate = testkit::device().certificate;
    let handler = handler_fn(move |_| {
        let certificate = certificate.clone();
        async move { Decision::Issue(vec![certificate]) }
    });
    let decided = world_with(|parts| ScepParts { handler: Arc::new(handler), ..parts });
    let answer = decided.post(of_ec_client(&decided, CHALLENGE, true).await.message).await;
    assert_eq!(answer.fail_info(), "2");
}

// clause: RFC 8894 M2
#[tokio::test]
async fn triple_des_works_where_the_policy_allows_it() {
    let policy = AlgorithmPolicy::default().with_legacy(Legacy::TripleDes);
    let world = world_with(|parts| ScepParts { policy: policy.clone(), ..parts });
    let message = RequestMessage::PkcsReq(csr("laptop-1", CHALLENGE).await);
    let weak = |requester: scep_proto::Requester| requester.with_cipher(ContentCipher::TripleDesCbc);
    let request = world.request(&message, &signer().await, weak).await;
    let answer = world.post(request.message).await;
    let reply = request.awaited.read(&answer.body, slice::from_ref(&world.ra), &AwsLc, &policy).unwrap();
    assert!(matches!(reply, CertRep::Success(_)), "the reply is in a cipher that the requester can read");
}

#[tokio::test]
async fn keys_that_are_not_the_ra_certificates_are_refused_at_the_start() {
    let mut parts = None;
    world_with(|all| {
        parts = Some(all.clone());
        all
    });
    let parts = parts.unwrap();
    let wrong = ScepParts { decryption_key: keys().other.clone(), ..parts.clone() };
    assert!(matches!(ScepService::new(wrong), Err(PartsError::OtherKey("decryption"))));
    let wrong = ScepParts { signing_key: keys().ca.clone(), ..parts };
    assert!(matches!(ScepService::new(wrong), Err(PartsError::OtherKey("signing"))));
}

#[tokio::test]
async fn embedders_get_the_reply_without_http() {
    let world = world();
    let request = world.pkcs_req("laptop-1", CHALLENGE).await;
    let reply = world.service.pki_operation(&request.message, Origin::default()).await.unwrap();
    let policy = AlgorithmPolicy::default();
    let reply = request.awaited.read(&reply, slice::from_ref(&world.ra), &AwsLc, &policy).unwrap();
    assert!(matches!(reply, CertRep::Success(_)));
    let error = world.service.pki_operation(b"GET / HTTP/1.1", Origin::default()).await.unwrap_err();
    assert!(matches!(error, ScepError::NotScep(_)));
}

/// One request on a bare socket.
async fn raw(world: &World, request: &[u8]) -> Vec<u8> {
    let listener = Listener::bind("127.0.0.1:0", ListenerLimits::default()).await.unwrap();
    let mut stream = TcpStream::connect(listener.local_addr()).await.unwrap();
    let server = tokio::spawn(listener.serve(world.service.clone(), std::future::pending()));
    stream.write_all(request).await.unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.unwrap();
    server.abort();
    answer
}

#[tokio::test]
async fn row_61_http_1_0_without_host_enrolls() {
    let world = world();
    let message = world.pkcs_req("router-1", CHALLENGE).await.message;
    let head =
        format!("POST /scep?operation=PKIOperation HTTP/1.0\r\nContent-Length: {}\r\n\r\n", message.len());
    let answer = raw(&world, &[head.as_bytes(), &message].concat()).await;
    assert!(answer.starts_with(b"HTTP/1.0 200 OK\r\n"));
    assert_eq!(world.issued(), 1);
}

#[tokio::test]
async fn row_32_length_bomb_a_body_over_64_kib_is_not_read() {
    let world = world();
    let head = b"POST /scep HTTP/1.1\r\nContent-Length: 2147483647\r\n\r\n";
    let answer = raw(&world, head).await;
    assert!(answer.starts_with(b"HTTP/1.1 413 "), "{}", String::from_utf8_lossy(&answer));
    let answer = world.post(Bytes::from(vec![0x30; 65_537])).await;
    assert_eq!(answer.status, StatusCode::PAYLOAD_TOO_LARGE);
}
