//! The responder: its sources of status, its delegates, its service.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use directory::{
    DirectoryRevocation, DirectoryRevocationParts, FileDirectory, GuardedDirectory, Refresh, Tombstones,
};
use keys_software::AwsLc;
use ledger::{IssuedOnly, LedgerReader};
use ocsp_service::{DelegateKeeper, DelegateParts, DelegateSource, NoDelegate, OcspParts, OcspService};
use pki_core::{BoxFuture, CertRef, Certificate, Clock, IssuerId};
use revocation::{AllSources, AttributedReport, CrlRevocations, RevocationSource, SourceError, StatusReport};
use serial_binding::SerialBinding;

use crate::{Directories, ServerError, own_certificates::OwnCertificate, settings::AnswerSettings};

/// How often the directory file is looked at. A deletion counts from the second look that finds it.
const LOOK_EVERY: Duration = Duration::from_millis(250);

/// What a responder is made of.
#[derive(Debug)]
#[expect(clippy::exhaustive_structs, reason = "built by both servers")]
pub struct ResponderParts {
    /// The CA that is answered for.
    pub ca: Certificate,
    /// Serial number to object.
    pub binding: Arc<dyn SerialBinding>,
    /// Object to state.
    pub directories: Directories,
    /// Manual revocations and issued certificates, where there is a ledger.
    pub ledger: Option<LedgerReader>,
    /// Deletions that were seen before.
    pub tombstones: Arc<dyn Tombstones>,
    /// CRLs that somebody else publishes; those of other CAs are left alone.
    pub crls: Vec<Arc<CrlRevocations>>,
    /// Where delegates come from.
    pub delegates: Arc<dyn DelegateSource>,
    /// The path of the responder.
    pub path: String,
    /// How long answers may be relied on.
    pub answers: AnswerSettings,
    /// The time.
    pub clock: Arc<dyn Clock>,
}

/// A responder that answers. Its background work runs for as long as the tokio runtime does.
#[derive(Debug)]
#[non_exhaustive]
pub struct Responder {
    /// Answers OCSP over HTTP.
    pub service: OcspService,
    /// The sources of status as one; what renewals ask, too.
    pub source: Arc<dyn RevocationSource>,
    /// The directories that are asked over the network.
    pub services: Vec<GuardedDirectory>,
}

impl ResponderParts {
    /// Gets the first delegate, and starts to renew delegates and to follow the directory. Runs within tokio.
    pub async fn start(self) -> Result<Responder, ServerError> {
        start_together(vec![self]).await
    }

    async fn keeper(&self) -> Result<Arc<DelegateKeeper>, ServerError> {
        let parts = DelegateParts {
            issuer: self.ca.clone(),
            source: Arc::clone(&self.delegates),
            clock: Arc::clone(&self.clock),
            verifier: Arc::new(AwsLc),
        };
        match DelegateKeeper::start(parts.clone()).await {
            Err(NoDelegate::Source(error)) if self.delegates.may_be_late() => {
                tracing::warn!(ca = %self.ca.subject(), %error, "answering tryLater until there is a delegate");
                Ok(DelegateKeeper::start_without(parts))
            }
            started => Ok(started?),
        }
    }

    fn source(&self) -> Arc<dyn RevocationSource> {
        let clock = || Arc::clone(&self.clock);
        let directory: Arc<dyn RevocationSource> =
            Arc::new(DirectoryRevocation::new(DirectoryRevocationParts {
                issuer: IssuerId::of(&self.ca),
                binding: Arc::clone(&self.binding),
                directory: Arc::clone(&self.directories.together),
                tombstones: Arc::clone(&self.tombstones),
                clock: clock(),
            }));
        let own: Arc<dyn RevocationSource> = Arc::new(OwnCertificate::of(&self.ca, clock()));
        let mut sources = match &self.ledger {
            None => vec![directory, own],
            Some(ledger) => {
                let issued = IssuedOnly::new(directory, ledger.clone(), clock());
                vec![Arc::new(issued), own, ledger.manual_revocations()]
            }
        };
        let of_this_ca = self.crls.iter().filter(|crl| crl.issuer() == IssuerId::of(&self.ca));
        sources.extend(of_this_ca.map(|crl| Arc::clone(crl) as _));
        Arc::new(AllSources::new(sources))
    }
}

