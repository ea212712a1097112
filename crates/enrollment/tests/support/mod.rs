//! A CA with a small directory, several profiles and a ledger in memory; requests of every kind.
#![allow(
    dead_code,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::arithmetic_side_effects,
    missing_docs,
    unreachable_pub,
    reason = "tests; each uses a part"
)]

use std::{
    collections::{BTreeMap, HashMap},
    future::ready,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use directory::{Directory, DirectoryError, ObjectNames, ObjectState};
use enrollment::{
    ApprovalPolicy, ChallengeAuthority, ChallengeKey, ChallengeValidator, Enroller, EnrollerParts,
    Enrollment, EnrollmentProfile, EnrollmentRequest, EnrollmentStore, MemoryLedger, OneTimeChallenges,
    PollRequest, Refusal, RenewalPolicy, RequestKind, StaticChallenge,
};
use issuance::{CaParts, CertificateAuthority, Issuer, Profile, ProfileSettings, create_root};
use keys_software::AwsLc;
use pki_core::{
    BadSignature, BoxFuture, CertRef, Certificate, CertificationRequest, ChallengePassword, GeneralName,
    Name, PublicKey, RequestedExtensions, SignatureAlgorithm, SignatureVerifier, SigningKey, UnixTime,
    UnsignedCertificationRequest, Validity, oids,
};
use revocation::{RevocationSource, SourceError, Standing, StatusReport};
use serial_binding::{BoundObject, KeyId, Resolution, SerialBindings, SerialKey};
use testkit::{FixedClock, NOW, block_on, keys};

pub const HOUR: Duration = Duration::from_secs(60 * 60);
pub const STATIC: &str = "a static challenge of many letters";

/// `CN=laptop-1`.
pub fn laptop() -> BoundObject {
    "device:d6b58414-60ed-426b-b382-276a3e8d626d".parse().unwrap()
}

/// `CN=laptop-2`.
pub fn other_laptop() -> BoundObject {
    "device:11111111-2222-3333-4444-555555555555".parse().unwrap()
}

/// `CN=admin`.
pub fn admin() -> BoundObject {
    "user:99999999-2222-3333-4444-555555555555".parse().unwrap()
}

pub fn secret(text: &str) -> ChallengePassword {
    ChallengePassword::new(text.to_owned())
}

/// Objects in memory.
#[derive(Debug, Default)]
pub struct MapDirectory {
    pub objects: Mutex<HashMap<BoundObject, (ObjectState, ObjectNames)>>,
    pub outage: Mutex<Option<DirectoryError>>,
    /// Of every object.
    pub attributes: Mutex<BTreeMap<String, String>>,
    /// Runs once, right after the names were read.
    pub then: Mutex<Option<(BoundObject, Option<ObjectState>)>>,
}

impl MapDirectory {
    pub fn set_state(&self, object: BoundObject, state: ObjectState) {
        self.objects.lock().unwrap().get_mut(&object).unwrap().0 = state;
    }

    pub fn remove(&self, object: BoundObject) {
        self.objects.lock().unwrap().remove(&object);
    }

    pub fn add(&self, object: BoundObject, common_name: &str, alternative_names: &[GeneralName]) {
        let names = ObjectNames {
            common_names: vec![common_name.to_owned(), format!("{common_name}.example.com")],
            alternative_names: alternative_names.to_vec(),
        };
        self.objects.lock().unwrap().insert(object, (ObjectState::Enabled, names));
    }

    fn ask<T>(&self, answer: impl FnOnce() -> Result<T, DirectoryError>) -> Result<T, DirectoryError> {
        match &*self.outage.lock().unwrap() {
            Some(error) => Err(error.clone()),
            None => answer(),
        }
    }

    fn is_called(names: &ObjectNames, text: &str) -> bool {
        let alternative = names.alternative_names.iter().any(|name| match name {
            GeneralName::Dns(name) | GeneralName::Upn(name) | GeneralName::Email(name) => name == text,
            _ => false,
        });
        alternative || names.common_names.iter().any(|name| name == text)
    }
}

impl Directory for MapDirectory {
    fn state(&self, object: BoundObject) -> BoxFuture<'_, Result<Option<ObjectState>, DirectoryError>> {
        Box::pin(ready(self.ask(|| Ok(self.objects.lock().unwrap().get(&object).map(|(state, _)| *state)))))
    }

    fn names(&self, object: BoundObject) -> BoxFuture<'_, Result<Option<ObjectNames>, DirectoryError>> {
        let names =
            self.ask(|| Ok(self.objects.lock().unwrap().get(&object).map(|(_, names)| names.clone())));
        match self.then.lock().unwrap().take() {
            Some((object, Some(state))) => self.set_state(object, state),
            Some((object, None)) => self.remove(object),
            None => {}
        }
        Box::pin(ready(names))
    }

    fn attributes(
        &self,
        _object: BoundObject,
    ) -> BoxFuture<'_, Result<BTreeMap<String, String>, DirectoryError>> {
        Box::pin(ready(self.ask(|| Ok(self.attributes.lock().unwrap().clone()))))
    }

    fn identify<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<Option<BoundObject>, DirectoryError>> {
        let found = self.ask(|| {
            let objects = self.objects.lock().unwrap();
            let mut found = objects.iter().filter(|(_, (_, names))| Self::is_called(names, name));
            match (found.next(), found.next()) {
                (Some(_), Some(_)) => {
                    Err(DirectoryError::Ambiguous { directory: "map".into(), name: name.to_owned() })
                }
                (one, _) => Ok(one.map(|(object, _)| *object)),
            }
        });
        Box::pin(ready(found))
    }

    fn epoch(&self) -> Option<u64> {
        None
    }
}

