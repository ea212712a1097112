//! The CA: service, handler and enrollment as the program has them, a ledger in memory, a clock that is set.

use std::{
    collections::HashMap,
    future::ready,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use directory::{Directory, DirectoryError, ObjectNames, ObjectState};
use enrollment::{
    ApprovalPolicy, ChallengeAuthority, ChallengeKey, Enroller, EnrollerParts, EnrollmentProfile,
    MemoryLedger, OneTimeChallenges, RenewalPolicy, Verdict,
};
use issuance::{
    CaParts, CertificateAuthority, Intent, IntentOutcome, IssuanceLog, Issuer, LogError, Profile,
    ProfileSettings,
};
use keys_software::AwsLc;
use pki_core::{BoxFuture, CertRef, Certificate, ChallengePassword, Clock as _};
use revocation::{Standing, StatusReport, source_fn};
use scep_proto::AlgorithmPolicy;
use scep_server::handler::Handler;
use scep_service::{Origin, Renewal, ScepParts, ScepService};
use serial_binding::{BoundObject, KeyId, SerialBindings, SerialKey};
use testkit::FixedClock;

use crate::client::profile;

/// The common name of each client.
pub(crate) const NAMES: [&str; 3] = ["laptop-0", "laptop-1", "laptop-2"];
/// The profile of each: issued at once, approved by a person, and approved for renewals as well.
pub(crate) const PROFILES: [&str; 3] = ["at-once", "approved", "always-approved"];

pub(crate) struct Server {
    pub(crate) ledger: Arc<MemoryLedger>,
    pub(crate) clock: Arc<FixedClock>,
    log: Arc<Interrupted>,
    challenges: OneTimeChallenges,
    /// By the profile's place.
    services: Vec<ScepService>,
    authority: testkit::Authority,
    runtime: tokio::runtime::Runtime,
}

impl Server {
    pub(crate) fn new() -> Self {
        let authority = testkit::ca();
        let (ledger, clock) = (Arc::new(MemoryLedger::new()), Arc::new(FixedClock::default()));
        let log = Arc::new(Interrupted { ledger: Arc::clone(&ledger), ends: AtomicBool::new(false) });
        let key = ChallengeKey::new([9; 32]);
        let enroller = Arc::new(enroller(&authority, &ledger, &log, &clock, &key));
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
        let services = PROFILES.iter().map(service).collect();
        let challenges =
            OneTimeChallenges { store: ledger.clone(), key, clock: clock.clone(), random: Arc::new(AwsLc) };
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).build().unwrap();
        Self { ledger, clock, log, challenges, services, authority, runtime }
    }

    pub(crate) fn ca(&self) -> &Certificate {
        &self.authority.certificate
    }

    pub(crate) fn ra(&self) -> &Certificate {
        &self.authority.ra_certificate
    }

    pub(crate) fn challenge(&self, client: usize) -> ChallengePassword {
        let day = Duration::from_secs(86_400);
        self.runtime.block_on(self.challenges.create(object(client), profile(client), day)).unwrap()
    }

    /// Answers all of them side by side; `None` where there is no CertRep.
    pub(crate) fn answer_at_once(&self, messages: &[(usize, Vec<u8>)]) -> Vec<Option<Vec<u8>>> {
        let answers = messages.iter().map(|(client, message)| {
            let (service, message) = (self.services[*client].clone(), message.clone());
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
        self.log.ends.store(true, Ordering::SeqCst);
    }

    pub(crate) fn pass(&self, minutes: u64) {
        self.clock.advance(Duration::from_secs(60 * minutes));
    }
}

fn object(client: usize) -> BoundObject {
    format!("device:00000000-0000-0000-0000-00000000000{client}").parse().unwrap()
}

fn enroller(
    authority: &testkit::Authority,
    ledger: &Arc<MemoryLedger>,
    log: &Arc<Interrupted>,
    clock: &Arc<FixedClock>,
    challenge_key: &ChallengeKey,
) -> Enroller {
    let serial_key = SerialKey::from_slice(KeyId::FIRST, &[7; 32]).unwrap();
    let authority = CertificateAuthority::new(CaParts {
        issuer: Issuer::of_key(authority.certificate.clone(), &*authority.key).unwrap(),
        key: authority.key.clone(),
        binding: Arc::new(SerialBindings::sealed(&serial_key, authority.certificate.public_key())),
        log: log.clone(),
        clock: clock.clone(),
        random: Arc::new(AwsLc),
    });
    let approvals =
        [None, Some(ApprovalPolicy::default()), Some(ApprovalPolicy::default().including_renewals())];
    let profiles = PROFILES.iter().zip(approvals).map(|(name, approval)| {
        let issuance = Arc::new(Profile::new(ProfileSettings::new(*name)).unwrap());
        let profile = EnrollmentProfile::new(issuance, ChallengeAuthority::OneTime);
        let profile = profile.with_renewal(RenewalPolicy::default());
        match approval {
            Some(policy) => profile.with_approval(policy),
            None => profile,
        }
    });
    let now = clock.now();
    let good = move |_| Ok(StatusReport { standing: Standing::Good, known_at: now, reliable_until: None });
    Enroller::new(EnrollerParts {
        authority: authority.unwrap(),
        profiles: profiles.collect(),
        store: ledger.clone(),
        challenge_key: challenge_key.clone(),
        directory: Arc::new(Laptops),
        revocation: Arc::new(source_fn(good)),
        verifier: Arc::new(AwsLc),
        clock: clock.clone(),
    })
    .unwrap()
}

/// The ledger's log, to which the server may not come any more once it has signed.
#[derive(Debug)]
struct Interrupted {
    ledger: Arc<MemoryLedger>,
    ends: AtomicBool,
}

impl IssuanceLog for Interrupted {
    fn record_intent<'a>(&'a self, intent: &'a Intent) -> BoxFuture<'a, Result<IntentOutcome, LogError>> {
        self.ledger.record_intent(intent)
    }

    fn record_issued<'a>(
        &'a self,
        issued: CertRef,
        certificate: &'a Certificate,
    ) -> BoxFuture<'a, Result<Certificate, LogError>> {
        if self.ends.swap(false, Ordering::SeqCst) {
            return Box::pin(ready(Err(LogError::new("the power failed"))));
        }
        self.ledger.record_issued(issued, certificate)
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
