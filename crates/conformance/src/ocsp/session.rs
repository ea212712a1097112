//! A conversation with one responder.

use std::{rc::Rc, time::Duration};

use keys_software::AwsLc;
use pki_core::{
    Certificate, Clock as _, DigestAlgorithm, SecureRandom as _, SignatureAlgorithm, SignatureVerifier as _,
    SystemClock, UnixTime, tlv,
};

use super::{
    message::{BasicMessage, OcspMessage, SingleMessage},
    question::{CertIdDraft, Question},
};
use crate::{
    Endpoint, Exchange, Judgement,
    http::{Http, HttpError, HttpRequest, HttpResponse},
};

pub(crate) const REQUEST_MEDIA_TYPE: &str = "application/ocsp-request";
pub(crate) const RESPONSE_MEDIA_TYPE: &str = "application/ocsp-response";

/// A responder to judge, and certificates whose status is known.
#[derive(Debug)]
#[non_exhaustive]
pub struct Target {
    pub(crate) endpoint: Endpoint,
    pub(crate) issuer: Certificate,
    pub(crate) good: Vec<u8>,
    pub(crate) revoked: Option<Vec<u8>>,
    pub(crate) unknown: Vec<u8>,
    pub(crate) timeout: Duration,
}

impl Target {
    /// The responder at that URL, which says good of the certificate of `issuer` that has the serial number `good`
    /// (the content octets of the INTEGER).
    pub fn new(endpoint: Endpoint, issuer: Certificate, good: Vec<u8>) -> Self {
        let mut unknown = vec![0x2A; 17];
        let _ = unknown.get_mut(1..).map(|rest| AwsLc.fill(rest));
        Self { endpoint, issuer, good, revoked: None, unknown, timeout: Duration::from_secs(20) }
    }

    /// The same, with the serial number of a certificate that is revoked or on hold.
    #[must_use]
    pub fn with_revoked(self, serial: Vec<u8>) -> Self {
        Self { revoked: Some(serial), ..self }
    }

    /// The same, with a serial number that was never given, in the place of one made up.
    #[must_use]
    pub fn with_unknown(self, serial: Vec<u8>) -> Self {
        Self { unknown: serial, ..self }
    }

    /// The same, with that long for any one answer.
    #[must_use]
    pub fn with_timeout(self, timeout: Duration) -> Self {
        Self { timeout, ..self }
    }
}

/// A conversation with one responder.
#[derive(Debug)]
pub struct Session {
    pub(crate) target: Target,
    pub(crate) http: Http,
    baseline: Option<Rc<Answer>>,
    by_get: Option<Rc<Answer>>,
}

/// What came back.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    pub(crate) http: HttpResponse,
    pub(crate) reply: Result<OcspMessage, String>,
    /// When it came.
    pub(crate) at: UnixTime,
}

/// The status of one certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Status {
    Good,
    Revoked,
    Unknown,
    Other(u8),
}

impl Answer {
    fn new(http: HttpResponse) -> Self {
        let reply = match http.media_type().as_deref() {
            Some(RESPONSE_MEDIA_TYPE) => OcspMessage::read(&http.body).map_err(|error| error.to_string()),
            // A server that forgets the type is told so elsewhere.
            _ => OcspMessage::read(&http.body).map_err(|_| http.summary()),
        };
        Self { http, reply, at: SystemClock.now() }
    }

    pub(crate) fn summary(&self) -> String {
        let basic = self.read_basic().and_then(Result::ok);
        match (&self.reply, basic.as_ref().map(|basic| basic.responses.as_slice())) {
            (_, Some([one])) => format!("{:?}", status(one)).to_lowercase(),
            (_, Some(several)) => format!("{} answers", several.len()),
            (Ok(reply), None) if self.http.status != 200 => {
                format!("{}, HTTP {}", reply.status_name(), self.http.status)
            }
            (Ok(reply), None) => reply.status_name().into(),
            (Err(problem), None) => format!("no OCSPResponse: {problem}"),
        }
    }

    /// What is in it as a BasicOCSPResponse, where it is successful.
    fn read_basic(&self) -> Option<Result<BasicMessage, Judgement>> {
        let reply = self.reply.as_ref().ok().filter(|reply| reply.status == 0)?;
        let (id, content) = reply.bytes.as_ref()?;
        Some(if BasicMessage::is_type(*id) {
            BasicMessage::read(content).map_err(Judgement::fail)
        } else {
            Err(Judgement::fail(format!("responseType {id}")))
        })
    }

