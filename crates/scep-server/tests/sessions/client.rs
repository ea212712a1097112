//! A client that keeps to the protocol and to nothing else.

use std::{sync::Arc, time::Duration};

use keys_software::{AwsLc, RsaKey};
use pki_core::{
    Certificate, CertificationRequest, ChallengePassword, Clock as _, DecryptionKey as _, Name,
    RequestedExtensions, SigningKey, UnsignedCertificationRequest, Validity,
};
use scep_proto::{
    AlgorithmPolicy, AwaitedReply, CertRep, RequestMessage, Requester, TransactionId,
    UnsignedSignerCertificate,
};
use testkit::{block_on, keys};

use crate::server::{NAMES, PROFILES, Server};

pub(crate) const CLIENTS: usize = 3;

pub(crate) struct Client {
    pub(crate) number: usize,
    /// How many transactions it has begun.
    pub(crate) begun: usize,
    /// What it has got, one for each transaction.
    pub(crate) received: Vec<Certificate>,
    pub(crate) stage: Stage,
    key: Arc<RsaKey>,
    /// The replies that it still waits for.
    awaited: Vec<AwaitedReply>,
    last: Option<Vec<u8>>,
}

#[derive(Debug)]
pub(crate) enum Stage {
    Idle,
    /// It has asked, and knows nothing.
    Asking(Transaction),
    /// It was told to poll.
    Polling(Transaction),
}

#[derive(Debug)]
pub(crate) struct Transaction {
    id: TransactionId,
    csr: CertificationRequest,
    /// Signs the messages: self-signed, or to be renewed.
    signer: Certificate,
}

impl Client {
    pub(crate) fn new(number: usize) -> Self {
        let key = [keys::rsa(keys::DEVICE_PEM), keys::rsa_2048(), keys::rsa_3072()][number].clone();
        let (received, awaited) = (Vec::new(), Vec::new());
        Self { number, begun: 0, received, stage: Stage::Idle, key, awaited, last: None }
    }

    /// Begins a transaction, unless one is under way: a first enrollment, then a renewal.
    pub(crate) fn begin(&mut self, server: &Server) -> Option<Vec<u8>> {
        if !matches!(self.stage, Stage::Idle) {
            return None;
        }
        self.begun += 1;
        let challenge = self.received.is_empty().then(|| server.challenge(self.number));
        let csr = self.csr(challenge.as_ref());
        let signer = self.received.last().cloned().unwrap_or_else(|| self.self_signed(server));
        let id = TransactionId::generate(csr.public_key(), &AwsLc).unwrap();
        self.stage = Stage::Asking(Transaction { id, csr, signer });
        self.try_again(server)
    }

    /// Asks again, or polls.
    pub(crate) fn try_again(&mut self, server: &Server) -> Option<Vec<u8>> {
        let (transaction, message) = match &self.stage {
            Stage::Idle => return None,
            Stage::Asking(transaction) if self.received.is_empty() => {
                (transaction, RequestMessage::PkcsReq(transaction.csr.clone()))
            }
            Stage::Asking(transaction) => (transaction, RequestMessage::RenewalReq(transaction.csr.clone())),
            Stage::Polling(transaction) => {
                let issuer = server.ca().subject().clone();
                let subject = transaction.csr.subject().clone();
                (transaction, RequestMessage::CertPoll { issuer, subject })
            }
        };
        let requester = Requester::new(transaction.signer.clone(), self.key.algorithm(), server.ra().clone());
        let prepared =
            requester.prepare(&message, &transaction.id, &AwsLc, &AwsLc, server.clock.now()).unwrap();
        let signature = block_on(self.key.sign(prepared.tbs())).unwrap();
        let outgoing = prepared.finish(&signature);
        self.awaited.push(outgoing.awaited);
        self.last = Some(outgoing.message.clone());
        Some(outgoing.message)
    }

    pub(crate) fn last_sent(&self) -> Option<Vec<u8>> {
        self.last.clone()
    }

    /// A reply counts for the one message whose nonce it brings back.
    pub(crate) fn receive(&mut self, reply: &[u8]) {
        let (ra, policy) = (testkit::ca().ra_certificate, AlgorithmPolicy::default());
        let trusted = std::slice::from_ref(&ra);
        let read = self.awaited.iter().map(|awaited| awaited.read(reply, trusted, &AwsLc, &policy));
        let mut fitting: Vec<CertRep> = read.filter_map(Result::ok).collect();
        assert!(fitting.len() <= 1, "one reply fits two messages");
        // What came back for an older transaction, or a second time, finds nobody waiting.
        let Some(reply) = fitting.pop() else { return };
        match reply {
            CertRep::Failure { fail_info, text } => {
                panic!("client {} was refused: {fail_info:?} {text:?}", self.number)
            }
            CertRep::Pending => {
                self.stage = match std::mem::replace(&mut self.stage, Stage::Idle) {
                    Stage::Idle => Stage::Idle,
                    Stage::Asking(transaction) | Stage::Polling(transaction) => Stage::Polling(transaction),
                };
            }
            CertRep::Success(sealed) => {
                let key = block_on(self.key.unwrap_key(sealed.wrapped_key())).unwrap();
                let issued = sealed.open(&key).unwrap();
                let own = issued.certificate_for(SigningKey::public_key(&*self.key)).unwrap();
                self.received.push(own.clone());
                self.stage = Stage::Idle;
                // What else is on its way belongs to a transaction that is over.
                self.awaited.clear();
            }
        }
    }

    fn csr(&self, challenge: Option<&ChallengePassword>) -> CertificationRequest {
        let name = Name::of_common_name(NAMES[self.number]);
        let public_key = SigningKey::public_key(&*self.key);
        let extensions = RequestedExtensions::default();
        let unsigned = UnsignedCertificationRequest::new(&name, public_key, challenge, &extensions);
        let signature = block_on(self.key.sign(unsigned.tbs())).unwrap();
        unsigned.finish(self.key.algorithm(), &signature).unwrap()
    }

    fn self_signed(&self, server: &Server) -> Certificate {
        let (name, now) = (Name::of_common_name(NAMES[self.number]), server.clock.now());
        let validity = Validity::new(now, now.saturating_add(Duration::from_secs(86_400))).unwrap();
        let (public_key, algorithm) = (SigningKey::public_key(&*self.key), self.key.algorithm());
        let unsigned =
            UnsignedSignerCertificate::new(&name, public_key, algorithm, validity, &AwsLc).unwrap();
        let signature = block_on(self.key.sign(unsigned.tbs())).unwrap();
        unsigned.finish(&signature).unwrap()
    }
}

/// The profile of each client is told by its number.
pub(crate) fn profile(number: usize) -> &'static str {
    PROFILES[number]
}
