//! From a request that is sound to a certificate, or to the reason why not.

use directory::{ObjectNames, ObjectState};
use issuance::{CertificateRequest, ChallengeId, Earlier, InterruptedIssuance, Provenance, TransactionKey};
use pki_core::{
    Certificate, CertificationRequest, ChallengePassword, DigestAlgorithm, SerialNumber, UnixTime,
};
use serial_binding::{BoundObject, Resolution};

use crate::{
    ChallengeAuthority, Enroller, EnrollmentProfile, EnrollmentRequest, Refusal, RenewalPolicy,
    StaticChallenge,
    names::{GrantedNames, RequestedNames},
    renewal::Renewable,
    vouching::vouch,
};

/// On the strength of what, and for which object.
struct Grant<'a> {
    object: BoundObject,
    /// What is spent, and burnt if names were asked for that are not the object's.
    spends: Option<ChallengeId>,
    renews: Option<Renewable<'a>>,
}

/// A transaction, and the request made in it.
struct Run<'a> {
    transaction: TransactionKey,
    csr: &'a CertificationRequest,
    digest: [u8; 32],
    now: UnixTime,
}

impl Run<'_> {
    fn provenance(&self, spends: Option<ChallengeId>, renews: Option<SerialNumber>) -> Provenance {
        Provenance { transaction: self.transaction, request: self.digest, spends, renews }
    }
}

impl Enroller {
    /// A first enrollment, on the strength of a challenge.
    pub(crate) async fn enroll_anew(
        &self,
        profile: &EnrollmentProfile,
        request: &EnrollmentRequest<'_>,
    ) -> Result<Certificate, Refusal> {
        if request.signer.public_key() != request.csr.public_key() {
            return Err(Refusal::SignerMismatch);
        }
        let key = request.csr.public_key().fingerprint();
        let transaction = TransactionKey::new(profile.name(), request.transaction_id, &key);
        let run = self.run(transaction, &request.csr)?;
        if let Some(certificate) = self.recalled(&run).await? {
            return Ok(certificate);
        }
        let names = RequestedNames::of(&request.csr)?;
        let challenge = request.csr.challenge_password().filter(|challenge| !challenge.expose().is_empty());
        let challenge = challenge.ok_or(Refusal::ChallengeMissing)?;
        let grant = match profile.authority() {
            ChallengeAuthority::OneTime => self.by_one_time(profile, challenge, run.now).await,
            ChallengeAuthority::Static(expected) => self.by_static(expected, challenge, &names).await,
        };
        match grant {
            Ok(grant) => self.issue(profile, run, grant, names).await,
            // The same request, sent twice, may have spent it since the transaction was looked up.
            Err(Refusal::ChallengeUnknown) => self.recalled(&run).await?.ok_or(Refusal::ChallengeUnknown),
            Err(refusal) => Err(refusal),
        }
    }

    /// A renewal, on the strength of the signer's certificate.
    pub(crate) async fn renew(
        &self,
        profile: &EnrollmentProfile,
        policy: RenewalPolicy,
        request: &EnrollmentRequest<'_>,
    ) -> Result<Certificate, Refusal> {
        let now = self.parts().clock.now();
        let renewable = Renewable::check(self, profile, policy, &request.signer, now).await?;
        let key = request.csr.public_key().fingerprint();
        let id = request.transaction_id;
        let transaction = TransactionKey::of_renewal(profile.name(), id, &key, renewable.serial);
        let run = self.run(transaction, &request.csr)?;
        if let Some(certificate) = self.recalled(&run).await? {
            return Ok(certificate);
        }
        let names = RequestedNames::of(&request.csr)?;
        let grant = Grant { object: renewable.object, spends: None, renews: Some(renewable) };
        self.issue(profile, run, grant, names).await
    }

