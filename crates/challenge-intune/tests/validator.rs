//! What Intune's word makes of a request: an object to bind to, or a refusal, and what Intune is told of it.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::arithmetic_side_effects,
    unreachable_pub,
    dead_code,
    missing_docs,
    reason = "tests"
)]

mod support;

use std::{
    future::ready,
    sync::{Arc, Mutex},
    time::Duration,
};

use challenge_intune::{IntuneChallenge, IntuneChallengeParts, IntuneNotices};
use directory::{FileDirectory, FileDirectorySettings};
use enrollment::{
    Asked, AskedNames, ChallengeValidator as _, NoticeCarrier as _, Outbox, Refusal, RefusalClass,
    StoreError, Undelivered, Validated,
};
use issuance::{Notice, TransactionKey};
use pki_core::{
    BoxFuture, CertRef, CertificationRequest, ChallengePassword, GeneralName, IssuerId, Name,
    RequestedExtensions, SigningKey as _, UnsignedCertificationRequest,
};
use serde_json::json;
use support::FakeIntune;
use testkit::{FixedClock, NOW, TempDir, block_on};

const DIRECTORY: &str = r#"
[[devices]]
id = "d6b58414-60ed-426b-b382-276a3e8d626d"
kind = "intune-device"
name = "pc-1"
state = "enabled"

[[devices]]
id = "307ff02c-76d6-4808-a523-3cbae90dcdbc"
kind = "entra-device"
name = "pc-2"
state = "disabled"

[[users]]
id = "3ff8ce3c-6910-4114-8d92-22e466a629c1"
kind = "entra-user"
name = "zoe"
upns = ["zoe@example.com"]
state = "enabled"
"#;
const INTUNE: &str = "d6b58414-60ed-426b-b382-276a3e8d626d";
const ENTRA: &str = "307FF02C-76D6-4808-A523-3CBAE90DCDBC";

/// Keeps what is posted.
#[derive(Debug, Default)]
struct Posted(Mutex<Vec<Notice>>);

impl Outbox for Posted {
    fn post<'a>(&'a self, _: TransactionKey, notice: &'a Notice) -> BoxFuture<'a, Result<(), StoreError>> {
        self.0.lock().unwrap().push(notice.clone());
        Box::pin(ready(Ok(())))
    }
}

struct World {
    intune: FakeIntune,
    challenge: IntuneChallenge,
    notices: IntuneNotices,
    posted: Arc<Posted>,
    _folder: TempDir,
}

fn world() -> World {
    let (intune, folder) = (FakeIntune::start(), testkit::tempdir().unwrap());
    let path = folder.path().join("directory.toml");
    std::fs::write(&path, DIRECTORY).unwrap();
    let clock = Arc::new(FixedClock::default());
    let directory = FileDirectory::open(path, clock, FileDirectorySettings::default()).unwrap();
    let posted = Arc::<Posted>::default();
    let challenge = IntuneChallenge::new(IntuneChallengeParts {
        service: intune.client(),
        directory: Arc::new(directory),
        outbox: Arc::clone(&posted) as _,
        kind: "intune/contoso".into(),
    });
    let notices = IntuneNotices::new(intune.client(), "intune/contoso");
    World { intune, challenge, notices, posted, _folder: folder }
}

fn csr(subject: &str, names: &[GeneralName]) -> CertificationRequest {
    let key = testkit::keys::p256();
    let challenge = ChallengePassword::new("an opaque challenge".to_owned());
    let subject: Name = subject.parse().unwrap();
    let extensions = RequestedExtensions { subject_alt_names: names.to_vec(), ..Default::default() };
    let unsigned =
        UnsignedCertificationRequest::new(&subject, key.public_key(), Some(&challenge), &extensions);
    let signature = block_on(key.sign(unsigned.tbs())).unwrap();
    unsigned.finish(key.algorithm(), &signature).unwrap()
}

fn asked(csr: &CertificationRequest) -> Asked<'_> {
    Asked {
        profile: "devices",
        transaction_id: b"transaction-1",
        transaction: TransactionKey::from_bytes([1; 32]),
        csr,
        challenge: csr.challenge_password(),
        now: NOW,
    }
}

