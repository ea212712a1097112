//! The CA: service, handler and enrollment as the program has them, a ledger in memory or none, a clock that is set.

use std::{
    collections::{BTreeMap, HashMap},
    fmt,
    future::ready,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use directory::{Directory, DirectoryError, ObjectNames, ObjectState};
use enrollment::{
    ApprovalPolicy, ChallengeAuthority, ChallengeKey, Enroller, EnrollerParts, EnrollmentProfile,
    EnrollmentStore, MemoryLedger, OneTimeChallenges, RenewalPolicy, SealedChallenges, SealedTerms,
    SealingKey, Verdict,
};
use issuance::{
    CaParts, CertificateAuthority, Intent, IntentOutcome, IssuanceLog, Issuer, LogError, Profile,
    ProfileSettings,
};
use keys_software::{AwsLc, RepeatableKey, SoftwareKey};
use pki_core::{BoxFuture, CertRef, Certificate, ChallengePassword, Clock as _};
use revocation::{Standing, StatusReport, source_fn};
use scep_proto::AlgorithmPolicy;
use scep_server::handler::Handler;
use scep_service::{Origin, Renewal, ScepParts, ScepService};
use serial_binding::{BoundObject, KeyId, SerialBindings, SerialKey};
use stateless_issuance::{DerivationKey, NoRecord, RequestDerivation};
use testkit::{FixedClock, keys};

use crate::client::profile;

/// The common name of each client.
pub(crate) const NAMES: [&str; 3] = ["laptop-0", "laptop-1", "laptop-2"];
/// The profile of each: issued at once, approved by a person, and approved for renewals as well.
pub(crate) const PROFILES: [&str; 3] = ["at-once", "approved", "always-approved"];

/// One CA: a server with a ledger, or two without one that take turns.
pub(crate) struct Server {
    pub(crate) clock: Arc<FixedClock>,
    pub(crate) witness: Arc<Witness>,
    ledger: Arc<MemoryLedger>,
    challenges: Challenges,
    /// By server, and by the profile's place.
    services: Vec<Vec<ScepService>>,
    next: AtomicUsize,
    authority: testkit::Authority,
    runtime: tokio::runtime::Runtime,
}

impl Server {
    pub(crate) fn with_ledger() -> Self {
        let (ledger, clock) = (Arc::new(MemoryLedger::new()), Arc::new(FixedClock::default()));
        let (store, random, key) = (ledger.clone(), Arc::new(AwsLc), ChallengeKey::new([9; 32]));
        let challenges = OneTimeChallenges { store, key, clock: clock.clone(), random };
        Self::of(ledger, clock, Challenges::OneTime(challenges))
    }

    pub(crate) fn two_without_ledger() -> Self {
        let key = SealingKey::new(KeyId::FIRST, [3; 32]);
        let challenges = SealedChallenges::new(key, Arc::new(AwsLc), Arc::new(AwsLc));
        Self::of(Arc::default(), Arc::default(), Challenges::Sealed(challenges))
    }

    fn of(ledger: Arc<MemoryLedger>, clock: Arc<FixedClock>, challenges: Challenges) -> Self {
        let authority = testkit::ca();
        let witness = Arc::new(Witness {
            log: match challenges {
                Challenges::OneTime(_) => ledger.clone(),
                Challenges::Sealed(_) => Arc::new(NoRecord),
            },
            ends: AtomicBool::new(false),
            seen: Mutex::default(),
        });
        let servers = match challenges {
            Challenges::OneTime(_) => 1,
            Challenges::Sealed(_) => 2,
        };
        let services = |_| services(&authority, &challenges, &ledger, &witness, &clock);
        let services = (0..servers).map(services).collect();
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).build().unwrap();
        let next = AtomicUsize::new(0);
        Self { clock, witness, ledger, challenges, services, next, authority, runtime }
    }

    pub(crate) fn ca(&self) -> &Certificate {
        &self.authority.certificate
    }

    pub(crate) fn ra(&self) -> &Certificate {
        &self.authority.ra_certificate
    }

    pub(crate) fn challenge(&self, client: usize) -> ChallengePassword {
        let (object, day) = (object(client), Duration::from_secs(86_400));
        match &self.challenges {
            Challenges::OneTime(challenges) => {
                self.runtime.block_on(challenges.create(object, profile(client), day)).unwrap()
            }
            Challenges::Sealed(challenges) => {
                let until = self.clock.now().saturating_add(day);
                let terms = SealedTerms { object: Some(object), ..SealedTerms::until(until) };
                challenges.seal(&terms, profile(client)).unwrap()
            }
        }
    }

    /// Answers all of them side by side; `None` where there is no CertRep.
    pub(crate) fn answer_at_once(&self, messages: &[(usize, Vec<u8>)]) -> Vec<Option<Vec<u8>>> {
        let answers = messages.iter().map(|(client, message)| {
            let server = self.next.fetch_add(1, Ordering::SeqCst) % self.services.len();
            let (service, message) = (self.services[server][*client].clone(), message.clone());
            self.runtime.spawn(async move { service.pki_operation(&message, Origin::default()).await.ok() })
        });
        let answers: Vec<_> = answers.collect();
        answers.into_iter().map(|answer| self.runtime.block_on(answer).unwrap()).collect()
    }

    pub(crate) fn approve_all(&self) {
        let at = self.clock.now();
        for queued in self.ledger.queue() {
            self.ledger.decide(queued.request.transaction, Verdict::Approved { at });
        }
    }

    pub(crate) fn end_before_the_next_record(&self) {
        self.witness.ends.store(true, Ordering::SeqCst);
    }

    pub(crate) fn pass(&self, minutes: u64) {
        self.clock.advance(Duration::from_secs(60 * minutes));
    }
}

