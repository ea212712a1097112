//! The table of `docs/directories.md`, row by row, for every directory: no bad day turns anybody revoked or good who was
//! not.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::arithmetic_side_effects,
    reason = "tests"
)]

mod support;

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use directory::{
    Directory, DirectoryError, GuardSettings, GuardedDirectory, ObjectNames, ObjectState, Observation,
};
use directory_jamf::{JamfDirectory, TOKEN_PATH, Unmanaged};
use directory_scim::{Dialect, ScimDirectory};
use emulators::{Action, Emulators, Fault, Faulty, Kind, Options, Service};
use keys_software::replace_private_file;
use ocsp_server::{
    Directories,
    settings::{
        ComplianceCheck, DevicesIn, DirectoryKind, DirectoryServiceSettings, DirectorySettings, EntraSettings,
    },
};
use pki_core::{BoxFuture, Clock, UnixTime};
use rest_client::{
    Cached, ClientCredentials, ClientProof, FixedBearer, RestClient, RestSettings, Secret, TokenSource,
};
use serial_binding::{BoundObject, ObjectKinds};
use testkit::FixedClock;

/// How long a client waits.
const PATIENCE: Duration = Duration::from_millis(250);

/// A directory whose service can move, as names and certificates do.
#[derive(Debug)]
struct Movable(Mutex<Arc<dyn Directory>>);

impl Movable {
    fn now(&self) -> Arc<dyn Directory> {
        Arc::clone(&self.0.lock().unwrap())
    }
}

impl Directory for Movable {
    fn state(&self, object: BoundObject) -> BoxFuture<'_, Result<Option<ObjectState>, DirectoryError>> {
        Box::pin(async move { self.now().state(object).await })
    }

    fn observe(&self, object: BoundObject) -> BoxFuture<'_, Result<Observation, DirectoryError>> {
        Box::pin(async move { self.now().observe(object).await })
    }

    fn names(&self, object: BoundObject) -> BoxFuture<'_, Result<Option<ObjectNames>, DirectoryError>> {
        Box::pin(async move { self.now().names(object).await })
    }

    fn identify<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<Option<BoundObject>, DirectoryError>> {
        Box::pin(async move { self.now().identify(name).await })
    }

    fn epoch(&self) -> Option<u64> {
        None
    }

    fn kinds(&self) -> ObjectKinds {
        self.now().kinds()
    }
}

/// What is to be asked about: a service, and the directory that asks it at a base.
struct Subject {
    kind: Kind,
    service: Service,
    open: fn(&Emulators, &str, &Arc<FixedClock>) -> Arc<dyn Directory>,
    /// How an object of it is put on hold.
    hold: Option<Action>,
    /// Where its tokens come from, if it has any that end.
    login: Option<Service>,
}

fn subjects() -> Vec<Subject> {
    let jamf = |kind, hold| {
        let service = Service::Jamf;
        Subject { kind, service, open: open_jamf, hold, login: Some(service) }
    };
    let entra = |kind, open, hold| Subject {
        kind,
        service: Service::Graph,
        open,
        hold: Some(hold),
        login: Some(Service::Entra),
    };
    let noncompliant = Action::Compliance { state: "noncompliant".into(), grace_until: None };
    let (kind, service, hold) = (Kind::ScimUser, Service::Scim, Some(Action::Disable));
    vec![
        Subject { kind, service, open: open_scim, hold, login: None },
        entra(Kind::EntraUser, open_entra, Action::Disable),
        entra(Kind::EntraDevice, open_entra, Action::Disable),
        entra(Kind::IntuneDevice, open_intune, noncompliant),
        jamf(Kind::JamfComputer, Some(Action::Disable)),
        jamf(Kind::JamfMobileDevice, Some(Action::Disable)),
        jamf(Kind::JamfUser, None),
    ]
}

fn settings(base: &str) -> RestSettings {
    RestSettings { timeout: PATIENCE, ..RestSettings::new("the service", base) }
}

fn open_scim(emulators: &Emulators, base: &str, _: &Arc<FixedClock>) -> Arc<dyn Directory> {
    let tokens = FixedBearer::new(&Secret::new(&*emulators.credentials().scim_token));
    let client = RestClient::new(settings(&format!("{base}/scim/v2")), Some(Arc::new(tokens))).unwrap();
    Arc::new(ScimDirectory::new(client, Dialect::scim()))
}

