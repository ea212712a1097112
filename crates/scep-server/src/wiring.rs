//! From settings and folders to services: every CA, every generation of it, every profile.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use enrollment::{ChallengeKey, Enroller, EnrollerParts, Generation as OtherGeneration, OneTimeChallenges};
use http_listener::TrustedProxies;
use issuance::{CrlAuthority, CrlParts, CrlSettings, DeltaSettings};
use keys_software::AwsLc;
use ledger::Ledger;
use ocsp_server::{
    DelegateIssuer, Directories, NotificationPages, Responder, ResponderParts, SelfIssuedDelegates,
    ServerError, data_folder::sealed_binding, follow_crls, register_directories,
};
use pki_core::{Certificate, Clock, PublicKey, SigningKey as _, SystemClock};
use prometheus_client::registry::Registry;
use revocation::CrlRevocations;
use scep_proto::next_ca_certificates;
use scep_service::{
    OtherAuthority, Rate, Renewal, ScepParts, ScepService, Throttle, ThrottleLimits, metrics::ScepMetrics,
};
use serial_binding::{SerialBinding, SerialBindings};

use crate::{
    authorities::{Authorities, lifetime},
    banner::Trial,
    ca_folder::{CaFolder, Generation},
    chain::Chain,
    challenge_pages::{self, ChallengePages},
    commands::FirstRun,
    crl_candidates::RevokedCertificates,
    crl_pages::CrlPages,
    crl_publisher::{Publisher, PublisherParts},
    data_folder::DataFolder,
    delegate_tls::{DelegatesByCertificate, MutualTls},
    delegates::{self, DelegateEndpoint},
    demonstration,
    gauges::{CrlGauges, register_ends, watch_expiring},
    handler::Handler,
    jamf_hook::JamfHook,
    logins::Logins,
    ndes_page::{self, NdesPage},
    outside::Outside,
    pages::Pages,
    profiles::{Urls, algorithm_policy, enrollment_profile},
    settings::{ChallengeKind, ProfileSettings, RenewalKind, SerialLayout, Settings},
};

/// What services are made of.
pub(crate) struct Wiring<'a> {
    settings: &'a Settings,
    /// The URL under which clients reach the server.
    base: String,
    folder: DataFolder,
    directories: Directories,
    challenge_key: ChallengeKey,
    authorities: Authorities,
    outside: Outside,
    throttle: Arc<Throttle>,
    trusted_proxies: TrustedProxies,
    metrics: ScepMetrics,
    crl_gauges: CrlGauges,
    clock: Arc<dyn Clock>,
}

/// The service of a profile.
#[derive(Debug, Clone)]
pub(crate) struct Mounted {
    /// The profile's name.
    pub(crate) profile: String,
    /// The id of its CA.
    pub(crate) ca: String,
    /// Its path, without slashes around it.
    pub(crate) path: String,
    /// What answers there.
    pub(crate) service: ScepService,
}

impl<'a> Wiring<'a> {
    pub(crate) fn new(
        settings: &'a Settings,
        mut folder: DataFolder,
        base: String,
    ) -> Result<Self, ServerError> {
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let challenge_key = ChallengeKey::new(*folder.challenge_key);
        let directories = Directories::open(&settings.directory, &settings.data, &clock);
        let outside = Outside::open(settings, folder.state.ledger(), &clock)?;
        folder.state.tell_at_once(|log| outside.telling_at_once(log));
        let validator = |profile: &_| match &directories {
            Ok(directories) => outside.validator(profile, &directories.together),
            Err(error) => Err(error.to_string()),
        };
        let authorities = Authorities::open(settings, &challenge_key, validator)?;
        // Mistakes in profiles are told before those in files that the settings name.
        let urls = urls(settings, &base, "ca", "crl");
        for profile in &settings.profile {
            enrollment_profile(profile, &urls, authorities.of(profile)?)?;
        }
        let directories = directories?;
        let limits = &settings.throttle;
        let throttle = Arc::new(Throttle::new(ThrottleLimits {
            requests: rate(limits.source_per_minute, limits.source_burst),
            undecryptable: rate(limits.undecryptable_per_minute, limits.undecryptable_burst),
        }));
        let trusted_proxies = TrustedProxies::parse(limits.trusted_proxies.iter().map(String::as_str));
        let trusted_proxies = trusted_proxies
            .map_err(|error| ServerError::new(format_args!("throttle.trusted_proxies: {error}")))?;
        let metrics = ScepMetrics::new();
        Ok(Self {
            settings,
            base,
            folder,
            directories,
            challenge_key,
            authorities,
            outside,
            throttle,
            trusted_proxies,
            metrics,
            crl_gauges: CrlGauges::default(),
            clock,
        })
    }

