//! A directory elsewhere: asked sparingly, and believed with care.

use std::{
    collections::{BTreeMap, HashMap},
    fmt,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use pki_core::{BoxFuture, Clock, UnixTime};
use quick_cache::sync::Cache;
use serial_binding::{BoundObject, ObjectKinds};
use tokio::{sync::watch, time::timeout};

use crate::{
    BreakerSettings, Directory, DirectoryAnswers, DirectoryError, DirectoryHealth, ObjectNames, ObjectState,
    Observation,
    breaker::{Breaker, Change},
};

/// How a [`GuardedDirectory`] behaves.
#[derive(Debug, Clone)]
#[expect(clippy::exhaustive_structs, reason = "built with struct update")]
pub struct GuardSettings {
    /// How long an answer is not asked for again.
    pub fresh_for: Duration,
    /// The same while somebody hears of all changes and [says so](GuardedDirectory::keeps_up).
    pub fresh_while_followed: Duration,
    /// How long an enabled object is still taken for enabled when the directory cannot be asked; zero for not at all.
    pub max_stale: Duration,
    /// The same for objects on hold.
    pub max_stale_hold: Duration,
    /// How long a question waits for its answer. The answer is remembered when it comes later.
    pub patience: Duration,
    /// How many objects are remembered, 100 octets or so each.
    pub capacity: usize,
    /// An object that is never deleted. Without it the directory is not believed when it says that another is not
    /// there: a service that answers "not found" to everything, for want of permission or data, looks like that.
    pub canary: Option<BoundObject>,
    /// When a directory that takes many objects away at once is not believed.
    pub breaker: BreakerSettings,
}

impl Default for GuardSettings {
    /// Fresh for 5 s, stale for 600 s (300 s on hold), patient for 800 ms, 200,000 objects, no canary.
    fn default() -> Self {
        Self {
            fresh_for: Duration::from_secs(5),
            fresh_while_followed: Duration::ZERO,
            max_stale: Duration::from_secs(600),
            max_stale_hold: Duration::from_secs(300),
            patience: Duration::from_millis(800),
            capacity: 200_000,
            canary: None,
            breaker: BreakerSettings::default(),
        }
    }
}

/// Stands before a directory that is reached over a network, and keeps its bad days from doing harm. No failure of the
/// directory makes an object deleted that is not, or enabled that is not:
///
/// | the directory | the answer |
/// |---|---|
/// | answers | believed, and not asked for again while it is [fresh](GuardSettings::fresh_for); many who ask at once share one question |
/// | says that an object is gone | believed when the [canary](GuardSettings::canary), asked for after that, is there |
/// | says so of many at once | an error, until it stops or an operator [confirms](GuardedDirectory::confirm_changes) it |
/// | fails, is slow, or asks for patience | what was known last, while it is not [too old](GuardSettings::max_stale); then an error |
/// | goes on failing | the same, at once; one question at a time finds out whether it answers again |
/// | failed after it had said that an object is gone | gone |
///
/// Needs a tokio runtime with time.
#[derive(Clone)]
pub struct GuardedDirectory(Arc<Inner>);

struct Inner {
    name: String,
    directory: Arc<dyn Directory>,
    clock: Arc<dyn Clock>,
    settings: GuardSettings,
    known: Cache<BoundObject, Known>,
    flights: Mutex<HashMap<BoundObject, watch::Receiver<Option<Answer>>>>,
    mood: Mutex<Mood>,
    followed: Followed,
}

/// Since when all changes have been heard, up to when, and until when that may be taken for granted, in seconds since
/// 1970. Three words, so that those who only look at what is known wait for nobody.
#[derive(Debug, Default)]
struct Followed {
    since: AtomicU64,
    heard_at: AtomicU64,
    until: AtomicU64,
}

/// What the directory said of an object, and when.
#[derive(Debug, Clone, Copy)]
struct Known {
    state: Option<ObjectState>,
    at: UnixTime,
    /// Somebody said that it may have changed since.
    is_doubted: bool,
}

impl Known {
    /// Nobody can say how old it is if it is from a time to come: the clock was wrong then, or is now.
    fn is_past(&self, now: UnixTime) -> bool {
        self.at <= now.saturating_add(SECOND)
    }
}

type Answer = Result<Known, DirectoryError>;

/// What is known of the directory itself.
#[derive(Debug)]
struct Mood {
    breaker: Breaker,
    /// From when until when it is not asked.
    quiet: Option<(UnixTime, UnixTime)>,
    /// When the canary was last not there: within that second it is not asked for again.
    canary_missing_at: Option<UnixTime>,
    trouble: Option<String>,
    answered_at: Option<UnixTime>,
    asked: u64,
    failed: u64,
    disbelieved: u64,
    /// Questions since the last answer.
    unanswered: u64,
    /// Somebody finds out whether it answers again.
    is_probed: bool,
    without_canary: u64,
    answers: DirectoryAnswers,
}

impl GuardedDirectory {
    /// Stands before `directory`, called `name` in errors.
    pub fn new(
        name: impl Into<String>,
        directory: Arc<dyn Directory>,
        clock: Arc<dyn Clock>,
        settings: GuardSettings,
    ) -> Self {
        let mood = Mood {
            breaker: Breaker::new(settings.breaker),
            quiet: None,
            canary_missing_at: None,
            trouble: None,
            answered_at: None,
            asked: 0,
            failed: 0,
            disbelieved: 0,
            unanswered: 0,
            is_probed: false,
            without_canary: 0,
            answers: DirectoryAnswers::default(),
        };
        let known = Cache::new(settings.capacity);
        let (flights, mood) = (Mutex::default(), Mutex::new(mood));
        let (name, followed) = (name.into(), Followed::default());
        Self(Arc::new(Inner { name, directory, clock, settings, known, flights, mood, followed }))
    }

    /// What it is called.
    pub fn name(&self) -> &str {
        &self.0.name
    }

    /// Whether both are the same one.
    pub fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }

    /// How the directory fares.
    pub fn health(&self) -> DirectoryHealth {
        let now = self.0.clock.now();
        let mood = self.0.mood();
        DirectoryHealth {
            asked: mood.asked,
            failed: mood.failed,
            disbelieved: mood.disbelieved,
            without_canary: mood.without_canary,
            answers: mood.answers,
            answered_at: mood.answered_at,
            remembered: self.0.known.len(),
            trouble: mood.trouble.clone(),
            is_disbelieved: mood.breaker.is_open(now),
            confirmed_until: mood.breaker.overruled_until().filter(|until| now < *until),
        }
    }

    /// An operator has looked: what the directory says until then is true, however much it takes away.
    pub fn confirm_changes(&self, until: UnixTime) {
        self.0.mood().breaker.overrule(until);
    }

    /// From `since` to `heard_at` every change has been [learned](Self::learn) or put in
    /// [doubt](Self::forget_freshness), and until `until` the next ones will be: what is known since then stays fresh for
    /// [longer](GuardSettings::fresh_while_followed).
    pub fn keeps_up(&self, since: UnixTime, heard_at: UnixTime, until: UnixTime) {
        let Followed { since: from, heard_at: to, until: end } = &self.0.followed;
        for (slot, time) in [(from, since), (to, heard_at), (end, until)] {
            slot.store(time.0, Ordering::Relaxed);
        }
    }

    /// What the directory told of its own accord, such as in a notification or a list of changes; counts as an answer.
    pub fn learn(&self, object: BoundObject, state: ObjectState) {
        let at = self.0.clock.now();
        let change = self.0.change(object, Some(state));
        if self.0.mood().breaker.believes(change, at) {
            self.0.known.insert(object, Known { state: Some(state), at, is_doubted: false });
        }
    }

    /// The object is asked about again the next time, though its state is fresh.
    pub fn forget_freshness(&self, object: BoundObject) {
        if let Some(known) = self.0.known.get(&object) {
            self.0.known.insert(object, Known { is_doubted: true, ..known });
        }
    }

    async fn observed(self, object: BoundObject) -> Result<Observation, DirectoryError> {
        let now = self.0.clock.now();
        let known = self.0.known.get(&object);
        if let Some(known) = known.filter(|known| self.0.is_fresh(known, now)) {
            return Ok(self.0.observation(known, now));
        }
        let asked = match self.0.may_ask(now) {
            Ok(asking) => self.ask(object, asking).await,
            Err(refused) => Err(refused),
        };
        match asked {
            Ok(answered) if answered.at >= now || self.0.is_fresh(&answered, now) => {
                Ok(self.0.observation(answered, now))
            }
            // A directory that answers from memory, and has lost touch with what it remembers.
            Ok(_) => self.0.last_known(object).ok_or_else(|| self.0.unavailable("what it knows is too old")),
            Err(error) => self.0.last_known(object).ok_or(error),
        }
    }

    /// Joins a question on its way, or sends one; waits as long as patience lasts.
    async fn ask(&self, object: BoundObject, _asking: Asking<'_>) -> Answer {
        let mut flight = self.flight(object);
        let landed = timeout(self.0.settings.patience, flight.wait_for(Option::is_some)).await;
        match landed {
            Ok(Ok(answer)) => answer.clone().unwrap_or_else(|| Err(self.0.unavailable("no answer"))),
            Ok(Err(_)) => Err(self.0.unavailable("the question was given up")),
            Err(_) => {
                self.0.note(|mood| &mut mood.unanswered);
                let patience = self.0.settings.patience.as_millis();
                Err(self.0.unavailable(format_args!("no answer within {patience} ms")))
            }
        }
    }

    fn flight(&self, object: BoundObject) -> watch::Receiver<Option<Answer>> {
        let mut flights = self.0.flights();
        if let Some(flight) = flights.get(&object) {
            return flight.clone();
        }
        let (landing, flight) = watch::channel(None);
        flights.insert(object, flight.clone());
        drop(flights);
        let inner = Arc::clone(&self.0);
        tokio::spawn(async move {
            let landed = Landing { inner: &inner, object };
            let answer = inner.question(object).await;
            drop(landed);
            // Nobody may be waiting any more.
            let _ = landing.send(Some(answer));
        });
        flight
    }
}