impl World {
    async fn validate(&self, csr: &CertificationRequest) -> Result<Validated, Refusal> {
        self.challenge.validate(&asked(csr)).await
    }

    async fn deliver_posted(&self) {
        let posted = std::mem::take(&mut *self.posted.0.lock().unwrap());
        for notice in posted {
            self.notices.carry(&notice, None).await.unwrap();
        }
    }
}

fn uri(text: &str) -> GeneralName {
    GeneralName::Uri(text.into())
}

fn upn(text: &str) -> GeneralName {
    GeneralName::Upn(text.into())
}

#[tokio::test]
async fn the_object_is_the_one_that_the_validated_names_say() {
    let world = world();
    let of_uri = uri(&format!("IntuneDeviceID://{INTUNE}"));
    for (subject, names, object) in [
        (&*format!("CN={INTUNE}"), vec![], format!("intune-device:{INTUNE}")),
        (&*format!("CN=02:00:00:00:00:01,O=Contoso,CN={INTUNE}"), vec![], format!("intune-device:{INTUNE}")),
        (&*format!("CN={ENTRA}"), vec![], format!("entra-device:{}", ENTRA.to_lowercase())),
        ("CN=DMQVGC0DHLA0", vec![of_uri.clone()], format!("intune-device:{INTUNE}")),
        // The URI is more than a common name.
        (&*format!("CN={ENTRA}"), vec![uri("urn:x"), of_uri.clone()], format!("intune-device:{INTUNE}")),
        (
            &*format!("CN={INTUNE}"),
            vec![of_uri, upn("zoe@example.com")],
            "entra-user:3ff8ce3c-6910-4114-8d92-22e466a629c1".into(),
        ),
    ] {
        let validated = world.validate(&csr(subject, &names)).await.unwrap();
        assert_eq!(validated.object.unwrap().to_string(), object, "{subject}");
        assert_eq!(validated.asked_names, AskedNames::Proven);
        assert_eq!(validated.notice.unwrap().kind, "intune/contoso");
    }
    assert!(world.posted.0.lock().unwrap().is_empty());
}

#[tokio::test]
async fn row_01_who_names_nobody_of_the_directory_is_refused_and_intune_told() {
    let world = world();
    let unknown = "00000000-0000-4000-8000-000000000000";
    for (subject, names, code) in [
        ("CN=pc-1", vec![], "names-not-allowed"),
        ("CN=17", vec![], "names-not-allowed"),
        ("O=Contoso", vec![uri("IntuneDeviceId://pc-1")], "names-not-allowed"),
        (&*format!("CN={unknown}"), vec![], "object-unknown"),
        ("CN=x", vec![uri(&format!("IntuneDeviceId://{unknown}"))], "object-unknown"),
        // Not as an Intune device.
        ("CN=x", vec![uri(&format!("IntuneDeviceId://{ENTRA}"))], "object-unknown"),
        // A user who is gone is no reason to take the device.
        (&*format!("CN={INTUNE}"), vec![upn("gone@example.com")], "object-unknown"),
        // A device's name is no user's.
        ("CN=x", vec![upn("pc-1")], "object-unknown"),
    ] {
        let refusal = world.validate(&csr(subject, &names)).await.unwrap_err();
        assert_eq!(refusal.code(), code, "{subject}: {refusal}");
        world.deliver_posted().await;
        let told = world.intune.told("failureNotification");
        assert_eq!(told.last().unwrap()["notification"]["hResult"], json!(0x8007_0005_u32));
    }
    assert_eq!(world.intune.told("failureNotification").len(), 8);
    assert_eq!(world.intune.told("validateRequest").len(), 8, "Intune has the first word");
}

#[tokio::test]
async fn no_challenge_no_question() {
    let world = world();
    let csr = csr(&format!("CN={INTUNE}"), &[]).without_challenge().unwrap();
    assert_eq!(world.validate(&csr).await, Err(Refusal::ChallengeMissing));
    assert!(world.intune.service.asked().is_empty());
}