/// Says of every certificate what it was told to say.
#[derive(Debug)]
pub struct ToldSource(pub Mutex<Result<Standing, SourceError>>);

impl ToldSource {
    pub fn say(&self, standing: Standing) {
        *self.0.lock().unwrap() = Ok(standing);
    }
}

impl RevocationSource for ToldSource {
    fn status(&self, _certificate: CertRef) -> BoxFuture<'_, Result<StatusReport, SourceError>> {
        let standing = self.0.lock().unwrap().clone();
        let report = standing.map(|standing| StatusReport { standing, known_at: NOW, reliable_until: None });
        Box::pin(ready(report))
    }

    fn epoch(&self) -> Option<u64> {
        None
    }
}

/// Verifies, and counts.
#[derive(Debug, Default)]
pub struct CountingVerifier(pub AtomicUsize);

impl SignatureVerifier for CountingVerifier {
    fn verify(
        &self,
        key: &PublicKey,
        algorithm: SignatureAlgorithm,
        message: &[u8],
        signature: &[u8],
    ) -> Result<(), BadSignature> {
        self.0.fetch_add(1, Ordering::SeqCst);
        AwsLc.verify(key, algorithm, message, signature)
    }
}

pub struct World {
    pub enroller: Enroller,
    pub ledger: Arc<MemoryLedger>,
    pub directory: Arc<MapDirectory>,
    pub revocation: Arc<ToldSource>,
    pub verifier: Arc<CountingVerifier>,
    pub clock: Arc<FixedClock>,
    pub challenges: OneTimeChallenges,
}

pub fn issuer() -> Issuer {
    let ca = testkit::ca();
    Issuer::of_key(ca.certificate, &*ca.key).unwrap()
}

pub fn bindings() -> SerialBindings {
    let key = SerialKey::from_slice(KeyId::FIRST, &[7; 32]).unwrap();
    SerialBindings::sealed(&key, testkit::ca().certificate.public_key())
}

pub fn issuance_profile(name: &str) -> ProfileSettings {
    ProfileSettings { fixed_subject: Some("O=Example".parse().unwrap()), ..ProfileSettings::new(name) }
}

/// `devices`: one-time, renewal by RenewalReq. `static`. `loose`: SHA-1, renewal by PKCSReq too. `servers`: another
/// usage. `closed`: no renewal. `late`: renewal in the last 30 days. `watched`: first enrollments are approved; `strict`:
/// renewals too. `walk-in`: approval and no challenge.
fn profiles(key: &ChallengeKey) -> Vec<EnrollmentProfile> {
    let one_time = |settings| {
        EnrollmentProfile::new(Arc::new(Profile::new(settings).unwrap()), ChallengeAuthority::OneTime)
    };
    let named = |name| one_time(issuance_profile(name));
    let servers =
        ProfileSettings { extended_key_usages: vec![oids::KP_SERVER_AUTH], ..issuance_profile("servers") };
    let everybody = Arc::new(Profile::new(issuance_profile("static")).unwrap());
    let everybodys = StaticChallenge::new(key, &secret(STATIC)).unwrap();
    let nobodys = Arc::new(Profile::new(issuance_profile("walk-in")).unwrap());
    let renewal = RenewalPolicy::default();
    vec![
        named("devices").with_renewal(renewal),
        EnrollmentProfile::new(everybody, ChallengeAuthority::Static(everybodys)),
        named("loose").with_renewal(renewal.accepting_pkcs_req()).accepting_sha1(),
        one_time(servers).with_renewal(renewal),
        named("closed"),
        named("watched").with_approval(ApprovalPolicy::default()).with_renewal(renewal),
        named("strict").with_approval(ApprovalPolicy::default().including_renewals()).with_renewal(renewal),
        EnrollmentProfile::new(nobodys, ChallengeAuthority::Approval(ApprovalPolicy::default())),
        named("late").with_renewal(renewal.opening_before_expiry(HOUR * 24 * 30)),
    ]
}

