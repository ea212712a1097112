//! Enrolling and renewing against a service in the same process.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod support;

use std::{
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use pki_core::{Certificate, ChallengePassword, GeneralName, Name, RequestedExtensions, SigningKey as _};
use scep_client::{
    ClientError, Enrollment, Outcome, Patience, SavedTransaction, ScepClient, Trust, TrustedCa, Untrusted,
};
use scep_proto::{FailInfo, ca_certificates};
use scep_service::Renewal;
use support::{CHALLENGE, InProcess, Misbehavior, SmallCa, client, key, reply, service};
use testkit::keys::{DEVICE_PEM, STRANGER_PEM};

struct World {
    ca: Arc<SmallCa>,
    transport: Arc<InProcess>,
    client: ScepClient,
}

fn world() -> World {
    world_with(None, |_| {})
}

fn world_with(misbehavior: Option<Misbehavior>, change: impl FnOnce(&mut InProcess)) -> World {
    let ca = Arc::new(SmallCa::new(testkit::ca(), misbehavior));
    let mut transport = InProcess::new(service(Arc::clone(&ca), Renewal::Offered));
    change(&mut transport);
    let transport = Arc::new(transport);
    World { ca, client: client(Arc::<InProcess>::clone(&transport)), transport }
}

impl World {
    fn issued(&self) -> usize {
        self.ca.issued.lock().unwrap().len()
    }

    async fn trusted(&self) -> TrustedCa {
        self.client.ca(Trust::Fingerprint(testkit::ca().certificate.fingerprint())).await.unwrap()
    }

    async fn enroll(&self, name: &str, challenge: &str) -> Result<Outcome, ClientError> {
        let (ca, (key, _)) = (self.trusted().await, key(STRANGER_PEM));
        let mut transaction = self.client.enroll(&ca, &wanted(name, Some(challenge)), &key).await?;
        transaction.complete(quick()).await
    }
}

fn wanted(name: &str, challenge: Option<&str>) -> Enrollment {
    let extensions = RequestedExtensions {
        subject_alt_names: vec![GeneralName::Dns("laptop-1.example".into())],
        ..RequestedExtensions::default()
    };
    let challenge = challenge.map(|secret| ChallengePassword::new(secret.into()));
    Enrollment { subject: Name::of_common_name(name), challenge, extensions }
}

fn quick() -> Patience {
    Patience {
        retries: 3,
        retry_pause: Duration::from_millis(1),
        max_wait: Duration::from_secs(60),
        poll_interval: Duration::from_millis(10),
        ..Patience::default()
    }
}

fn certificate(outcome: Result<Outcome, ClientError>) -> Certificate {
    match outcome {
        Ok(Outcome::Issued(certificate)) => certificate,
        other => panic!("{other:?}"),
    }
}

// clause: RFC 8894 M1, C3, C4, C7
#[tokio::test]
async fn enrolls_and_renews() {
    let world = world();
    let first = certificate(world.enroll("laptop-1", CHALLENGE).await);
    let (old, old_key) = key(STRANGER_PEM);
    assert_eq!(first.public_key(), old_key.public_key());
    assert_eq!(first.subject_alt_names().unwrap(), [GeneralName::Dns("laptop-1.example".into())]);

    let (new, new_key) = key(DEVICE_PEM);
    let ca = world.trusted().await;
    let mut renewal = world.client.renew(&ca, &wanted("laptop-1", None), &new, &first, &old).await.unwrap();
    let second = certificate(renewal.complete(quick()).await);
    assert_eq!(second.public_key(), new_key.public_key());
    assert_eq!(world.issued(), 2);
}

// clause: RFC 8894 C5
#[tokio::test]
async fn renews_by_pkcs_req_where_renewal_is_not_offered() {
    let world = world_with(None, |transport| {
        transport.instead.insert("GetCACaps", reply(200, b"SCEPStandard\n"));
    });
    let first = certificate(world.enroll("laptop-1", CHALLENGE).await);
    let ((old, _), (new, _)) = (key(STRANGER_PEM), key(DEVICE_PEM));
    let ca = world.trusted().await;
    let mut renewal = world.client.renew(&ca, &wanted("laptop-1", None), &new, &first, &old).await.unwrap();
    certificate(renewal.send().await);
    let wrong = world.client.renew(&ca, &wanted("laptop-1", None), &old, &first, &new).await;
    assert!(matches!(wrong, Err(ClientError::Request(_))), "not the key of that certificate");
}

#[tokio::test]
async fn a_lost_reply_costs_nothing() {
    let world = world();
    world.transport.lose.store(2, Ordering::SeqCst);
    certificate(world.enroll("laptop-1", CHALLENGE).await);
    assert_eq!(world.issued(), 1, "one transaction, one certificate");
    let posted = world.transport.posted();
    assert_eq!(posted.len(), 3);
    assert!(posted.iter().all(|message| *message == posted[0]), "the same message each time");
}

// clause: RFC 8894 S25, C17
#[tokio::test]
async fn a_program_that_died_goes_on_with_the_same_transaction() {
    let world = world();
    world.transport.lose.store(4, Ordering::SeqCst);
    let (ca, (key, _)) = (world.trusted().await, key(STRANGER_PEM));
    let mut transaction = world.client.enroll(&ca, &wanted("laptop-1", Some(CHALLENGE)), &key).await.unwrap();
    let saved = transaction.saved();
    let error = transaction.complete(quick()).await.unwrap_err();
    assert!(matches!(error, ClientError::Transport(_)), "{error}");
    drop(transaction);

    let saved = SavedTransaction::unanswered(saved.message().to_vec(), saved.request().clone());
    let mut resumed = world.client.resume(&ca, &saved, &key).await.unwrap();
    let certificate = certificate(resumed.complete(quick()).await);
    let issued: Vec<Certificate> = world.ca.issued.lock().unwrap().values().cloned().collect();
    assert_eq!(issued, [certificate]);
    let posted = world.transport.posted();
    assert_eq!(posted.len(), 5);
    assert!(posted.iter().all(|message| *message == posted[0]), "the same message each time");
}

// clause: RFC 8894 M15
#[tokio::test]
async fn a_busy_server_is_asked_again_and_a_refusal_is_final() {
    let world = world();
    world.transport.busy.store(3, Ordering::SeqCst);
    certificate(world.enroll("laptop-1", CHALLENGE).await);

    let world = world_with(None, |_| {});
    let error = world.enroll("laptop-1", "wrong").await.unwrap_err();
    let ClientError::Refused { fail_info, ref text } = error else { panic!("{error}") };
    assert_eq!((fail_info, &**text), (FailInfo::BadRequest, "the challenge is wrong"));
    assert_eq!(error.to_string(), "the CA refused the request: badRequest, \"the challenge is wrong\"");
    assert_eq!(world.transport.posted().len(), 1);

    world.transport.busy.store(100, Ordering::SeqCst);
    let error = world.enroll("laptop-1", CHALLENGE).await.unwrap_err();
    assert!(matches!(error, ClientError::Http { status: 503, .. }), "{error}");
}

// clause: RFC 8894 S9, C8, C15
#[tokio::test]
async fn a_request_that_waits_for_approval_is_polled() {
    let world = world();
    certificate(world.enroll("slow-1", CHALLENGE).await);
    assert_eq!(world.transport.posted().len(), 3, "the request and two polls");

    let (ca, (key, _)) = (world.trusted().await, key(STRANGER_PEM));
    let wanted = wanted("slow-2", Some(CHALLENGE));
    let mut transaction = world.client.enroll(&ca, &wanted, &key).await.unwrap();
    let impatient = Patience { max_wait: Duration::ZERO, ..quick() };
    assert_eq!(transaction.complete(impatient).await, Ok(Outcome::Pending));
    assert_eq!(transaction.poll().await, Ok(Outcome::Pending));
    certificate(transaction.poll().await);
}

// clause: RFC 8894 C10, C13
#[tokio::test]
async fn a_server_without_post_gets_get() {
    let world = world_with(None, |transport| {
        transport.instead.insert("GetCACaps", reply(404, b"<html>"));
    });
    certificate(world.enroll("laptop-1", CHALLENGE).await);
    assert!(world.transport.posted().is_empty());
}

// clause: RFC 8894 C11, C18
#[tokio::test]
async fn row_17_downgrade_a_shortened_list_of_capabilities_weakens_nothing() {
    let world = world_with(None, |transport| {
        transport.instead.insert("GetCACaps", reply(200, b"POSTPKIOperation\nDES3\nSHA-1\n"));
    });
    // The service takes nothing below AES and SHA-256, so an enrollment proves that they were used.
    certificate(world.enroll("laptop-1", CHALLENGE).await);
}

// clause: RFC 8894 C1, C2
#[tokio::test]
async fn a_ca_with_another_fingerprint_is_not_trusted_and_learns_nothing() {
    let world = world();
    let error = world.client.ca(Trust::Fingerprint([0xAB; 32])).await.unwrap_err();
    let text = error.to_string();
    let hex =
        |octets: [u8; 32]| octets.iter().map(|octet| format!("{octet:02x}")).collect::<Vec<_>>().concat();
    assert!(text.contains(&"ab".repeat(32)), "{text}");
    assert!(text.contains(&hex(testkit::ca().certificate.fingerprint())), "{text}");
    assert!(matches!(error, ClientError::Untrusted(Untrusted::Fingerprint { .. })));
    assert!(world.transport.posted().is_empty());

    let first_seen = world.client.ca(Trust::FirstSeen).await.unwrap();
    assert_eq!(first_seen.certificate(), &testkit::ca().certificate);
}

/// What GetCACert says, put in the place of the truth.
fn listing(certificates: &[Certificate]) -> World {
    let (_, body) = ca_certificates::encode(certificates);
    world_with(None, |transport| {
        transport.instead.insert("GetCACert", reply(200, &body));
    })
}

// clause: RFC 8894 C2
#[tokio::test]
async fn an_ra_that_the_ca_did_not_certify_is_not_used() {
    let (ours, other) = (testkit::ca(), testkit::rsa_ca());
    let fingerprint = Trust::Fingerprint(ours.certificate.fingerprint());
    let (stranger, _) = key(STRANGER_PEM);
    let name = ours.certificate.subject();
    // In the CA's name, by a key that is not the CA's.
    let public = stranger.signing.public_key();
    let forged = support::certificate(9, name, &*stranger.signing, name, public, &[]).await;
    for certificates in
        [vec![other.ra_certificate.clone(), ours.certificate.clone()], vec![forged, ours.certificate.clone()]]
    {
        let error = listing(&certificates).client.ca(fingerprint).await.unwrap_err();
        assert_eq!(error, ClientError::Untrusted(Untrusted::NoRa));
    }
    // Where a right one is there as well, that one is used.
    let certificates = [other.ra_certificate, ours.ra_certificate, ours.certificate];
    assert_eq!(listing(&certificates).client.ca(fingerprint).await.map(|_| ()), Ok(()));
}

#[tokio::test]
async fn a_ca_that_sends_nonsense_is_told_so() {
    for (body, status) in [(&b""[..], 200), (b"<html>", 200), (&[0x30, 0x80, 0, 0], 200), (b"gone", 404)] {
        let world = world_with(None, |transport| {
            transport.instead.insert("GetCACert", reply(status, body));
        });
        let error = world.client.ca(Trust::FirstSeen).await.unwrap_err();
        assert!(matches!(error, ClientError::CaCertificates(_) | ClientError::Http { status: 404, .. }));
    }
}

// clause: RFC 8894 C2
#[tokio::test]
async fn certificates_out_of_time_are_told_with_the_clock() {
    let (ca, verifier) = (testkit::ca(), keys_software::AwsLc);
    let certificates = [ca.ra_certificate, ca.certificate.clone()];
    let trust = Trust::Fingerprint(ca.certificate.fingerprint());
    let error = TrustedCa::new(&certificates, trust, &verifier, pki_core::UnixTime(0)).unwrap_err();
    assert!(error.to_string().contains("this machine's clock says 1970-01-01T00:00:00Z"), "{error}");
}

// clause: RFC 8894 M21
#[tokio::test]
async fn a_certificate_for_another_key_or_from_another_issuer_is_not_taken() {
    let world = world_with(Some(Misbehavior::OtherKey), |_| {});
    let error = world.enroll("laptop-1", CHALLENGE).await.unwrap_err();
    assert_eq!(error, ClientError::Untrusted(Untrusted::NotForKey(1)));
    let world = world_with(Some(Misbehavior::OtherIssuer), |_| {});
    let error = world.enroll("laptop-1", CHALLENGE).await.unwrap_err();
    assert!(matches!(error, ClientError::Untrusted(Untrusted::NotIssuedByCa(_))), "{error}");
}

// clause: RFC 8894 M16
#[tokio::test]
async fn a_reply_to_somebody_else_or_by_somebody_else_is_not_taken() {
    let world = world();
    // An answer of the right CA, to another request.
    certificate(world.enroll("laptop-1", CHALLENGE).await);
    let earlier = world.transport.posted()[0].clone();
    let service = service(Arc::clone(&world.ca), Renewal::Offered);
    let replayed = service.pki_operation(&earlier, scep_service::Origin::default()).await.unwrap();
    // An answer of another CA to whatever comes.
    let other = Arc::new(SmallCa::new(testkit::rsa_ca(), None));
    let foreign = support::service(other, Renewal::Offered);
    let foreign = foreign.pki_operation(&earlier, scep_service::Origin::default()).await.unwrap();
    for message in [replayed, foreign, b"<html>".to_vec(), Vec::new()] {
        let world = world_with(None, |transport| {
            transport.instead.insert("PKIOperation", reply(200, &message));
        });
        let error = world.enroll("laptop-2", CHALLENGE).await.unwrap_err();
        assert!(matches!(error, ClientError::Untrusted(Untrusted::Reply(_))), "{error}");
    }
}

#[tokio::test]
async fn which_ca_is_meant_goes_into_get_ca_cert() {
    let world = world();
    let client = world.client.clone().with_ca_identifier("Fabrik & Söhne");
    client.ca_certificates().await.unwrap();
    let sent = world.transport.sent.lock().unwrap();
    assert!(sent[0].0.ends_with("?operation=GetCACert&message=Fabrik%20%26%20S%C3%B6hne"), "{}", sent[0].0);
}

#[tokio::test]
async fn what_a_peer_says_is_shown_short_and_harmless() {
    let said = format!("\u{1b}[2Jno CA here{}\nsecond line", "!".repeat(1000));
    let world = world_with(None, |transport| {
        transport.instead.insert("GetCACert", reply(500, said.as_bytes()));
    });
    let text = world.client.ca_certificates().await.unwrap_err().to_string();
    assert!(
        text.starts_with("expected an answer to GetCACert: HTTP 500, \"\\u{1b}[2Jno CA here!!"),
        "{text}"
    );
    assert!(text.len() < 300 && !text.contains("second line"), "{text}");
}
