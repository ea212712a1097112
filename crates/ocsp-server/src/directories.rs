//! From settings to the directories that are asked.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use directory::{
    BreakerSettings, Directory, FileDirectory, FileDirectorySettings, GuardSettings, GuardedDirectory,
    SideBySide, Unchecked,
};
use directory_jamf::{JamfDirectory, Login, TOKEN_PATH, Unmanaged};
use directory_ldap::{LdapDirectory, LdapFollower};
use directory_scim::{Dialect, ScimDirectory};
use keys_software::read_private_file;
use pki_core::Clock;
use rest_client::{
    Cached, ClientCredentials, ClientProof, FixedBearer, RestClient, RestSettings, Secret, TokenSource,
};
use serial_binding::{ObjectKind, ObjectKinds};

use crate::{
    NotificationPages, ServerError,
    confirmations::{self, CONFIRMED_CHANGES},
    entra,
    entra_following::EntraFollowing,
    ldap_service,
    settings::{DirectoryKind, DirectoryServiceSettings, DirectorySettings, UnmanagedDevices},
};

/// The directories of a CA.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Directories {
    /// All of them as one.
    pub together: Arc<dyn Directory>,
    /// The one in a file, which has to be looked at again and again.
    pub file: Option<Arc<FileDirectory>>,
    /// Those that are asked over the network.
    pub services: Vec<ServiceDirectory>,
    /// Where an operator leaves word that what they take away is true.
    pub(crate) confirmed: PathBuf,
}

/// A directory that is asked over the network.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct ServiceDirectory {
    /// The guard before it.
    pub guarded: GuardedDirectory,
    /// How often its changes are listened to, where they are.
    pub(crate) changes: Option<(Arc<LdapDirectory>, Duration)>,
    /// What goes on in the background behind a directory of Entra.
    pub(crate) entra: Option<Arc<EntraFollowing>>,
}

impl Directories {
    /// Opens the file, and gets ready to ask the services. None of them is asked yet.
    pub fn open(
        settings: &DirectorySettings,
        data: &Path,
        clock: &Arc<dyn Clock>,
    ) -> Result<Self, ServerError> {
        let services = settings.service.iter().enumerate().map(|(at, service)| {
            let opened = open_service(service, data, clock);
            opened.map_err(|error| ServerError::new(format_args!("directory.service[{at}]: {error}")))
        });
        let services = services.collect::<Result<Vec<ServiceDirectory>, _>>()?;
        let name = |service: &ServiceDirectory| service.guarded.name().to_owned();
        if let Some(twice) = first_twice(services.iter().map(name)) {
            let problem =
                format_args!("directory.service: two are called {twice:?}: give each a name of its own");
            return Err(ServerError::new(problem));
        }
        let guarded = |service: &ServiceDirectory| Arc::new(service.guarded.clone()) as Arc<dyn Directory>;
        let mut directories: Vec<_> = services.iter().map(guarded).collect();
        if let Some(unchecked) = unchecked(settings)? {
            let asked = |kind: &ObjectKind| directories.iter().any(|asked| asked.kinds().contains(*kind));
            if let Some(kind) =
                ObjectKind::all().find(|kind| unchecked.kinds().contains(*kind) && asked(kind))
            {
                let problem =
                    format_args!("directory.unchecked: {kind}s are in a service that is asked about them");
                return Err(ServerError::new(problem));
            }
            directories.push(Arc::new(unchecked));
        }
        let held = |kind| directories.iter().any(|directory| directory.kinds().contains(kind));
        let left: ObjectKinds = ObjectKind::all().filter(|kind| !held(*kind)).collect();
        let file = (!settings.file.as_os_str().is_empty()).then(|| open_file(settings, data, clock, left));
        let file = file.transpose()?;
        if directories.is_empty() && file.is_none() {
            return Err(ServerError::new("directory: expected a file or a service: neither"));
        }
        directories.extend(file.iter().map(|file| Arc::clone(file) as Arc<dyn Directory>));
        let together = match <[_; 1]>::try_from(directories) {
            Ok([only]) => only,
            Err(several) => Arc::new(SideBySide::new(several).map_err(ServerError::new)?),
        };
        Ok(Self { together, file, services, confirmed: data.join(CONFIRMED_CHANGES) })
    }