fn object(client: usize) -> BoundObject {
    format!("device:00000000-0000-0000-0000-00000000000{client}").parse().unwrap()
}

/// What a server does is told by where its challenges are.
enum Challenges {
    /// In the ledger.
    OneTime(OneTimeChallenges),
    /// Nowhere, and there is no ledger.
    Sealed(SealedChallenges),
}

impl Challenges {
    fn profiles(&self) -> Vec<EnrollmentProfile> {
        let profile = |name: &str, authority| {
            let issuance = Arc::new(Profile::new(ProfileSettings::new(name)).unwrap());
            EnrollmentProfile::new(issuance, authority)
        };
        let year = Duration::from_secs(365 * 86_400);
        match self {
            Self::OneTime(_) => {
                let approvals = [
                    None,
                    Some(ApprovalPolicy::default()),
                    Some(ApprovalPolicy::default().including_renewals()),
                ];
                let approved = |(name, approval): (&&str, Option<ApprovalPolicy>)| {
                    let profile = profile(name, ChallengeAuthority::OneTime);
                    let profile = profile.with_renewal(RenewalPolicy::default());
                    match approval {
                        Some(policy) => profile.with_approval(policy),
                        None => profile,
                    }
                };
                PROFILES.iter().zip(approvals).map(approved).collect()
            }
            Self::Sealed(challenges) => {
                let renewal = RenewalPolicy::default().opening_before_expiry(year);
                let authority = || ChallengeAuthority::Validator(Arc::new(challenges.clone()));
                PROFILES.iter().map(|name| profile(name, authority()).with_renewal(renewal)).collect()
            }
        }
    }
}

fn services(
    authority: &testkit::Authority,
    challenges: &Challenges,
    ledger: &Arc<MemoryLedger>,
    witness: &Arc<Witness>,
    clock: &Arc<FixedClock>,
) -> Vec<ScepService> {
    let ca = certificate_authority(authority, challenges, witness, clock);
    let enroller = Arc::new(enroller(ca, challenges, ledger, clock));
    let service = |name: &&str| {
        ScepService::new(ScepParts {
            ra_certificate: authority.ra_certificate.clone(),
            ca_certificates: vec![authority.certificate.clone()],
            signing_key: authority.ra_key.clone(),
            decryption_key: authority.ra_key.clone(),
            handler: Arc::new(Handler::new((*name).to_owned(), Arc::clone(&enroller))),
            verifier: Arc::new(AwsLc),
            encryptor: Arc::new(AwsLc),
            clock: clock.clone(),
            random: Arc::new(AwsLc),
            policy: AlgorithmPolicy::default(),
            renewal: Renewal::Offered,
        })
        .unwrap()
    };
    PROFILES.iter().map(service).collect()
}

fn certificate_authority(
    authority: &testkit::Authority,
    challenges: &Challenges,
    witness: &Arc<Witness>,
    clock: &Arc<FixedClock>,
) -> CertificateAuthority {
    let serial_key = SerialKey::from_slice(KeyId::FIRST, &[7; 32]).unwrap();
    let parts = CaParts {
        issuer: Issuer::of_key(authority.certificate.clone(), &*authority.key).unwrap(),
        key: authority.key.clone(),
        binding: Arc::new(SerialBindings::sealed(&serial_key, authority.certificate.public_key())),
        log: witness.clone(),
        clock: clock.clone(),
        random: Arc::new(AwsLc),
    };
    if let Challenges::OneTime(_) = challenges {
        return CertificateAuthority::new(parts).unwrap();
    }
    let key = Arc::new(SoftwareKey::from_pem(keys::CA_PEM).unwrap());
    let key = Arc::new(RepeatableKey::new(key).unwrap());
    let derivation = RequestDerivation::new(DerivationKey::of(&serial_key));
    CertificateAuthority::new(CaParts { key, ..parts }).unwrap().with_derivation(Arc::new(derivation))
}