const SECOND: Duration = Duration::from_secs(1);
/// A directory that has left so many questions in a row without an answer is asked one at a time until it answers: to
/// wait for it each time would keep everybody waiting whose answer is known.
const UNANSWERED: u64 = 32;

/// The right to ask. Of those who have it while the directory does not answer, there is one.
struct Asking<'a>(Option<&'a Inner>);

impl Drop for Asking<'_> {
    fn drop(&mut self) {
        if let Some(inner) = self.0 {
            inner.mood().is_probed = false;
        }
    }
}

/// Takes the question off the list whatever becomes of it.
struct Landing<'a> {
    inner: &'a Inner,
    object: BoundObject,
}

impl Drop for Landing<'_> {
    fn drop(&mut self) {
        self.inner.flights().remove(&self.object);
    }
}

impl Inner {
    async fn question(&self, object: BoundObject) -> Answer {
        self.note(|mood| &mut mood.asked);
        let answer = match self.directory.observe(object).await {
            Ok(Observation { state, known_at, .. }) => {
                self.mood().unanswered = 0;
                self.weigh(object, state, known_at).await
            }
            Err(error) => {
                self.note(|mood| &mut mood.unanswered);
                Err(error)
            }
        };
        match &answer {
            Ok(known) => {
                self.known.insert(object, *known);
                self.recovered(known);
            }
            Err(error) => self.failed(error),
        }
        answer
    }

