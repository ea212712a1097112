//! What RFC 8894 asks of a client, as a server sees it.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "tests"
)]

mod support;

use std::{
    sync::{Arc, Mutex, atomic::Ordering},
    time::Duration,
};

use pki_core::{
    Certificate, ChallengePassword, Crl, DigestAlgorithm, Extension, KeyUsage, Name, Oid,
    RequestedExtensions, SerialNumber, SigningKey as _, tlv,
};
use scep_client::{
    Algorithms, ClientError, ClientKey, Enrollment, Event, Identity, NotSaved, Observer, Outcome, Patience,
    SavedTransaction, ScepClient, Trust, TrustedCa, Untrusted, distribution_points,
};
use scep_proto::{
    AlgorithmPolicy, Capabilities, Capability, ContentCipher, FailInfo, MessageType, PkiMessage, Request,
    RequestMessage, ca_certificates,
};
use scep_service::Renewal;
use support::{CHALLENGE, InProcess, Misbehavior, SmallCa, certificate_of, client, key, reply, service};
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

fn capabilities(body: &'static [u8]) -> World {
    world_with(None, |transport| {
        transport.instead.insert("GetCACaps", reply(200, body));
    })
}

impl World {
    async fn trusted(&self) -> TrustedCa {
        self.client.ca(Trust::Fingerprint(testkit::ca().certificate.fingerprint())).await.unwrap()
    }

    async fn enroll(&self, name: &str, patience: Patience) -> Result<Outcome, ClientError> {
        self.enroll_with(name, patience, &mut ()).await
    }

    async fn enroll_with(
        &self,
        name: &str,
        patience: Patience,
        observer: &mut dyn Observer,
    ) -> Result<Outcome, ClientError> {
        let (ca, (key, _)) = (self.trusted().await, key(STRANGER_PEM));
        let mut transaction = self.client.enroll(&ca, &wanted(name, Some(CHALLENGE)), &key).await?;
        transaction.complete_with(patience, observer).await
    }

    /// The pkiMessages that were posted, opened with the RA's key.
    async fn opened(&self) -> Vec<Request> {
        let authority = testkit::ca();
        let mut requests = Vec::new();
        for posted in self.transport.posted() {
            let message = PkiMessage::parse(&posted).unwrap();
            let verified = message.verify(&keys_software::AwsLc, &AlgorithmPolicy::default()).unwrap();
            let sealed = verified.sealed_for(&authority.ra_certificate).unwrap();
            let key = support::unwrap(&authority, sealed.wrapped_key()).await.unwrap();
            requests.push(sealed.open(Some(key), &keys_software::AwsLc, &keys_software::AwsLc).unwrap());
        }
        requests
    }

    async fn laptop(&self) -> (Certificate, ClientKey) {
        let (key, _) = key(STRANGER_PEM);
        (issued(self.enroll("laptop-1", Patience::default()).await), key)
    }
}

fn wanted(name: &str, challenge: Option<&str>) -> Enrollment {
    let challenge = challenge.map(|secret| ChallengePassword::new(secret.into()));
    Enrollment { subject: Name::of_common_name(name), challenge, extensions: RequestedExtensions::default() }
}

fn issued(outcome: Result<Outcome, ClientError>) -> Certificate {
    match outcome {
        Ok(Outcome::Issued(certificate)) => certificate,
        other => panic!("{other:?}"),
    }
}

/// Notes what it sees.
#[derive(Debug, Default)]
struct Noting {
    saved: Mutex<Vec<SavedTransaction>>,
    pauses: Vec<Duration>,
    started_over: usize,
}

impl Observer for Noting {
    fn save(&mut self, transaction: &SavedTransaction) -> Result<(), NotSaved> {
        self.saved.lock().unwrap().push(transaction.clone());
        Ok(())
    }

    fn note(&mut self, event: &Event<'_>) {
        match event {
            Event::Waiting { pause, .. } | Event::Retrying { pause, .. } => self.pauses.push(*pause),
            Event::StartedOver { .. } => self.started_over += 1,
            _ => {}
        }
    }
}