    /// What is read about the server; `responder` tells whether it is ready.
    pub(crate) fn pages(&self, responder: &Responder) -> Pages {
        let ocsp = responder.service.clone();
        let mut registry = Registry::default();
        self.metrics.register(&mut registry);
        ocsp.metrics().register(&mut registry);
        self.outside.register(&mut registry);
        register_ends(&mut registry, self.cas());
        self.crl_gauges.register(&mut registry);
        register_directories(&mut registry, responder.services.clone(), Arc::clone(&self.clock));
        if let Some(reader) = self.folder.state.reader() {
            watch_expiring(&mut registry, reader.clone(), Arc::clone(&self.clock));
        }
        Pages::new(self.cas(), ocsp, Arc::clone(&self.clock), registry)
    }

    /// Begins with what is done in the background for authorities outside.
    pub(crate) fn start_outside(&self) {
        let generations = self.folder.cas.iter().flat_map(CaFolder::generations);
        self.outside.start(&generations.map(|generation| generation.issuer.id()).collect::<Vec<_>>());
    }

    /// The CAs, in the order of the settings.
    pub(crate) fn cas(&self) -> &[CaFolder] {
        &self.folder.cas
    }

    /// The URL of the responder.
    pub(crate) fn ocsp_url(&self) -> String {
        url(&self.base, &self.settings.ocsp.path)
    }

    /// Where services tell of changes in directories.
    pub(crate) fn notifications(&self) -> NotificationPages {
        self.directories.notifications()
    }

    /// Answers OCSP for every generation of every CA.
    pub(crate) async fn responder(&self) -> Result<Responder, ServerError> {
        let settings = self.settings;
        let crls = follow_crls(&settings.revocation, &settings.data, &self.clock)?;
        let generations = self.folder.cas.iter().flat_map(CaFolder::generations);
        let parts = generations.map(|generation| self.responder_parts(generation, &crls));
        ocsp_server::start_together(parts.collect::<Result<_, _>>()?).await
    }

    /// Certifies delegates for responders elsewhere, for every generation of every CA, where there is a token.
    pub(crate) fn delegates(&self) -> Result<Option<DelegateEndpoint>, ServerError> {
        let token = &self.settings.ocsp.delegate_token;
        if token.as_os_str().is_empty() {
            return Ok(None);
        }
        let token = delegates::read_token(&self.settings.data.join(token))?;
        Ok(Some(DelegateEndpoint::new(self.delegate_issuer()?, token, Arc::clone(&self.clock))))
    }

    /// The same over mutual TLS, where there is an address for that.
    pub(crate) fn delegates_by_certificate(
        &self,
        responder: &Responder,
    ) -> Result<Option<(MutualTls, DelegatesByCertificate)>, ServerError> {
        let settings = &self.settings.ocsp.delegate_tls;
        if settings.listen.is_empty() {
            return Ok(None);
        }
        let generations = self.folder.cas.iter().flat_map(CaFolder::generations);
        let own: Vec<_> = generations.map(|generation| generation.issuer.certificate().clone()).collect();
        let tls = MutualTls::new(settings, &self.settings.data, &own)?;
        let (responders, status) = (settings.responders.clone(), Arc::clone(&responder.source));
        let delegates = DelegatesByCertificate::new(self.delegate_issuer()?, responders, own, status)?;
        Ok(Some((tls, delegates)))
    }

    fn delegate_issuer(&self) -> Result<DelegateIssuer, ServerError> {
        let generations = self.folder.cas.iter().flat_map(CaFolder::generations);
        let cas = generations.map(|generation| self.self_issued(generation).map(Arc::new));
        Ok(DelegateIssuer::new(cas.collect::<Result<_, _>>()?))
    }

