//! Status from the state of the bound object.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::arithmetic_side_effects,
    missing_docs,
    reason = "tests"
)]

mod support;

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicU64, Ordering},
};

use directory::{
    Directory, DirectoryError, DirectoryRevocation, DirectoryRevocationParts, InMemoryTombstones,
    NoTombstones, ObjectNames, ObjectState, Tombstone, Tombstones,
};
use pki_core::{BoxFuture, CertRef, CrlReason, IssuerId, SerialNumber, UnixTime};
use revocation::{AllSources, RevocationSource, SourceError, Standing, StatusReport, source_fn};
use serial_binding::{BoundObject, ObjectKind, ObjectKinds, opaque_serial};
use support::{ADA, Ca, LAPTOP, NOW, OnDisk, ada, device, fleet, fleet_member, laptop};
use testkit::{FixedClock, block_on};

/// Answers what it was told to, about devices only.
#[derive(Debug)]
struct Stub {
    answer: Mutex<Result<Option<ObjectState>, DirectoryError>>,
    asked: AtomicU64,
}

impl Directory for Stub {
    fn state(&self, _object: BoundObject) -> BoxFuture<'_, Result<Option<ObjectState>, DirectoryError>> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        Box::pin(std::future::ready(self.answer.lock().unwrap().clone()))
    }

    fn names(&self, _object: BoundObject) -> BoxFuture<'_, Result<Option<ObjectNames>, DirectoryError>> {
        Box::pin(std::future::ready(Ok(None)))
    }

    fn identify<'a>(&'a self, _name: &'a str) -> BoxFuture<'a, Result<Option<BoundObject>, DirectoryError>> {
        Box::pin(std::future::ready(Ok(None)))
    }

    fn epoch(&self) -> Option<u64> {
        None
    }

    fn kinds(&self) -> ObjectKinds {
        ObjectKinds::from_iter([ObjectKind::DEVICE])
    }
}

struct Setting {
    ca: Ca,
    clock: Arc<FixedClock>,
    stub: Arc<Stub>,
    source: DirectoryRevocation,
}

impl Setting {
    fn new(tombstones: impl Tombstones + 'static) -> Self {
        Self::sharing(Arc::new(tombstones))
    }

    fn sharing(tombstones: Arc<dyn Tombstones>) -> Self {
        let (ca, clock) = (Ca::new(), Arc::new(FixedClock::new(UnixTime(NOW))));
        let stub = Arc::new(Stub { answer: Mutex::new(Ok(None)), asked: AtomicU64::new(0) });
        let source = source(&ca, Arc::clone(&stub) as _, Arc::clone(&clock), tombstones);
        Self { ca, clock, stub, source }
    }

    /// What the source says at `at` when the directory says `answer`.
    fn told(
        &self,
        certificate: CertRef,
        at: u64,
        answer: Result<Option<ObjectState>, DirectoryError>,
    ) -> Result<StatusReport, SourceError> {
        self.clock.set(UnixTime(at));
        *self.stub.answer.lock().unwrap() = answer;
        block_on(self.source.status(certificate))
    }

    fn standing(&self, certificate: CertRef, at: u64, state: impl Into<Option<ObjectState>>) -> Standing {
        let report = self.told(certificate, at, Ok(state.into())).unwrap();
        assert_eq!(report.known_at, UnixTime(at));
        report.standing
    }
}

fn source(
    ca: &Ca,
    directory: Arc<dyn Directory>,
    clock: Arc<FixedClock>,
    tombstones: Arc<dyn Tombstones>,
) -> DirectoryRevocation {
    let parts = DirectoryRevocationParts {
        issuer: ca.id,
        binding: Arc::clone(&ca.binding) as _,
        directory,
        tombstones,
        clock,
    };
    DirectoryRevocation::new(parts)
}

fn hold(since: u64) -> Standing {
    Standing::Hold { since: UnixTime(since) }
}

fn ended(since: u64) -> Standing {
    Standing::Revoked { since: UnixTime(since), reason: CrlReason::CessationOfOperation }
}

const ENABLED: Option<ObjectState> = Some(ObjectState::Enabled);

fn disabled(since: Option<u64>) -> ObjectState {
    ObjectState::Disabled { since: since.map(UnixTime) }
}

fn gone(since: Option<u64>) -> ObjectState {
    ObjectState::Gone { since: since.map(UnixTime) }
}

#[test]
fn states_become_standings() {
    let setting = Setting::new(NoTombstones);
    let certificate = setting.ca.certificate(laptop());
    for (state, expected) in [
        (ObjectState::Enabled, Standing::Good),
        (disabled(Some(50)), hold(50)),
        (disabled(Some(200)), hold(100)),
        (gone(Some(60)), ended(60)),
        (gone(Some(200)), ended(100)),
    ] {
        assert_eq!(setting.standing(certificate, 100, state), expected, "{state:?}");
    }
}

