//! A conversation with one server, and what is known about it so far.

use std::{rc::Rc, sync::Arc};

use keys_software::AwsLc;
use pki_core::{
    Certificate, Clock as _, DigestAlgorithm, KeyTransport, SecureRandom as _, SystemClock, UnixTime,
    Validity, tlv,
};
use scep_proto::{
    Capabilities, PKI_MESSAGE_MEDIA_TYPE, UnsignedSignerCertificate,
    ca_certificates::{self, RaCertificates},
};

use super::{
    Keys, Target,
    cms::SignedMessage,
    draft::{CsrDraft, Draft, Party, PartyKey},
    reply::{Answer, Delivery},
    weak::Cipher,
};
use crate::{
    Exchange, Judgement,
    http::{Http, HttpError, HttpRequest, HttpResponse},
};

/// A conversation with one server.
#[derive(Debug)]
pub struct Session {
    pub(crate) target: Target,
    pub(crate) http: Http,
    pub(crate) keys: Keys,
    capabilities: Option<HttpResponse>,
    certificates: Option<HttpResponse>,
    baseline: Option<Rc<Enrollment>>,
    refused: Option<Rc<Enrollment>>,
    approved: Option<Rc<Approved>>,
}

/// A request that waited for a person, from its beginning to its end.
#[derive(Debug)]
pub(crate) struct Approved {
    /// What it was answered by at first.
    pub(crate) asked: Enrollment,
    /// A CertPoll for it while it waited.
    pub(crate) waiting: Enrollment,
    /// One by somebody else.
    pub(crate) foreign: Enrollment,
    /// One after it was approved.
    pub(crate) afterwards: Enrollment,
}

/// A request and what became of it.
#[derive(Debug)]
pub(crate) struct Enrollment {
    pub(crate) draft: Draft,
    pub(crate) message: Vec<u8>,
    pub(crate) answer: Answer,
    /// What a SUCCESS delivers, or why it cannot be had.
    pub(crate) delivery: Result<Delivery, String>,
}

impl Enrollment {
    pub(crate) fn new(draft: Draft, message: Vec<u8>, answer: Answer) -> Self {
        let delivery = match (&answer, &draft.signer.key) {
            (Answer::Reply(reply), PartyKey::Rsa(key)) => reply.open(key),
            (answer, _) => Err(answer.summary()),
        };
        Self { draft, message, answer, delivery }
    }

    /// The certificate of the key in the request.
    pub(crate) fn certificate(&self) -> Result<Certificate, Judgement> {
        if !self.answer.is_granted() {
            return Err(Judgement::fail(self.answer.summary()));
        }
        let delivery = self.delivery.as_ref().map_err(Judgement::fail)?;
        let key = self.draft.csr.key.public_key();
        let found = delivery.certificates().into_iter().find(|certificate| certificate.public_key() == key);
        found.ok_or_else(|| Judgement::fail("no certificate in the reply is of the key in the request"))
    }
}

impl Session {
    pub(crate) fn new(target: Target, keys: Keys) -> Self {
        let http = Http::new(target.endpoint.clone(), target.timeout);
        Self {
            target,
            http,
            keys,
            capabilities: None,
            certificates: None,
            baseline: None,
            refused: None,
            approved: None,
        }
    }

    pub(crate) fn take_exchanges(&mut self) -> Vec<Exchange> {
        self.http.take_exchanges()
    }

    pub(crate) fn now() -> UnixTime {
        SystemClock.now()
    }

    /// GET with that query on the server's path.
    pub(crate) fn get(&mut self, query: &str) -> Result<HttpResponse, HttpError> {
        let target = format!("{}?{query}", self.http.endpoint().path);
        self.http.send(&HttpRequest::get(target))
    }

    /// One of the three Get operations, for the CA that is meant.
    pub(crate) fn ask(&mut self, operation: &str) -> Result<HttpResponse, HttpError> {
        let message = match &self.target.ca_identifier {
            Some(identifier) => format!("&message={identifier}"),
            None => String::new(),
        };
        self.get(&format!("operation={operation}{message}"))
    }

