//! `scep-server challenge`: one-time and sealed challenges.

use std::sync::Arc;

use enrollment::{ChallengeKey, OneTimeChallenges, SealedTerms};
use keys_software::{AwsLc, load_secret};
use ocsp_server::{Directories, ServerError};
use pki_core::{ChallengePassword, Clock, SystemClock};
use serial_binding::BoundObject;

use super::say;
use crate::{
    arguments::ChallengeCommand,
    authorities::{self, sealed_challenges},
    data_folder::{CHALLENGE_KEY, Records},
    settings::{ChallengeKind, ProfileSettings, Settings},
};

/// Carries the command out: a one-time challenge goes to the ledger, where a server that runs on the same folder finds
/// it at once; a sealed one goes nowhere.
pub(super) async fn run(command: ChallengeCommand, settings: &Settings) -> Result<(), ServerError> {
    let ChallengeCommand::Create { object, profile, sealed, names, key, lifetime } = command;
    let kind = if sealed { ChallengeKind::Sealed } else { ChallengeKind::OneTime };
    let profile = chosen(&settings.profile, kind, profile.as_deref())?;
    let lifetime = lifetime.unwrap_or_else(|| authorities::lifetime(profile));
    let object = match object {
        Some(object) => Some(find(settings, &object).await?),
        None => None,
    };
    let challenge = match object {
        _ if sealed => {
            let expires = SystemClock.now().saturating_add(lifetime);
            seal(settings, profile, &SealedTerms { expires, object, key, names })?
        }
        Some(object) => {
            let challenges = challenges(settings)?;
            challenges.create(object, &profile.name, lifetime).await.map_err(ServerError::new)?
        }
        None => {
            return Err(ServerError::new("a one-time challenge is for one object: name it with --object"));
        }
    };
    say(format_args!("{}", challenge.expose()))
}

fn seal(
    settings: &Settings,
    profile: &ProfileSettings,
    terms: &SealedTerms,
) -> Result<ChallengePassword, ServerError> {
    sealed_challenges(settings)?.seal(terms, &profile.name).map_err(ServerError::new)
}

fn chosen<'a>(
    profiles: &'a [ProfileSettings],
    kind: ChallengeKind,
    name: Option<&str>,
) -> Result<&'a ProfileSettings, ServerError> {
    let mut fit = profiles.iter().filter(|profile| profile.challenge == kind);
    let found = match name {
        Some(name) => fit.find(|profile| profile.name == name),
        None => fit.next(),
    };
    let what = if kind == ChallengeKind::Sealed { "sealed" } else { "one-time" };
    found.ok_or_else(|| match name {
        Some(name) => ServerError::new(format_args!("there is no profile {name:?} with {what} challenges")),
        None => ServerError::new(format_args!("no profile has {what} challenges")),
    })
}

async fn find(settings: &Settings, object: &str) -> Result<BoundObject, ServerError> {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let directories = Directories::open(&settings.directory, &settings.data, &clock)?;
    let found = directories.together.identify(object).await.map_err(ServerError::new)?;
    found.ok_or_else(|| {
        let problem =
            format_args!("there is no object {object:?} in the directory; expected its name or its id");
        ServerError::of_file(&settings.data.join(&settings.directory.file), problem)
    })
}

fn challenges(settings: &Settings) -> Result<OneTimeChallenges, ServerError> {
    let records = Records::open(settings)?;
    Ok(OneTimeChallenges {
        store: Arc::new(records.ledger),
        key: ChallengeKey::new(*load_secret(&settings.data.join(CHALLENGE_KEY))?),
        clock: Arc::new(SystemClock),
        random: Arc::new(AwsLc),
    })
}
