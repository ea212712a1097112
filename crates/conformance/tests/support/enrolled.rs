//! Certificates to ask about.

use std::{
    io::{Read as _, Write as _},
    net::TcpStream,
    time::Duration,
};

use conformance::scep::cms::{EnvelopedMessage, SignedMessage};
use keys_software::AwsLc;
use pki_core::{
    Certificate, ChallengePassword, Clock as _, Name, RequestedExtensions, SigningKey as _, SystemClock,
    UnsignedCertificationRequest, Validity,
};
use scep_proto::{RequestMessage, Requester, TransactionId, UnsignedSignerCertificate};
use testkit::{block_on, keys};

use super::authority::open_as_client;

/// Enrolls `name` at the server.
pub fn enroll(base: &str, ra: &Certificate, name: &str, challenge: &str) -> Certificate {
    let (key, now) = (keys::rsa(keys::DEVICE_PEM), SystemClock.now());
    let public = pki_core::SigningKey::public_key(&*key);
    let (subject, challenge) = (Name::of_common_name(name), ChallengePassword::new(challenge.to_owned()));
    let csr = UnsignedCertificationRequest::new(
        &subject,
        public,
        Some(&challenge),
        &RequestedExtensions::default(),
    );
    let signature = block_on(key.sign(csr.tbs())).unwrap();
    let csr = csr.finish(key.algorithm(), &signature).unwrap();
    let hour = Duration::from_secs(3600);
    let validity = Validity::new(now.saturating_sub(hour), now.saturating_add(hour)).unwrap();
    let signer = UnsignedSignerCertificate::new(&subject, public, key.algorithm(), validity, &AwsLc).unwrap();
    let signature = block_on(key.sign(signer.tbs())).unwrap();
    let requester = Requester::new(signer.finish(&signature).unwrap(), key.algorithm(), ra.clone());
    let id = TransactionId::new(name).unwrap();
    let message = RequestMessage::PkcsReq(csr);
    let unsigned = requester.prepare(&message, &id, &AwsLc, &AwsLc, now).unwrap();
    let signature = block_on(key.sign(unsigned.tbs())).unwrap();
    let reply = post(base, &unsigned.finish(&signature).message);
    let reply = SignedMessage::read(&reply).unwrap();
    let envelope = EnvelopedMessage::read(&reply.content.unwrap()).unwrap();
    let delivery = SignedMessage::read(&open_as_client(&envelope).unwrap()).unwrap();
    delivery.parsed_certificates().remove(0)
}

fn post(base: &str, message: &[u8]) -> Vec<u8> {
    let mut stream = TcpStream::connect(base.trim_start_matches("http://")).unwrap();
    let head = format!(
        "POST /scep HTTP/1.1\r\nHost: ca\r\nConnection: close\r\nContent-Length: {}\r\n\r\n",
        message.len()
    );
    stream.write_all(&[head.as_bytes(), message].concat()).unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    let end = answer.windows(4).position(|window| window == b"\r\n\r\n").unwrap() + 4;
    answer.split_off(end)
}