    /// Posts a PKIOperation.
    pub(crate) fn post(&mut self, message: &[u8]) -> Answer {
        let target = format!("{}?operation=PKIOperation", self.http.endpoint().path);
        Answer::read(self.http.send(&HttpRequest::post(target, PKI_MESSAGE_MEDIA_TYPE, message)))
    }

    /// The answer to GetCACaps, asked for once.
    pub(crate) fn capabilities_response(&mut self) -> Result<HttpResponse, Judgement> {
        if let Some(known) = &self.capabilities {
            return Ok(known.clone());
        }
        let response = self.ask("GetCACaps")?;
        self.capabilities = Some(response.clone());
        Ok(response)
    }

    pub(crate) fn capabilities(&mut self) -> Result<Capabilities, Judgement> {
        let response = self.capabilities_response()?;
        let body: &[u8] = if response.status == 200 { &response.body } else { &[] };
        Ok(Capabilities::parse(body))
    }

    /// The answer to GetCACert, asked for once.
    pub(crate) fn certificates_response(&mut self) -> Result<HttpResponse, Judgement> {
        if let Some(known) = &self.certificates {
            return Ok(known.clone());
        }
        let response = self.ask("GetCACert")?;
        self.certificates = Some(response.clone());
        Ok(response)
    }

    /// What GetCACert brought.
    pub(crate) fn certificates(&mut self) -> Result<Vec<Certificate>, Judgement> {
        let response = self.certificates_response()?;
        if response.status != 200 {
            return Err(Judgement::fail(format!("GetCACert: {}", response.summary())));
        }
        ca_certificates::parse(&response.body).map_err(|error| Judgement::fail(format!("GetCACert: {error}")))
    }

    /// Whom to encrypt to and whom to trust.
    pub(crate) fn authority(&mut self) -> Result<RaCertificates, Judgement> {
        let certificates = self.certificates().map_err(|trouble| Judgement::not_judged(trouble.reason))?;
        RaCertificates::pick(&certificates).ok_or_else(|| {
            Judgement::not_judged("GetCACert has no CA certificate, or no RSA key to encrypt to")
        })
    }

    pub(crate) fn device_key(&self) -> PartyKey {
        PartyKey::Rsa(Arc::clone(&self.keys.device))
    }

    /// The holder of `key` under the subject's name, vouched for by nobody.
    pub(crate) fn self_signed(&self, key: PartyKey) -> Result<Party, Judgement> {
        let problem = |error: &dyn std::fmt::Display| Judgement::not_judged(error);
        let now = Self::now();
        let day = std::time::Duration::from_secs(86_400);
        let validity = Validity::new(now.saturating_sub(day), now.saturating_add(day));
        let validity = validity.map_err(|error| problem(&error))?;
        let algorithm = match &key {
            PartyKey::Rsa(key) => pki_core::SigningKey::algorithm(&**key),
            PartyKey::Ec(key) => pki_core::SigningKey::algorithm(&**key),
        };
        let (subject, public) = (&self.target.subject, key.public_key());
        let unsigned = UnsignedSignerCertificate::new(subject, public, algorithm, validity, &AwsLc)
            .map_err(|error| problem(&error))?;
        let (signature, _) = key.sign(DigestAlgorithm::Sha256, unsigned.tbs());
        let certificate = unsigned.finish(&signature).map_err(|error| problem(&error))?;
        Ok(Party { key, certificate })
    }

    /// A correct PKCSReq with a challenge of its own, not yet encoded.
    pub(crate) fn draft(&mut self) -> Result<Draft, Judgement> {
        let challenge = self.challenge()?;
        let mut draft = self.draft_without_challenge()?;
        draft.csr.challenge(directory_string(&challenge));
        Ok(draft)
    }

    pub(crate) fn challenge(&mut self) -> Result<String, Judgement> {
        self.target.challenges.next().map_err(Judgement::not_judged)
    }

