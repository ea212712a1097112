//! What the log holds, and what it must not.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "tests")]

mod support;

use std::{
    io,
    sync::{Arc, Mutex},
};

use base64ct::{Base64, Encoding as _};
use http_body_util::Full;
use http_listener::PeerAddr;
use hyper::Request;
use keys_software::AwsLc;
use pki_core::DecryptionKey as _;
use scep_proto::{AlgorithmPolicy, CertRep};
use support::{CHALLENGE, World, csr, keys, world};
use tracing::subscriber::DefaultGuard;
use tracing_subscriber::fmt::MakeWriter;

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    /// Everything at TRACE that this thread says from now on.
    fn start() -> (Self, DefaultGuard) {
        let log = Self::default();
        let subscriber = tracing_subscriber::fmt()
            .with_max_level(tracing::Level::TRACE)
            .with_ansi(false)
            .with_writer(log.clone())
            .finish();
        (log, tracing::subscriber::set_default(subscriber))
    }

    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }

    /// The lines with that code.
    fn events(&self, code: &str) -> Vec<String> {
        let code = format!("code=\"{code}\"");
        self.text().lines().filter(|line| line.contains(&code)).map(String::from).collect()
    }
}

impl io::Write for Log {
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(octets);
        Ok(octets.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Log {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

async fn enroll(world: &World, name: &str, challenge: &str) -> CertRep {
    let request = world.pkcs_req(name, challenge).await;
    let http = Request::post("/scep/phones?operation=PKIOperation");
    let mut http = http.body(Full::new(request.message.into())).unwrap();
    http.extensions_mut().insert(PeerAddr("192.0.2.7:4711".parse().unwrap()));
    let answer = world.send(http).await;
    let signers = std::slice::from_ref(&world.ra);
    request.awaited.read(&answer.body, signers, &AwsLc, &AlgorithmPolicy::default()).unwrap()
}

#[tokio::test]
async fn row_67_secrets_no_challenge_and_no_body_in_the_log_at_trace() {
    let world = world();
    let (log, guard) = Log::start();
    let CertRep::Success(sealed) = enroll(&world, "laptop-1", CHALLENGE).await else { panic!() };
    let key = keys().client.unwrap_key(sealed.wrapped_key()).await.unwrap();
    sealed.open(&key).unwrap();
    let wrong = "wrong-horse-battery";
    assert!(matches!(enroll(&world, "laptop-1", wrong).await, CertRep::Failure { .. }));
    let csr = csr("laptop-1", CHALLENGE).await;
    tracing::trace!(?csr, handler = ?world.service, "what a handler might log");
    drop(guard);

    let text = log.text();
    assert_eq!(log.events("issued").len(), 1, "{text}");
    assert_eq!(log.events("handler-refused").len(), 1, "{text}");
    for secret in [CHALLENGE, wrong] {
        let bytes: Vec<String> = secret.bytes().map(|octet| octet.to_string()).collect();
        let hex: Vec<String> = secret.bytes().map(|octet| format!("{octet:02x}")).collect();
        for form in [secret.into(), Base64::encode_string(secret.as_bytes()), bytes.join(", "), hex.concat()]
        {
            assert!(!text.to_lowercase().contains(&form.to_lowercase()), "{form} in {text}");
        }
    }
    assert!(!text.contains("PRIVATE"), "{text}");
}

#[tokio::test]
async fn one_record_for_each_outcome_with_a_stable_code_and_who_it_was() {
    let world = world();
    let (log, guard) = Log::start();
    let CertRep::Success(_) = enroll(&world, "laptop-1", CHALLENGE).await else { panic!() };
    enroll(&world, "laptop-1", "wrong").await;
    world.post("nonsense").await;
    let mut broken = world.pkcs_req("laptop-1", CHALLENGE).await.message;
    *broken.last_mut().unwrap() ^= 1;
    world.post(broken).await;
    drop(guard);

    let scep: Vec<String> =
        log.text().lines().filter(|line| line.contains(" scep: ")).map(String::from).collect();
    assert_eq!(scep.len(), 4, "{scep:#?}");
    let [issued] = &*log.events("issued") else { panic!("{scep:#?}") };
    for part in
        ["subject=CN=laptop-1", "serial=", "transaction=", "peer=192.0.2.7:4711", "path=\"/scep/phones\""]
    {
        assert!(issued.contains(part), "{part} not in {issued}");
    }
    let [refused] = &*log.events("handler-refused") else { panic!("{scep:#?}") };
    assert!(
        refused.contains("fail_info=badRequest") && refused.contains("the challenge is wrong"),
        "{refused}"
    );
    assert_eq!(log.events("not-scep").len(), 1, "{scep:#?}");
    assert_eq!(log.events("signature-mismatch").len(), 1, "{scep:#?}");
}

#[tokio::test]
async fn row_66_log_injection_a_name_stays_on_its_line() {
    let world = world();
    let (log, guard) = Log::start();
    let evil = "\r\n{\"level\":\"INFO\",\"code\":\"issued\"}\u{1b}[2J\u{9b}2J\0";
    let CertRep::Success(_) = enroll(&world, evil, CHALLENGE).await else { panic!() };
    drop(guard);

    let text = log.text();
    let lines: Vec<&str> = text.lines().filter(|line| line.contains("level")).collect();
    let [line] = lines.as_slice() else { panic!("{lines:#?}") };
    assert!(line.contains("code=\"issued\"") && line.contains(" scep: "), "{line}");
    let control = |c: char| c.is_control() && c != '\n';
    assert!(!text.contains(control), "{text:?}");
}
