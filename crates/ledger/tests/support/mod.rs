//! A ledger in a folder of its own, and things to put into it.
#![allow(dead_code, reason = "each test uses what it needs")]

use std::{path::PathBuf, sync::Arc};

use enrollment::StoredChallenge;
use issuance::{ChallengeId, Intent, IntentOutcome, IssuanceLog as _, Provenance, Since, TransactionKey};
use ledger::{Ledger, LedgerReader, LedgerSettings};
use pki_core::{CertRef, Certificate, IssuerId, SerialNumber, UnixTime, tlv};
use serial_binding::{BoundObject, ObjectId, ObjectKind};
use testkit::{FixedClock, NOW, TempDir, block_on};

pub const DAY: u64 = 24 * 60 * 60;

#[derive(Debug)]
pub struct Fixture {
    pub clock: Arc<FixedClock>,
    pub ledger: Ledger,
    pub folder: TempDir,
}

impl Fixture {
    pub fn new() -> Self {
        let folder = testkit::tempdir().unwrap();
        let clock = Arc::new(FixedClock::default());
        let ledger = Ledger::open(folder.path().join("ledger.sqlite"), settings(&clock)).unwrap();
        Self { clock, ledger, folder }
    }

    pub fn path(&self) -> PathBuf {
        self.folder.path().join("ledger.sqlite")
    }

    /// Opened once more, as another process would.
    pub fn second(&self) -> Ledger {
        Ledger::open(self.path(), settings(&self.clock)).unwrap()
    }

    pub fn responder(&self) -> LedgerReader {
        LedgerReader::open(self.path(), settings(&self.clock)).unwrap()
    }

    pub fn intend(&self, intent: &Intent) -> IntentOutcome {
        block_on(self.ledger.record_intent(intent)).unwrap()
    }

    /// Records intent and certificate.
    pub fn issue(&self, intent: &Intent) -> Certificate {
        assert!(matches!(self.intend(intent), IntentOutcome::Recorded));
        let made = certificate(intent.certificate.serial);
        block_on(self.ledger.record_issued(intent.certificate, &made)).unwrap()
    }

    /// SQL past the ledger, as an accident would have it.
    pub fn sql(&self, sql: &str) {
        rusqlite::Connection::open(self.path()).unwrap().execute_batch(sql).unwrap();
    }
}

pub fn settings(clock: &Arc<FixedClock>) -> LedgerSettings {
    LedgerSettings {
        poll_interval: std::time::Duration::from_millis(5),
        ..LedgerSettings::new(clock.clone())
    }
}

pub fn issuer() -> IssuerId {
    IssuerId::of(&testkit::ca().certificate)
}

/// Twenty octets with `number` at the end.
pub fn serial(number: u64) -> SerialNumber {
    let mut octets = [0x20; 20];
    octets[12..].copy_from_slice(&number.to_be_bytes());
    SerialNumber::from_be_bytes(&octets).unwrap()
}

pub fn reference(number: u64) -> CertRef {
    CertRef { issuer: issuer(), serial: serial(number) }
}

pub fn object(number: u64) -> BoundObject {
    let mut id = [0; 16];
    id[8..].copy_from_slice(&number.to_be_bytes());
    BoundObject::new(ObjectKind::DEVICE, ObjectId::Uuid(id)).unwrap()
}

pub fn octets32(number: u64) -> [u8; 32] {
    let mut octets = [0; 32];
    octets[24..].copy_from_slice(&number.to_be_bytes());
    octets
}

/// An intent of its own: no other number shares its serial number, transaction, request or object.
pub fn intent(number: u64) -> Intent {
    Intent {
        certificate: reference(number),
        tbs: number.to_be_bytes().to_vec(),
        profile: "default".into(),
        subject: format!("CN=laptop-{number},O=Example"),
        object: Some(object(number)),
        not_after: UnixTime(NOW.0 + 365 * DAY),
        at: NOW,
        provenance: Provenance {
            transaction: TransactionKey::new("default", &number.to_be_bytes(), &[7; 32]),
            request: octets32(number),
            spends: None,
            renews: None,
            notice: None,
            since: Since::Unknown,
        },
    }
}

pub fn challenge(number: u64) -> StoredChallenge {
    StoredChallenge {
        id: ChallengeId::from_bytes(octets32(number)),
        profile: "default".into(),
        object: object(number),
        expires: UnixTime(NOW.0 + 600),
        created: NOW,
    }
}

/// The certificate of the testkit's device with another serial number, and so with a signature that does not hold.
pub fn certificate(serial: SerialNumber) -> Certificate {
    variant(serial, 0)
}

/// The same, of which there is one for each `number`.
pub fn variant(serial: SerialNumber, number: u8) -> Certificate {
    let model = testkit::device_p256().certificate;
    let mut tbs = tlv::Cursor::into(model.tbs(), tlv::SEQUENCE, "a TBSCertificate").unwrap();
    let mut fields = tbs.next().unwrap().bytes.to_vec();
    tbs.next().unwrap();
    fields.extend(tlv::wrap(tlv::INTEGER, serial.as_be_bytes()));
    while !tbs.is_empty() {
        fields.extend_from_slice(tbs.next().unwrap().bytes);
    }
    let algorithm = model.signature_algorithm().unwrap().to_der();
    let signature = tlv::wrap(tlv::BIT_STRING, &[0, number]);
    let tbs = tlv::wrap(tlv::SEQUENCE, &fields);
    Certificate::from_der(&tlv::sequence([&*tbs, &algorithm, &signature])).unwrap()
}