    pub(crate) fn draft_without_challenge(&mut self) -> Result<Draft, Judgement> {
        let recipient = self.authority()?.encryption;
        let key = self.device_key();
        Ok(Draft {
            message_type: "19".into(),
            transaction: random_text(32),
            nonce: random(16),
            csr: CsrDraft {
                subject: self.target.subject.as_der().to_vec(),
                key: key.clone(),
                attributes: Vec::new(),
                digest: DigestAlgorithm::Sha256,
            },
            signer: self.self_signed(key)?,
            certificates: None,
            recipient,
            transport: KeyTransport::RsaPkcs1,
            cipher: Cipher::Aes128,
            digest: DigestAlgorithm::Sha256,
            content_key: random(16),
            iv: random(16),
            plain: None,
            raw_plain: None,
            recipient_info: None,
            on_plain: |_| {},
            on_envelope: |_| {},
            on_signed: |_| {},
            after_signing: |_| {},
        })
    }

    /// Sends it; what has to wait for a person is approved where the run has one, and polled for.
    pub(crate) fn send(&mut self, draft: Draft) -> Enrollment {
        let sent = self.send_once(draft);
        if self.target.approvals.is_none() || !sent.answer.is_pending() {
            return sent;
        }
        self.approve_and_poll(&sent).unwrap_or(sent)
    }

    fn send_once(&mut self, draft: Draft) -> Enrollment {
        let message = draft.encode();
        let answer = self.post(&message);
        Enrollment::new(draft, message, answer)
    }

    fn approve_and_poll(&mut self, sent: &Enrollment) -> Result<Enrollment, Judgement> {
        self.approve(&sent.draft.transaction)?;
        // What is encrypted to a challenge needs the request again, which holds that.
        let again = match &sent.draft.signer.key {
            PartyKey::Rsa(_) => self.poll_draft(&sent.draft, sent.draft.signer.clone())?,
            PartyKey::Ec(_) => Draft { nonce: random(16), ..sent.draft.clone() },
        };
        Ok(self.send_once(again))
    }

    fn approve(&mut self, transaction: &str) -> Result<(), Judgement> {
        match &mut self.target.approvals {
            Some(approvals) => approvals.approve(transaction).map_err(Judgement::not_judged),
            None => Err(Judgement::not_offered("this run has nobody who approves")),
        }
    }

    /// A CertPoll of `party`'s for the request of `asked`
    /// ([RFC 8894 §3.3.3](https://www.rfc-editor.org/rfc/rfc8894#section-3.3.3)).
    ///
    /// ```text
    /// issuerAndSubject ::= SEQUENCE { issuer Name, subject Name }
    /// ```
    pub(crate) fn poll_draft(&mut self, asked: &Draft, party: Party) -> Result<Draft, Judgement> {
        let issuer = self.authority()?.ca.subject().clone();
        let mut draft = self.draft_without_challenge()?;
        draft.message_type = "20".into();
        draft.transaction.clone_from(&asked.transaction);
        draft.plain = Some(tlv::sequence([issuer.as_der(), self.target.subject.as_der()]));
        draft.csr = asked.csr.clone();
        draft.signer = party;
        Ok(draft)
    }

    /// A request that a person has to approve, seen through once. Not offered where nobody approves, or none has to.
    pub(crate) fn approved(&mut self) -> Result<Rc<Approved>, Judgement> {
        if let Some(known) = &self.approved {
            return Ok(Rc::clone(known));
        }
        if self.target.approvals.is_none() {
            return Err(Judgement::not_offered("this run has nobody who approves"));
        }
        let draft = self.draft()?;
        let asked = self.send_once(draft);
        if !asked.answer.is_pending() {
            return Err(Judgement::not_offered(format!("nothing waits: {}", asked.answer.summary())));
        }
        let own = asked.draft.signer.clone();
        let stranger = self.self_signed(PartyKey::Rsa(Arc::clone(&self.keys.stranger)))?;
        let mut polls = Vec::new();
        for party in [own.clone(), stranger] {
            let poll = self.poll_draft(&asked.draft, party)?;
            polls.push(self.send_once(poll));
        }
        self.approve(&asked.draft.transaction)?;
        let poll = self.poll_draft(&asked.draft, own)?;
        let afterwards = self.send_once(poll);
        let [waiting, foreign] =
            <[Enrollment; 2]>::try_from(polls).map_err(|_| Judgement::not_judged("two polls were sent"))?;
        let approved = Rc::new(Approved { asked, waiting, foreign, afterwards });
        self.approved = Some(Rc::clone(&approved));
        Ok(approved)
    }