pub fn world() -> World {
    world_with(|ledger| ledger)
}

/// With a store that stands before the ledger.
pub fn world_with(store: impl FnOnce(Arc<MemoryLedger>) -> Arc<dyn EnrollmentStore>) -> World {
    made(profiles(&challenge_key()), store)
}

/// With one profile, `devices`: one-time challenges, renewal, and what `more` makes of it.
pub fn world_of(
    settings: ProfileSettings,
    more: impl FnOnce(EnrollmentProfile) -> EnrollmentProfile,
) -> World {
    let profile = Arc::new(Profile::new(settings).unwrap());
    let profile = EnrollmentProfile::new(profile, ChallengeAuthority::OneTime);
    made(vec![more(profile.with_renewal(RenewalPolicy::default()))], |ledger| ledger)
}

/// With one profile, `devices`, that asks `validator`.
pub fn world_asking(validator: Arc<dyn ChallengeValidator>) -> World {
    world_of(issuance_profile("devices"), |profile| {
        EnrollmentProfile::new(Arc::clone(profile.issuance()), ChallengeAuthority::Validator(validator))
    })
}

fn challenge_key() -> ChallengeKey {
    ChallengeKey::new([9; 32])
}

fn made(
    profiles: Vec<EnrollmentProfile>,
    store: impl FnOnce(Arc<MemoryLedger>) -> Arc<dyn EnrollmentStore>,
) -> World {
    let ledger = Arc::new(MemoryLedger::new());
    let directory = Arc::new(MapDirectory::default());
    directory.add(laptop(), "laptop-1", &[GeneralName::Dns("laptop-1.example.com".into())]);
    directory.add(other_laptop(), "laptop-2", &[GeneralName::Dns("laptop-2.example.com".into())]);
    directory.add(admin(), "admin", &[GeneralName::Upn("admin@example.com".into())]);
    let revocation = Arc::new(ToldSource(Mutex::new(Ok(Standing::Good))));
    let verifier = Arc::new(CountingVerifier::default());
    let clock = Arc::new(FixedClock::default());
    let challenge_key = challenge_key();
    let authority = CertificateAuthority::new(CaParts {
        issuer: issuer(),
        key: testkit::ca().key,
        binding: Arc::new(bindings()),
        log: ledger.clone(),
        clock: clock.clone(),
        random: Arc::new(AwsLc),
    });
    let enroller = Enroller::new(EnrollerParts {
        authority: authority.unwrap(),
        profiles,
        store: store(ledger.clone()),
        challenge_key: challenge_key.clone(),
        directory: directory.clone(),
        revocation: revocation.clone(),
        verifier: verifier.clone(),
        clock: clock.clone(),
    });
    let challenges = OneTimeChallenges {
        store: ledger.clone(),
        key: challenge_key,
        clock: clock.clone(),
        random: Arc::new(AwsLc),
    };
    World { enroller: enroller.unwrap(), ledger, directory, revocation, verifier, clock, challenges }
}

impl World {
    /// A challenge for `laptop-1` and the profile `devices`, for an hour.
    pub fn challenge(&self) -> ChallengePassword {
        self.challenge_for(laptop(), "devices")
    }

    pub fn challenge_for(&self, object: BoundObject, profile: &str) -> ChallengePassword {
        block_on(self.challenges.create(object, profile, HOUR)).unwrap()
    }

    /// A PKCSReq to `devices`, signed by its own key.
    pub fn enroll(&self, csr: &CertificationRequest) -> Result<Certificate, Refusal> {
        self.enroll_with("devices", csr)
    }

    pub fn enroll_with(&self, profile: &str, csr: &CertificationRequest) -> Result<Certificate, Refusal> {
        self.submit(profile, b"1", csr, &self_signed(csr), RequestKind::Initial)
    }