// clause: RFC 8894 C3, C5, C6, M19
#[tokio::test]
async fn a_first_request_is_signed_by_a_self_signed_certificate_of_its_name_and_key() {
    let world = world();
    world.laptop().await;
    let request = &world.opened().await[0];
    let RequestMessage::PkcsReq(csr) = &request.message else { panic!("{request:?}") };
    assert_eq!(csr.challenge_password().unwrap().expose(), CHALLENGE);
    // The certificate comes from the message itself, so it was sent along; its key made the signature.
    let signer = request.exchange.signer();
    assert_eq!((signer.subject(), signer.issuer()), (csr.subject(), csr.subject()));
    assert_eq!(signer.public_key(), csr.public_key());
    signer.verify_signed_by(csr.public_key(), &keys_software::AwsLc).unwrap();
    let both = KeyUsage::DIGITAL_SIGNATURE | KeyUsage::KEY_ENCIPHERMENT;
    assert_eq!(signer.key_usage(), Ok(Some(both)));
}

// clause: RFC 8894 C4, C5, C6, C7
#[tokio::test]
async fn a_renewal_is_signed_by_the_old_certificate_for_a_new_key_and_without_the_challenge() {
    let world = world();
    let (first, old) = world.laptop().await;
    let (ca, (new, new_key)) = (world.trusted().await, key(DEVICE_PEM));
    for challenge in [None, Some("again")] {
        let wanted = wanted("laptop-1", challenge);
        let mut renewal = world.client.renew(&ca, &wanted, &new, &first, &old).await.unwrap();
        issued(renewal.send().await);
        let request = world.opened().await.pop().unwrap();
        let RequestMessage::RenewalReq(csr) = &request.message else { panic!("{request:?}") };
        assert_eq!(csr.public_key(), new_key.public_key());
        assert_eq!(csr.challenge_password().map(|secret| secret.expose().to_owned()).as_deref(), challenge);
        assert_eq!(request.exchange.signer(), &first);
    }
    // The old key may be kept.
    let mut same = world.client.renew(&ca, &wanted("laptop-1", None), &old, &first, &old).await.unwrap();
    assert_eq!(issued(same.send().await).public_key(), first.public_key());
}

// clause: RFC 8894 C4
#[tokio::test]
async fn a_certificate_of_another_ca_may_sign_a_renewal_request() {
    let world = world();
    let foreign = testkit::rsa_ca();
    let (alien, alien_key) = key(STRANGER_PEM);
    let name = foreign.certificate.subject();
    let subject = Name::of_common_name("laptop-1");
    let certificate =
        support::certificate(9, name, &*foreign.key, &subject, alien_key.public_key(), &[]).await;
    let (ca, (new, _)) = (world.trusted().await, key(DEVICE_PEM));
    let wanted = wanted("laptop-1", Some(CHALLENGE));
    let mut transaction = world.client.renew(&ca, &wanted, &new, &certificate, &alien).await.unwrap();
    issued(transaction.send().await);
    assert_eq!(world.opened().await[0].exchange.signer(), &certificate);
}

// clause: RFC 8894 C11
#[tokio::test]
async fn requests_are_in_aes_128_and_sha_256() {
    let world = capabilities(b"AES\nDES3\nSHA-1\nSHA-256\nSHA-512\nPOSTPKIOperation\nRenewal\n");
    world.laptop().await;
    assert_eq!(world.opened().await[0].exchange.cipher(), ContentCipher::Aes128Cbc);
    let sha256 = tlv::oid(DigestAlgorithm::Sha256.oid());
    let message = &world.transport.posted()[0];
    assert!(message.windows(sha256.len()).any(|window| window == sha256));
    for weaker in [DigestAlgorithm::Sha1, DigestAlgorithm::Md5] {
        let weaker = tlv::oid(weaker.oid());
        assert!(!message.windows(weaker.len()).any(|window| window == weaker));
    }
}