#[test]
fn where_the_directory_does_not_tell_since_when_it_is_since_first_seen() {
    let setting = Setting::new(NoTombstones);
    let certificate = setting.ca.certificate(laptop());
    assert_eq!(setting.standing(certificate, 100, disabled(None)), hold(100));
    assert_eq!(setting.standing(certificate, 110, disabled(None)), hold(100));
    assert_eq!(setting.standing(certificate, 120, ENABLED), Standing::Good);
    assert_eq!(setting.standing(certificate, 130, disabled(None)), hold(130));
    assert_eq!(setting.standing(certificate, 140, None), ended(140));
    assert_eq!(setting.standing(certificate, 150, gone(None)), ended(140));
    // Never after the time of knowing, even if the clock went back.
    assert_eq!(setting.standing(certificate, 135, None), ended(135));
}

#[test]
fn what_is_not_bound_to_an_object_of_this_directory_is_not_its_own() {
    let setting = Setting::new(NoTombstones);
    let mine = setting.ca.certificate(laptop());
    let others = [
        setting.ca.certificate(ada()),
        CertRef { issuer: IssuerId::from_bytes([2; 32]), ..mine },
        setting.ca.numbered(opaque_serial(&pki_random()).unwrap()),
        setting.ca.numbered(SerialNumber::from_be_bytes(&[0x10]).unwrap()),
        setting.ca.numbered(SerialNumber::from_be_bytes(&[0x70; 20]).unwrap()),
    ];
    for certificate in others {
        let report = setting.told(certificate, 100, Ok(None)).unwrap();
        assert_eq!(report.standing, Standing::NotMine, "{certificate:?}");
    }
    assert_eq!(setting.stub.asked.load(Ordering::SeqCst), 0);
}

fn pki_random() -> impl pki_core::SecureRandom {
    #[derive(Debug)]
    struct Zero;
    impl pki_core::SecureRandom for Zero {
        fn fill(&self, _out: &mut [u8]) -> Result<(), pki_core::RandomFailed> {
            Ok(())
        }
    }
    Zero
}

#[test]
fn row_47_a_never_issued_serial_number_is_never_good() {
    let file = OnDisk::new(&fleet(50));
    let ca = Ca::new();
    let source =
        source(&ca, Arc::clone(&file.directory) as _, Arc::clone(&file.clock), Arc::new(NoTombstones));
    let mut octets = [0u8; 20];
    for round in 0..20_000u64 {
        let mix = round.wrapping_mul(0x9E37_79B9_7F4A_7C15);
        octets[4..12].copy_from_slice(&mix.to_be_bytes());
        octets[12..].copy_from_slice(&mix.rotate_left(23).wrapping_mul(31).to_be_bytes());
        octets[0] = [0x10, 0x20, 0x30, 0x2F, 0x40, 0x00][usize::try_from(round % 6).unwrap()];
        let Ok(serial) = SerialNumber::from_be_bytes(&octets) else { continue };
        let report = block_on(source.status(ca.numbered(serial))).unwrap();
        assert_ne!(report.standing, Standing::Good, "{serial}");
    }
}

#[test]
fn row_49_a_directory_that_cannot_be_asked_is_neither_good_nor_revoked() {
    let setting = Setting::new(InMemoryTombstones::new(10));
    let certificate = setting.ca.certificate(laptop());
    for what in ["401 Unauthorized", "403 Forbidden", "503", "no such host"] {
        let down = Err(DirectoryError::unavailable("stub", what));
        let error = setting.told(certificate, 100, down).unwrap_err();
        assert!(error.to_string().contains(what), "{error}");
    }
    assert_eq!(setting.standing(certificate, 110, ENABLED), Standing::Good, "no tombstone was set");
}

#[test]
fn row_49_together_with_other_sources_an_outage_is_an_outage() {
    let file = OnDisk::new(&device(LAPTOP, "laptop", "enabled"));
    let ca = Ca::new();
    let certificate = ca.certificate(laptop());
    let directory = Arc::new(source(
        &ca,
        Arc::clone(&file.directory) as _,
        Arc::clone(&file.clock),
        Arc::new(NoTombstones),
    ));
    let report = |standing| StatusReport { standing, known_at: UnixTime(NOW), reliable_until: None };
    let beside = |standing| {
        let other = source_fn(move |_| Ok(report(standing)));
        AllSources::new(vec![Arc::clone(&directory) as _, Arc::new(other)])
    };
    let quiet = beside(Standing::NotMine);
    assert_eq!(block_on(quiet.status(certificate)).unwrap().standing, Standing::Good);
    std::fs::remove_file(&file.path).unwrap();
    file.directory.refresh();
    assert_eq!(block_on(quiet.status(certificate)).unwrap().standing, Standing::Good, "last known good");
    assert_eq!(block_on(quiet.status(certificate)).unwrap().known_at, UnixTime(NOW));
    file.clock.set(UnixTime(NOW + 601));
    assert!(block_on(quiet.status(certificate)).is_err());
    let revoked = Standing::Revoked { since: UnixTime(5), reason: CrlReason::KeyCompromise };
    assert_eq!(block_on(beside(revoked).status(certificate)).unwrap().standing, revoked);
}