    /// The BasicOCSPResponse in it.
    pub(crate) fn basic(&self) -> Result<BasicMessage, Judgement> {
        self.read_basic().unwrap_or_else(|| Err(Judgement::fail(self.summary())))
    }

    fn singles(&self) -> Result<Vec<SingleMessage>, Judgement> {
        self.basic().map(|basic| basic.responses)
    }

    /// The answer to the one question.
    pub(crate) fn single(&self) -> Result<SingleMessage, Judgement> {
        let singles = self.singles()?;
        singles.into_iter().next().ok_or_else(|| Judgement::fail("no answer in the response"))
    }

    pub(crate) fn is_good(&self) -> bool {
        self.singles().is_ok_and(|singles| singles.iter().any(|one| status(one) == Status::Good))
    }

    /// The verdict where the certificate must be good.
    pub(crate) fn must_be_good(&self) -> Result<Judgement, Judgement> {
        if self.is_good() { Ok(Judgement::pass("good")) } else { Err(Judgement::fail(self.summary())) }
    }

    /// The verdict where an answer is optional: good, or refused by OCSP or by HTTP.
    pub(crate) fn is_optional(&self) -> Result<Judgement, Judgement> {
        if self.is_good() {
            return Ok(Judgement::pass("good"));
        }
        self.must_not_be_good().map(|refused| Judgement::not_offered(refused.reason))
    }

    /// The verdict on a spelling that the documents do not know.
    pub(crate) fn may_be_good(&self, why: &str) -> Result<Judgement, Judgement> {
        if self.is_good() {
            return Ok(Judgement::tolerated(format!("answered: {why}")));
        }
        self.must_not_be_good()
    }

    /// The verdict where nothing may be called good.
    pub(crate) fn must_not_be_good(&self) -> Result<Judgement, Judgement> {
        let summary = self.summary();
        let refused = match &self.reply {
            Ok(reply) if reply.status == 0 => !self.is_good() && self.single().is_ok(),
            Ok(_) => true,
            Err(_) => (400..500).contains(&self.http.status),
        };
        if refused { Ok(Judgement::pass(summary)) } else { Err(Judgement::fail(summary)) }
    }

    /// The verdict where the request cannot be read.
    pub(crate) fn must_be_malformed(&self) -> Result<Judgement, Judgement> {
        match &self.reply {
            Ok(reply) if reply.status == 1 => Ok(Judgement::pass(self.summary())),
            Err(_) if (400..500).contains(&self.http.status) => {
                Ok(Judgement::tolerated(format!("HTTP {} and no OCSPResponse", self.http.status)))
            }
            _ => Err(Judgement::fail(self.summary())),
        }
    }
}

/// What it says.
pub(crate) fn status(single: &SingleMessage) -> Status {
    match single.status.first() {
        Some(0x80) => Status::Good,
        Some(0xA1) => Status::Revoked,
        Some(0x82) => Status::Unknown,
        other => Status::Other(other.copied().unwrap_or_default()),
    }
}

/// Whether `der` is a GeneralizedTime, and of which moment.
pub(crate) fn time(der: &[u8]) -> Result<UnixTime, Judgement> {
    tlv::Cursor::over(der, "a time").and_then(|mut cursor| cursor.time()).map_err(Judgement::fail)
}

impl Session {
    pub(crate) fn new(target: Target) -> Self {
        let http = Http::new(target.endpoint.clone(), target.timeout);
        Self { target, http, baseline: None, by_get: None }
    }

    pub(crate) fn take_exchanges(&mut self) -> Vec<Exchange> {
        self.http.take_exchanges()
    }

    pub(crate) fn now() -> UnixTime {
        SystemClock.now()
    }

    pub(crate) fn random(length: usize) -> Vec<u8> {
        let mut octets = vec![0; length];
        let _ = AwsLc.fill(&mut octets);
        octets
    }

    /// The CertID of that serial number of the issuer's, by SHA-1, which every responder knows.
    pub(crate) fn id(&self, serial: &[u8]) -> CertIdDraft {
        CertIdDraft::new(DigestAlgorithm::Sha1, &self.target.issuer, serial)
    }

    /// Of the good certificate.
    pub(crate) fn good_id(&self) -> CertIdDraft {
        self.id(&self.target.good)
    }

