//! What a profile takes as authority.

use std::{fmt, sync::Arc, time::Duration};

use issuance::{ChallengeId, Profile};
use pki_core::ChallengePassword;
use subtle::ConstantTimeEq as _;

use crate::{ApprovalPolicy, ChallengeKey, ChallengeValidator, Identification, NameRules};

/// How certificates of a profile are made, and who may have one. There is none without a [`ChallengeAuthority`].
///
/// ```
/// use std::sync::Arc;
/// use enrollment::{ChallengeAuthority, EnrollmentProfile, RenewalPolicy};
/// use issuance::{Profile, ProfileSettings};
///
/// let devices = Arc::new(Profile::new(ProfileSettings::new("devices"))?);
/// let profile = EnrollmentProfile::new(devices, ChallengeAuthority::OneTime)
///     .with_renewal(RenewalPolicy::default().accepting_pkcs_req());
/// # Ok::<(), issuance::InvalidProfile>(())
/// ```
#[derive(Debug, Clone)]
pub struct EnrollmentProfile {
    issuance: Arc<Profile>,
    authority: ChallengeAuthority,
    renewal: Option<RenewalPolicy>,
    approval: Option<ApprovalPolicy>,
    names: Arc<NameRules>,
    identification: Identification,
    usages: Wish,
    validity: Wish,
    sha1: Sha1,
}

/// What becomes of what a request asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wish {
    PassedOver,
    /// As far as it is less than the profile gives.
    Granted,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sha1 {
    Refused,
    Accepted,
}

/// What authorizes a first enrollment.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum ChallengeAuthority {
    /// A challenge that was made for one object by [`OneTimeChallenges`](crate::OneTimeChallenges).
    OneTime,
    /// One challenge for everybody; the object is looked up in the directory by the names in the request. Whoever knows
    /// the challenge can have a certificate for any enabled object: for networks that are closed, and clients that
    /// cannot do better.
    Static(StaticChallenge),
    /// No challenge: a person approves each request. The object is looked up by the names in the request.
    Approval(ApprovalPolicy),
    /// Whatever the validator says: for challenges that prove themselves, or that somebody elsewhere has given out.
    Validator(Arc<dyn ChallengeValidator>),
}

impl EnrollmentProfile {
    /// Certificates of `issuance` for those that `authority` allows; no renewal, no SHA-1.
    pub fn new(issuance: Arc<Profile>, authority: ChallengeAuthority) -> Self {
        let approval = match &authority {
            ChallengeAuthority::Approval(policy) => Some(*policy),
            _ => None,
        };
        Self {
            issuance,
            authority,
            renewal: None,
            approval,
            names: Arc::default(),
            identification: Identification::default(),
            usages: Wish::PassedOver,
            validity: Wish::PassedOver,
            sha1: Sha1::Refused,
        }
    }

    /// A valid certificate of the profile authorizes its successor.
    #[must_use]
    pub fn with_renewal(self, renewal: RenewalPolicy) -> Self {
        Self { renewal: Some(renewal), ..self }
    }

    /// A person approves each request, challenge or not.
    #[must_use]
    pub fn with_approval(self, approval: ApprovalPolicy) -> Self {
        Self { approval: Some(approval), ..self }
    }

    /// Certificates carry names by these rules.
    #[must_use]
    pub fn with_names(self, names: NameRules) -> Self {
        Self { names: Arc::new(names), ..self }
    }

    /// Where no challenge names an object, it is found so.
    #[must_use]
    pub fn identified_by(self, identification: Identification) -> Self {
        Self { identification, ..self }
    }

    /// A request that asks for some of the profile's key usages and extended key usages gets those alone. Otherwise every
    /// certificate has all of them.
    #[must_use]
    pub fn granting_fewer_usages(self) -> Self {
        Self { usages: Wish::Granted, ..self }
    }

    /// A request that asks for a shorter validity gets it
    /// ([`CertificationRequest::requested_validity`](pki_core::CertificationRequest::requested_validity)).
    #[must_use]
    pub fn granting_shorter_validity(self) -> Self {
        Self { validity: Wish::Granted, ..self }
    }

    /// Takes requests that are signed with SHA-1, as some old devices do.
    #[must_use]
    pub fn accepting_sha1(self) -> Self {
        Self { sha1: Sha1::Accepted, ..self }
    }

    /// Its name.
    pub fn name(&self) -> &str {
        self.issuance.name()
    }