    /// Whether what the directory says can be true.
    async fn weigh(
        &self,
        object: BoundObject,
        state: Option<ObjectState>,
        known_at: Option<UnixTime>,
    ) -> Answer {
        let was_gone = self.known.peek(&object).is_some_and(|known| known.state.is_none());
        if state.is_none() && !was_gone {
            self.check_canary(object).await?;
        }
        let now = self.clock.now();
        let known = Known { state, at: known_at.unwrap_or(now).min(now), is_doubted: false };
        let change = self.change(object, state);
        if self.mood().breaker.believes(change, now) {
            return Ok(known);
        }
        self.note(|mood| &mut mood.disbelieved);
        Err(self.unavailable(
            "it takes away too many objects at once to be believed; see what is the matter with it",
        ))
    }

    /// Asks for the canary after the object was not found: one that was there a moment ago proves nothing, and at a
    /// thousand questions a second a moment is many objects.
    async fn check_canary(&self, missing: BoundObject) -> Result<(), DirectoryError> {
        let Some(canary) = self.settings.canary else { return Ok(()) };
        if canary == missing {
            return Err(self.unavailable("it does not know its canary"));
        }
        let now = self.clock.now();
        let was_missing = self.mood().canary_missing_at == Some(now);
        let state = if was_missing { None } else { self.directory.observe(canary).await?.state };
        let at = self.clock.now();
        if state.is_none() {
            let mut mood = self.mood();
            mood.canary_missing_at = Some(at);
            mood.without_canary = mood.without_canary.saturating_add(1);
            drop(mood);
            return Err(self.unavailable("it does not know its canary, so it may have forgotten others"));
        }
        self.known.insert(canary, Known { state, at, is_doubted: false });
        Ok(())
    }

