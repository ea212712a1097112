//! Instances of one CA: the same keys and the same directory, a clock each, and nothing else in common.
#![allow(clippy::unwrap_used, missing_docs, unreachable_pub, reason = "tests")]

use std::{
    collections::BTreeMap,
    future::ready,
    sync::{Arc, Mutex},
    time::Duration,
};

use directory::{Directory, DirectoryError, ObjectNames, ObjectState};
use enrollment::{
    ChallengeAuthority, ChallengeKey, Enroller, EnrollerParts, Enrollment, EnrollmentProfile,
    EnrollmentRequest, Refusal, RenewalPolicy, RequestKind, SealedChallenges, SealingKey, StaticChallenge,
};
use issuance::{CaParts, CertificateAuthority, Issuer, Profile, ProfileSettings};
use keys_software::{AwsLc, RepeatableKey, SoftwareKey};
use pki_core::{
    BoxFuture, Certificate, CertificationRequest, ChallengePassword, Name, RequestedExtensions, SigningKey,
    UnixTime, UnsignedCertificationRequest, Validity,
};
use revocation::{Standing, StatusReport, source_fn};
use serial_binding::{BoundObject, KeyId, SerialBindings, SerialKey};
use stateless_issuance::{DerivationKey, NoRecord, RequestDerivation};
use testkit::{FixedClock, NOW, block_on};

pub const DAY: u64 = 24 * 60 * 60;
/// Days before its end from which a certificate can be renewed.
pub const WINDOW: u64 = 120;
pub const LIFE: u64 = 365;
const CHALLENGE: &str = "a static challenge of many letters";

/// Devices in memory, all of them enabled.
#[derive(Debug, Default)]
pub struct Devices(pub Mutex<BTreeMap<BoundObject, ObjectNames>>);

impl Devices {
    pub fn name(&self, object: BoundObject, names: &[&str]) {
        let common_names = names.iter().map(|&name| name.to_owned()).collect();
        self.0.lock().unwrap().insert(object, ObjectNames { common_names, alternative_names: Vec::new() });
    }
}

impl Directory for Devices {
    fn state(&self, object: BoundObject) -> BoxFuture<'_, Result<Option<ObjectState>, DirectoryError>> {
        let found = self.0.lock().unwrap().contains_key(&object);
        Box::pin(ready(Ok(found.then_some(ObjectState::Enabled))))
    }

    fn names(&self, object: BoundObject) -> BoxFuture<'_, Result<Option<ObjectNames>, DirectoryError>> {
        Box::pin(ready(Ok(self.0.lock().unwrap().get(&object).cloned())))
    }

    fn identify<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<Option<BoundObject>, DirectoryError>> {
        let devices = self.0.lock().unwrap();
        let mut devices = devices.iter();
        let found = devices.find(|(_, names)| names.common_names.iter().any(|known| known == name));
        Box::pin(ready(Ok(found.map(|(object, _)| *object))))
    }

    fn epoch(&self) -> Option<u64> {
        None
    }
}

pub fn laptop(number: u8) -> BoundObject {
    format!("device:d6b58414-60ed-426b-b382-276a3e8d62{number:02x}").parse().unwrap()
}

/// Challenges for the profile `sealed`, as whoever makes them makes them.
pub fn sealed_challenges() -> SealedChallenges {
    let key = SealingKey::new(KeyId::FIRST, [3; 32]);
    SealedChallenges::new(key, Arc::new(AwsLc), Arc::new(AwsLc))
}

pub struct Site {
    pub directory: Arc<Devices>,
    pub instances: [Instance; 2],
}

pub struct Instance {
    pub enroller: Enroller,
    pub clock: Arc<FixedClock>,
}

impl Site {
    /// Two instances of the CA with that key and that certificate; each has read them for itself.
    pub fn of(pem: &str, certificate: &Certificate) -> Self {
        let directory = Arc::new(Devices::default());
        for number in 1..=4 {
            directory.name(laptop(number), &[&format!("laptop-{number}")]);
        }
        let instance = || Instance::of(pem, certificate, Arc::clone(&directory));
        Self { instances: [instance(), instance()], directory }
    }

    pub fn p256() -> Self {
        Self::of(testkit::keys::CA_PEM, &testkit::ca().certificate)
    }

    pub fn set(&self, now: UnixTime) {
        self.instances.iter().for_each(|instance| instance.clock.set(now));
    }
}

