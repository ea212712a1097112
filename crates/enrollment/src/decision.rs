//! From a request that is sound to a certificate, or to the reason why not.

use std::collections::BTreeMap;

use directory::ObjectState;
use issuance::{
    CertificateRequest, Earlier, InterruptedIssuance, Notice, Provenance, Since, Spend, TransactionKey,
    Usages,
};
use pki_core::{Certificate, CertificationRequest, ChallengePassword, DigestAlgorithm, UnixTime};
use serial_binding::{BoundObject, Resolution};

use crate::{
    ApprovalPolicy, Asked, AskedNames, ChallengeAuthority, ChallengeValidator, EarlierRequest, Enroller,
    Enrollment, EnrollmentProfile, EnrollmentRequest, Identification, Refusal, RenewalPolicy,
    StaticChallenge, StoredChallenge, Validated,
    names::{Naming, RequestedNames},
    profile::Wish,
    renewal::Renewable,
    vouching::vouch,
};

/// On the strength of what, and for which object.
pub(crate) struct Grant {
    pub(crate) object: BoundObject,
    /// What is spent, and burnt if names were asked for that are not the object's.
    pub(crate) spends: Option<Spend>,
    pub(crate) renews: Option<Renewable>,
    /// The names that there may be at most; `None` for all that the profile's rules allow.
    pub(crate) names: Option<Vec<String>>,
    /// Whether the names in the request may be taken as they are.
    pub(crate) asked_names: AskedNames,
    pub(crate) notice: Option<Notice>,
}

impl Grant {
    /// For `object`, and nothing else to be minded.
    pub(crate) fn of(object: BoundObject) -> Self {
        let asked_names = AskedNames::Unproven;
        Self { object, spends: None, renews: None, names: None, asked_names, notice: None }
    }
}

/// A transaction, and the request made in it.
pub(crate) struct Run<'a> {
    pub(crate) transaction: TransactionKey,
    pub(crate) csr: &'a CertificationRequest,
    pub(crate) digest: [u8; 32],
    pub(crate) now: UnixTime,
    pub(crate) since: Since,
}

impl Run<'_> {
    fn provenance(&self, grant: Grant) -> Provenance {
        let Self { transaction, digest: request, since, .. } = *self;
        let Grant { spends, renews, notice, .. } = grant;
        let renews = renews.map(|renewable| renewable.serial);
        Provenance { transaction, request, spends, renews, notice, since }
    }
}

impl Enroller {
    /// A first enrollment, on the strength of a challenge or of a person's word.
    pub(crate) async fn enroll_anew(
        &self,
        profile: &EnrollmentProfile,
        request: &EnrollmentRequest<'_>,
    ) -> Result<Enrollment, Refusal> {
        if request.signer.public_key() != request.csr.public_key() {
            return Err(Refusal::SignerMismatch);
        }
        let key = request.csr.public_key().fingerprint();
        let transaction = self.transaction(profile, request.transaction_id, &key);
        let since = Since::Claimed(request.signer.validity().not_before());
        let run = self.run(transaction, &request.csr, since)?;
        // Who would ask others, or a person, looks first. Elsewhere a repeat is told from a first request where both are
        // recorded, and what comes before that costs less than a look.
        let looks_first = profile.approval().is_some() || profile.validator().is_some();
        if looks_first && let Some(earlier) = self.earlier(profile, profile.approval(), &run).await? {
            return Ok(earlier);
        }
        let refusal = match self.decide_anew(profile, request, &run).await {
            Err(refusal) if !looks_first || matches!(refusal, Refusal::ChallengeUnknown) => refusal,
            decided => return decided,
        };
        // The same request, sent before, may have spent the challenge, or its object has been disabled since; or it waits
        // since the profile had its requests approved.
        let waiting = ApprovalPolicy::default();
        let approval = matches!(refusal, Refusal::ChallengeUnknown).then_some(&waiting);
        self.earlier(profile, approval, &run).await?.ok_or(refusal)
    }

