//! SCEP: each message made and read, both sides.

use std::{hint::black_box, sync::Arc, time::Duration};

use keys_software::{AwsLc, RsaKey};
use pki_core::{
    Certificate, CertificationRequest, ChallengePassword, ContentKey, DecryptionKey as _, Name,
    RequestedExtensions, SigningKey, UnixTime, UnsignedCertificationRequest, Validity,
};
use scep_proto::{
    AlgorithmPolicy, AwaitedReply, CertRep, OutgoingRequest, PkiMessage, ReplySigner, Request,
    RequestMessage, Requester, TransactionId, UnsignedSignerCertificate,
};
use testkit::{Authority, NOW, block_on, ca, device, keys};

use crate::{Operation, Run};

/// The operations of this group.
pub const OPERATIONS: &[Operation] = &[
    Operation { name: "scep/make PKCSReq", prepare: make_request },
    Operation { name: "scep/parse PKCSReq", prepare: parse_request },
    Operation { name: "scep/parse, verify, unwrap and open PKCSReq", prepare: open_request },
    Operation { name: "scep/make CertRep", prepare: make_reply },
    Operation { name: "scep/make, wrap and sign CertRep", prepare: sign_reply },
    Operation { name: "scep/read and open CertRep", prepare: read_reply },
];

/// What a client needs to ask for certificates: a key, and a certificate that it signed itself.
#[derive(Debug, Clone)]
pub struct Client {
    key: Arc<RsaKey>,
    certificate: Certificate,
    subject: Name,
    now: UnixTime,
}

impl Client {
    /// Of that key and name.
    pub fn new(key: Arc<RsaKey>, subject: Name, now: UnixTime) -> Self {
        let day = Duration::from_secs(86_400);
        let validity = Validity::new(now.saturating_sub(day), now.saturating_add(day)).expect("two days");
        let public = SigningKey::public_key(&*key);
        let unsigned = UnsignedSignerCertificate::new(&subject, public, key.algorithm(), validity, &AwsLc);
        let unsigned = unsigned.expect("randomness");
        let signature = block_on(key.sign(unsigned.tbs())).expect("a signature");
        Self { certificate: unsigned.finish(&signature).expect("a certificate"), key, subject, now }
    }

    /// A PKCSReq to the holder of `recipient`, under a fresh transactionID.
    pub fn request(&self, challenge: Option<&ChallengePassword>, recipient: &Certificate) -> OutgoingRequest {
        let message = RequestMessage::PkcsReq(self.certification_request(challenge));
        let requester = Requester::new(self.certificate.clone(), self.key.algorithm(), recipient.clone());
        let id = TransactionId::generate(SigningKey::public_key(&*self.key), &AwsLc).expect("randomness");
        let unsigned = requester.prepare(&message, &id, &AwsLc, &AwsLc, self.now).expect("a message");
        let signature = block_on(self.key.sign(unsigned.tbs())).expect("a signature");
        unsigned.finish(&signature)
    }

    fn certification_request(&self, challenge: Option<&ChallengePassword>) -> CertificationRequest {
        let public = SigningKey::public_key(&*self.key);
        let wanted = RequestedExtensions::default();
        let unsigned = UnsignedCertificationRequest::new(&self.subject, public, challenge, &wanted);
        let signature = block_on(self.key.sign(unsigned.tbs())).expect("a signature");
        unsigned.finish(self.key.algorithm(), &signature).expect("a request")
    }

    /// Opens a reply; the certificate in it, if the answer was SUCCESS.
    pub fn open(&self, awaited: &AwaitedReply, reply: &[u8], trusted: &[Certificate]) -> Option<Certificate> {
        let CertRep::Success(sealed) =
            awaited.read(reply, trusted, &AwsLc, &AlgorithmPolicy::default()).ok()?
        else {
            return None;
        };
        let key = block_on(self.key.unwrap_key(sealed.wrapped_key())).ok()?;
        sealed.open(&key).ok()?.certificate_for(SigningKey::public_key(&*self.key)).cloned()
    }
}

fn client() -> Client {
    Client::new(keys::rsa(keys::DEVICE_PEM), "CN=laptop-1,O=Example".parse().expect("a name"), NOW)
}

fn challenge() -> ChallengePassword {
    ChallengePassword::new("a challenge of some length".into())
}

fn make_request() -> Run {
    let (client, authority, challenge) = (client(), ca(), challenge());
    Run::same(move || drop(black_box(client.request(Some(&challenge), &authority.ra_certificate))))
}

fn parse_request() -> Run {
    let message = client().request(Some(&challenge()), &ca().ra_certificate).message;
    Run::same(move || drop(black_box(PkiMessage::parse(black_box(&message))).expect("a message")))
}

fn opened(message: &[u8], authority: &Authority) -> Request {
    let message = PkiMessage::parse(message).expect("a message");
    let verified = message.verify(&AwsLc, &AlgorithmPolicy::default()).expect("a signature");
    let sealed = verified.sealed_for(&authority.ra_certificate).expect("a recipient");
    let key = block_on(authority.ra_key.unwrap_key(sealed.wrapped_key())).ok();
    sealed.open(key, &AwsLc, &AwsLc).expect("a request")
}

fn open_request() -> Run {
    let authority = ca();
    let message = client().request(Some(&challenge()), &authority.ra_certificate).message;
    Run::same(move || drop(black_box(opened(&message, &authority))))
}

fn signer(authority: &Authority) -> ReplySigner {
    ReplySigner::new(authority.ra_certificate.clone(), authority.ra_key.algorithm())
}

/// Without the two operations with keys: wrapping for the client, and the signature.
fn make_reply() -> Run {
    let authority = ca();
    let request = opened(&client().request(None, &authority.ra_certificate).message, &authority);
    let (signer, issued) = (signer(&authority), [device().certificate]);
    Run::same(move || {
        let unsigned = request.exchange.success(&issued, &signer, &NoKeys, &AwsLc, NOW).expect("a reply");
        drop(black_box(unsigned.finish(&[7; 256])));
    })
}

fn reply_to(request: &Request, authority: &Authority, signer: &ReplySigner, issued: &Certificate) -> Vec<u8> {
    let issued = std::slice::from_ref(issued);
    let unsigned = request.exchange.success(issued, signer, &AwsLc, &AwsLc, NOW).expect("a reply");
    let signature = block_on(authority.ra_key.sign(unsigned.tbs())).expect("a signature");
    unsigned.finish(&signature)
}

fn sign_reply() -> Run {
    let authority = ca();
    let request = opened(&client().request(None, &authority.ra_certificate).message, &authority);
    let (signer, issued) = (signer(&authority), device().certificate);
    Run::same(move || drop(black_box(reply_to(&request, &authority, &signer, &issued))))
}

fn read_reply() -> Run {
    let (client, authority) = (client(), ca());
    let sent = client.request(None, &authority.ra_certificate);
    let request = opened(&sent.message, &authority);
    let reply = reply_to(&request, &authority, &signer(&authority), &device().certificate);
    let trusted = [authority.ra_certificate];
    Run::same(move || drop(black_box(client.open(&sent.awaited, &reply, &trusted)).expect("a certificate")))
}

/// Wraps nothing, so that what is left can be measured.
#[derive(Debug)]
struct NoKeys;

impl pki_core::KeyEncryptor for NoKeys {
    fn wrap_key(
        &self,
        _: &pki_core::PublicKey,
        _: pki_core::KeyTransport,
        _: &ContentKey,
    ) -> Result<Vec<u8>, pki_core::KeyError> {
        Ok(vec![7; 256])
    }
}