    /// Without a canary, an object never seen before counts as one that was good: its id stood in a serial number. From
    /// on hold to gone is for the worse too: it cannot be taken back.
    fn change(&self, object: BoundObject, state: Option<ObjectState>) -> Change {
        let rank = |state| match state {
            Some(ObjectState::Enabled) => 0,
            Some(ObjectState::Disabled { .. }) => 1,
            None | Some(ObjectState::Gone { .. }) => 2,
        };
        let is_worse = match self.known.peek(&object) {
            Some(known) => rank(known.state) < rank(state),
            None => self.settings.canary.is_none() && state.is_none(),
        };
        if is_worse { Change::ForTheWorse } else { Change::None }
    }

    fn is_fresh(&self, known: &Known, now: UnixTime) -> bool {
        !known.is_doubted && known.is_past(now) && now < known.at.saturating_add(self.fresh_for(known, now))
    }

    fn fresh_for(&self, known: &Known, now: UnixTime) -> Duration {
        let is_followed = now.0 < self.followed.until.load(Ordering::Relaxed) && self.is_followed(known, now);
        let longer = if is_followed { self.settings.fresh_while_followed } else { Duration::ZERO };
        self.settings.fresh_for.max(longer)
    }

    /// Whether every change since it was known has been heard. Not by a clock that was wrong then, or is now.
    fn is_followed(&self, known: &Known, now: UnixTime) -> bool {
        let heard_at = UnixTime(self.followed.heard_at.load(Ordering::Relaxed));
        heard_at <= now.saturating_add(SECOND)
            && !self.settings.fresh_while_followed.is_zero()
            && !known.is_doubted
            && known.at.0 >= self.followed.since.load(Ordering::Relaxed)
    }

    /// When it was last known to be so: that nobody told of a change is knowledge too.
    fn verified_at(&self, known: &Known, now: UnixTime) -> UnixTime {
        let heard_at = UnixTime(self.followed.heard_at.load(Ordering::Relaxed));
        if self.is_followed(known, now) { known.at.max(heard_at) } else { known.at }
    }

    /// What others keep of it they ask about again after the shorter time: of changes they do not hear.
    fn observation(&self, known: Known, now: UnixTime) -> Observation {
        let at = self.verified_at(&known, now);
        let fresh = known.at.saturating_add(self.fresh_for(&known, now));
        let until = fresh.min(at.max(now).saturating_add(self.settings.fresh_for));
        Observation { state: known.state, known_at: Some(at), reliable_until: Some(until) }
    }

    /// What may still be said of an object while the directory cannot be asked.
    fn last_known(&self, object: BoundObject) -> Option<Observation> {
        let known = self.known.get(&object)?;
        let now = self.clock.now();
        let (state, at) = (known.state, self.verified_at(&known, now));
        let until = match state {
            Some(ObjectState::Enabled) => at.saturating_add(self.settings.max_stale),
            Some(ObjectState::Disabled { .. }) => at.saturating_add(self.settings.max_stale_hold),
            None | Some(ObjectState::Gone { .. }) => UnixTime::MAX,
        };
        if !known.is_past(now) && until != UnixTime::MAX {
            return None;
        }
        // Asked about again soon, lest the end of the trouble be noticed late.
        let soon = now.saturating_add(SECOND).min(until);
        (now < until).then_some(Observation { state, known_at: Some(at), reliable_until: Some(soon) })
    }