    fn self_issued(&self, generation: &Generation) -> Result<SelfIssuedDelegates, ServerError> {
        let life = Duration::from_secs(self.settings.ocsp.delegate_hours.saturating_mul(3600));
        let (ca_key, random) = (Arc::clone(&generation.ca_key) as _, Arc::new(AwsLc));
        let ca = generation.issuer.certificate().clone();
        SelfIssuedDelegates::new(ca, ca_key, life, Arc::clone(&self.clock), random)
    }

    fn responder_parts(
        &self,
        generation: &Generation,
        crls: &[Arc<CrlRevocations>],
    ) -> Result<ResponderParts, ServerError> {
        let settings = self.settings;
        let ca = generation.issuer.certificate().clone();
        let delegates = self.self_issued(generation)?;
        Ok(ResponderParts {
            binding: self.binding(ca.public_key())?,
            ca,
            directories: self.directories.clone(),
            ledger: self.folder.state.reader().cloned(),
            tombstones: Arc::clone(&self.folder.state.tombstones),
            crls: crls.to_vec(),
            delegates: Arc::new(delegates),
            path: settings.ocsp.path.clone(),
            answers: settings.answers.clone(),
            clock: Arc::clone(&self.clock),
        })
    }

    /// Where management systems get challenges.
    pub(crate) fn challenge_pages(&self) -> Result<ChallengePages, ServerError> {
        let (settings, profiles) = (self.settings, &self.settings.profile);
        let ndes = profiles.iter().filter_map(|profile| self.ndes_page(profile));
        let ndes: Vec<(String, NdesPage)> = ndes.collect();
        let jamf: Vec<JamfHook> = profiles.iter().filter_map(|profile| self.jamf_hook(profile)).collect();
        if ndes.is_empty() && jamf.is_empty() {
            return Ok(ChallengePages::default());
        }
        let mut paths: Vec<&str> = ndes.iter().map(|(_, page)| &*page.path).collect();
        paths.extend(jamf.iter().map(|hook| &*hook.path));
        paths.sort_unstable();
        if let Some(path) =
            paths.windows(2).find(|pair| pair.first() == pair.last()).and_then(|pair| pair.first())
        {
            let problem = "two profiles hand out challenges at the path";
            return Err(ServerError::new(format_args!("{problem} {path:?}: give each its own")));
        }
        let users = settings.data.join(&settings.users_file);
        let logins = Logins::new(users, self.trusted_proxies.clone(), Arc::clone(&self.clock))?;
        let (ndes_profiles, ndes) = ndes.into_iter().unzip();
        let (base, clock) = (self.base.clone(), Arc::clone(&self.clock));
        Ok(ChallengePages::new(challenge_pages::Parts { logins, ndes, ndes_profiles, jamf, base, clock }))
    }

    fn ndes_page(&self, profile: &ProfileSettings) -> Option<(String, NdesPage)> {
        let passwords = Arc::clone(self.authorities.ndes(profile)?);
        let ca = self.folder.cas.iter().find(|ca| self.profiles_of(ca).any(|of| of.name == profile.name))?;
        let page = NdesPage {
            path: page_path(&profile.ndes.path),
            passwords,
            thumbprint: ndes_page::thumbprint(ca.current.issuer.certificate()),
            encoding: profile.ndes.encoding,
            users: profile.ndes.users.clone(),
            minutes: profile.challenge_minutes,
        };
        Some((profile.name.clone(), page))
    }

    fn jamf_hook(&self, profile: &ProfileSettings) -> Option<JamfHook> {
        let sealed = self.authorities.sealed().filter(|_| !profile.jamf.hook.is_empty())?;
        Some(JamfHook {
            path: page_path(&profile.jamf.hook),
            profile: profile.name.clone(),
            sealed: Arc::clone(sealed),
            lifetime: lifetime(profile),
            directory: Arc::clone(&self.directories.together),
            users: profile.jamf.users.clone(),
        })
    }