impl Instance {
    fn of(pem: &str, certificate: &Certificate, directory: Arc<Devices>) -> Self {
        let key = RepeatableKey::new(Arc::new(SoftwareKey::from_pem(pem).unwrap())).unwrap();
        let serial_key = SerialKey::from_slice(KeyId::FIRST, &[7; 32]).unwrap();
        let clock = Arc::new(FixedClock::default());
        let authority = CertificateAuthority::new(CaParts {
            issuer: Issuer::of_key(certificate.clone(), &key).unwrap(),
            key: Arc::new(key),
            binding: Arc::new(SerialBindings::sealed(&serial_key, certificate.public_key())),
            log: Arc::new(NoRecord),
            clock: clock.clone(),
            random: Arc::new(AwsLc),
        });
        let derivation = Arc::new(RequestDerivation::new(DerivationKey::of(&serial_key)));
        let challenge_key = ChallengeKey::new([9; 32]);
        let enroller = Enroller::new(EnrollerParts {
            authority: authority.unwrap().with_derivation(derivation).with_verifier(Arc::new(AwsLc)),
            profiles: vec![devices(&challenge_key), sealed()],
            store: Arc::new(NoRecord),
            challenge_key,
            directory,
            revocation: Arc::new(source_fn(|_| {
                Ok(StatusReport { standing: Standing::Good, known_at: NOW, reliable_until: None })
            })),
            verifier: Arc::new(AwsLc),
            clock: clock.clone(),
        });
        Self { enroller: enroller.unwrap(), clock }
    }

    /// By that message, signed by `signer`.
    pub fn ask(&self, message: &Message, kind: RequestKind) -> Result<Certificate, Refusal> {
        let request = EnrollmentRequest {
            profile: message.profile,
            transaction_id: message.transaction.as_bytes(),
            csr: message.csr.verified(&AwsLc)?,
            signer: message.signer.clone(),
            kind,
        };
        let outcome = block_on(self.enroller.enroll(request))?;
        match outcome {
            Enrollment::Issued(certificate) => Ok(certificate),
            Enrollment::Pending => Err(Refusal::Internal("nothing waits here".into())),
        }
    }
}

fn devices(key: &ChallengeKey) -> EnrollmentProfile {
    let challenge = StaticChallenge::new(key, &ChallengePassword::new(CHALLENGE.to_owned())).unwrap();
    let renewal = RenewalPolicy::default().opening_before_expiry(Duration::from_secs(WINDOW * DAY));
    profile("devices", ChallengeAuthority::Static(challenge)).with_renewal(renewal)
}

fn sealed() -> EnrollmentProfile {
    profile("sealed", ChallengeAuthority::Validator(Arc::new(sealed_challenges())))
}

fn profile(name: &str, authority: ChallengeAuthority) -> EnrollmentProfile {
    let settings =
        ProfileSettings { validity: Duration::from_secs(LIFE * DAY), ..ProfileSettings::new(name) };
    EnrollmentProfile::new(Arc::new(Profile::new(settings).unwrap()), authority)
}

/// What is decided upon of a message.
#[derive(Debug, Clone)]
pub struct Message {
    pub profile: &'static str,
    pub transaction: String,
    pub csr: CertificationRequest,
    pub signer: Certificate,
}

impl Message {
    /// For the key of `testkit::keys::p256`, in the transaction of that name, signed by a self-signed certificate that
    /// begins at `begins`.
    pub fn new(transaction: &str, laptop: &str, begins: UnixTime) -> Self {
        Self::with(&ChallengePassword::new(CHALLENGE.to_owned()), "devices", transaction, laptop, begins)
    }

    /// The same to any profile, with any challenge.
    pub fn with(
        challenge: &ChallengePassword,
        profile: &'static str,
        transaction: &str,
        laptop: &str,
        begins: UnixTime,
    ) -> Self {
        let key = testkit::keys::p256();
        let csr = UnsignedCertificationRequest::new(
            &Name::of_common_name(laptop),
            key.public_key(),
            Some(challenge),
            &RequestedExtensions::default(),
        );
        let signature = block_on(key.sign(csr.tbs())).unwrap();
        let csr = csr.finish(key.algorithm(), &signature).unwrap();
        Self { profile, transaction: transaction.to_owned(), signer: self_signed(&csr, begins), csr }
    }

    pub fn signed_by(&self, signer: &Certificate) -> Self {
        Self { signer: signer.clone(), ..self.clone() }
    }
}

/// Nobody verifies its signature.
pub fn self_signed(csr: &CertificationRequest, begins: UnixTime) -> Certificate {
    let validity = Validity::new(begins, UnixTime(begins.0 + DAY)).unwrap();
    let algorithm = issuance::IssuingAlgorithm::EcdsaSha256;
    let serial = "01".parse().unwrap();
    issuance::prepare_root(csr.subject(), csr.public_key(), algorithm, validity, serial)
        .finish(b"unverified")
        .unwrap()
}