    /// Where services tell of changes of their own accord.
    pub fn notifications(&self) -> NotificationPages {
        let following = self.services.iter().filter_map(|service| service.entra.as_ref());
        NotificationPages::new(following.filter_map(|following| following.notifications()).collect())
    }

    /// Listens to changes and to operators from now on, for as long as the runtime lives, but for the services in
    /// `known`, which it adds to.
    pub(crate) fn watch(&self, known: &mut Vec<GuardedDirectory>) {
        for ServiceDirectory { guarded, changes, entra } in &self.services {
            if known.iter().any(|known| known.is(guarded)) {
                continue;
            }
            known.push(guarded.clone());
            tokio::spawn(confirmations::follow(guarded.clone(), self.confirmed.clone()));
            if let Some(following) = entra.clone() {
                tokio::spawn(async move { following.run().await });
            }
            if let Some((directory, every)) = changes {
                tokio::spawn(LdapFollower::new(Arc::clone(directory), guarded.clone(), *every).follow());
            }
        }
    }
}

fn first_twice(names: impl Iterator<Item = String>) -> Option<String> {
    let mut known = BTreeSet::new();
    names.into_iter().find(|name| !known.insert(name.clone()))
}

/// Of the kinds that nobody is asked about, if there are any.
fn unchecked(settings: &DirectorySettings) -> Result<Option<Unchecked>, ServerError> {
    let kinds = settings.unchecked.iter().map(|kind| kind.parse());
    let kinds = kinds.collect::<Result<ObjectKinds, _>>();
    let kinds = kinds.map_err(|error| ServerError::new(format_args!("directory.unchecked: {error}")))?;
    Ok((!settings.unchecked.is_empty()).then(|| Unchecked::new(kinds)))
}

fn open_file(
    settings: &DirectorySettings,
    data: &Path,
    clock: &Arc<dyn Clock>,
    kinds: ObjectKinds,
) -> Result<Arc<FileDirectory>, ServerError> {
    let mut file = FileDirectorySettings::default();
    file.max_stale = Duration::from_secs(settings.max_stale_seconds);
    file.kinds = kinds;
    Ok(Arc::new(FileDirectory::open(data.join(&settings.file), Arc::clone(clock), file)?))
}

fn open_service(
    settings: &DirectoryServiceSettings,
    data: &Path,
    clock: &Arc<dyn Clock>,
) -> Result<ServiceDirectory, ServerError> {
    let canary = (!settings.canary.is_empty()).then(|| settings.canary.parse()).transpose();
    let canary = canary.map_err(|error| ServerError::new(format_args!("canary: {error}")))?;
    let name = if settings.name.is_empty() { settings.kind.name() } else { &settings.name };
    let (mut changes, mut followed) = (None, None);
    let client = || {
        let tokens = tokens(name, settings, data, clock)?;
        RestClient::new(rest(name, settings, data)?, Some(tokens)).map_err(ServerError::new)
    };
    let scim = |dialect| -> Result<Arc<dyn Directory>, ServerError> {
        Ok(Arc::new(ScimDirectory::new(client()?, dialect)))
    };
    let directory: Arc<dyn Directory> = match settings.kind {
        DirectoryKind::Scim => scim(Dialect::scim())?,
        DirectoryKind::Okta => scim(Dialect::okta())?,
        DirectoryKind::Keycloak => scim(Dialect::keycloak())?,
        DirectoryKind::Jamf => {
            let unmanaged = match settings.unmanaged {
                UnmanagedDevices::Good => Unmanaged::Good,
                UnmanagedDevices::Hold => Unmanaged::Hold,
            };
            Arc::new(JamfDirectory::new(client()?, unmanaged))
        }
        DirectoryKind::Entra => {
            let opened = entra::open(settings, data, clock)?;
            followed = Some(opened.clone());
            Arc::new(opened)
        }
        DirectoryKind::Ldap | DirectoryKind::ActiveDirectory => {
            let directory = Arc::new(ldap_service::open(name, settings, canary, data, clock)?);
            let every = Duration::from_secs(settings.ldap.poll_seconds);
            changes = (!every.is_zero()).then(|| (Arc::clone(&directory), every));
            directory
        }
    };
    let guard = GuardSettings {
        fresh_for: Duration::from_secs(settings.fresh_seconds).max(entra::max_lag(settings)),
        max_stale: Duration::from_secs(settings.max_stale_seconds),
        capacity: settings.remembered,
        fresh_while_followed: Duration::from_secs(settings.ldap.followed_seconds),
        canary,
        breaker: BreakerSettings {
            at_least: settings.mass_changes,
            percent: settings.mass_percent,
            ..BreakerSettings::default()
        },
        ..GuardSettings::default()
    };
    let guarded = GuardedDirectory::new(name, directory, Arc::clone(clock), guard);
    let entra = followed.map(|followed| EntraFollowing::new(followed, guarded.clone(), settings, data));
    Ok(ServiceDirectory { guarded, changes, entra: entra.transpose()?.map(Arc::new) })
}

