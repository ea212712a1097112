//! Between SCEP and enrollment: one speaks of messages, the other of requests and reasons.

use std::{sync::Arc, time::Duration};

use enrollment::{Enroller, EnrollmentRequest, Refusal, RefusalClass, RequestKind};
use pki_core::BoxFuture;
use scep_proto::{FailInfo, RequestMessage};
use scep_service::{Decision, EnrollmentHandler, Submission};

/// How long a client should wait when no decision could be made.
const TRY_AGAIN_AFTER: Duration = Duration::from_secs(30);

/// Decides requests of one profile.
#[derive(Debug)]
pub(crate) struct Handler {
    profile: String,
    enroller: Arc<Enroller>,
}

impl Handler {
    pub(crate) fn new(profile: String, enroller: Arc<Enroller>) -> Self {
        Self { profile, enroller }
    }

    async fn decide(&self, submission: Submission) -> Decision {
        let request = submission.request;
        let kind = match &request.message {
            RequestMessage::PkcsReq(_) => RequestKind::Initial,
            RequestMessage::RenewalReq(_) => RequestKind::Renewal,
            RequestMessage::CertPoll { .. } => return not_offered("no request is pending here"),
            RequestMessage::GetCert { .. } => {
                return not_offered("certificates are not handed out again here");
            }
            RequestMessage::GetCrl { .. } => {
                return not_offered("there is no CRL here: ask the OCSP responder");
            }
        };
        let Some(csr) = request.verified_request() else {
            return self.refused(&Refusal::PossessionUnproven);
        };
        let request = EnrollmentRequest {
            profile: &self.profile,
            transaction_id: request.exchange.transaction_id().as_bytes(),
            csr: csr.clone(),
            signer: request.exchange.signer().clone(),
            kind,
        };
        match self.enroller.enroll(request).await {
            Ok(certificate) => Decision::Issue(vec![certificate]),
            Err(refusal) => self.refused(&refusal),
        }
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
            RefusalClass::TryLater => Decision::TryLater { after: TRY_AGAIN_AFTER },
        }
    }
}

impl EnrollmentHandler for Handler {
    fn handle(&self, submission: Submission) -> BoxFuture<'_, Decision> {
        Box::pin(self.decide(submission))
    }
}

/// badCertId: no certificate could be identified by what was sent (RFC 8894 §3.2.1.4).
fn not_offered(text: &'static str) -> Decision {
    Decision::Refuse { code: "not-offered", info: FailInfo::BadCertId, text: text.into() }
}
