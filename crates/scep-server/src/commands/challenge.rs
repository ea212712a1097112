//! `scep-server challenge`: one-time challenges.

use std::{sync::Arc, time::Duration};

use enrollment::{ChallengeKey, OneTimeChallenges};
use keys_software::{AwsLc, load_secret};
use ocsp_server::{Directories, ServerError};
use pki_core::{Clock, SystemClock};
use serial_binding::BoundObject;

use super::say;
use crate::{
    arguments::ChallengeCommand,
    data_folder::{CHALLENGE_KEY, Records},
    settings::{ChallengeKind, ProfileSettings, Settings},
};

/// Carries the command out on the ledger; a server that runs on the same folder takes the challenge at once.
pub(super) async fn run(command: ChallengeCommand, settings: &Settings) -> Result<(), ServerError> {
    let ChallengeCommand::Create { object, profile, lifetime } = command;
    let profile = chosen(&settings.profile, profile.as_deref())?;
    let lifetime = lifetime.unwrap_or(Duration::from_secs(profile.challenge_minutes.saturating_mul(60)));
    let found = find(settings, &object).await?;
    let challenges = challenges(settings)?;
    let challenge = challenges.create(found, &profile.name, lifetime).await.map_err(ServerError::new)?;
    say(format_args!("{}", challenge.expose()))
}

fn chosen<'a>(
    profiles: &'a [ProfileSettings],
    name: Option<&str>,
) -> Result<&'a ProfileSettings, ServerError> {
    let mut one_time = profiles.iter().filter(|profile| profile.challenge == ChallengeKind::OneTime);
    let found = match name {
        Some(name) => one_time.find(|profile| profile.name == name),
        None => one_time.next(),
    };
    found.ok_or_else(|| match name {
        Some(name) => ServerError::new(format_args!("there is no profile {name:?} with one-time challenges")),
        None => ServerError::new("no profile has one-time challenges"),
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