#[tokio::test]
async fn another_cipher_is_used_when_asked_for() {
    let world = world();
    let algorithms = Algorithms { cipher: Some(ContentCipher::Aes256Cbc), ..Algorithms::default() };
    let strong = World {
        client: world.client.clone().with_algorithms(algorithms),
        transport: world.transport,
        ..world
    };
    strong.laptop().await;
    assert_eq!(strong.opened().await[0].exchange.cipher(), ContentCipher::Aes256Cbc);
}

// clause: RFC 8894 C10
#[tokio::test]
async fn capabilities_are_read_in_any_case_with_any_line_ends_and_any_company() {
    let expected: Capabilities = [Capability::Renewal, Capability::ScepStandard].into_iter().collect();
    for body in [
        &b"Renewal\nSCEPStandard\n"[..],
        b"renewal\r\nSCEPSTANDARD\r\n",
        b"SCEPStandard\nExample.com-Unheard\nUpdate\nSHA-384\nRenewal",
    ] {
        let world = world_with(None, |transport| {
            let media_type = Some("text/html; charset=x-unheard".into());
            let answer = scep_client::HttpReply { content_type: media_type, ..reply(200, body) };
            transport.instead.insert("GetCACaps", answer);
        });
        assert_eq!(world.client.capabilities().await, Ok(expected), "{}", body.escape_ascii());
    }
    for (status, body) in [(200, &b""[..]), (404, b"gone"), (400, b"?"), (500, b"oops"), (501, b"")] {
        let world = world_with(None, |transport| {
            transport.instead.insert("GetCACaps", reply(status, body));
        });
        assert_eq!(world.client.capabilities().await, Ok(Capabilities::default()), "{status}");
    }
    let busy = world_with(None, |transport| {
        transport.instead.insert("GetCACaps", reply(503, b"later"));
    });
    assert!(matches!(busy.client.capabilities().await, Err(ClientError::Http { status: 503, .. })));
}

// clause: RFC 8894 C13, C14
#[tokio::test]
async fn operations_have_their_names_and_their_methods() {
    let world = world();
    let (first, identity_key) = world.laptop().await;
    let ca = world.trusted().await;
    let identity = Identity::new(first.clone(), identity_key).unwrap();
    world.client.find_certificate(&ca, &first.serial_number().unwrap(), &identity).await.unwrap();
    let sent = world.transport.sent.lock().unwrap().clone();
    let names: Vec<_> = sent
        .iter()
        .map(|(url, body)| (url.split("operation=").nth(1).unwrap().to_owned(), body.is_some()))
        .map(|(operation, posted)| format!("{} {operation}", if posted { "POST" } else { "GET" }))
        .collect();
    assert_eq!(
        names,
        [
            "GET GetCACert&message=",
            "GET GetCACaps&message=",
            "POST PKIOperation",
            "GET GetCACert&message=",
            "GET GetCACaps&message=",
            "POST PKIOperation"
        ]
    );
}

// clause: RFC 8894 C13
#[tokio::test]
async fn by_get_messages_are_standard_base64_escaped() {
    let world = capabilities(b"");
    world.laptop().await;
    let url = world.transport.urls().pop().unwrap();
    let message = url.split_once("operation=PKIOperation&message=").unwrap().1;
    assert!(message.bytes().all(|octet| octet.is_ascii_alphanumeric() || octet == b'%'), "{message}");
    assert!(message.contains("%2B") && message.contains("%2F"), "{message}");
}

// clause: RFC 8894 C13
#[tokio::test]
async fn without_a_path_requests_go_where_the_rfc_says() {
    let parts = |url: &str| ScepClient::new(url, parts_of(&world())).url().to_owned();
    assert_eq!(parts("http://ca.example.com"), "http://ca.example.com/cgi-bin/pkiclient.exe");
    assert_eq!(parts("https://ca.example.com:8443"), "https://ca.example.com:8443/cgi-bin/pkiclient.exe");
    for url in ["http://ca.example.com/", "http://ca.example.com/scep", "http://ca.example.com/a/b?x=y"] {
        assert_eq!(parts(url), url);
    }
}

