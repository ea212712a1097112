//! Whether the ways to fail between unwrapping the key and reading the request can be told apart by how long they take.
//!
//! Requests of several classes are opened in random order, some thousand of each, and each class is compared with the
//! first by Welch's t test (Reparaz, Balasch, Verbauwhede: "Dude, is my code constant time?"). Beyond 4.5 they differ.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::panic,
    reason = "a measurement that cannot go on must say so at once"
)]

use std::{
    hint::black_box,
    io::Write as _,
    process::ExitCode,
    time::{Duration, Instant},
};

use conformance::scep::cms::{EnvelopedMessage, SignedMessage};
use keys_software::AwsLc;
use pki_core::{
    ChallengePassword, ContentKey, DecryptionKey as _, KeyEncryptor as _, KeyTransport, SecureRandom as _,
    SigningKey as _,
};
use scep_proto::{AlgorithmPolicy, PkiMessage, VerifiedMessage};
use testkit::{Authority, NOW, block_on, ca, keys};

/// Different messages of each class, so that no single ciphertext decides.
const MESSAGES: usize = 32;
/// Measurements of each class.
const SAMPLES: usize = 6000;
/// The slowest are left out: the system interrupted them.
const KEPT_PERCENT: usize = 90;
/// Where a difference begins.
const THRESHOLD: f64 = 4.5;

/// A way to fail, and how an envelope comes to it.
struct Class {
    name: &'static str,
    spoil: fn(&mut EnvelopedMessage, &Authority),
}

const CLASSES: [Class; 5] = [
    Class { name: "a key whose padding is wrong", spoil: |envelope, _| put_key(envelope, &noise()) },
    Class { name: "a wrong key", spoil: |envelope, authority| put_key(envelope, &wrapped(16, authority)) },
    Class {
        name: "a key of a wrong length",
        spoil: |envelope, authority| put_key(envelope, &wrapped(15, authority)),
    },
    Class {
        name: "content whose padding is wrong",
        spoil: |envelope, _| flip(envelope.ciphertext.last_mut()),
    },
    Class { name: "content that is no request", spoil: |envelope, _| flip(envelope.iv.first_mut()) },
];

fn main() -> ExitCode {
    let authority = ca();
    let messages: Vec<Vec<VerifiedMessage>> =
        CLASSES.iter().map(|class| (0..MESSAGES).map(|_| spoiled(class, &authority)).collect()).collect();
    let times = measured(&messages, &authority);
    let Some((first, others)) = times.split_first() else { return ExitCode::FAILURE };
    let mut out = std::io::stdout().lock();
    let mut differ = false;
    let header = format!("{:<34}{:>12}{:>12}{:>8}", "class", "mean us", "difference", "t");
    let _ = writeln!(out, "{header}\n{:<34}{:>12.3}", CLASSES[0].name, mean(first) * 1e6);
    for (class, times) in CLASSES.iter().skip(1).zip(others) {
        let t = welch(first, times);
        differ |= t.abs() > THRESHOLD;
        let (mean, difference) = (mean(times) * 1e6, (mean(times) - mean(first)) * 1e6);
        let _ = writeln!(out, "{:<34}{mean:>12.3}{difference:>+12.3}{t:>8.2}", class.name);
    }
    ExitCode::from(u8::from(differ))
}

/// What an attacker would send: the envelope spoiled, the message around it signed anew by himself.
fn spoiled(class: &Class, authority: &Authority) -> VerifiedMessage {
    let key = keys::rsa(keys::DEVICE_PEM);
    let client =
        benches::scep::Client::new(key.clone(), "CN=laptop-1,O=Example".parse().expect("a name"), NOW);
    let challenge = ChallengePassword::new("a challenge of some length".into());
    let sent = client.request(Some(&challenge), &authority.ra_certificate).message;
    let mut message = SignedMessage::read(&sent).expect("our own message");
    let content = message.content.clone().expect("an envelope");
    let mut envelope = EnvelopedMessage::read(&content).expect("our own envelope");
    (class.spoil)(&mut envelope, authority);
    message.put_content(envelope.encode());
    let signature = block_on(key.sign(&message.to_be_signed())).expect("a signature");
    message.change(|signer| signer.signature = signature);
    let message = PkiMessage::parse(&message.encode()).expect("a message");
    message.verify(&AwsLc, &AlgorithmPolicy::default()).expect("a signature")
}

/// The encryptedKey ends a KeyTransRecipientInfo.
fn put_key(envelope: &mut EnvelopedMessage, key: &[u8]) {
    let recipient = envelope.recipients.first_mut().expect("a recipient");
    let start = recipient.len() - key.len();
    recipient[start..].copy_from_slice(key);
}

/// A number below every modulus; one in some 65,000 has a padding that is right.
fn noise() -> Vec<u8> {
    let mut octets = vec![0; 256];
    AwsLc.fill(&mut octets[1..]).expect("randomness");
    octets
}

fn wrapped(length: usize, authority: &Authority) -> Vec<u8> {
    let mut octets = vec![0; length];
    AwsLc.fill(&mut octets).expect("randomness");
    let recipient = authority.ra_certificate.public_key();
    AwsLc.wrap_key(recipient, KeyTransport::RsaPkcs1, &ContentKey::new(octets)).expect("a wrapped key")
}

fn flip(octet: Option<&mut u8>) {
    *octet.expect("an octet") ^= 0x55;
}

/// Seconds that each opening took, by class.
fn measured(messages: &[Vec<VerifiedMessage>], authority: &Authority) -> Vec<Vec<f64>> {
    let mut times = vec![Vec::with_capacity(SAMPLES); messages.len()];
    let mut left = SAMPLES * messages.len();
    while left > 0 {
        let mut choice = [0; 2];
        AwsLc.fill(&mut choice).expect("randomness");
        let (class, message) = (usize::from(choice[0]) % messages.len(), usize::from(choice[1]) % MESSAGES);
        if times[class].len() == SAMPLES {
            continue;
        }
        let took = opening(&messages[class][message], authority);
        times[class].push(took.as_secs_f64());
        left -= 1;
    }
    for times in &mut times {
        times.sort_by(f64::total_cmp);
        times.truncate(SAMPLES * KEPT_PERCENT / 100);
    }
    times
}

fn opening(message: &VerifiedMessage, authority: &Authority) -> Duration {
    let sealed = message.sealed_for(&authority.ra_certificate).expect("a recipient");
    let began = now();
    let key = block_on(authority.ra_key.unwrap_key(sealed.wrapped_key())).ok();
    let opened = black_box(sealed.open(key, &AwsLc, &AwsLc));
    let took = began.elapsed();
    assert!(opened.is_err(), "a request that should not open");
    took
}

#[expect(clippy::disallowed_methods, reason = "this is a stop-watch")]
fn now() -> Instant {
    Instant::now()
}

#[expect(clippy::cast_precision_loss, reason = "some thousand")]
fn mean(times: &[f64]) -> f64 {
    times.iter().sum::<f64>() / times.len() as f64
}

#[expect(clippy::cast_precision_loss, reason = "some thousand")]
fn variance(times: &[f64]) -> f64 {
    let mean = mean(times);
    times.iter().map(|time| (time - mean).powi(2)).sum::<f64>() / (times.len() - 1) as f64
}

#[expect(clippy::cast_precision_loss, reason = "some thousand")]
fn welch(one: &[f64], other: &[f64]) -> f64 {
    let spread = variance(one) / one.len() as f64 + variance(other) / other.len() as f64;
    (mean(other) - mean(one)) / spread.sqrt()
}