fn open_jamf(emulators: &Emulators, base: &str, clock: &Arc<FixedClock>) -> Arc<dyn Directory> {
    let known = emulators.credentials();
    let login = RestClient::new(settings(base), None).unwrap();
    let proof = ClientProof::Secret(Secret::new(&*known.jamf_client_secret));
    let clock: Arc<FixedClock> = Arc::clone(clock);
    let source = ClientCredentials::new(
        login,
        TOKEN_PATH,
        known.jamf_client_id.clone(),
        proof,
        None,
        Arc::<FixedClock>::clone(&clock),
    );
    let tokens: Arc<dyn TokenSource> = Arc::new(Cached::new(source, clock));
    Arc::new(JamfDirectory::new(RestClient::new(settings(base), Some(tokens)).unwrap(), Unmanaged::Hold))
}

fn open_entra(emulators: &Emulators, base: &str, clock: &Arc<FixedClock>) -> Arc<dyn Directory> {
    entra(emulators, base, clock, DevicesIn::Entra)
}

fn open_intune(emulators: &Emulators, base: &str, clock: &Arc<FixedClock>) -> Arc<dyn Directory> {
    entra(emulators, base, clock, DevicesIn::Intune)
}

/// As a server's settings have it, with a guard that remembers nothing but who is gone.
fn entra(
    emulators: &Emulators,
    base: &str,
    clock: &Arc<FixedClock>,
    devices: DevicesIn,
) -> Arc<dyn Directory> {
    let (known, folder) = (emulators.credentials(), testkit::tempdir().unwrap());
    replace_private_file(&folder.path().join("secret.txt"), known.client_secret.as_bytes()).unwrap();
    let entra = EntraSettings {
        tenant: known.tenant.clone(),
        login_url: emulators.entra().to_owned(),
        devices,
        compliance: ComplianceCheck::Always,
        compliance_grace_minutes: 0,
        ..EntraSettings::default()
    };
    let service = DirectoryServiceSettings {
        kind: DirectoryKind::Entra,
        url: base.to_owned(),
        client_id: known.client_id.clone(),
        secret: "secret.txt".into(),
        fresh_seconds: 0,
        max_stale_seconds: 0,
        entra,
        ..DirectoryServiceSettings::default()
    };
    let settings =
        DirectorySettings { file: "".into(), service: vec![service], ..DirectorySettings::default() };
    let clock: Arc<dyn Clock> = Arc::<FixedClock>::clone(clock);
    Directories::open(&settings, folder.path(), &clock).unwrap().together
}