fn enroller(
    authority: CertificateAuthority,
    challenges: &Challenges,
    ledger: &Arc<MemoryLedger>,
    clock: &Arc<FixedClock>,
) -> Enroller {
    let store: Arc<dyn EnrollmentStore> = match challenges {
        Challenges::OneTime(_) => ledger.clone(),
        Challenges::Sealed(_) => Arc::new(NoRecord),
    };
    let challenge_key = ChallengeKey::new([9; 32]);
    let now = clock.now();
    let good = move |_| Ok(StatusReport { standing: Standing::Good, known_at: now, reliable_until: None });
    Enroller::new(EnrollerParts {
        authority,
        profiles: challenges.profiles(),
        store,
        challenge_key,
        directory: Arc::new(Laptops),
        revocation: Arc::new(source_fn(good)),
        verifier: Arc::new(AwsLc),
        clock: clock.clone(),
    })
    .unwrap()
}

/// Stands before the log, to which a server may not come any more once it has signed; and sees what is issued.
pub(crate) struct Witness {
    log: Arc<dyn IssuanceLog>,
    ends: AtomicBool,
    seen: Mutex<Seen>,
}

#[derive(Default)]
struct Seen {
    /// By certificate: the transaction.
    intents: HashMap<CertRef, [u8; 32]>,
    /// By transaction: the certificates, each once.
    issued: BTreeMap<[u8; 32], Vec<Certificate>>,
}

impl Witness {
    /// By transaction: the certificates that came of it.
    pub(crate) fn issued(&self) -> BTreeMap<[u8; 32], Vec<Certificate>> {
        self.seen.lock().unwrap().issued.clone()
    }

    /// How many certificates were begun.
    pub(crate) fn intents(&self) -> usize {
        self.seen.lock().unwrap().intents.len()
    }
}

impl IssuanceLog for Witness {
    fn record_intent<'a>(&'a self, intent: &'a Intent) -> BoxFuture<'a, Result<IntentOutcome, LogError>> {
        Box::pin(async {
            let outcome = self.log.record_intent(intent).await?;
            if matches!(outcome, IntentOutcome::Recorded) {
                let transaction = *intent.provenance.transaction.as_bytes();
                self.seen.lock().unwrap().intents.insert(intent.certificate, transaction);
            }
            Ok(outcome)
        })
    }

    fn record_issued<'a>(
        &'a self,
        issued: CertRef,
        certificate: &'a Certificate,
    ) -> BoxFuture<'a, Result<Certificate, LogError>> {
        if self.ends.swap(false, Ordering::SeqCst) {
            return Box::pin(ready(Err(LogError::new("the power failed"))));
        }
        Box::pin(async move {
            let recorded = self.log.record_issued(issued, certificate).await?;
            let mut seen = self.seen.lock().unwrap();
            let transaction = seen.intents[&issued];
            let known = seen.issued.entry(transaction).or_default();
            if !known.contains(&recorded) {
                known.push(recorded.clone());
            }
            Ok(recorded)
        })
    }
}

impl fmt::Debug for Witness {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Witness({:?})", self.log)
    }
}

/// A directory of the clients, all of them enabled.
#[derive(Debug)]
struct Laptops;

impl Laptops {
    fn all() -> HashMap<BoundObject, &'static str> {
        NAMES.iter().enumerate().map(|(number, name)| (object(number), *name)).collect()
    }
}

impl Directory for Laptops {
    fn state(&self, object: BoundObject) -> BoxFuture<'_, Result<Option<ObjectState>, DirectoryError>> {
        Box::pin(ready(Ok(Self::all().contains_key(&object).then_some(ObjectState::Enabled))))
    }

    fn names(&self, object: BoundObject) -> BoxFuture<'_, Result<Option<ObjectNames>, DirectoryError>> {
        let names = Self::all()
            .remove(&object)
            .map(|name| ObjectNames { common_names: vec![name.to_owned()], alternative_names: Vec::new() });
        Box::pin(ready(Ok(names)))
    }

    fn identify<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<Option<BoundObject>, DirectoryError>> {
        let found = Self::all().into_iter().find(|(_, known)| *known == name);
        Box::pin(ready(Ok(found.map(|(object, _)| object))))
    }

    fn epoch(&self) -> Option<u64> {
        None
    }
}