pub(crate) fn rest(
    name: &str,
    settings: &DirectoryServiceSettings,
    data: &Path,
) -> Result<RestSettings, ServerError> {
    let trusted_cas = file(&settings.trusted_cas, data)?;
    Ok(RestSettings { trusted_cas, ..RestSettings::new(name, &settings.url) })
}

/// The file below the data folder; nothing where none is named.
pub(crate) fn file(path: &Path, data: &Path) -> Result<Vec<u8>, ServerError> {
    if path.as_os_str().is_empty() {
        return Ok(Vec::new());
    }
    let path = data.join(path);
    std::fs::read(&path).map_err(|error| ServerError::of_file(&path, error))
}

fn tokens(
    name: &str,
    settings: &DirectoryServiceSettings,
    data: &Path,
    clock: &Arc<dyn Clock>,
) -> Result<Arc<dyn TokenSource>, ServerError> {
    if !settings.token.as_os_str().is_empty() {
        let token = secret(&data.join(&settings.token))?;
        return Ok(match settings.kind {
            DirectoryKind::Okta => Arc::new(FixedBearer::with_scheme("SSWS", &token)),
            _ => Arc::new(FixedBearer::new(&token)),
        });
    }
    if settings.client_id.is_empty() || settings.secret.as_os_str().is_empty() {
        let problem = "expected a token, or a client_id and a secret: say how the service knows us";
        return Err(ServerError::new(problem));
    }
    let secret = secret(&data.join(&settings.secret))?;
    let mut rest = rest(name, settings, data)?;
    if settings.kind == DirectoryKind::Jamf && settings.token_url == "login" {
        let login =
            Login::new(rest, &settings.client_id, &secret, Arc::clone(clock)).map_err(ServerError::new)?;
        return Ok(Arc::new(Cached::new(login, Arc::clone(clock))));
    }
    let path = match (&*settings.token_url, settings.kind) {
        ("", DirectoryKind::Jamf) => TOKEN_PATH,
        ("", _) => return Err(ServerError::new("expected a token_url: where an API client gets its tokens")),
        (url, _) => {
            url.clone_into(&mut rest.base);
            url
        }
    };
    let client = RestClient::new(rest, None).map_err(ServerError::new)?;
    let scope = (!settings.scope.is_empty()).then(|| settings.scope.clone());
    let proof = ClientProof::Secret(secret);
    let source =
        ClientCredentials::new(client, path, settings.client_id.clone(), proof, scope, Arc::clone(clock));
    Ok(Arc::new(Cached::new(source, Arc::clone(clock))))
}

pub(crate) fn secret(path: &Path) -> Result<Secret, ServerError> {
    let octets = read_private_file(path)?;
    let text = std::str::from_utf8(&octets).map_err(|_| ServerError::of_file(path, "expected text"))?;
    match text.trim() {
        "" => Err(ServerError::of_file(path, "expected a token, a secret or a password: it is empty")),
        text => Ok(Secret::new(text)),
    }
}
