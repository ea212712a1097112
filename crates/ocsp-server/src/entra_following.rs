//! What goes on in the background behind a directory of Entra.

use std::{path::Path, sync::Arc, time::Duration};

use directory::GuardedDirectory;
use directory_entra::{EntraDirectory, Follower, FollowerParts, NotificationParts, Notifications};

use crate::{
    ServerError,
    directories::secret,
    settings::{DirectoryServiceSettings, EntraSettings},
};

/// More is refused by Graph.
const MAX_CLIENT_STATE: usize = 128;

/// What goes on in the background behind a directory of Entra.
#[derive(Debug)]
pub struct EntraFollowing {
    follower: Arc<Follower>,
    /// With the path that they come to.
    notifications: Option<(String, Arc<Notifications>)>,
}

impl EntraFollowing {
    pub(crate) fn new(
        directory: EntraDirectory,
        guard: GuardedDirectory,
        settings: &DirectoryServiceSettings,
        data: &Path,
    ) -> Result<Self, ServerError> {
        let entra = &settings.entra;
        let every = Duration::from_secs(entra.follow_seconds);
        let follower = Arc::new(Follower::new(FollowerParts {
            directory,
            guard,
            changes_every: Some(every).filter(|every| !every.is_zero()),
            risks_every: Duration::from_secs(entra.risk_seconds),
        }));
        let notifications = notifications(&follower, entra, data)?;
        Ok(Self { follower, notifications })
    }

    /// Follows for ever. Runs within tokio.
    pub(crate) async fn run(&self) {
        tokio::join!(self.follower.run(), async {
            if let Some((_, notifications)) = &self.notifications {
                notifications.keep_subscribed().await;
            }
        });
    }

    pub(crate) fn notifications(&self) -> Option<(String, Arc<Notifications>)> {
        self.notifications.clone()
    }
}

fn notifications(
    follower: &Arc<Follower>,
    entra: &EntraSettings,
    data: &Path,
) -> Result<Option<(String, Arc<Notifications>)>, ServerError> {
    if entra.notification_url.is_empty() {
        return Ok(None);
    }
    if entra.follow_seconds == 0 {
        return Err(ServerError::new(
            "entra.notification_url needs entra.follow_seconds: what it is to hasten",
        ));
    }
    let url = reqwest::Url::parse(&entra.notification_url)
        .map_err(|error| ServerError::new(format_args!("entra.notification_url: {error}")))?;
    let client_state = secret(&data.join(&entra.notification_secret))?;
    if client_state.expose().len() > MAX_CLIENT_STATE {
        let problem =
            format_args!("entra.notification_secret: expected {MAX_CLIENT_STATE} characters at most");
        return Err(ServerError::new(problem));
    }
    let parts = NotificationParts {
        follower: Arc::clone(follower),
        url: entra.notification_url.clone(),
        client_state,
    };
    Ok(Some((url.path().to_owned(), Arc::new(Notifications::new(parts)))))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use directory::GuardSettings;
    use pki_core::{Clock, SystemClock};

    use super::*;
    use crate::entra::{NAME, open};

    #[test]
    fn mistakes_are_told() {
        let folder = testkit::tempdir().unwrap();
        for (name, text) in [("secret.txt", "s3cret".to_owned()), ("long.txt", "x".repeat(129))] {
            let path = folder.path().join(name);
            fs::write(&path, text).unwrap();
            fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
        }
        let app = "kind = \"entra\"\nclient_id = \"app\"\nsecret = \"secret.txt\"\nentra.tenant = \"t\"";
        let url = "entra.notification_url = \"https://x/n\"\nentra.notification_secret = \"long.txt\"";
        for (more, expected) in [("", "needs entra.follow_seconds"), ("entra.follow_seconds = 5", "at most")]
        {
            let settings = toml::from_str(&format!("{app}\n{url}\n{more}")).unwrap();
            let clock: Arc<dyn Clock> = Arc::new(SystemClock);
            let directory = open(&settings, folder.path(), &clock).unwrap();
            let guard = GuardSettings::default();
            let guard = GuardedDirectory::new(NAME, Arc::new(directory.clone()), clock, guard);
            let error = EntraFollowing::new(directory, guard, &settings, folder.path()).unwrap_err();
            assert!(error.to_string().contains(expected), "{error}");
        }
    }
}
