//! Requests that wait for a person, and what is answered to those who ask after them.

use issuance::{Since, TransactionKey};
use pki_core::{Certificate, UnixTime};

use crate::{
    ApprovalPolicy, Enroller, Enrollment, EnrollmentProfile, PendingRequest, PollRequest, QueueOutcome,
    QueuedRequest, Refusal, Verdict,
    decision::{Grant, Run},
    names::RequestedNames,
    renewal::Renewable,
};

impl Enroller {
    /// What became of a request ([RFC 8894 §4.4](https://www.rfc-editor.org/rfc/rfc8894#section-4.4)): the certificate,
    /// issued now if it was approved since; or that it still waits; or why there is none. Only the key that signed the
    /// message with the request gets an answer.
    ///
    /// A request that never waited is found for a day, so that a client whose certificate was lost on the way may poll
    /// for it. Whatever else has no request is [`Refusal::NothingPending`].
    pub async fn poll(&self, poll: PollRequest<'_>) -> Result<Enrollment, Refusal> {
        let profile = self.profile(poll.profile).ok_or(Refusal::ProfileUnknown)?;
        let (store, now) = (&self.parts().store, self.parts().clock.now());
        let key = poll.signer.public_key().fingerprint();
        let key = self.transaction(profile, poll.transaction_id, &key);
        if let Some(queued) = store.polled(key).await? {
            return self.judged(profile, queued, now).await?.ok_or(Refusal::ApprovalExpired);
        }
        let earlier = store.recall(key, now.saturating_sub(self.window())).await?;
        self.finished(key, earlier.ok_or(Refusal::NothingPending)?).await.map(Enrollment::Issued)
    }

    /// What is said of the request of this transaction; `None` when it may be made anew.
    pub(crate) async fn waiting(
        &self,
        profile: &EnrollmentProfile,
        run: &Run<'_>,
    ) -> Result<Option<Enrollment>, Refusal> {
        let Some(queued) = self.parts().store.queued(run.transaction).await? else { return Ok(None) };
        if queued.request.request == run.digest {
            return self.judged(profile, queued, run.now).await;
        }
        let is_over = queued.request.expires < run.now || matches!(queued.verdict, Verdict::Denied { .. });
        if is_over { Ok(None) } else { Err(Refusal::TransactionReused) }
    }

    /// Has the request wait, unless it was decided already. `poll` is what a CertPoll is found by.
    pub(crate) async fn queue(
        &self,
        profile: &EnrollmentProfile,
        policy: ApprovalPolicy,
        (run, poll): (&Run<'_>, TransactionKey),
        grant: Grant,
        names: RequestedNames,
    ) -> Result<Enrollment, Refusal> {
        if grant.notice.is_some() {
            let problem = "the authority of this profile wants to be told, and a request that waits tells nobody: \
                           leave approval out";
            return Err(Refusal::Internal(problem.into()));
        }
        // A person's time is spent on nothing that could not be issued.
        self.checked(profile, run, &grant, names).await?;
        let request = PendingRequest {
            transaction: run.transaction,
            poll,
            request: run.digest,
            profile: profile.name().to_owned(),
            object: grant.object,
            csr: run.csr.without_challenge().map_err(Refusal::malformed)?,
            spends: grant.spends,
            renews: grant.renews.map(|renewable| renewable.serial),
            created: run.now,
            expires: run.now.saturating_add(policy.lifetime()),
        };
        match self.parts().store.queue(&request).await? {
            QueueOutcome::Queued => Ok(Enrollment::Pending),
            QueueOutcome::Repeated(verdict) => {
                let repeated = self.judged(profile, QueuedRequest { request, verdict }, run.now).await?;
                Ok(repeated.unwrap_or(Enrollment::Pending))
            }
            QueueOutcome::TransactionTaken => Err(Refusal::TransactionReused),
            QueueOutcome::ChallengeSpent => Err(Refusal::ChallengeSpent),
            QueueOutcome::Full => Err(Refusal::ApprovalQueueFull),
        }
    }

    /// What is said of a request; `None` when that is over and done with.
    async fn judged(
        &self,
        profile: &EnrollmentProfile,
        queued: QueuedRequest,
        now: UnixTime,
    ) -> Result<Option<Enrollment>, Refusal> {
        let QueuedRequest { request, verdict } = queued;
        match verdict {
            _ if request.expires < now => Ok(None),
            Verdict::Waiting => Ok(Some(Enrollment::Pending)),
            Verdict::Denied { reason, .. } => Err(Refusal::ApprovalDenied(reason)),
            Verdict::Approved { at } => {
                let certificate = self.issue_approved(profile, &request, at).await?;
                Ok(Some(Enrollment::Issued(certificate)))
            }
        }
    }

    /// The certificate of an approved request: the one that it got already, whenever that was, or a new one. What can
    /// have changed while it waited is looked at again.
    async fn issue_approved(
        &self,
        profile: &EnrollmentProfile,
        request: &PendingRequest,
        approved: UnixTime,
    ) -> Result<Certificate, Refusal> {
        let now = self.parts().clock.now();
        let since = Since::Known(approved);
        let run =
            Run { transaction: request.transaction, csr: &request.csr, digest: request.request, now, since };
        if let Some(certificate) =
            self.recalled(&run, approved.min(now.saturating_sub(self.window()))).await?
        {
            return Ok(certificate);
        }
        let renews = match request.renews {
            Some(serial) => Some(Renewable::again(self, serial, request.object).await?),
            None => None,
        };
        let names = RequestedNames::of(&request.csr)?;
        let grant = Grant { renews, ..Grant::of(request.object) };
        self.issue(profile, &run, grant, names).await
    }
}
