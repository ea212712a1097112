//! From the settings of profiles to profiles.

use std::{path::Path, sync::Arc, time::Duration};

use enrollment::{
    ApprovalPolicy, ChallengeAuthority, ChallengeKey, EnrollmentProfile, RenewalPolicy, StaticChallenge,
};
use issuance::{Profile, ProfileSettings as IssuanceSettings};
use keys_software::read_private_file;
use ocsp_server::ServerError;
use pki_core::ChallengePassword;
use scep_proto::{AlgorithmPolicy, Legacy};

use crate::settings::{ApprovalKind, ChallengeKind, LegacyAlgorithm, ProfileSettings, RenewalKind};

/// Where certificates say that their status and their issuer are to be found.
#[derive(Debug)]
pub(crate) struct Urls {
    pub(crate) ocsp: String,
    pub(crate) ca: String,
    /// The full CRL, if there is one.
    pub(crate) crl: Option<String>,
    /// The delta CRL, if there is one.
    pub(crate) delta_crl: Option<String>,
}

/// The profile that `settings` describe. Relative paths are below `data`.
pub(crate) fn enrollment_profile(
    settings: &ProfileSettings,
    urls: &Urls,
    data: &Path,
    challenge_key: &ChallengeKey,
) -> Result<EnrollmentProfile, ServerError> {
    let wrong = |problem: &dyn std::fmt::Display| {
        ServerError::new(format_args!("the profile {:?}: {problem}", settings.name))
    };
    let fixed_subject = match &*settings.subject_suffix {
        "" => None,
        suffix => Some(suffix.parse().map_err(|error| wrong(&format_args!("subject_suffix: {error}")))?),
    };
    if settings.crl && urls.crl.is_none() {
        return Err(wrong(&"crl = true needs a CRL: set crl.enabled = true"));
    }
    let issuance = Profile::new(IssuanceSettings {
        validity: Duration::from_secs(u64::from(settings.validity_days).saturating_mul(86_400)),
        fixed_subject,
        ca_issuers: Some(urls.ca.clone()),
        ocsp: Some(urls.ocsp.clone()),
        crl: urls.crl.clone().filter(|_| settings.crl),
        freshest_crl: urls.delta_crl.clone().filter(|_| settings.crl),
        ..IssuanceSettings::new(&settings.name)
    });
    let issuance = Arc::new(issuance.map_err(|error| wrong(&error))?);
    let approval = approval(settings);
    let authority = match settings.challenge {
        ChallengeKind::None => ChallengeAuthority::Approval(approval.ok_or_else(|| {
            wrong(&"challenge = \"none\" needs approval = \"manual\", or anybody could enroll")
        })?),
        ChallengeKind::OneTime => ChallengeAuthority::OneTime,
        ChallengeKind::Static => {
            let file = settings.challenge_file.as_ref().ok_or_else(|| {
                wrong(&"challenge = \"static\" needs challenge_file, a file with the challenge in it")
            })?;
            let challenge = StaticChallenge::new(challenge_key, &read_challenge(&data.join(file))?);
            ChallengeAuthority::Static(challenge.map_err(|error| wrong(&error))?)
        }
    };
    let profile = EnrollmentProfile::new(issuance, authority);
    let profile = match approval {
        Some(policy) => profile.with_approval(policy),
        None => profile,
    };
    let profile = match settings.renewal {
        RenewalKind::Off => profile,
        // sscep, certmonger and jscep renew with a PKCSReq.
        RenewalKind::Certificate => profile.with_renewal(RenewalPolicy::default().accepting_pkcs_req()),
    };
    Ok(if settings.allow.contains(&LegacyAlgorithm::Sha1) { profile.accepting_sha1() } else { profile })
}

fn approval(settings: &ProfileSettings) -> Option<ApprovalPolicy> {
    let lifetime = Duration::from_secs(u64::from(settings.approval_days).saturating_mul(86_400));
    let policy = ApprovalPolicy::default().with_lifetime(lifetime);
    match settings.approval {
        ApprovalKind::Automatic => None,
        ApprovalKind::Manual => Some(policy),
        ApprovalKind::ManualWithRenewals => Some(policy.including_renewals()),
    }
}

/// The algorithms that messages of the profile may use.
pub(crate) fn algorithm_policy(settings: &ProfileSettings) -> AlgorithmPolicy {
    settings.allow.iter().fold(AlgorithmPolicy::default(), |policy, allowed| match allowed {
        LegacyAlgorithm::Sha1 => policy.with_legacy(Legacy::Sha1),
        LegacyAlgorithm::TripleDes => policy.with_legacy(Legacy::TripleDes),
    })
}

fn read_challenge(path: &Path) -> Result<ChallengePassword, ServerError> {
    let contents = read_private_file(path)?;
    let text = std::str::from_utf8(&contents).map_err(|error| ServerError::of_file(path, error))?;
    Ok(ChallengePassword::new(text.trim_end_matches(['\r', '\n']).to_owned()))
}