    pub fn submit(
        &self,
        profile: &str,
        transaction_id: &[u8],
        csr: &CertificationRequest,
        signer: &Certificate,
        kind: RequestKind,
    ) -> Result<Certificate, Refusal> {
        let outcome = self.ask(profile, transaction_id, csr, signer, kind);
        outcome.map(|outcome| outcome.certificate().expect("no profile here has requests wait"))
    }

    pub fn ask(
        &self,
        profile: &str,
        transaction_id: &[u8],
        csr: &CertificationRequest,
        signer: &Certificate,
        kind: RequestKind,
    ) -> Result<Enrollment, Refusal> {
        let (csr, signer) = (csr.verified(&AwsLc)?, signer.clone());
        block_on(self.enroller.enroll(EnrollmentRequest { profile, transaction_id, csr, signer, kind }))
    }

    pub fn poll(
        &self,
        profile: &str,
        transaction_id: &[u8],
        signer: &Certificate,
    ) -> Result<Enrollment, Refusal> {
        block_on(self.enroller.poll(PollRequest { profile, transaction_id, signer }))
    }

    /// Refused with that code, and nothing was issued that was not there before.
    pub fn refuses(&self, outcome: Result<Certificate, Refusal>, code: &str, issued: usize) {
        match outcome {
            Err(refusal) => assert_eq!(refusal.code(), code, "{refusal}"),
            Ok(certificate) => panic!("expected {code}: issued {certificate:?}"),
        }
        assert_eq!(self.ledger.intents(), issued, "intents on record");
    }

    /// A certificate of `profile` for `laptop-1` and the key of [`device_key`].
    pub fn enrolled(&self, profile: &str) -> Certificate {
        let challenge = self.challenge_for(laptop(), profile);
        let csr = Csr { challenge: Some(challenge), ..Csr::default() }.signed();
        self.enroll_with(profile, &csr).unwrap()
    }
}

/// What the serial number of a certificate is bound to.
pub fn object_of(certificate: &Certificate) -> BoundObject {
    use serial_binding::SerialBinding as _;
    match bindings().resolve(&certificate.serial_number().unwrap()) {
        Resolution::Object(object) => object,
        other => panic!("expected an object: {other:?}"),
    }
}

pub fn device_key() -> Arc<dyn SigningKey> {
    keys::p256()
}

/// What a request asks for. By default `CN=laptop-1` for the key of [`device_key`], no challenge.
pub struct Csr {
    pub subject: Name,
    pub challenge: Option<ChallengePassword>,
    pub extensions: RequestedExtensions,
    pub key: Arc<dyn SigningKey>,
}

impl Default for Csr {
    fn default() -> Self {
        Self {
            subject: Name::of_common_name("laptop-1"),
            challenge: None,
            extensions: RequestedExtensions::default(),
            key: device_key(),
        }
    }
}

impl Csr {
    pub fn with(challenge: ChallengePassword) -> Self {
        Self { challenge: Some(challenge), ..Self::default() }
    }

    pub fn named(challenge: ChallengePassword, common_name: &str) -> Self {
        Self { subject: Name::of_common_name(common_name), ..Self::with(challenge) }
    }

    pub fn alternatively_named(challenge: ChallengePassword, names: &[GeneralName]) -> Self {
        let extensions = RequestedExtensions { subject_alt_names: names.to_vec(), ..Default::default() };
        Self { extensions, ..Self::with(challenge) }
    }

    pub fn signed(&self) -> CertificationRequest {
        let unsigned = UnsignedCertificationRequest::new(
            &self.subject,
            self.key.public_key(),
            self.challenge.as_ref(),
            &self.extensions,
        );
        let signature = block_on(self.key.sign(unsigned.tbs())).unwrap();
        unsigned.finish(self.key.algorithm(), &signature).unwrap()
    }
}

/// A certificate for the key of `csr`, as clients make it when they have none. Nobody verifies its signature.
pub fn self_signed(csr: &CertificationRequest) -> Certificate {
    let validity = Validity::new(NOW, UnixTime(NOW.0 + 3600)).unwrap();
    let algorithm = issuance::IssuingAlgorithm::EcdsaSha256;
    let serial = "01".parse().unwrap();
    let prepared =
        issuance::prepare_root(&Name::of_common_name("x"), csr.public_key(), algorithm, validity, serial);
    prepared.finish(b"unverified").unwrap()
}

/// Another CA of the same name and another key, or of another name.
pub fn another_ca(name: &str, key: &dyn SigningKey) -> Issuer {
    let validity = Validity::new(UnixTime(0), UnixTime::MAX).unwrap();
    block_on(create_root(&name.parse().unwrap(), key, validity, &AwsLc)).unwrap()
}