fn parts_of(world: &World) -> scep_client::ClientParts {
    scep_client::ClientParts {
        transport: Arc::<InProcess>::clone(&world.transport),
        verifier: Arc::new(keys_software::AwsLc),
        encryptor: Arc::new(keys_software::AwsLc),
        random: Arc::new(keys_software::AwsLc),
        clock: Arc::new(testkit::FixedClock::default()),
    }
}

// clause: RFC 8894 C18
#[tokio::test]
async fn what_is_expected_of_a_server_can_be_assumed_whatever_it_says() {
    let world = capabilities(b"DES3\nSHA-1\n");
    let assumed = [Capability::ScepStandard, Capability::Renewal].into_iter().collect();
    let firm = World { client: world.client.clone().assuming(assumed), ..world };
    let (first, old) = firm.laptop().await;
    let (ca, (new, _)) = (firm.trusted().await, key(DEVICE_PEM));
    let mut renewal = firm.client.renew(&ca, &wanted("laptop-1", None), &new, &first, &old).await.unwrap();
    issued(renewal.send().await);
    let types: Vec<_> = firm.opened().await.iter().map(|request| request.message.message_type()).collect();
    assert_eq!(types, [MessageType::PkcsReq, MessageType::RenewalReq], "both by POST");
    assert!(firm.transport.urls().iter().all(|url| !url.contains("GetCACaps")));
}

// clause: RFC 8894 C8, C15, M11
#[tokio::test(start_paused = true)]
async fn a_request_that_waits_is_polled_for_so_long_and_so_often() {
    let world = world();
    let minute = Duration::from_secs(60);
    let waiting = Patience { max_wait: minute * 60, poll_interval: minute, ..Patience::default() };
    let mut noting = Noting::default();
    let began = tokio::time::Instant::now();
    issued(world.enroll_with("slow-1", waiting, &mut noting).await);
    assert_eq!(began.elapsed(), minute * 2);
    let requests = world.opened().await;
    let types: Vec<_> = requests.iter().map(|request| request.message.message_type()).collect();
    assert_eq!(types, [MessageType::PkcsReq, MessageType::CertPoll, MessageType::CertPoll]);
    let id = |request: &Request| request.exchange.transaction_id().clone();
    assert!(requests.iter().all(|request| id(request) == id(&requests[0])));
    assert!(requests[1].exchange.sender_nonce() != requests[2].exchange.sender_nonce());

    for (limited, polls) in [
        (Patience { max_polls: 1, ..waiting }, 1),
        (Patience { max_polls: 0, ..waiting }, 0),
        (Patience { max_wait: minute / 2, ..waiting }, 1),
        (Patience { max_wait: Duration::ZERO, ..waiting }, 0),
    ] {
        let world = super_slow();
        assert_eq!(world.enroll("slow-1", limited).await, Ok(Outcome::Pending));
        assert_eq!(world.transport.posted().len(), 1 + polls, "{limited:?}");
    }
}

/// Approves nothing.
fn super_slow() -> World {
    world_with(Some(Misbehavior::NeverApproves), |_| {})
}

// clause: RFC 8894 C17
#[tokio::test(start_paused = true)]
async fn a_lost_answer_that_is_not_repeated_leads_to_a_new_transaction_once() {
    let world = world_with(Some(Misbehavior::NoRepeats), |transport| {
        transport.lose.store(1, Ordering::SeqCst);
    });
    let mut noting = Noting::default();
    issued(world.enroll_with("laptop-1", Patience::default(), &mut noting).await);
    assert_eq!((noting.started_over, noting.pauses.len()), (1, 1));
    let ids: Vec<_> =
        world.opened().await.iter().map(|request| request.exchange.transaction_id().clone()).collect();
    assert_eq!(ids.len(), 3);
    assert!(ids[0] == ids[1] && ids[1] != ids[2], "{ids:?}");
    // Each was kept before it was sent.
    let saved = noting.saved.into_inner().unwrap();
    let posted = world.transport.posted();
    assert_eq!(saved.iter().map(SavedTransaction::message).collect::<Vec<_>>(), [&posted[0], &posted[2]]);

    // A refusal without any loss is final; and so is a second one.
    let world = world_with(Some(Misbehavior::NoRepeats), |transport| {
        transport.lose.store(2, Ordering::SeqCst);
    });
    let error = world.enroll("laptop-1", Patience { retries: 1, ..Patience::default() }).await.unwrap_err();
    assert!(matches!(error, ClientError::Transport(_)), "{error}");
}