    /// The CRLs of every generation of every CA. Runs within tokio, in whose background they are kept fresh.
    pub(crate) fn crls(&self, responder: &Responder) -> Result<CrlPages, ServerError> {
        let mut pages = CrlPages::default();
        let Some(ledger) = self.folder.state.ledger().filter(|_| self.settings.crl.enabled) else {
            return Ok(pages);
        };
        for (at, ca) in self.folder.cas.iter().enumerate() {
            for generation in ca.generations() {
                let publisher = Arc::new(self.publisher(ca, generation, responder, ledger)?);
                let own = generation.issuer.certificate();
                let mut paths = vec![crl_path(own)];
                if own == ca.current.issuer.certificate() {
                    paths.push(format!("crl/{}", ca.id));
                    paths.extend((at == 0).then(|| "crl".to_owned()));
                }
                pages.publishers.extend(paths.into_iter().map(|path| (path, Arc::clone(&publisher))));
                tokio::spawn(publisher.run());
            }
        }
        Ok(pages)
    }

    fn publisher(
        &self,
        ca: &CaFolder,
        generation: &Generation,
        responder: &Responder,
        ledger: &Ledger,
    ) -> Result<Publisher, ServerError> {
        let settings = &self.settings.crl;
        if settings.validity_hours == 0 {
            return Err(ServerError::new("crl.validity_hours: expected one hour at least"));
        }
        let own = generation.issuer.certificate();
        let seconds = |count: u64, unit: u64| Duration::from_secs(count.saturating_mul(unit));
        let delta = (settings.delta_minutes > 0).then(|| DeltaSettings {
            validity: seconds(settings.delta_minutes, 60),
            uri: Some(format!("{}/delta", url(&self.base, &crl_path(own)))),
        });
        let authority = CrlAuthority::new(CrlParts {
            issuer: generation.issuer.clone(),
            key: Arc::clone(&generation.ca_key) as _,
            candidates: Arc::new(RevokedCertificates {
                issuer: generation.issuer.id(),
                ledger: ledger.reader().clone(),
                source: settings.include_directory.then(|| Arc::clone(&responder.source)),
            }),
            log: Arc::new(ledger.clone()),
            clock: Arc::clone(&self.clock),
            settings: CrlSettings {
                validity: seconds(settings.validity_hours, 3600),
                delta,
                ..CrlSettings::default()
            },
        });
        Ok(Publisher::new(PublisherParts {
            authority: authority.map_err(ServerError::new)?,
            ledger: ledger.reader().clone(),
            clock: Arc::clone(&self.clock),
            cache_seconds: settings.cache_seconds,
            gauges: self.crl_gauges.of(&ca.id, own),
        }))
    }

    fn binding(&self, key: &PublicKey) -> Result<Arc<dyn SerialBinding>, ServerError> {
        let keys = &self.folder.serial_keys;
        Ok(match self.settings.serial.layout {
            SerialLayout::Sealed => Arc::new(self.folder.state.reading(sealed_binding(keys, key)?)),
            SerialLayout::Plain => {
                Arc::new(keys.iter().try_fold(SerialBindings::plain(key), SerialBindings::with_earlier_key)?)
            }
        })
    }

    /// A service for each profile, in the order of the settings.
    pub(crate) async fn scep(
        &self,
        responder: &Responder,
        crls: &CrlPages,
    ) -> Result<Vec<Mounted>, ServerError> {
        let mut mounted = Vec::new();
        for ca in &self.folder.cas {
            let profiles: Vec<&ProfileSettings> = self.profiles_of(ca).collect();
            if profiles.is_empty() {
                continue;
            }
            let enrollers =
                ca.generations().map(|generation| self.enroller(ca, generation, &profiles, responder));
            let enrollers =
                enrollers.map(|enroller| enroller.map(Arc::new)).collect::<Result<Vec<_>, _>>()?;
            let announced = self.announced(ca).await?;
            for profile in profiles {
                let mut one = self.mounted(ca, profile, &enrollers, crls)?;
                if let Some(announced) = &announced {
                    one.service = one.service.with_next_certificates(announced.clone());
                }
                mounted.push(one);
            }
        }
        let place =
            |one: &Mounted| self.settings.profile.iter().position(|profile| profile.name == one.profile);
        mounted.sort_by_key(place);
        Ok(acquainted(mounted))
    }