#[tokio::test]
async fn a_no_is_final_and_whatever_is_no_answer_is_to_be_tried_again() {
    let world = world();
    let csr = csr(&format!("CN={INTUNE}"), &[]);
    world.intune.tell(|script| script.code = "ChallengeExpired");
    let refusal = world.validate(&csr).await.unwrap_err();
    assert_eq!((refusal.code(), refusal.class()), ("challenge-rejected", RefusalClass::BadRequest));
    assert!(refusal.to_string().contains("ChallengeExpired: as the test says"), "{refusal}");
    for (code, instead) in
        [("Unknown", None), ("NewCode", None), ("Success", Some((500, ""))), ("Success", Some((200, "{}")))]
    {
        world.intune.tell(|script| (script.code, script.instead) = (code, instead));
        let refusal = world.validate(&csr).await.unwrap_err();
        assert_eq!((refusal.code(), refusal.class()), ("authority-unavailable", RefusalClass::TryLater));
    }
    assert!(world.posted.0.lock().unwrap().is_empty(), "Intune knows what it said");
}

#[tokio::test]
async fn a_later_refusal_is_told_unless_the_request_may_come_again() {
    let world = world();
    let csr = csr(&format!("CN={INTUNE}"), &[]);
    let refused = async |refusal: Refusal| {
        world.challenge.refused(&asked(&csr), &refusal).await;
        world.deliver_posted().await;
        world.intune.told("failureNotification").len()
    };
    assert_eq!(refused(Refusal::DirectoryUnavailable("x".into())).await, 0);
    assert_eq!(refused(Refusal::ObjectDisabled).await, 1);
    assert_eq!(refused(Refusal::Internal("a secret of ours".into())).await, 2);
    let told = world.intune.told("failureNotification");
    let fields = |number: usize| (&told[number]["notification"]["hResult"], told[number].to_string());
    assert_eq!(fields(0).0, &json!(0x8007_0005_u32));
    assert!(fields(0).1.contains("disabled"));
    assert_eq!(fields(1).0, &json!(0x8000_4005_u32));
    assert!(!fields(1).1.contains("secret"), "what is wrong here is not told");
}

#[tokio::test]
async fn a_success_is_told_with_its_certificate_and_what_becomes_of_that_is_said() {
    let world = world();
    let notice = world.validate(&csr(&format!("CN={INTUNE}"), &[])).await.unwrap().notice.unwrap();
    let certificate = testkit::device().certificate;
    let serial = certificate.serial_number().unwrap();
    let issued = (CertRef { issuer: IssuerId::from_bytes([7; 32]), serial }, certificate);
    let carry = || world.notices.carry(&notice, Some(&issued));
    carry().await.unwrap();
    carry().await.unwrap();
    let told = world.intune.told("successNotification");
    assert_eq!(told[0], told[1], "again, and the same");
    assert_eq!(told[0]["notification"]["transactionId"], json!("transaction-1"));
    assert_eq!(told[0]["notification"]["caConfiguration"], json!("07".repeat(32)));
    world.intune.tell(|script| script.code = "ChallengeExpired");
    assert!(matches!(carry().await, Err(Undelivered::Never { .. })));
    world.intune.tell(|script| script.code = "Unknown");
    assert!(matches!(carry().await, Err(Undelivered::Later { after: None, .. })));
    world.intune.tell(|script| script.instead = Some((429, "")));
    let expected = Some(Duration::from_secs(10));
    assert!(matches!(carry().await, Err(Undelivered::Later { after, .. }) if after == expected));
    world.intune.tell(|script| script.instead = Some((503, "")));
    assert!(matches!(carry().await, Err(Undelivered::Later { after: None, .. })));
    let unreadable = Notice { body: b"{}".to_vec(), ..notice.clone() };
    let carried = world.notices.carry(&unreadable, Some(&issued)).await;
    assert!(matches!(carried, Err(Undelivered::Never { .. })));
    assert!(matches!(world.notices.carry(&notice, None).await, Err(Undelivered::Never { .. })));
}