/// A row of the table.
#[derive(Debug, Clone)]
enum Trouble {
    Fault(Fault),
    /// The service has gone to another address.
    Moved(&'static str),
    /// Tokens are taken back, and there are no new ones.
    Login(Fault),
    /// Whoever asks finds another time on the clock.
    Clock(i64),
}

fn troubles() -> Vec<(&'static str, Trouble)> {
    let fault = |name, fault| (name, Trouble::Fault(fault));
    vec![
        fault("slow", Fault::Slow(PATIENCE * 2)),
        fault("429", Fault::Throttled { retry_after: Some(30) }),
        fault("429 without a time", Fault::Throttled { retry_after: None }),
        fault("401", Fault::Status(401)),
        fault("403", Fault::Status(403)),
        fault("500", Fault::Status(500)),
        fault("503", Fault::Status(503)),
        fault("404 with a proxy's page", Fault::Page(404)),
        fault("200 with a proxy's page", Fault::Page(200)),
        fault("410 with a proxy's page", Fault::Page(410)),
        fault("garbage", Fault::Garbage),
        fault("truncated", Fault::Truncated),
        fault("connection reset", Fault::Reset),
        fault("404 for everyone", Fault::Empty),
        ("429 instead of a token", Trouble::Login(Fault::Throttled { retry_after: Some(30) })),
        ("401 instead of a token", Trouble::Login(Fault::Status(401))),
        ("500 instead of a token", Trouble::Login(Fault::Status(500))),
        ("404 instead of a token", Trouble::Login(Fault::Page(404))),
        ("garbage instead of a token", Trouble::Login(Fault::Garbage)),
        ("no name", Trouble::Moved("http://no-such-host.invalid")),
        ("no connection", Trouble::Moved("http://127.0.0.1:9")),
        ("no TLS", Trouble::Moved("https")),
        ("the clock jumps ahead", Trouble::Clock(86_400 * 400)),
        ("the clock jumps back", Trouble::Clock(-86_400 * 400)),
    ]
}

/// What is true of three objects: one is good, one on hold, one deleted.
struct Truth {
    objects: Vec<(BoundObject, Option<ObjectState>)>,
    canary: BoundObject,
}

fn truth(emulators: &Emulators, subject: &Subject) -> Truth {
    let ids = emulators.ids(subject.kind);
    let object = |at: usize| -> BoundObject {
        let id = emulators.object(subject.kind, &ids[at]).unwrap();
        let id = if subject.kind == Kind::EntraDevice { &id["deviceId"] } else { &id["id"] };
        format!("{}:{}", subject.kind, id.as_str().unwrap()).parse().unwrap()
    };
    let mut objects = vec![(object(0), Some(ObjectState::Enabled))];
    let (held, gone, canary) = (object(1), object(2), object(3));
    if let Some(hold) = &subject.hold {
        emulators.act(subject.kind, &ids[1], hold).unwrap();
        objects.push((held, Some(ObjectState::Disabled { since: None })));
    }
    emulators.act(subject.kind, &ids[2], &Action::Delete).unwrap();
    objects.push((gone, None));
    Truth { objects, canary }
}

/// What a responder sees: the guard, before a directory that can move, by a clock that can jump.
struct Responder {
    guard: GuardedDirectory,
    movable: Arc<Movable>,
    clock: Arc<FixedClock>,
}

impl Responder {
    fn new(emulators: &Emulators, subject: &Subject, canary: BoundObject) -> Self {
        let clock = Arc::new(FixedClock::default());
        let movable =
            Arc::new(Movable(Mutex::new((subject.open)(emulators, base(emulators, subject), &clock))));
        let settings = GuardSettings { canary: Some(canary), patience: PATIENCE, ..GuardSettings::default() };
        let asked: Arc<dyn Directory> = Arc::<Movable>::clone(&movable);
        let guard = GuardedDirectory::new("it", asked, Arc::<FixedClock>::clone(&clock), settings);
        Self { guard, movable, clock }
    }

    fn begin(&self, emulators: &Emulators, subject: &Subject, trouble: &Trouble) {
        match trouble {
            Trouble::Fault(fault) => emulators.set_fault(subject.service, fault.clone()),
            Trouble::Login(fault) => {
                emulators.revoke_tokens();
                let fault = Faulty { path: Some("/token".to_owned()), ..fault.clone().into() };
                emulators.set_fault(subject.login.unwrap(), fault);
            }
            Trouble::Moved(to) => {
                let base = base(emulators, subject).replace("http", "https");
                let base = if *to == "https" { &*base } else { to };
                *self.movable.0.lock().unwrap() = (subject.open)(emulators, base, &self.clock);
            }
            Trouble::Clock(seconds) => {
                let now = self.clock.now().0.checked_add_signed(*seconds).unwrap();
                self.clock.set(UnixTime(now));
            }
        }
    }

    fn end(&self, emulators: &Emulators, subject: &Subject, trouble: &Trouble) {
        match trouble {
            Trouble::Fault(_) => emulators.clear_faults(subject.service),
            Trouble::Login(_) => emulators.clear_faults(subject.login.unwrap()),
            Trouble::Moved(_) => {
                *self.movable.0.lock().unwrap() =
                    (subject.open)(emulators, base(emulators, subject), &self.clock);
            }
            Trouble::Clock(seconds) => {
                let now = self.clock.now().0.checked_add_signed(-seconds).unwrap();
                self.clock.set(UnixTime(now));
            }
        }
        // Whoever was asked for patience has had it.
        self.clock.advance(Duration::from_secs(601));
    }

    async fn ask(&self, object: BoundObject) -> Option<Option<ObjectState>> {
        match self.guard.state(object).await {
            Ok(Some(ObjectState::Gone { .. })) => Some(None),
            other => other.ok(),
        }
    }

