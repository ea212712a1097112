//! What profiles take as authority: from settings, secrets and services to who decides on first enrollments.

use std::{collections::BTreeMap, path::Path, sync::Arc, time::Duration};

use challenge_webhook::{
    Webhook, WebhookChallenge, WebhookChallengeParts, WebhookSecret, WebhookSettings as HookSettings,
};
use enrollment::{
    ChallengeAuthority, ChallengeKey, ChallengeValidator, SealedChallenges, SealingKey, StaticChallenge,
};
use keys_software::{AwsLc, load_secret, read_private_file};
use ocsp_server::ServerError;
use pki_core::ChallengePassword;
use serial_binding::KeyId;

use crate::{
    data_folder::secret,
    ndes_passwords::NdesPasswords,
    profiles::approval,
    settings::{ChallengeKind, ProfileSettings, Settings, WebhookSettings},
};

/// The authority of each profile, by its name. Made once, whatever the number of CAs and generations.
#[derive(Debug, Clone)]
pub(crate) struct Authorities {
    by_profile: BTreeMap<String, ChallengeAuthority>,
    sealed: Option<Arc<SealedChallenges>>,
    ndes: BTreeMap<String, Arc<NdesPasswords>>,
}

impl Authorities {
    /// Makes them; a key that seals challenges is made in the data folder where a profile needs one and there is none.
    /// `outside` makes those that ask a service.
    pub(crate) fn open(
        settings: &Settings,
        challenge_key: &ChallengeKey,
        outside: impl Fn(&ProfileSettings) -> Result<Arc<dyn ChallengeValidator>, String>,
    ) -> Result<Self, ServerError> {
        let is_sealed = |profile: &ProfileSettings| profile.challenge == ChallengeKind::Sealed;
        let mut made = Self { by_profile: BTreeMap::new(), sealed: None, ndes: BTreeMap::new() };
        if settings.profile.iter().any(is_sealed) {
            secret(&settings.data.join(sealing_key_name(sealing_key_id(settings)?)))?;
            made.sealed = Some(Arc::new(sealed_challenges(settings)?));
        }
        for profile in &settings.profile {
            if profile.challenge == ChallengeKind::Ndes {
                let (lifetime, most) = (lifetime(profile), profile.ndes.outstanding);
                let passwords = NdesPasswords::new(challenge_key.clone(), lifetime, most);
                made.ndes.insert(profile.name.clone(), Arc::new(passwords));
            }
            let authority = match profile.challenge {
                ChallengeKind::Intune => {
                    ChallengeAuthority::Validator(outside(profile).map_err(|problem| {
                        ServerError::new(format_args!("the profile {:?}: {problem}", profile.name))
                    })?)
                }
                _ => made.authority(profile, &settings.data, challenge_key)?,
            };
            made.by_profile.insert(profile.name.clone(), authority);
        }
        Ok(made)
    }

    /// The one of a profile.
    pub(crate) fn of(&self, profile: &ProfileSettings) -> Result<ChallengeAuthority, ServerError> {
        let authority = self.by_profile.get(&profile.name).cloned();
        authority
            .ok_or_else(|| ServerError::new(format_args!("the profile {:?} has no authority", profile.name)))
    }

    /// The challenges of NDES of a profile.
    pub(crate) fn ndes(&self, profile: &ProfileSettings) -> Option<&Arc<NdesPasswords>> {
        self.ndes.get(&profile.name)
    }

    /// What seals challenges, where a profile takes such.
    pub(crate) fn sealed(&self) -> Option<&Arc<SealedChallenges>> {
        self.sealed.as_ref()
    }

