//! Puts the parts together, and serves.

use std::{collections::BTreeSet, net::SocketAddr, sync::Arc, time::Duration};

use directory::{Directory as _, FileDirectory};
use enrollment::{ChallengeKey, Enroller, EnrollerParts, EnrollmentProfile, OneTimeChallenges};
use http_listener::Listener;
use issuance::{CaParts, CertificateAuthority};
use keys_software::AwsLc;
use ocsp_server::{
    Responder, ResponderParts, SelfIssuedDelegates, ServerError,
    data_folder::sealed_binding,
    server::{listen, open_directory},
};
use pki_core::{Clock, SystemClock};
use scep_service::{Renewal, ScepParts, ScepService};
use serial_binding::{SerialBinding, SerialBindings};

use crate::{
    banner::{Banner, Trial},
    commands::FirstRun,
    data_folder::{DataFolder, FolderLock},
    demonstration,
    handler::Handler,
    profiles::{Urls, algorithm_policy, enrollment_profile},
    routes::Routes,
    settings::{ChallengeKind, ProfileSettings, RenewalKind, SerialLayout, Settings},
};

/// A CA that listens.
#[derive(Debug)]
pub struct Server {
    listener: Listener,
    routes: Routes,
    banner: Banner,
    _lock: FolderLock,
}

impl Server {
    /// Makes or opens the data folder, starts the responder, and listens.
    pub async fn start(settings: &Settings, first_run: FirstRun) -> Result<Self, ServerError> {
        check_profiles(&settings.profile)?;
        let lock = FolderLock::take(&settings.data)?;
        let folder = DataFolder::open_or_make(settings).await?;
        if first_run == FirstRun::Demonstration {
            demonstration::write_directory(&settings.data.join(&settings.directory.file))?;
        }
        let listener = listen(&settings.listen, &settings.limits).await?;
        let base = base_url(settings, listener.local_addr());
        let parts = Parts::new(settings, folder, &base)?;
        let responder = parts.responder(settings)?.start().await?;
        let scep = parts.scep(settings, &responder)?;
        let banner = Banner {
            scep: settings
                .profile
                .iter()
                .map(|profile| (profile.name.clone(), url(&base, &profile.path)))
                .collect(),
            ocsp: parts.urls.ocsp.clone(),
            ca: parts.urls.ca.clone(),
            fingerprint: parts.folder.issuer.certificate().fingerprint(),
            data: std::path::absolute(&settings.data).unwrap_or_else(|_| settings.data.clone()),
            trial: parts.trial(settings, first_run).await?,
        };
        let routes = Routes::new(scep, responder.service, parts.folder.issuer.certificate().clone());
        Ok(Self { listener, routes, banner, _lock: lock })
    }

    /// What an operator needs to know first.
    pub fn banner(&self) -> impl std::fmt::Display {
        self.banner.to_string()
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.listener.local_addr()
    }

    /// Answers until `stop`, then finishes what has begun.
    pub async fn run(self, stop: impl Future<Output = ()>) {
        self.listener.serve(self.routes, stop).await;
    }
}

/// What services are made of.
struct Parts {
    folder: DataFolder,
    binding: Arc<dyn SerialBinding>,
    directory: Arc<FileDirectory>,
    challenge_key: ChallengeKey,
    profiles: Vec<EnrollmentProfile>,
    urls: Urls,
    clock: Arc<dyn Clock>,
}

impl Parts {
    fn new(settings: &Settings, folder: DataFolder, base: &str) -> Result<Self, ServerError> {
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let key = folder.issuer.certificate().public_key();
        let binding: Arc<dyn SerialBinding> = match settings.serial.layout {
            SerialLayout::Sealed => Arc::new(sealed_binding(&folder.serial_keys, key)?.with_plain()),
            SerialLayout::Plain => Arc::new(
                folder
                    .serial_keys
                    .iter()
                    .try_fold(SerialBindings::plain(key), SerialBindings::with_earlier_key)?,
            ),
        };
        let urls = Urls { ocsp: url(base, &settings.ocsp.path), ca: url(base, "/ca") };
        let challenge_key = ChallengeKey::new(*folder.challenge_key);
        let profiles = settings.profile.iter();
        let profiles =
            profiles.map(|profile| enrollment_profile(profile, &urls, &settings.data, &challenge_key));
        let profiles = profiles.collect::<Result<_, _>>()?;
        let directory = open_directory(&settings.directory, &settings.data, Arc::clone(&clock))?;
        Ok(Self { folder, binding, directory, challenge_key, profiles, urls, clock })
    }