    /// The plainest question: is the good certificate good?
    pub(crate) fn question(&self) -> Question {
        Question::about(vec![self.good_id()])
    }

    pub(crate) fn send(&mut self, request: &HttpRequest) -> Result<Answer, HttpError> {
        self.http.send(request).map(Answer::new)
    }

    /// Posts these octets.
    pub(crate) fn post(&mut self, body: &[u8]) -> Result<Answer, HttpError> {
        let target = self.http.endpoint().path.clone();
        self.send(&HttpRequest::post(target, REQUEST_MEDIA_TYPE, body))
    }

    /// Posts a question.
    pub(crate) fn ask(&mut self, question: &Question) -> Result<Answer, HttpError> {
        self.post(&question.encode())
    }

    /// The path to which the text of a GET is appended.
    pub(crate) fn base(&self) -> String {
        format!("{}/", self.http.endpoint().path.trim_end_matches('/'))
    }

    /// GETs with that text after the base path.
    pub(crate) fn get(&mut self, text: &str) -> Result<Answer, HttpError> {
        let target = format!("{}{text}", self.base());
        self.send(&HttpRequest::get(target))
    }

    /// The answer to the plainest question by POST, asked once.
    pub(crate) fn baseline(&mut self) -> Result<Rc<Answer>, Judgement> {
        if let Some(known) = &self.baseline {
            return Ok(Rc::clone(known));
        }
        let question = self.question();
        let answer = Rc::new(self.ask(&question)?);
        self.baseline = Some(Rc::clone(&answer));
        Ok(answer)
    }

    /// The same by GET.
    pub(crate) fn by_get(&mut self) -> Result<Rc<Answer>, Judgement> {
        if let Some(known) = &self.by_get {
            return Ok(Rc::clone(known));
        }
        let text = super::checks::spelling::escaped(&self.question().encode());
        let answer = Rc::new(self.get(&text)?);
        self.by_get = Some(Rc::clone(&answer));
        Ok(answer)
    }

    /// The BasicOCSPResponse of the baseline, on which all other checks rest.
    pub(crate) fn sound(&mut self) -> Result<BasicMessage, Judgement> {
        let answer = self.baseline()?;
        let blocked = |trouble: Judgement| {
            Judgement::not_judged(format!("not even a plain question: {}", trouble.reason))
        };
        answer.single().map_err(blocked)?;
        answer.basic().map_err(blocked)
    }

    /// The one answer of the baseline.
    pub(crate) fn sound_single(&mut self) -> Result<SingleMessage, Judgement> {
        let first = self.sound()?.responses.into_iter().next();
        first.ok_or_else(|| Judgement::not_judged("no answer in the response"))
    }

    /// Asks a question that is not plain; the plain one is answered.
    pub(crate) fn ask_soundly(&mut self, question: &Question) -> Result<Answer, Judgement> {
        self.sound()?;
        Ok(self.ask(question)?)
    }

    /// Who signed: the issuer, or one of the certificates that came along.
    pub(crate) fn signer(&self, basic: &BasicMessage) -> Result<Certificate, Judgement> {
        let algorithm = SignatureAlgorithm::from_der(&basic.algorithm).map_err(Judgement::fail)?;
        let issuer = self.target.issuer.clone();
        let mut candidates = basic.parsed_certificates().into_iter().chain([issuer]);
        let signed = |one: &Certificate| {
            AwsLc.verify(one.public_key(), algorithm, &basic.signed, &basic.signature).is_ok()
        };
        candidates.find(signed).ok_or_else(|| {
            Judgement::fail("the signature is neither the issuer's nor of a certificate in the response")
        })
    }

    /// Who signed, if it is not the issuer.
    pub(crate) fn delegate(&mut self) -> Result<Certificate, Judgement> {
        let basic = self.sound()?;
        let signer = self.signer(&basic).map_err(|trouble| Judgement::not_judged(trouble.reason))?;
        if signer.public_key() == self.target.issuer.public_key() {
            return Err(Judgement::not_offered("the issuer signs itself"));
        }
        Ok(signer)
    }

    /// Whether the responder still answers.
    pub(crate) fn is_alive(&mut self) -> Result<(), Judgement> {
        let question = self.question();
        let answer = self.ask(&question)?;
        match answer.must_be_good() {
            Ok(_) => Ok(()),
            Err(trouble) => {
                Err(Judgement::fail(format!("the plain question afterwards: {}", trouble.reason)))
            }
        }
    }
}