// clause: RFC 8894 C17
#[tokio::test(start_paused = true)]
async fn a_ca_that_forgot_what_waits_is_asked_anew() {
    let world = world_with(Some(Misbehavior::Forgets), |_| {});
    let mut noting = Noting::default();
    let patience = Patience { max_wait: Duration::from_secs(60), ..Patience::default() };
    issued(world.enroll_with("slow-1", patience, &mut noting).await);
    assert_eq!(noting.started_over, 1);
    let saved = noting.saved.into_inner().unwrap();
    let pending: Vec<_> = saved.iter().map(SavedTransaction::is_pending).collect();
    assert_eq!(pending, [false, true, false]);
}

#[tokio::test]
async fn nothing_is_sent_that_could_not_be_saved() {
    #[derive(Debug)]
    struct Full;
    impl Observer for Full {
        fn save(&mut self, _: &SavedTransaction) -> Result<(), NotSaved> {
            Err(NotSaved("no space left on device".into()))
        }
    }
    let world = world();
    let error = world.enroll_with("laptop-1", Patience::default(), &mut Full).await.unwrap_err();
    assert_eq!(error, ClientError::NotSaved(NotSaved("no space left on device".into())));
    assert!(world.transport.posted().is_empty());
}

#[tokio::test]
async fn a_saved_transaction_goes_on_polling_with_its_key_and_no_other() {
    let world = world();
    let mut noting = Noting::default();
    assert_eq!(world.enroll_with("slow-1", Patience::default(), &mut noting).await, Ok(Outcome::Pending));
    let saved = noting.saved.into_inner().unwrap().pop().unwrap();
    assert!(saved.is_pending());
    let (ca, (stranger, _), (right, _)) = (world.trusted().await, key(DEVICE_PEM), key(STRANGER_PEM));
    let wrong = world.client.resume(&ca, &saved, &stranger).await.map(|_| ()).unwrap_err();
    assert!(matches!(wrong, ClientError::Request(_)), "{wrong}");
    let nonsense = SavedTransaction::pending(b"nonsense".to_vec(), saved.request().clone());
    assert!(world.client.resume(&ca, &nonsense, &right).await.is_err());
    let mut resumed = world.client.resume(&ca, &saved, &right).await.unwrap();
    let patience = Patience { max_wait: Duration::from_secs(9), ..quick() };
    issued(resumed.complete(patience).await);
    let types: Vec<_> = world.opened().await.iter().map(|request| request.message.message_type()).collect();
    assert_eq!(types[..2], [MessageType::PkcsReq, MessageType::CertPoll]);
}

fn quick() -> Patience {
    Patience { poll_interval: Duration::from_millis(10), ..Patience::default() }
}

// clause: RFC 8894 M25
#[tokio::test]
async fn a_certificate_is_found_by_its_number() {
    let world = world();
    let (first, key) = world.laptop().await;
    let ca = world.trusted().await;
    let identity = Identity::new(first.clone(), key.clone()).unwrap();
    let serial = first.serial_number().unwrap();
    assert_eq!(world.client.find_certificate(&ca, &serial, &identity).await.as_ref(), Ok(&first));
    let other = SerialNumber::from_be_bytes(&[0x77]).unwrap();
    let error = world.client.find_certificate(&ca, &other, &identity).await.unwrap_err();
    assert!(matches!(error, ClientError::Refused { fail_info: FailInfo::BadCertId, .. }), "{error}");
    let own = world.client.self_signed(&Name::of_common_name("anybody"), &key).await.unwrap();
    assert_eq!(world.client.find_certificate(&ca, &serial, &own).await, Ok(first));
}

