//! OCSP: messages, and the service with and without its cache.

use std::{hint::black_box, sync::Arc, time::Duration};

use hyper::server::conn::http1;
use hyper_util::rt::TokioIo;
use ocsp_proto::{Delegate, Issuer, Question, Request, SingleStatus};
use ocsp_service::{DelegateKeeper, DelegateParts, FixedDelegate, OcspParts, OcspService};
use pki_core::{CertStatus, Certificate, Clock as _, DigestAlgorithm, SigningKey as _};
use revocation::{Standing, StatusReport, source_fn};
use testkit::{FixedClock, block_on, keys};
use tokio::net::TcpListener;

use crate::{
    Operation, Run,
    connection::{Connection, get, post},
    hyper_baseline::{in_background, in_memory},
};

/// The operations of this group.
pub const OPERATIONS: &[Operation] = &[
    Operation { name: "ocsp/encode request", prepare: encode_request },
    Operation { name: "ocsp/parse request", prepare: parse_request },
    Operation { name: "ocsp/encode response", prepare: encode_response },
    Operation { name: "ocsp/verify response", prepare: verify_response },
    Operation { name: "ocsp/answer, signed on demand", prepare: || answer(0) },
    Operation { name: "ocsp/answer, from cache", prepare: || answer(100) },
    Operation { name: "ocsp/reply in memory, signed on demand", prepare: || in_memory(service(0), nonced()) },
    Operation {
        name: "ocsp/reply in memory, from cache, POST",
        prepare: || in_memory(service(100), posted()),
    },
    Operation {
        name: "ocsp/reply in memory, from cache, GET",
        prepare: || in_memory(service(100), gotten()),
    },
    Operation { name: "ocsp/reply over loopback, signed on demand", prepare: || reply(signing) },
    Operation { name: "ocsp/reply over loopback, from cache", prepare: || reply(caching) },
];

fn pem(text: &str) -> Certificate {
    Certificate::from_pem(text).expect("a certificate among the vectors")
}

fn issuer() -> Certificate {
    pem(include_str!("../../vectors/ocsp/pki/ca.pem"))
}

fn delegate() -> Certificate {
    pem(include_str!("../../vectors/ocsp/pki/delegate.pem"))
}

fn clock() -> FixedClock {
    FixedClock::new(delegate().validity().not_before().saturating_add(Duration::from_secs(60)))
}

fn key() -> Arc<keys_software::EcdsaKey> {
    keys::ecdsa(include_str!("../../vectors/ocsp/pki/delegate.key.pem"))
}

fn question() -> Question {
    let device = pem(include_str!("../../vectors/ocsp/pki/device.pem"));
    Question::new(Issuer::new(issuer()), DigestAlgorithm::Sha256, [device.serial_octets()])
        .expect("a question")
}

/// A service whose every certificate is good, and which keeps that many answers.
fn service(capacity: usize) -> OcspService {
    let clock = Arc::new(clock());
    let report = StatusReport { standing: Standing::Good, known_at: clock.now(), reliable_until: None };
    let parts = DelegateParts {
        issuer: issuer(),
        source: Arc::new(FixedDelegate::new(delegate(), key())),
        clock: Arc::<FixedClock>::clone(&clock),
        verifier: Arc::new(keys_software::AwsLc),
    };
    let keeper = block_on(DelegateKeeper::start(parts)).expect("a delegate");
    let source = Arc::new(source_fn(move |_| Ok(report)));
    OcspService::new(OcspParts { issuers: vec![keeper], source, clock }).with_cache_capacity(capacity)
}

fn encode_request() -> Run {
    let issuer = Issuer::new(issuer());
    Run::same(move || {
        let question = Question::new(issuer.clone(), DigestAlgorithm::Sha256, [&[0x25; 20][..]]);
        drop(black_box(question).expect("a question"));
    })
}

fn parse_request() -> Run {
    let question = question();
    Run::same(move || drop(black_box(Request::parse(black_box(question.as_der()))).expect("a request")))
}

fn encode_response() -> Run {
    let (question, now) = (question(), clock().now());
    let delegate =
        Delegate::new(delegate(), Issuer::new(issuer()), key().algorithm(), now, &keys_software::AwsLc);
    let delegate = delegate.expect("a delegate");
    let next_update = Some(now.saturating_add(Duration::from_secs(600)));
    let statuses = [SingleStatus { status: CertStatus::Good, this_update: now, next_update }];
    Run::same(move || {
        let request = Request::parse(question.as_der()).expect("a request");
        let unsigned = delegate.respond(&request, &statuses, now).expect("a response");
        drop(black_box(unsigned.finish(&[0x30; 71])));
    })
}

fn verify_response() -> Run {
    let (question, now) = (question(), clock().now());
    let response = block_on(service(0).answer(question.as_der())).as_der().to_vec();
    Run::same(move || {
        let verified = question.verify(&response, now, Duration::from_secs(300), &keys_software::AwsLc);
        drop(black_box(verified).expect("a response to believe"));
    })
}

fn answer(capacity: usize) -> Run {
    let (service, question) = (service(capacity), question());
    Run::same(move || drop(black_box(block_on(service.answer(question.as_der())))))
}

fn reply<F: Future<Output = ()> + 'static>(serve: fn(TcpListener) -> F) -> Run {
    let mut connection = Connection::open(in_background(serve)).expect("connects");
    let request = posted();
    Run::same(move || {
        let reply = connection.exchange(&request).expect("a reply");
        assert_eq!(reply.status, 200);
    })
}

fn posted() -> Vec<u8> {
    post("localhost", "/", ocsp_proto::REQUEST_MEDIA_TYPE, question().as_der())
}

fn gotten() -> Vec<u8> {
    get("localhost", &ocsp_proto::get_url("/", question().as_der()))
}

/// With a nonce, the same each time: whoever answers cannot know that.
fn nonced() -> Vec<u8> {
    let question = question().with_nonce(&[7; 32]).expect("a nonce");
    post("localhost", "/", ocsp_proto::REQUEST_MEDIA_TYPE, question.as_der())
}

async fn signing(listener: TcpListener) {
    serve(listener, service(0)).await;
}

async fn caching(listener: TcpListener) {
    serve(listener, service(100)).await;
}

/// On hyper as it comes, to compare with an empty reply on hyper as it comes.
async fn serve(listener: TcpListener, service: OcspService) {
    while let Ok((stream, _)) = listener.accept().await {
        let _ = stream.set_nodelay(true);
        let connection = http1::Builder::new().serve_connection(TokioIo::new(stream), service.clone());
        tokio::spawn(async { drop(connection.await) });
    }
}