    async fn decide_anew(
        &self,
        profile: &EnrollmentProfile,
        request: &EnrollmentRequest<'_>,
        run: &Run<'_>,
    ) -> Result<Enrollment, Refusal> {
        let names = RequestedNames::of(&request.csr)?;
        let asked = asked(profile, request, run);
        let grant = self.granted(profile, &asked, &names).await?;
        let outcome = match profile.approval() {
            None => self.issue(profile, run, grant, names).await.map(Enrollment::Issued),
            Some(policy) => self.queue(profile, *policy, (run, run.transaction), grant, names).await,
        };
        if let (Err(refusal), Some(validator)) = (&outcome, profile.validator()) {
            validator.refused(&asked, refusal).await;
        }
        outcome
    }

    /// A renewal, on the strength of the signer's certificate.
    pub(crate) async fn renew(
        &self,
        profile: &EnrollmentProfile,
        policy: RenewalPolicy,
        request: &EnrollmentRequest<'_>,
    ) -> Result<Enrollment, Refusal> {
        let now = self.parts().clock.now();
        let renewable = Renewable::check(self, profile, policy, &request.signer, now).await?;
        let object = renewable.object;
        let key = request.csr.public_key().fingerprint();
        let id = request.transaction_id;
        let transaction = TransactionKey::of_renewal(profile.name(), id, &key, renewable.serial).at(self
            .parts()
            .authority
            .issuer()
            .id());
        let run = self.run(transaction, &request.csr, renewable.since(policy))?;
        let approval = profile.approval().filter(|policy| policy.includes_renewals());
        if let Some(earlier) = self.earlier(profile, approval, &run).await? {
            return Ok(earlier);
        }
        let names = RequestedNames::of(&request.csr)?;
        let grant = Grant { renews: Some(renewable), ..Grant::of(object) };
        match approval {
            None => self.issue(profile, &run, grant, names).await.map(Enrollment::Issued),
            Some(policy) => {
                let poll = self.transaction(profile, id, &request.signer.public_key().fingerprint());
                self.queue(profile, *policy, (&run, poll), grant, names).await
            }
        }
    }