/// A certificate that says where its CRL is.
async fn with_distribution_point(ca: &SmallCa, urls: &[&str]) -> Certificate {
    const DISTRIBUTION_POINTS: Oid = Oid::new_unwrap("2.5.29.31");
    let points = urls.iter().flat_map(|url| {
        let name = tlv::wrap(0xA0, &tlv::wrap(0x86, url.as_bytes()));
        tlv::wrap(tlv::SEQUENCE, &tlv::wrap(0xA0, &name))
    });
    let points = tlv::wrap(tlv::SEQUENCE, &points.collect::<Vec<_>>());
    let (_, key) = key(STRANGER_PEM);
    let subject = Name::of_common_name("laptop-1");
    let extensions = [Extension::new(DISTRIBUTION_POINTS, points)];
    let (issuer, ca_key) = (ca.authority.certificate.subject(), &*ca.authority.key);
    certificate_of(0x33, issuer, ca_key, &subject, key.public_key(), &extensions).await
}

fn lists(crl: &Crl, certificate: &Certificate) -> bool {
    crl.entries().any(|entry| entry.serial_octets() == certificate.serial_octets())
}

// clause: RFC 8894 C9
#[tokio::test]
async fn a_crl_comes_from_where_the_certificate_says() {
    let probe = world();
    let urls = ["ldap://ca.example.com/cn=crl", "http://ca.example.com/crl.der"];
    let certificate = with_distribution_point(&probe.ca, &urls).await;
    assert_eq!(distribution_points(&certificate), urls[1..]);
    let serial = certificate.serial_number().unwrap();
    let der = probe.ca.crl(&[serial]).await;
    let foreign = SmallCa::new(testkit::rsa_ca(), None).crl(&[serial]).await;
    let serving = |body: &[u8]| {
        world_with(None, |transport| {
            transport.instead.insert("crl.der", reply(200, body));
        })
    };
    let world = serving(&der);
    let crl = world.client.crl_at(&world.trusted().await, urls[1]).await.unwrap();
    assert_eq!((crl.as_der(), crl.len(), lists(&crl, &certificate)), (&*der, 1, true));
    assert!(world.transport.posted().is_empty(), "nobody is asked by GetCRL");

    for wrong in [&foreign[..], b"<html>", b""] {
        let world = serving(wrong);
        let error = world.client.crl_at(&world.trusted().await, urls[1]).await.unwrap_err();
        assert!(matches!(error, ClientError::NotAsked { .. }), "{error}");
    }
}

// clause: RFC 8894 C9, M21, M25
#[tokio::test]
async fn a_crl_comes_by_get_crl_where_the_certificate_says_nothing() {
    let world = world();
    let (first, key) = world.laptop().await;
    assert!(distribution_points(&first).is_empty());
    let identity = Identity::new(first.clone(), key).unwrap();
    let crl = world.client.crl(&world.trusted().await, &first, &identity).await.unwrap();
    assert!(lists(&crl, &first) && !lists(&crl, &testkit::device().certificate));
    assert_eq!(crl.next_update().unwrap().to_string(), "2026-11-22T11:30:00Z");
    let folder = testkit::tempdir().unwrap();
    std::fs::write(folder.path().join("crl.der"), crl.as_der()).unwrap();
    std::fs::write(folder.path().join("ca.pem"), testkit::ca().certificate.to_pem()).unwrap();
    let arguments = ["crl", "-inform", "der", "-in", "crl.der", "-CAfile", "ca.pem", "-noout"];
    testkit::run_in(folder.path(), "openssl", arguments);
}