/// One responder for several CAs, such as the generations of a rollover, and for several delegates of one CA: parts of
/// the same CA differ in nothing but where their delegates come from. Path, answers and clock are those of the first of
/// `parts`.
pub async fn start_together(parts: Vec<ResponderParts>) -> Result<Responder, ServerError> {
    check_crls(&parts)?;
    let (mut issuers, mut sources) = (Vec::new(), BTreeMap::new());
    for part in &parts {
        issuers.push(part.keeper().await?);
        sources.insert(IssuerId::of(&part.ca), part.source());
    }
    let mut services = Vec::new();
    for part in &parts {
        part.directories.watch(&mut services);
    }
    let mut files: Vec<Arc<FileDirectory>> = Vec::new();
    for file in parts.iter().filter_map(|part| part.directories.file.as_ref()) {
        if !files.iter().any(|known| Arc::ptr_eq(known, file)) {
            files.push(Arc::clone(file));
        }
    }
    let first = parts.into_iter().next().ok_or_else(|| ServerError::new("no CA to answer for"))?;
    let answers = &first.answers;
    let path = first.path.parse().map_err(|error| ServerError::new(format_args!("ocsp.path: {error}")))?;
    let source: Arc<dyn RevocationSource> = Arc::new(ByIssuer::new(sources));
    let service = OcspService::new(OcspParts { issuers, source: Arc::clone(&source), clock: first.clock })
        .with_base_path(path)
        .with_policy(answers.policy())
        .with_cache_capacity(answers.cached)
        .with_nonces(answers.nonces().into())
        .with_max_cert_ids(answers.certificates)
        .with_concurrency(answers.at_once, answers.waiting)
        .with_max_duration(answers.max_duration());
    tokio::spawn(service.clone().run());
    for file in files {
        tokio::spawn(follow(file));
    }
    Ok(Responder { service, source, services })
}

/// A CRL of a CA that nobody answers for would protect nobody.
fn check_crls(parts: &[ResponderParts]) -> Result<(), ServerError> {
    let cas: Vec<IssuerId> = parts.iter().map(|part| IssuerId::of(&part.ca)).collect();
    let stray = parts.iter().flat_map(|part| &part.crls).find(|crl| !cas.contains(&crl.issuer()));
    stray.map_or(Ok(()), |stray| {
        Err(ServerError::new(format_args!(
            "revocation.crl: {} is of a CA that is not answered for",
            stray.title()
        )))
    })
}

/// Asks the sources of the CA that issued the certificate, and no others.
#[derive(Debug)]
struct ByIssuer {
    sources: BTreeMap<IssuerId, Arc<dyn RevocationSource>>,
    together: AllSources,
}

impl ByIssuer {
    fn new(sources: BTreeMap<IssuerId, Arc<dyn RevocationSource>>) -> Self {
        let together = AllSources::new(sources.values().cloned().collect());
        Self { sources, together }
    }
}

impl RevocationSource for ByIssuer {
    fn status(&self, certificate: CertRef) -> BoxFuture<'_, Result<StatusReport, SourceError>> {
        // Certificates of a CA that is not ours are nobody's here, which those who are asked say best themselves.
        self.sources
            .get(&certificate.issuer)
            .map_or_else(|| self.together.status(certificate), |source| source.status(certificate))
    }

    fn attributed(&self, certificate: CertRef) -> BoxFuture<'_, Result<AttributedReport, SourceError>> {
        self.sources
            .get(&certificate.issuer)
            .map_or_else(|| self.together.attributed(certificate), |source| source.attributed(certificate))
    }

    fn epoch(&self) -> Option<u64> {
        self.together.epoch()
    }
}

/// Looks at the directory file again and again; says in the log what changed, and what is wrong once a minute.
async fn follow(directory: Arc<FileDirectory>) {
    const QUIET_LOOKS: u32 = 240;
    let mut quiet = 0u32;
    let mut ticks = tokio::time::interval(LOOK_EVERY);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        let looking = Arc::clone(&directory);
        // Reading and parsing a large file takes a while, looking at its metadata does not.
        let Ok(found) = tokio::task::spawn_blocking(move || looking.refresh()).await else { continue };
        quiet = quiet.saturating_sub(1);
        match found {
            Refresh::Changed { objects } => tracing::info!(objects, "the directory file has changed"),
            Refresh::HeldBack { removed, of, until } if quiet == 0 => {
                quiet = QUIET_LOOKS;
                tracing::warn!(removed, of, %until, "objects have gone from the directory file; waiting before believing it");
            }
            Refresh::Failed(error) if quiet == 0 => {
                quiet = QUIET_LOOKS;
                tracing::error!(%error, "the directory file cannot be used; its last good state serves for a while");
            }
            _ => {}
        }
    }
}