    fn authority(
        &self,
        profile: &ProfileSettings,
        data: &Path,
        challenge_key: &ChallengeKey,
    ) -> Result<ChallengeAuthority, ServerError> {
        let wrong =
            |problem: &str| ServerError::new(format_args!("the profile {:?}: {problem}", profile.name));
        if !profile.jamf.hook.is_empty() && profile.challenge != ChallengeKind::Sealed {
            return Err(wrong("jamf.hook needs challenge = \"sealed\", for that is what it hands out"));
        }
        Ok(match profile.challenge {
            ChallengeKind::OneTime => ChallengeAuthority::OneTime,
            ChallengeKind::Static => {
                let missing = "challenge = \"static\" needs challenge_file, a file with the challenge in it";
                let file = profile.challenge_file.as_ref().ok_or_else(|| wrong(missing))?;
                let challenge = StaticChallenge::new(challenge_key, &read_challenge(&data.join(file))?);
                ChallengeAuthority::Static(challenge.map_err(|error| wrong(&error.to_string()))?)
            }
            ChallengeKind::None => ChallengeAuthority::Approval(approval(profile).ok_or_else(|| {
                wrong("challenge = \"none\" needs approval = \"manual\", or anybody could enroll")
            })?),
            ChallengeKind::Intune => return Err(wrong("nobody outside can be asked")),
            ChallengeKind::Ndes => {
                let passwords = self.ndes(profile).ok_or_else(|| wrong("there is no page for it"))?;
                ChallengeAuthority::Validator(Arc::clone(passwords) as _)
            }
            ChallengeKind::Webhook => ChallengeAuthority::Validator(webhook(profile, data)?),
            ChallengeKind::Sealed => {
                let sealed = self.sealed.clone().ok_or_else(|| wrong("there is no key that seals"))?;
                ChallengeAuthority::Validator(sealed)
            }
        })
    }
}

fn webhook(profile: &ProfileSettings, data: &Path) -> Result<Arc<dyn ChallengeValidator>, ServerError> {
    let WebhookSettings { url, id, secret_file, trusted_cas } = &profile.webhook;
    let wrong = |problem: &dyn std::fmt::Display| {
        ServerError::new(format_args!("the profile {:?}: webhook: {problem}", profile.name))
    };
    let path = data.join(secret_file);
    let secret = read_private_file(&path)?;
    let secret = str::from_utf8(&secret).map_err(|error| ServerError::of_file(&path, error))?;
    let trusted_cas = if trusted_cas.as_os_str().is_empty() {
        Vec::new()
    } else {
        let path = data.join(trusted_cas);
        std::fs::read(&path).map_err(|error| ServerError::of_file(&path, error))?
    };
    let settings = HookSettings {
        url: url.clone(),
        id: id.clone(),
        secret: WebhookSecret::from_base64(secret).map_err(|error| wrong(&error))?,
        trusted_cas,
    };
    let webhook = Webhook::new(settings).map_err(|error| wrong(&error))?;
    Ok(Arc::new(WebhookChallenge::new(WebhookChallengeParts { webhook, told: None })))
}

/// How long the challenges of a profile live.
pub(crate) fn lifetime(profile: &ProfileSettings) -> Duration {
    Duration::from_secs(profile.challenge_minutes.saturating_mul(60))
}

/// What makes and checks sealed challenges with the keys in the data folder, of which there must be one at least.
pub(crate) fn sealed_challenges(settings: &Settings) -> Result<SealedChallenges, ServerError> {
    let (folder, chosen) = (&settings.data, sealing_key_id(settings)?);
    let mut challenges =
        SealedChallenges::new(sealing_key(folder, chosen)?, Arc::new(AwsLc), Arc::new(AwsLc));
    for id in (0..16).filter_map(KeyId::new).filter(|id| *id != chosen) {
        if folder.join(sealing_key_name(id)).exists() {
            challenges = challenges.with_earlier_key(sealing_key(folder, id)?);
        }
    }
    Ok(challenges)
}

fn sealing_key(folder: &Path, id: KeyId) -> Result<SealingKey, ServerError> {
    Ok(SealingKey::new(id, *load_secret(&folder.join(sealing_key_name(id)))?))
}

/// The name of the file of a key that seals challenges.
fn sealing_key_name(id: KeyId) -> String {
    format!("sealing-{id}.key")
}

fn sealing_key_id(settings: &Settings) -> Result<KeyId, ServerError> {
    let id = KeyId::new(settings.sealing.key);
    id.ok_or_else(|| ServerError::new("sealing.key: expected a number from 0 to 15"))
}

fn read_challenge(path: &Path) -> Result<ChallengePassword, ServerError> {
    let contents = read_private_file(path)?;
    let text = std::str::from_utf8(&contents).map_err(|error| ServerError::of_file(path, error))?;
    Ok(ChallengePassword::new(text.trim_end_matches(['\r', '\n']).to_owned()))
}