    /// What it says once questions that are on their way have ended.
    async fn settles_at(&self, object: BoundObject, expected: Option<ObjectState>) {
        for _ in 0..100 {
            if self.ask(object).await == Some(expected) {
                return;
            }
            tokio::time::sleep(PATIENCE / 5).await;
            self.clock.advance(Duration::from_secs(30));
        }
        panic!("expected {expected:?}: {:?}", self.guard.state(object).await);
    }
}

fn base<'a>(emulators: &'a Emulators, subject: &Subject) -> &'a str {
    match subject.service {
        Service::Scim => emulators.scim_root(),
        Service::Jamf => emulators.jamf(),
        _ => emulators.graph(),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_bad_day_turns_anybody_revoked_or_good_who_was_not() {
    let rows = subjects().into_iter().map(|subject| tokio::spawn(every_row(subject)));
    for row in rows.collect::<Vec<_>>() {
        row.await.unwrap();
    }
}

async fn every_row(subject: Subject) {
    let emulators = Emulators::start(Options::default()).await.unwrap();
    let truth = truth(&emulators, &subject);
    for (name, trouble) in troubles() {
        if matches!(trouble, Trouble::Login(_)) && subject.login.is_none() {
            continue;
        }
        let row = format!("{} in {}, {name}", subject.kind, subject.service);
        row_cold(&emulators, &subject, &truth, &trouble, &row).await;
        row_warm(&emulators, &subject, &truth, &trouble, &row).await;
    }
}

/// A responder that has just started: it says what is true, or that it does not know.
async fn row_cold(emulators: &Emulators, subject: &Subject, truth: &Truth, trouble: &Trouble, row: &str) {
    let responder = Responder::new(emulators, subject, truth.canary);
    responder.begin(emulators, subject, trouble);
    for _ in 0..2 {
        for (object, expected) in &truth.objects {
            let said = responder.ask(*object).await;
            assert!(
                said.is_none_or(|said| said == *expected),
                "{row}, cold: {object} is {expected:?}: {said:?}"
            );
        }
    }
    responder.end(emulators, subject, trouble);
    for (object, expected) in &truth.objects {
        responder.settles_at(*object, *expected).await;
    }
}

/// A responder that knew everybody: it says what it knew while that is young, then that it does not know. Only what is gone
/// stays so.
async fn row_warm(emulators: &Emulators, subject: &Subject, truth: &Truth, trouble: &Trouble, row: &str) {
    let responder = Responder::new(emulators, subject, truth.canary);
    for (object, expected) in &truth.objects {
        responder.settles_at(*object, *expected).await;
    }
    responder.begin(emulators, subject, trouble);
    let is_answered = matches!(trouble, Trouble::Clock(_));
    // What comes late is remembered.
    let is_late = matches!(trouble, Trouble::Fault(Fault::Slow(_)));
    for seconds in [0, 6, 200, 200, 500] {
        responder.clock.advance(Duration::from_secs(seconds));
        for (object, expected) in &truth.objects {
            let said = responder.ask(*object).await;
            assert!(
                said.is_none_or(|said| said == *expected),
                "{row}, warm: {object} is {expected:?}: {said:?}"
            );
            let must_know = is_answered || expected.is_none() || seconds <= 6;
            assert!(said.is_some() || !must_know, "{row}, warm after {seconds} s: {object} is not known");
            assert!(
                is_answered || is_late || expected.is_none() || said.is_none() || seconds < 500,
                "{row}: too old to say"
            );
        }
    }
    responder.end(emulators, subject, trouble);
    for (object, expected) in &truth.objects {
        responder.settles_at(*object, *expected).await;
    }
}

/// What was seen while the clock was wrong is not believed for longer than other answers are.
#[tokio::test(flavor = "multi_thread")]
async fn a_clock_that_was_ahead_makes_nobody_good_for_longer() {
    let emulators = Emulators::start(Options::default()).await.unwrap();
    let subject = &subjects()[0];
    let truth = truth(&emulators, subject);
    let (object, _) = truth.objects[0];
    let responder = Responder::new(&emulators, subject, truth.canary);
    let ahead = Trouble::Clock(86_400 * 400);
    responder.begin(&emulators, subject, &ahead);
    responder.settles_at(object, Some(ObjectState::Enabled)).await;
    responder.end(&emulators, subject, &ahead);
    let id = emulators.ids(subject.kind).remove(0);
    emulators.act(subject.kind, &id, &Action::Disable).unwrap();
    responder.settles_at(object, Some(ObjectState::Disabled { since: None })).await;
    emulators.set_fault(subject.service, Fault::Status(500));
    responder.begin(&emulators, subject, &ahead);
    assert_eq!(responder.ask(object).await, None, "it is more than a year old");
}