    fn quiet(&self, now: UnixTime) -> Option<DirectoryError> {
        let mut mood = self.mood();
        let (since, until) = mood.quiet?;
        // A clock that was set back would be obeyed for as long as it was ahead.
        if now >= until || now < since {
            mood.quiet = None;
            return None;
        }
        Some(self.unavailable(format_args!("it asked not to be asked before {until}")))
    }

    /// Whether it may be asked now.
    fn may_ask(&self, now: UnixTime) -> Result<Asking<'_>, DirectoryError> {
        if let Some(quiet) = self.quiet(now) {
            return Err(quiet);
        }
        let mut mood = self.mood();
        if mood.unanswered < UNANSWERED {
            return Ok(Asking(None));
        }
        if mood.is_probed {
            return Err(self.unavailable("it does not answer"));
        }
        mood.is_probed = true;
        Ok(Asking(Some(self)))
    }

    /// The directory, when it may be asked.
    fn unless_quiet(&self) -> Result<&Arc<dyn Directory>, DirectoryError> {
        self.quiet(self.clock.now()).map_or(Ok(&self.directory), Err)
    }

    fn recovered(&self, known: &Known) {
        let mut mood = self.mood();
        mood.answers.count(known.state);
        mood.answered_at = mood.answered_at.max(Some(known.at));
        if mood.trouble.take().is_some() {
            tracing::info!(target: "directory", directory = self.name, "the directory answers again");
        }
    }

    fn failed(&self, error: &DirectoryError) {
        let now = self.clock.now();
        let mut mood = self.mood();
        mood.failed = mood.failed.saturating_add(1);
        if let DirectoryError::Throttled { retry_after, .. } = error {
            mood.quiet = Some((now, now.saturating_add(*retry_after)));
        }
        // Once for each trouble, not once for each question.
        if mood.trouble.replace(error.to_string()).is_none() {
            tracing::error!(target: "directory", directory = self.name, why = %error, "the directory cannot be asked");
        }
    }

    fn unavailable(&self, why: impl fmt::Display) -> DirectoryError {
        DirectoryError::unavailable(self.name.clone(), why)
    }

    /// Counts one more.
    fn note(&self, counter: impl FnOnce(&mut Mood) -> &mut u64) {
        let mut mood = self.mood();
        let counter = counter(&mut mood);
        *counter = counter.saturating_add(1);
    }

    fn mood(&self) -> MutexGuard<'_, Mood> {
        self.mood.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn flights(&self) -> MutexGuard<'_, HashMap<BoundObject, watch::Receiver<Option<Answer>>>> {
        self.flights.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Directory for GuardedDirectory {
    fn state(&self, object: BoundObject) -> BoxFuture<'_, Result<Option<ObjectState>, DirectoryError>> {
        let observed = self.clone().observed(object);
        Box::pin(async move { observed.await.map(|observation| observation.state) })
    }

    fn names(&self, object: BoundObject) -> BoxFuture<'_, Result<Option<ObjectNames>, DirectoryError>> {
        Box::pin(async move { self.0.unless_quiet()?.names(object).await })
    }

    fn attributes(
        &self,
        object: BoundObject,
    ) -> BoxFuture<'_, Result<BTreeMap<String, String>, DirectoryError>> {
        Box::pin(async move { self.0.unless_quiet()?.attributes(object).await })
    }

    fn identify<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<Option<BoundObject>, DirectoryError>> {
        Box::pin(async move { self.0.unless_quiet()?.identify(name).await })
    }

    fn epoch(&self) -> Option<u64> {
        None
    }

    fn kinds(&self) -> ObjectKinds {
        self.0.directory.kinds()
    }

    fn observe(&self, object: BoundObject) -> BoxFuture<'_, Result<Observation, DirectoryError>> {
        Box::pin(self.clone().observed(object))
    }
}

impl fmt::Debug for GuardedDirectory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GuardedDirectory").field("directory", &self.0.directory).finish_non_exhaustive()
    }
}