    fn run<'a>(
        &self,
        transaction: TransactionKey,
        csr: &'a CertificationRequest,
        since: Since,
    ) -> Result<Run<'a>, Refusal> {
        let digest = DigestAlgorithm::Sha256.digest(csr.tbs()).and_then(|digest| digest.try_into().ok());
        let digest = digest.ok_or_else(|| Refusal::Internal("no SHA-256".into()))?;
        Ok(Run { transaction, csr, digest, now: self.parts().clock.now(), since })
    }

    /// What the same request got before in this transaction, where there is an `approval` a place in the queue included.
    async fn earlier(
        &self,
        profile: &EnrollmentProfile,
        approval: Option<&ApprovalPolicy>,
        run: &Run<'_>,
    ) -> Result<Option<Enrollment>, Refusal> {
        let since = run.now.saturating_sub(self.window());
        if let Some(certificate) = self.recalled(run, since).await? {
            return Ok(Some(Enrollment::Issued(certificate)));
        }
        match approval {
            None => Ok(None),
            Some(_) => self.waiting(profile, run).await,
        }
    }

    /// The certificate that the same request got in this transaction, not before `since`.
    pub(crate) async fn recalled(
        &self,
        run: &Run<'_>,
        since: UnixTime,
    ) -> Result<Option<Certificate>, Refusal> {
        let Some(earlier) = self.parts().store.recall(run.transaction, since).await? else { return Ok(None) };
        if earlier.request != run.digest {
            return Err(Refusal::TransactionReused);
        }
        self.finished(run.transaction, earlier).await.map(Some)
    }

    /// The certificate of an earlier run; finishes what was begun and not finished.
    pub(crate) async fn finished(
        &self,
        transaction: TransactionKey,
        earlier: EarlierRequest,
    ) -> Result<Certificate, Refusal> {
        let (certificate, tbs) = match earlier.outcome {
            Earlier::Issued(certificate) => return Ok(certificate),
            Earlier::Prepared { certificate, tbs } => (certificate, tbs),
        };
        let authority = &self.parts().authority;
        let Resolution::Object(object) = authority.binding().resolve(&certificate.serial) else {
            return Err(Refusal::Internal(
                "an interrupted issuance has a serial number bound to nothing".into(),
            ));
        };
        self.check_enabled(object).await?;
        let provenance = Provenance {
            transaction,
            request: earlier.request,
            spends: None,
            renews: None,
            notice: None,
            since: Since::Unknown,
        };
        let interrupted = vouch(InterruptedIssuance { certificate, tbs }, provenance);
        Ok(authority.resume(interrupted).await?)
    }

    /// Whether what the profile takes as authority is there, and for which object.
    async fn granted(
        &self,
        profile: &EnrollmentProfile,
        asked: &Asked<'_>,
        names: &RequestedNames,
    ) -> Result<Grant, Refusal> {
        let challenge = || asked.challenge.ok_or(Refusal::ChallengeMissing);
        match profile.authority() {
            ChallengeAuthority::OneTime => self.by_one_time(profile, challenge()?, asked.now).await,
            ChallengeAuthority::Static(expected) => {
                self.by_static(profile, expected, challenge()?, names).await
            }
            ChallengeAuthority::Approval(_) => self.identified(profile, names).await.map(Grant::of),
            ChallengeAuthority::Validator(validator) => {
                self.by_validator(profile, &**validator, asked, names).await
            }
        }
    }

    async fn by_validator(
        &self,
        profile: &EnrollmentProfile,
        validator: &dyn ChallengeValidator,
        asked: &Asked<'_>,
        names: &RequestedNames,
    ) -> Result<Grant, Refusal> {
        let Validated { object, spends, names: only, asked_names, notice } =
            validator.validate(asked).await?;
        let object = match object {
            Some(object) => object,
            None => self.identified(profile, names).await?,
        };
        Ok(Grant { object, spends, renews: None, names: only, asked_names, notice })
    }

    async fn by_one_time(
        &self,
        profile: &EnrollmentProfile,
        challenge: &ChallengePassword,
        now: UnixTime,
    ) -> Result<Grant, Refusal> {
        let id = self.parts().challenge_key.one_time_id(challenge);
        let live = self.parts().store.live_challenge(id, now).await?;
        let challenge = live.ok_or(Refusal::ChallengeUnknown)?;
        if challenge.profile != profile.name() {
            let spend = Spend::Stored(id);
            return Err(self.burnt(profile, spend, challenge.object, now, Refusal::ChallengeMisused).await);
        }
        Ok(Grant { spends: Some(Spend::Stored(id)), ..Grant::of(challenge.object) })
    }

    async fn by_static(
        &self,
        profile: &EnrollmentProfile,
        expected: &StaticChallenge,
        challenge: &ChallengePassword,
        names: &RequestedNames,
    ) -> Result<Grant, Refusal> {
        if !expected.matches(challenge) {
            return Err(Refusal::ChallengeUnknown);
        }
        self.identified(profile, names).await.map(Grant::of)
    }

    /// The object that the directory finds by what the request says of itself.
    async fn identified(
        &self,
        profile: &EnrollmentProfile,
        names: &RequestedNames,
    ) -> Result<BoundObject, Refusal> {
        let directory = &self.parts().directory;
        if profile.identification() == Identification::JamfSubject {
            let text = names.jamf_text().ok_or(Refusal::ObjectUnknown)?;
            return directory.identify(&text).await?.ok_or(Refusal::ObjectUnknown);
        }
        for name in names.texts() {
            if let Some(object) = directory.identify(name).await? {
                return Ok(object);
            }
        }
        Err(Refusal::ObjectUnknown)
    }

    pub(crate) async fn issue(
        &self,
        profile: &EnrollmentProfile,
        run: &Run<'_>,
        grant: Grant,
        names: RequestedNames,
    ) -> Result<Certificate, Refusal> {
        let request = self.checked(profile, run, &grant, names).await?;
        Ok(self.parts().authority.issue(vouch(request, run.provenance(grant))).await?)
    }

    /// What is to be certified, if the object may have it now.
    pub(crate) async fn checked(
        &self,
        profile: &EnrollmentProfile,
        run: &Run<'_>,
        grant: &Grant,
        names: RequestedNames,
    ) -> Result<CertificateRequest, Refusal> {
        let object = grant.object;
        let granted = match (self.naming(profile, grant).await?.grant(&names), grant.spends) {
            (Ok(granted), _) => granted,
            (Err(refusal @ (Refusal::NamesNotAllowed(_) | Refusal::NamesNotListed)), Some(spend)) => {
                return Err(self.burnt(profile, spend, object, run.now, refusal).await);
            }
            (Err(refusal), _) => return Err(refusal),
        };
        // Last, so that whoever disabled the object in the meantime is heard.
        self.check_enabled(object).await?;
        Ok(CertificateRequest {
            subject: granted.subject,
            subject_alt_names: granted.alternative_names,
            public_key: run.csr.public_key().clone(),
            object: Some(object),
            profile: profile.issuance().clone(),
            validity: run.csr.requested_validity().filter(|_| profile.validity() == Wish::Granted),
            usages: requested_usages(profile, run.csr)?,
            security_identifier: granted.security_identifier,
            microsoft_ids: granted.microsoft_ids,
        })
    }

    async fn naming<'a>(
        &self,
        profile: &'a EnrollmentProfile,
        grant: &'a Grant,
    ) -> Result<Naming<'a>, Refusal> {
        let (object, directory, rules) = (grant.object, &self.parts().directory, profile.names());
        let names = directory.names(object).await?.ok_or(Refusal::ObjectUnknown)?;
        let attributes =
            if rules.need_attributes() { directory.attributes(object).await? } else { BTreeMap::new() };
        let held = grant.renews.as_ref().map(|renewable| &renewable.certificate);
        let (only, asked_names) = (grant.names.as_deref(), grant.asked_names);
        Ok(Naming { rules, profile: profile.issuance(), object, names, attributes, held, only, asked_names })
    }

    async fn check_enabled(&self, object: BoundObject) -> Result<(), Refusal> {
        match self.parts().directory.state(object).await? {
            Some(ObjectState::Enabled) => Ok(()),
            None | Some(ObjectState::Gone { .. }) => Err(Refusal::ObjectUnknown),
            Some(_) => Err(Refusal::ObjectDisabled),
        }
    }

    /// Burns a challenge that was used for what it was not made for; the answer is `refusal`, unless that fails.
    async fn burnt(
        &self,
        profile: &EnrollmentProfile,
        spend: Spend,
        object: BoundObject,
        now: UnixTime,
        refusal: Refusal,
    ) -> Refusal {
        let (store, id, why) = (&self.parts().store, spend.id(), refusal.code());
        let burnt = match spend {
            Spend::Stored(id) => store.burn_challenge(id, now, why).await,
            Spend::SelfChecking { id, expires } => {
                let profile = profile.name().to_owned();
                let challenge = StoredChallenge { id, profile, object, expires, created: now };
                store.burn_unseen(&challenge, why).await
            }
        };
        if let Err(error) = burnt {
            return error.into();
        }
        tracing::warn!(
            target: "enrollment",
            code = "challenge-burnt",
            %object,
            challenge = ?id,
            why,
            "a challenge was used for what it was not made for: its holder may be somebody else"
        );
        refusal
    }
}

fn asked<'a>(profile: &'a EnrollmentProfile, request: &'a EnrollmentRequest<'_>, run: &Run<'a>) -> Asked<'a> {
    Asked {
        profile: profile.name(),
        transaction_id: request.transaction_id,
        transaction: run.transaction,
        csr: run.csr,
        challenge: run.csr.challenge_password().filter(|challenge| !challenge.expose().is_empty()),
        now: run.now,
    }
}

/// What the certificate is to be good for; `None` for all that the profile gives.
fn requested_usages(
    profile: &EnrollmentProfile,
    csr: &CertificationRequest,
) -> Result<Option<Usages>, Refusal> {
    if profile.usages() == Wish::PassedOver {
        return Ok(None);
    }
    let extended = csr.extended_key_usages().map_err(Refusal::malformed)?;
    Ok(Some(Usages { key_usage: csr.key_usage().map_err(Refusal::malformed)?, extended }))
}