    /// The answer to GetNextCACert, signed by the CA at work.
    async fn announced(&self, ca: &CaFolder) -> Result<Option<Bytes>, ServerError> {
        let Some(next) = &ca.next else { return Ok(None) };
        let certificates = [next.ra_certificate.clone(), next.issuer.certificate().clone()];
        let (own, key) = (ca.current.issuer.certificate(), &ca.current.ca_key);
        let unsigned = next_ca_certificates::prepare(&certificates, own, key.algorithm(), self.clock.now());
        let unsigned = unsigned.map_err(ServerError::new)?;
        let signature = key.sign(unsigned.tbs()).await.map_err(ServerError::new)?;
        Ok(Some(unsigned.finish(&signature).into()))
    }

    fn profiles_of(&self, ca: &CaFolder) -> impl Iterator<Item = &'a ProfileSettings> {
        let cas = &self.settings.ca;
        let is_of =
            move |profile: &&ProfileSettings| cas.find(&profile.ca).is_some_and(|found| found.id == ca.id);
        self.settings.profile.iter().filter(is_of)
    }

    /// `enrollers` are those of the CA's generations, in their order.
    fn mounted(
        &self,
        ca: &CaFolder,
        profile: &ProfileSettings,
        enrollers: &[Arc<Enroller>],
        crls: &CrlPages,
    ) -> Result<Mounted, ServerError> {
        let of_generations =
            ca.generations().filter_map(|generation| crls.of(generation.issuer.certificate()));
        let crls: Vec<_> = of_generations.cloned().collect();
        let own = ca.current.issuer.certificate();
        let chain = Chain::new(own, profile, &self.settings.data)?;
        let chain_of = |generation: &Generation| {
            // Above another generation may be another CA.
            let ca = generation.issuer.certificate();
            let chain = if ca == own { chain.clone() } else { Chain::of_ca(ca) };
            chain.of_kind(profile.reply_with)
        };
        let mut authorities = ca.generations().zip(enrollers).map(|(generation, enroller)| OtherAuthority {
            ra_certificate: generation.ra_certificate.clone(),
            signing_key: Arc::clone(&generation.ra_key) as _,
            decryption_key: Arc::clone(&generation.ra_key) as _,
            handler: Arc::new(
                Handler::new(profile.name.clone(), Arc::clone(enroller))
                    .replying_with(chain_of(generation))
                    .noting_refusals(self.folder.state.ledger().cloned())
                    .with_crls(crls.clone())
                    .confirming(self.outside.confirming(&profile.name)),
            ),
        });
        let current = authorities.next().ok_or_else(|| ServerError::new("a CA without a generation"))?;
        let service = ScepService::new(ScepParts {
            ra_certificate: current.ra_certificate,
            ca_certificates: chain.of_kind(profile.get_ca_cert),
            signing_key: current.signing_key,
            decryption_key: current.decryption_key,
            handler: current.handler,
            verifier: Arc::new(AwsLc),
            encryptor: Arc::new(AwsLc),
            clock: Arc::clone(&self.clock),
            random: Arc::new(AwsLc),
            policy: algorithm_policy(profile).tolerating(self.settings.tolerances.granted()),
            renewal: match profile.renewal {
                RenewalKind::Off => Renewal::Refused,
                RenewalKind::Certificate => Renewal::Offered,
            },
        });
        let service = service.map_err(ServerError::new)?;
        let service = authorities.try_fold(service, ScepService::with_other_authority);
        let service = service.map_err(ServerError::new)?;
        let service = service
            .with_throttle(Arc::clone(&self.throttle))
            .with_trusted_proxies(self.trusted_proxies.clone())
            .with_metrics(self.metrics.of_profile(&profile.name));
        let limits = &self.settings.throttle;
        let service = match rate(limits.profile_per_minute, limits.profile_burst) {
            Some(rate) => service.with_rate(rate),
            None => service,
        };
        Ok(Mounted {
            profile: profile.name.clone(),
            ca: ca.id.clone(),
            path: profile.path.trim_matches('/').to_owned(),
            service,
        })
    }

    fn enroller(
        &self,
        ca: &CaFolder,
        generation: &Generation,
        profiles: &[&ProfileSettings],
        responder: &Responder,
    ) -> Result<Enroller, ServerError> {
        let own = generation.issuer.certificate();
        let urls = urls(self.settings, &self.base, &certificate_path(own), &crl_path(own));
        let enrollment =
            |profile: &&ProfileSettings| enrollment_profile(profile, &urls, self.authorities.of(profile)?);
        let state = &self.folder.state;
        let binding = self.binding(own.public_key())?;
        let parts = EnrollerParts {
            authority: state.authority(generation, binding, Arc::clone(&self.clock))?,
            store: Arc::clone(&state.store),
            challenge_key: self.challenge_key.clone(),
            directory: Arc::clone(&self.directories.together),
            revocation: Arc::clone(&responder.source),
            verifier: Arc::new(AwsLc),
            clock: Arc::clone(&self.clock),
            profiles: profiles.iter().map(enrollment).collect::<Result<_, _>>()?,
        };
        let others = ca.generations().map(|other| other.issuer.certificate()).filter(|&other| other != own);
        let others = others.map(|other| {
            Ok(OtherGeneration { certificate: other.clone(), binding: self.binding(other.public_key())? })
        });
        let others = others.collect::<Result<_, ServerError>>()?;
        Ok(Enroller::new(parts).map_err(ServerError::new)?.with_other_generations(others))
    }

    /// A challenge for the device of the demonstration, while that is in the directory.
    pub(crate) async fn trial(&self, first_run: FirstRun) -> Result<Option<Trial>, ServerError> {
        let mut profiles = self.settings.profile.iter();
        let one_time = profiles.find(|profile| profile.challenge == ChallengeKind::OneTime);
        let Some(profile) = one_time.filter(|_| first_run == FirstRun::Demonstration) else {
            return Ok(None);
        };
        let device =
            self.directories.together.identify(demonstration::DEVICE).await.map_err(ServerError::new)?;
        let Some(device) = device else { return Ok(None) };
        let challenges = OneTimeChallenges {
            store: Arc::clone(&self.folder.state.store),
            key: self.challenge_key.clone(),
            clock: Arc::clone(&self.clock),
            random: Arc::new(AwsLc),
        };
        let minutes = profile.challenge_minutes;
        let challenge =
            challenges.create(device, &profile.name, lifetime(profile)).await.map_err(ServerError::new)?;
        let challenge = challenge.expose().to_owned();
        Ok(Some(Trial { challenge, object: demonstration::DEVICE.into(), minutes }))
    }
}