// clause: RFC 8894 C2
#[tokio::test]
async fn intermediates_are_verified_before_use() {
    let (root, below) = (testkit::ca(), testkit::rsa_ca());
    let trust = Trust::Fingerprint(root.certificate.fingerprint());
    let constraints = pki_core::BasicConstraints { ca: true, path_len: None };
    let ca = Extension::new(pki_core::oids::BASIC_CONSTRAINTS, constraints.to_der());
    let (subject, public) = (below.certificate.subject(), below.certificate.public_key());
    let (issuer, forger) = (root.certificate.subject(), &*below.key);
    let sound = certificate_of(7, issuer, &*root.key, subject, public, std::slice::from_ref(&ca)).await;
    let unsound = certificate_of(7, issuer, forger, subject, public, &[ca]).await;
    let now = testkit::NOW;
    let judge = |intermediate: &Certificate, now| {
        let list = [intermediate.clone(), root.certificate.clone()];
        TrustedCa::new(&list, trust, &keys_software::AwsLc, now)
    };
    assert_eq!(judge(&sound, now).unwrap().issuer(), &sound);
    assert_eq!(judge(&unsound, now).map(|_| ()), Err(Untrusted::NoRa));
    // 2050: the root is over as well; what counts is that nothing is used that is over.
    let late = judge(&sound, pki_core::UnixTime(2_550_000_000)).map(|_| ());
    assert!(matches!(late, Err(Untrusted::NotNow { .. })), "{late:?}");
}

// clause: RFC 8894 C2
#[tokio::test]
async fn row_75_a_certificate_for_something_else_is_no_ra_though_the_ca_issued_it() {
    let (ca, device) = (testkit::ca(), testkit::device());
    let trust = Trust::Fingerprint(ca.certificate.fingerprint());
    let list = [device.certificate.clone(), ca.ra_certificate.clone(), ca.certificate.clone()];
    let (_, body) = ca_certificates::encode(&list);
    let world = world_with(None, |transport| {
        transport.instead.insert("GetCACert", reply(200, &body));
    });
    let trusted = world.client.ca(trust).await.unwrap();
    assert_eq!(trusted.recipient(), &ca.ra_certificate);
    assert!(!trusted.reply_signers().contains(&device.certificate));
    let alone =
        TrustedCa::new(&[list[0].clone(), list[2].clone()], trust, &keys_software::AwsLc, testkit::NOW);
    assert_eq!(alone.map(|_| ()), Err(Untrusted::NoRa));
}

// clause: RFC 8894 C2
#[tokio::test]
async fn an_ra_that_is_named_is_used_whatever_its_certificate_says() {
    let (ca, other, device) = (testkit::ca(), testkit::rsa_ca(), testkit::device());
    let trust = Trust::Fingerprint(ca.certificate.fingerprint());
    let list = [ca.ra_certificate.clone(), ca.certificate.clone()];
    for named in [other.ra_certificate, device.certificate] {
        let world = world();
        let trusted = world.client.clone().with_ra(vec![named.clone()]).ca(trust).await.unwrap();
        assert_eq!((trusted.recipient(), trusted.issuer()), (&named, &ca.certificate));
        assert!(trusted.reply_signers().contains(&named));
        assert!(!trusted.issuers().contains(&named));
        // Without the CA's own there is still that one.
        let alone = TrustedCa::with_ra(&list[1..], &[named], trust, &keys_software::AwsLc, testkit::NOW);
        assert!(alone.is_ok(), "{alone:?}");
    }
}

// clause: RFC 8894 C2
#[tokio::test]
async fn a_ca_certificate_at_hand_vouches_whether_it_is_sent_or_not() {
    let ca = testkit::ca();
    let (_, body) = ca_certificates::encode(std::slice::from_ref(&ca.ra_certificate));
    let world = world_with(None, |transport| {
        transport.instead.insert("GetCACert", reply(200, &body));
    });
    assert_eq!(world.client.ca_of(&ca.certificate).await.unwrap().issuer(), &ca.certificate);
    let other = world.client.ca_of(&testkit::rsa_ca().certificate).await.unwrap_err();
    assert!(matches!(other, ClientError::Untrusted(_)), "{other}");
}