    fn run<'a>(
        &self,
        transaction: TransactionKey,
        csr: &'a CertificationRequest,
    ) -> Result<Run<'a>, Refusal> {
        let digest = DigestAlgorithm::Sha256.digest(csr.tbs()).and_then(|digest| digest.try_into().ok());
        let digest = digest.ok_or_else(|| Refusal::Internal("no SHA-256".into()))?;
        Ok(Run { transaction, csr, digest, now: self.parts().clock.now() })
    }

    /// What the same request got before in this transaction; finishes what was begun and not finished.
    async fn recalled(&self, run: &Run<'_>) -> Result<Option<Certificate>, Refusal> {
        let since = run.now.saturating_sub(self.window());
        let Some(earlier) = self.parts().store.recall(run.transaction, since).await? else { return Ok(None) };
        if earlier.request != run.digest {
            return Err(Refusal::TransactionReused);
        }
        let (certificate, tbs) = match earlier.outcome {
            Earlier::Issued(certificate) => return Ok(Some(certificate)),
            Earlier::Prepared { certificate, tbs } => (certificate, tbs),
        };
        let authority = &self.parts().authority;
        let Resolution::Object(object) = authority.binding().resolve(&certificate.serial) else {
            return Err(Refusal::Internal(
                "an interrupted issuance has a serial number bound to nothing".into(),
            ));
        };
        self.check_enabled(object).await?;
        let provenance = run.provenance(None, None);
        let interrupted = vouch(InterruptedIssuance { certificate, tbs }, provenance);
        Ok(Some(authority.resume(interrupted).await?))
    }

    async fn by_one_time(
        &self,
        profile: &EnrollmentProfile,
        challenge: &ChallengePassword,
        now: UnixTime,
    ) -> Result<Grant<'static>, Refusal> {
        let id = self.parts().challenge_key.one_time_id(challenge);
        let live = self.parts().store.live_challenge(id, now).await?;
        let challenge = live.ok_or(Refusal::ChallengeUnknown)?;
        if challenge.profile != profile.name() {
            return Err(self.burnt(id, challenge.object, now, Refusal::ChallengeMisused).await);
        }
        Ok(Grant { object: challenge.object, spends: Some(id), renews: None })
    }

    async fn by_static(
        &self,
        expected: &StaticChallenge,
        challenge: &ChallengePassword,
        names: &RequestedNames,
    ) -> Result<Grant<'static>, Refusal> {
        if !expected.matches(challenge) {
            return Err(Refusal::ChallengeUnknown);
        }
        for name in names.texts() {
            if let Some(object) = self.parts().directory.identify(name).await? {
                return Ok(Grant { object, spends: None, renews: None });
            }
        }
        Err(Refusal::ObjectUnknown)
    }

    async fn issue(
        &self,
        profile: &EnrollmentProfile,
        run: Run<'_>,
        grant: Grant<'_>,
        names: RequestedNames,
    ) -> Result<Certificate, Refusal> {
        let object = grant.object;
        let GrantedNames { common_name, alternative_names } =
            match names.granted(&self.allowed_names(&grant).await?) {
                Ok(granted) => granted,
                Err(refusal) => {
                    return Err(match grant.spends {
                        Some(id) => self.burnt(id, object, run.now, refusal).await,
                        None => refusal,
                    });
                }
            };
        // Last, so that whoever disabled the object in the meantime is heard.
        self.check_enabled(object).await?;
        let request = CertificateRequest {
            subject: profile.issuance().subject(&common_name),
            subject_alt_names: alternative_names,
            public_key: run.csr.public_key().clone(),
            object: Some(object),
            profile: profile.issuance().clone(),
        };
        let provenance =
            run.provenance(grant.spends, grant.renews.as_ref().map(|renewable| renewable.serial));
        Ok(self.parts().authority.issue(vouch(request, provenance)).await?)
    }

    /// The object's names; for a renewal, those that the certificate has already.
    async fn allowed_names(&self, grant: &Grant<'_>) -> Result<ObjectNames, Refusal> {
        let names = self.parts().directory.names(grant.object).await?.ok_or(Refusal::ObjectUnknown)?;
        match &grant.renews {
            Some(renewable) => renewable.names_kept(names),
            None => Ok(names),
        }
    }

    async fn check_enabled(&self, object: BoundObject) -> Result<(), Refusal> {
        match self.parts().directory.state(object).await? {
            Some(ObjectState::Enabled) => Ok(()),
            None | Some(ObjectState::Gone { .. }) => Err(Refusal::ObjectUnknown),
            Some(_) => Err(Refusal::ObjectDisabled),
        }
    }

    /// Burns a challenge that was used for what it was not made for; the answer is `refusal`, unless that fails.
    async fn burnt(&self, id: ChallengeId, object: BoundObject, now: UnixTime, refusal: Refusal) -> Refusal {
        if let Err(error) = self.parts().store.burn_challenge(id, now, refusal.code()).await {
            return error.into();
        }
        tracing::warn!(
            target: "enrollment",
            code = "challenge-burnt",
            %object,
            challenge = ?id,
            why = refusal.code(),
            "a challenge was used for what it was not made for: its holder may be somebody else"
        );
        refusal
    }
}