/// As paths are compared.
fn page_path(path: &str) -> String {
    path.trim_matches('/').to_ascii_lowercase()
}

/// `None` where there is no limit.
fn rate(per_minute: u32, burst: u32) -> Option<Rate> {
    (per_minute > 0).then_some(Rate { per_minute, burst })
}

/// Tells every service those that speak for other CAs: for each CA, the one of its first profile.
fn acquainted(mounted: Vec<Mounted>) -> Vec<Mounted> {
    let mut firsts: Vec<Mounted> = Vec::new();
    for one in &mounted {
        if firsts.iter().all(|first| first.ca != one.ca) {
            firsts.push(one.clone());
        }
    }
    let acquaint = |one: Mounted| {
        let others = firsts.iter().filter(|first| first.ca != one.ca).map(|first| first.service.clone());
        Mounted { service: one.service.clone().with_neighbors(others.collect()), ..one }
    };
    mounted.into_iter().map(acquaint).collect()
}

fn urls(settings: &Settings, base: &str, ca: &str, crl: &str) -> Urls {
    let crl = settings.crl.enabled.then(|| url(base, crl));
    Urls {
        ocsp: url(base, &settings.ocsp.path),
        ca: url(base, ca),
        delta_crl: crl.as_ref().filter(|_| settings.crl.delta_minutes > 0).map(|crl| format!("{crl}/delta")),
        crl,
    }
}

/// Where the CRL of one generation of a CA is to be had: below `/crl`, by its key.
fn crl_path(ca: &Certificate) -> String {
    certificate_path(ca).replacen("ca/", "crl/", 1)
}

/// Where the certificate of one generation of a CA is to be had, whichever is at work: below `/ca`, by its key.
pub(crate) fn certificate_path(ca: &Certificate) -> String {
    let key = ca.public_key().key_identifier();
    key.iter().take(8).fold("ca/".to_owned(), |path, octet| format!("{path}{octet:02x}"))
}

pub(crate) fn url(base: &str, path: &str) -> String {
    format!("{base}/{}", path.trim_matches('/'))
}