    /// The plainest enrollment there is, made once: what comes of it, all the other checks rest on.
    pub(crate) fn baseline(&mut self) -> Result<Rc<Enrollment>, Judgement> {
        if let Some(known) = &self.baseline {
            return Ok(Rc::clone(known));
        }
        let draft = self.draft()?;
        let enrollment = Rc::new(self.send(draft));
        self.baseline = Some(Rc::clone(&enrollment));
        Ok(enrollment)
    }

    /// The same, which succeeded: a refusal of something spoiled says nothing if what is sound is refused as well.
    pub(crate) fn enrolled(&mut self) -> Result<Rc<Enrollment>, Judgement> {
        let baseline = self.baseline()?;
        match baseline.certificate() {
            Ok(_) => Ok(baseline),
            Err(trouble) => Err(Judgement::not_judged(format!(
                "not even a plain enrollment succeeds: {}",
                trouble.reason
            ))),
        }
    }

    /// A request that is sound but for its challenge, made once.
    pub(crate) fn refused(&mut self) -> Result<Rc<Enrollment>, Judgement> {
        if let Some(known) = &self.refused {
            return Ok(Rc::clone(known));
        }
        self.enrolled()?;
        let mut draft = self.draft_without_challenge()?;
        draft.csr.challenge(directory_string(&random_text(16)));
        let enrollment = Rc::new(self.send(draft));
        self.refused = Some(Rc::clone(&enrollment));
        Ok(enrollment)
    }

    /// The holder of the certificate that the baseline brought.
    pub(crate) fn member(&mut self) -> Result<Party, Judgement> {
        let enrollment = self.enrolled()?;
        Ok(Party { key: enrollment.draft.csr.key.clone(), certificate: enrollment.certificate()? })
    }

    /// Sends a sound request after `spoil` has been at it.
    pub(crate) fn spoiled(&mut self, spoil: impl FnOnce(&mut Draft)) -> Result<Enrollment, Judgement> {
        self.enrolled()?;
        let mut draft = self.draft()?;
        spoil(&mut draft);
        Ok(self.send(draft))
    }

    /// Sends a sound request whose SignedData `spoil` has been at before it was signed; it must be refused.
    pub(crate) fn refuses(&mut self, spoil: fn(&mut SignedMessage)) -> Result<Judgement, Judgement> {
        self.spoiled(|draft| draft.on_signed = spoil)?.answer.must_be_refused()
    }

    /// Whether the server still answers.
    pub(crate) fn is_alive(&mut self) -> Result<(), Judgement> {
        match self.ask("GetCACert") {
            Ok(response) if response.status == 200 => Ok(()),
            Ok(response) => Err(Judgement::fail(format!("GetCACert afterwards: {}", response.summary()))),
            Err(error) => Err(Judgement::fail(format!("GetCACert afterwards: {error}"))),
        }
    }
}

/// Random octets. Without randomness, zeros: no secret rests on them.
pub(crate) fn random(length: usize) -> Vec<u8> {
    let mut octets = vec![0; length];
    let _ = AwsLc.fill(&mut octets);
    octets
}

/// That many random characters of hexadecimal.
fn random_text(length: usize) -> String {
    let digit = |octet: u8| char::from_digit(u32::from(octet & 15), 16).unwrap_or('0');
    random(length).into_iter().map(|octet| digit(octet).to_ascii_uppercase()).collect()
}

/// PrintableString where it can be that, as RFC 2985 recommends.
pub(crate) fn directory_string(text: &str) -> Vec<u8> {
    let printable = |c: char| c.is_ascii_alphanumeric() || " '()+,-./:=?".contains(c);
    let tag = if text.chars().all(printable) { 0x13 } else { 0x0C };
    tlv::wrap(tag, text.as_bytes())
}
