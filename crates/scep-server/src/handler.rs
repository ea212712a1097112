//! Between SCEP and enrollment: one speaks of messages, the other of requests and reasons.

use std::{sync::Arc, time::Duration};

use enrollment::{
    CertificateLookup, Enroller, Enrollment, EnrollmentRequest, PollRequest, Refusal, RefusalClass,
    RequestKind,
};
use ledger::{Ledger, RefusalNote};
use pki_core::{BoxFuture, Certificate, Clock as _, Name, SerialNumber, SystemClock};
use scep_proto::{Exchange, FailInfo, Request, RequestMessage};
use scep_service::{Decision, EnrollmentHandler, Origin, Submission};

use crate::{
    crl_publisher::Publisher,
    deliveries::{Confirmation, Deliveries},
};

/// How long a client should wait when no decision could be made.
const TRY_AGAIN_AFTER: Duration = Duration::from_secs(30);

/// A longer CRL is not sent: it is encrypted anew for whoever asks, and clients read no longer replies.
const MAX_CRL_LEN: usize = 512 * 1024;

/// Decides requests of one profile.
#[derive(Debug)]
pub struct Handler {
    profile: String,
    enroller: Arc<Enroller>,
    /// Goes into replies after the certificate asked for.
    chain: Vec<Certificate>,
    ledger: Option<Ledger>,
    /// Those of the CA's generations.
    crls: Vec<Arc<Publisher>>,
    /// Who is to have heard of a certificate before it is handed out, and for how long that is waited for.
    confirming: Option<(Arc<Deliveries>, Duration)>,
}

impl Handler {
    /// Of the profile of that name.
    pub fn new(profile: String, enroller: Arc<Enroller>) -> Self {
        Self { profile, enroller, chain: Vec::new(), ledger: None, crls: Vec::new(), confirming: None }
    }

    /// Sends these along with each certificate.
    pub(crate) fn replying_with(self, chain: Vec<Certificate>) -> Self {
        Self { chain, ..self }
    }

    /// Notes what it refuses, where there is a ledger for that.
    pub(crate) fn noting_refusals(self, ledger: Option<Ledger>) -> Self {
        Self { ledger, ..self }
    }

    /// Hands out these CRLs.
    pub(crate) fn with_crls(self, crls: Vec<Arc<Publisher>>) -> Self {
        Self { crls, ..self }
    }

    /// Holds certificates back until everybody has heard of them who is to, for at most that long if at all; after that
    /// the device is told to try again, and gets the same certificate then.
    pub(crate) fn confirming(self, confirming: Option<(Arc<Deliveries>, Duration)>) -> Self {
        Self { confirming, ..self }
    }

    async fn decide(&self, submission: Submission) -> Decision {
        let Submission { request, origin } = submission;
        let outcome = match &request.message {
            RequestMessage::PkcsReq(_) => self.enroll(&request, RequestKind::Initial).await,
            RequestMessage::RenewalReq(_) => self.enroll(&request, RequestKind::Renewal).await,
            RequestMessage::CertPoll { .. } => self.poll(&request).await,
            RequestMessage::GetCert { issuer, serial } => self.look_up(&request, issuer, *serial).await,
            RequestMessage::GetCrl { issuer, serial } => return self.crl(issuer, *serial),
        };
        match outcome {
            Ok(Enrollment::Issued(certificate)) => {
                Decision::Issue(std::iter::once(certificate).chain(self.chain.iter().cloned()).collect())
            }
            Ok(Enrollment::Pending) => Decision::Pending,
            Err(refusal) => {
                self.note(&request.exchange, &origin, refusal.code(), &refusal.to_string());
                self.refused(&refusal)
            }
        }
    }

    async fn enroll(&self, request: &Request, kind: RequestKind) -> Result<Enrollment, Refusal> {
        let csr = request.verified_request().ok_or(Refusal::PossessionUnproven)?;
        let request = EnrollmentRequest {
            profile: &self.profile,
            transaction_id: request.exchange.transaction_id().as_bytes(),
            csr: csr.clone(),
            signer: request.exchange.signer().clone(),
            kind,
        };
        self.confirmed(self.enroller.enroll(request).await?).await
    }