#[test]
fn row_50_a_directory_that_has_lost_most_of_its_objects_revokes_none() {
    let file = OnDisk::new(&fleet(100));
    let ca = Ca::new();
    let tombstones = Arc::new(InMemoryTombstones::new(1000));
    let source = source(&ca, Arc::clone(&file.directory) as _, Arc::clone(&file.clock), tombstones);
    let certificates: Vec<_> = (0..100).map(|n| ca.certificate(fleet_member(n))).collect();
    for broken in
        [String::new(), fleet(1), fleet(30), String::from("users = []"), fleet(100)[..3000].to_owned()]
    {
        file.write(&broken);
        for second in 0..20 {
            file.clock.set(UnixTime(NOW + second));
            file.directory.refresh();
            for certificate in &certificates {
                let standing = block_on(source.status(*certificate)).map(|report| report.standing);
                assert!(matches!(standing, Ok(Standing::Good) | Err(_)), "{standing:?}");
            }
        }
    }
}

#[test]
fn row_60_an_object_made_anew_does_not_bring_its_old_certificates_back() {
    let setting = Setting::new(InMemoryTombstones::new(10));
    let certificate = setting.ca.certificate(laptop());
    assert_eq!(setting.standing(certificate, 100, ENABLED), Standing::Good);
    assert_eq!(setting.standing(certificate, 110, None), ended(110));
    assert_eq!(setting.standing(certificate, 120, ENABLED), ended(110));
    assert_eq!(setting.standing(certificate, 130, disabled(None)), ended(110));
    let down = Err(DirectoryError::unavailable("stub", "down"));
    assert_eq!(setting.told(certificate, 140, down).unwrap().standing, ended(110), "for ever is for ever");
    // Without that memory, it does.
    let forgetful = Setting::new(NoTombstones);
    let certificate = forgetful.ca.certificate(laptop());
    assert_eq!(forgetful.standing(certificate, 110, None), ended(110));
    assert_eq!(forgetful.standing(certificate, 120, ENABLED), Standing::Good);
}

/// Knows when certificates were issued.
#[derive(Debug)]
struct Dated {
    inner: InMemoryTombstones,
    issued: Mutex<Vec<(CertRef, UnixTime)>>,
}

impl Tombstones for Dated {
    fn find(&self, object: BoundObject) -> Option<Tombstone> {
        self.inner.find(object)
    }

    fn record(&self, object: BoundObject, tombstone: Tombstone) {
        self.inner.record(object, tombstone);
    }

    fn issued_at(&self, certificate: CertRef) -> BoxFuture<'_, Result<Option<UnixTime>, SourceError>> {
        let issued = self.issued.lock().unwrap();
        let at = issued.iter().find(|(other, _)| *other == certificate).map(|(_, at)| *at);
        Box::pin(std::future::ready(Ok(at)))
    }
}

#[test]
fn row_60_certificates_issued_to_the_new_object_are_good() {
    let tombstones = Arc::new(Dated { inner: InMemoryTombstones::new(10), issued: Mutex::new(Vec::new()) });
    let setting = Setting::sharing(Arc::clone(&tombstones) as _);
    let (first, second, third) = (
        setting.ca.certificate(laptop()),
        setting.ca.certificate(laptop()),
        setting.ca.certificate(laptop()),
    );
    *tombstones.issued.lock().unwrap() =
        vec![(first, UnixTime(100)), (second, UnixTime(200)), (third, UnixTime(300))];
    // Gone since long ago by its own account, seen so at 150.
    assert_eq!(setting.standing(first, 150, gone(Some(50))), ended(50));
    assert_eq!(setting.standing(first, 210, ENABLED), ended(50));
    assert_eq!(setting.standing(second, 210, ENABLED), Standing::Good);
    // Deleted again, and made anew again.
    assert_eq!(setting.standing(second, 250, None), ended(250));
    assert!(matches!(setting.standing(first, 310, ENABLED), Standing::Revoked { .. }));
    assert_eq!(setting.standing(second, 310, ENABLED), ended(250));
    assert_eq!(setting.standing(third, 310, ENABLED), Standing::Good);
}

#[test]
fn answers_of_a_directory_without_epoch_hold_for_seconds() {
    let setting = Setting::new(NoTombstones);
    let certificate = setting.ca.certificate(laptop());
    let report = setting.told(certificate, 100, Ok(ENABLED)).unwrap();
    assert_eq!(report.reliable_until, Some(UnixTime(105)));
    assert_eq!(setting.source.epoch(), None);

    let file = OnDisk::new(&device(ADA, "ada", "enabled"));
    let ca = Ca::new();
    let source =
        source(&ca, Arc::clone(&file.directory) as _, Arc::clone(&file.clock), Arc::new(NoTombstones));
    let report = block_on(source.status(ca.certificate(laptop()))).unwrap();
    assert_eq!(report.reliable_until, None);
    assert_eq!(source.epoch(), file.directory.epoch());
    assert!(source.epoch().is_some());
}