    /// How its certificates are made.
    pub fn issuance(&self) -> &Arc<Profile> {
        &self.issuance
    }

    /// What authorizes a first enrollment.
    pub fn authority(&self) -> &ChallengeAuthority {
        &self.authority
    }

    pub(crate) fn validator(&self) -> Option<&dyn ChallengeValidator> {
        match &self.authority {
            ChallengeAuthority::Validator(validator) => Some(&**validator),
            _ => None,
        }
    }

    /// What authorizes a renewal; `None` when nothing does.
    pub fn renewal(&self) -> Option<&RenewalPolicy> {
        self.renewal.as_ref()
    }

    /// Which requests a person approves; `None` when none.
    pub fn approval(&self) -> Option<&ApprovalPolicy> {
        self.approval.as_ref()
    }

    /// The rules of names.
    pub fn names(&self) -> &NameRules {
        &self.names
    }

    pub(crate) fn identification(&self) -> Identification {
        self.identification
    }

    pub(crate) fn usages(&self) -> Wish {
        self.usages
    }

    pub(crate) fn validity(&self) -> Wish {
        self.validity
    }

    pub(crate) fn sha1(&self) -> Sha1 {
        self.sha1
    }
}

/// When a certificate may be renewed on its own authority. By default: by a RenewalReq, at any time of its validity.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct RenewalPolicy {
    pkcs_req: PkcsReqForm,
    opens: Option<Duration>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum PkcsReqForm {
    #[default]
    Refused,
    Accepted,
}

impl RenewalPolicy {
    /// A PKCSReq that a certificate of this CA signed is a renewal as well; a challenge in it is not looked at. sscep,
    /// certmonger and jscep renew like that.
    #[must_use]
    pub fn accepting_pkcs_req(self) -> Self {
        Self { pkcs_req: PkcsReqForm::Accepted, ..self }
    }

    /// No renewal until the certificate has no more than `rest` to go.
    #[must_use]
    pub fn opening_before_expiry(self, rest: Duration) -> Self {
        Self { opens: Some(rest), ..self }
    }

    pub(crate) fn accepts_pkcs_req(self) -> bool {
        self.pkcs_req == PkcsReqForm::Accepted
    }

    pub(crate) fn opens(self) -> Option<Duration> {
        self.opens
    }
}

/// One challenge for everybody; kept as its keyed hash.
#[derive(Clone)]
pub struct StaticChallenge {
    key: ChallengeKey,
    id: ChallengeId,
}

impl StaticChallenge {
    const FEWEST_CHARACTERS: usize = 16;

    /// Fails for challenges of fewer than 16 characters, which could be guessed.
    pub fn new(key: &ChallengeKey, challenge: &ChallengePassword) -> Result<Self, WeakChallenge> {
        let characters = challenge.expose().chars().count();
        if characters < Self::FEWEST_CHARACTERS {
            return Err(WeakChallenge { characters });
        }
        Ok(Self { key: key.clone(), id: key.static_id(challenge) })
    }

    /// Whether `offered` is the challenge, in time that does not depend on how much of it is right.
    pub(crate) fn matches(&self, offered: &ChallengePassword) -> bool {
        self.id.as_bytes().ct_eq(self.key.static_id(offered).as_bytes()).into()
    }
}

impl fmt::Debug for StaticChallenge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("StaticChallenge(..)")
    }
}

/// A static challenge that could be guessed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected a static challenge of at least 16 characters: it has {characters}; make a random one")]
pub struct WeakChallenge {
    characters: usize,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn row_11_a_static_challenge_is_kept_as_a_hash_and_compared_whole() {
        let secret = |text: &str| ChallengePassword::new(text.into());
        let key = ChallengeKey::new([7; 32]);
        let challenge = StaticChallenge::new(&key, &secret("correct horse battery")).unwrap();
        assert!(challenge.matches(&secret("correct horse battery")));
        for wrong in ["", "correct horse", "correct horse batterz", "Correct horse battery"] {
            assert!(!challenge.matches(&secret(wrong)), "{wrong}");
        }
        assert_eq!(format!("{challenge:?} {key:?}"), "StaticChallenge(..) ChallengeKey(..)");
    }

    #[test]
    fn a_static_challenge_that_could_be_guessed_is_refused() {
        let short = ChallengePassword::new("fifteen letters".into());
        let refused = StaticChallenge::new(&ChallengeKey::new([7; 32]), &short).unwrap_err();
        assert!(refused.to_string().contains("it has 15"));
    }
}