    /// The same, once everybody has heard of it.
    async fn confirmed(&self, outcome: Enrollment) -> Result<Enrollment, Refusal> {
        let Some(((deliveries, patience), certificate)) = self.confirming.as_ref().zip(outcome.as_issued())
        else {
            return Ok(outcome);
        };
        let serial = certificate.serial_number();
        let serial =
            serial.ok_or_else(|| Refusal::Internal("a certificate without a serial number".into()))?;
        let issued = self.enroller.authority().issuer().certificate_ref(serial);
        match deliveries.confirm(issued, *patience).await {
            Confirmation::Heard => Ok(outcome),
            Confirmation::NotYet => Err(Refusal::AuthorityUnavailable(format!(
                "{serial} is issued, and handed out when the authority has heard of it: it has not yet"
            ))),
            Confirmation::Refused => {
                let why = "the certificate was issued, and the authority does not want to hear of it";
                Err(Refusal::rejected_by("the authority", why))
            }
        }
    }

    async fn poll(&self, request: &Request) -> Result<Enrollment, Refusal> {
        let poll = PollRequest {
            profile: &self.profile,
            transaction_id: request.exchange.transaction_id().as_bytes(),
            signer: request.exchange.signer(),
        };
        self.confirmed(self.enroller.poll(poll).await?).await
    }

    async fn look_up(
        &self,
        request: &Request,
        issuer: &Name,
        serial: SerialNumber,
    ) -> Result<Enrollment, Refusal> {
        let lookup = CertificateLookup { issuer, serial, signer: request.exchange.signer() };
        self.enroller.certificate(lookup).await.map(Enrollment::Issued)
    }

    /// The latest CRL of the generation that gave that serial number (RFC 8894 §4.6). Whoever asks gets it, for it is a
    /// public document; it is the same whatever the serial number, so that nothing is told of that.
    fn crl(&self, issuer: &Name, serial: SerialNumber) -> Decision {
        let mut namesakes = self.crls.iter().filter(|crls| issuer.matches(crls.ca().subject()));
        let Some(first) = namesakes.clone().next() else {
            return not_offered("there is no CRL of that issuer here");
        };
        let publisher = namesakes.find(|crls| crls.has_issued(serial)).unwrap_or(first);
        let page = publisher.current().full.filter(|page| page.is_good_at(publisher.clock().now()));
        match page.as_ref().map(|page| page.crl().as_der()) {
            None => Decision::TryLater { after: TRY_AGAIN_AFTER },
            Some(der) if der.len() > MAX_CRL_LEN => {
                not_offered("the CRL is too long for SCEP: fetch it by HTTP")
            }
            Some(der) => Decision::Crl(der.to_vec()),
        }
    }

    fn note(&self, exchange: &Exchange, origin: &Origin, code: &str, why: &str) {
        let Some(ledger) = &self.ledger else { return };
        let source = origin.source.map(|source| source.to_string());
        ledger.note_refusal(RefusalNote {
            at: SystemClock.now(),
            code: code.into(),
            profile: self.profile.clone(),
            transaction_id: exchange.transaction_id().to_string(),
            subject: exchange.signer().subject().to_string(),
            peer: source.or(origin.peer.map(|peer| peer.to_string())).unwrap_or_default(),
            why: why.into(),
        });
    }

    fn refused(&self, refusal: &Refusal) -> Decision {
        let (profile, code) = (&*self.profile, refusal.code());
        let refuse = |info| Decision::Refuse { code, info, text: refusal.reply_text() };
        if matches!(refusal.class(), RefusalClass::TryLater | RefusalClass::Internal) {
            // The requester is told nothing of what is wrong here; the operator is.
            tracing::error!(profile, code, why = %refusal, "no decision could be made");
        }
        match refusal.class() {
            RefusalClass::BadAlgorithm => refuse(FailInfo::BadAlg),
            RefusalClass::BadRequest | RefusalClass::Internal => refuse(FailInfo::BadRequest),
            RefusalClass::NotFound => refuse(FailInfo::BadCertId),
            RefusalClass::TryLater => Decision::TryLater { after: TRY_AGAIN_AFTER },
        }
    }
}

impl EnrollmentHandler for Handler {
    fn handle(&self, submission: Submission) -> BoxFuture<'_, Decision> {
        Box::pin(self.decide(submission))
    }

    fn turned_down(&self, exchange: &Exchange, origin: &Origin, code: &'static str, reason: &str) {
        self.note(exchange, origin, code, reason);
    }
}

/// badCertId: no certificate could be identified by what was sent (RFC 8894 §3.2.1.4).
fn not_offered(text: &'static str) -> Decision {
    Decision::Refuse { code: "not-offered", info: FailInfo::BadCertId, text: text.into() }
}