    fn responder(&self, settings: &Settings) -> Result<ResponderParts, ServerError> {
        let folder = &self.folder;
        let life = Duration::from_secs(settings.ocsp.delegate_hours.saturating_mul(3600));
        let ca = folder.issuer.certificate().clone();
        let ca_key = Arc::clone(&folder.ca_key) as _;
        let random = Arc::new(AwsLc);
        let delegates = SelfIssuedDelegates::new(ca.clone(), ca_key, life, Arc::clone(&self.clock), random)?;
        Ok(ResponderParts {
            ca,
            binding: Arc::clone(&self.binding),
            directory: Arc::clone(&self.directory),
            ledger: Some(folder.ledger.reader().clone()),
            tombstones: Arc::new(folder.ledger.clone()),
            delegates: Arc::new(delegates),
            path: settings.ocsp.path.clone(),
            answers: settings.answers.clone(),
            clock: Arc::clone(&self.clock),
        })
    }

    /// A service for each profile, with the path that it is under.
    fn scep(
        &self,
        settings: &Settings,
        responder: &Responder,
    ) -> Result<Vec<(String, ScepService)>, ServerError> {
        let enroller = Arc::new(self.enroller(responder)?);
        settings.profile.iter().map(|profile| self.service(profile, &enroller)).collect()
    }

    fn service(
        &self,
        profile: &ProfileSettings,
        enroller: &Arc<Enroller>,
    ) -> Result<(String, ScepService), ServerError> {
        let folder = &self.folder;
        let parts = ScepParts {
            ra_certificate: folder.ra_certificate.clone(),
            ca_certificates: vec![folder.issuer.certificate().clone()],
            signing_key: Arc::clone(&folder.ra_key) as _,
            decryption_key: Arc::clone(&folder.ra_key) as _,
            handler: Arc::new(Handler::new(profile.name.clone(), Arc::clone(enroller))),
            verifier: Arc::new(AwsLc),
            encryptor: Arc::new(AwsLc),
            clock: Arc::clone(&self.clock),
            random: Arc::new(AwsLc),
            policy: algorithm_policy(profile),
            renewal: match profile.renewal {
                RenewalKind::Off => Renewal::Refused,
                RenewalKind::Certificate => Renewal::Offered,
            },
        };
        Ok((profile.path.clone(), ScepService::new(parts).map_err(ServerError::new)?))
    }

    fn enroller(&self, responder: &Responder) -> Result<Enroller, ServerError> {
        let folder = &self.folder;
        let authority = CertificateAuthority::new(CaParts {
            issuer: folder.issuer.clone(),
            key: Arc::clone(&folder.ca_key) as _,
            binding: Arc::clone(&self.binding),
            log: Arc::new(folder.ledger.clone()),
            clock: Arc::clone(&self.clock),
            random: Arc::new(AwsLc),
        });
        let parts = EnrollerParts {
            authority: authority.map_err(ServerError::new)?,
            store: Arc::new(folder.ledger.clone()),
            challenge_key: self.challenge_key.clone(),
            directory: Arc::clone(&self.directory) as _,
            revocation: Arc::clone(&responder.source),
            verifier: Arc::new(AwsLc),
            clock: Arc::clone(&self.clock),
            profiles: self.profiles.clone(),
        };
        Enroller::new(parts).map_err(ServerError::new)
    }

    /// A challenge for the device of the demonstration, while that is in the directory.
    async fn trial(&self, settings: &Settings, first_run: FirstRun) -> Result<Option<Trial>, ServerError> {
        let one_time = settings.profile.iter().find(|profile| profile.challenge == ChallengeKind::OneTime);
        let Some(profile) = one_time.filter(|_| first_run == FirstRun::Demonstration) else {
            return Ok(None);
        };
        let device = self.directory.identify(demonstration::DEVICE).await.map_err(ServerError::new)?;
        let Some(device) = device else { return Ok(None) };
        let challenges = OneTimeChallenges {
            store: Arc::new(self.folder.ledger.clone()),
            key: self.challenge_key.clone(),
            clock: Arc::clone(&self.clock),
            random: Arc::new(AwsLc),
        };
        let minutes = profile.challenge_minutes;
        let lifetime = Duration::from_secs(minutes.saturating_mul(60));
        let challenge = challenges.create(device, &profile.name, lifetime).await.map_err(ServerError::new)?;
        let challenge = challenge.expose().to_owned();
        Ok(Some(Trial { challenge, object: demonstration::DEVICE.into(), minutes }))
    }
}

fn base_url(settings: &Settings, address: SocketAddr) -> String {
    match settings.base_url.trim_end_matches('/') {
        "" => format!("http://{address}"),
        configured => configured.to_owned(),
    }
}

fn url(base: &str, path: &str) -> String {
    format!("{base}/{}", path.trim_matches('/'))
}

/// Two profiles of one name or path would be one by accident.
fn check_profiles(profiles: &[ProfileSettings]) -> Result<(), ServerError> {
    let (mut names, mut paths) = (BTreeSet::new(), BTreeSet::new());
    for profile in profiles {
        if !names.insert(&profile.name) {
            return Err(ServerError::new(format_args!("two profiles are called {:?}", profile.name)));
        }
        if !paths.insert(profile.path.trim_matches('/')) {
            return Err(ServerError::new(format_args!("two profiles have the path {:?}", profile.path)));
        }
    }
    if profiles.is_empty() { Err(ServerError::new("expected at least one [[profile]]")) } else { Ok(()) }
}
