//! The bad days of a directory, and what is answered on them.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::arithmetic_side_effects,
    missing_docs,
    reason = "tests"
)]

mod support;

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
    time::Duration,
};

use directory::{
    Directory, DirectoryError, GuardSettings, GuardedDirectory, ObjectNames, ObjectState, Observation,
};
use pki_core::{BoxFuture, UnixTime};
use serial_binding::BoundObject;
use support::{NOW, fleet_member};
use testkit::FixedClock;

const ENABLED: Option<ObjectState> = Some(ObjectState::Enabled);
const DISABLED: Option<ObjectState> = Some(ObjectState::Disabled { since: None });
const GONE: Option<ObjectState> = Some(ObjectState::Gone { since: None });

/// A directory that has the days it is told to have.
#[derive(Debug, Default)]
struct Moody {
    states: Mutex<HashMap<BoundObject, ObjectState>>,
    failure: Mutex<Option<DirectoryError>>,
    takes: Mutex<Duration>,
    /// When it last knew; `None` for a directory that does not answer from memory.
    known_at: Mutex<Option<UnixTime>>,
    questions: Mutex<Vec<BoundObject>>,
}

impl Moody {
    async fn answer(&self, object: BoundObject) -> Result<Option<ObjectState>, DirectoryError> {
        self.questions.lock().unwrap().push(object);
        let takes = *self.takes.lock().unwrap();
        tokio::time::sleep(takes).await;
        let failure = self.failure.lock().unwrap().clone();
        failure.map_or_else(|| Ok(self.states.lock().unwrap().get(&object).copied()), Err)
    }
}

impl Directory for Moody {
    fn state(&self, object: BoundObject) -> BoxFuture<'_, Result<Option<ObjectState>, DirectoryError>> {
        Box::pin(self.answer(object))
    }
    fn names(&self, _: BoundObject) -> BoxFuture<'_, Result<Option<ObjectNames>, DirectoryError>> {
        Box::pin(async { Ok(None) })
    }
    fn identify<'a>(&'a self, _: &'a str) -> BoxFuture<'a, Result<Option<BoundObject>, DirectoryError>> {
        Box::pin(async { Ok(None) })
    }
    fn epoch(&self) -> Option<u64> {
        None
    }
    fn observe(&self, object: BoundObject) -> BoxFuture<'_, Result<Observation, DirectoryError>> {
        Box::pin(async move {
            let state = self.answer(object).await?;
            Ok(Observation { state, known_at: *self.known_at.lock().unwrap(), reliable_until: None })
        })
    }
}

struct World {
    clock: Arc<FixedClock>,
    directory: Arc<Moody>,
    guarded: GuardedDirectory,
}

const CANARY: u32 = 999_999;

fn world(settings: GuardSettings) -> World {
    let clock = Arc::new(FixedClock::new(UnixTime(NOW)));
    let directory = Arc::<Moody>::default();
    let guarded =
        GuardedDirectory::new("moody", Arc::clone(&directory) as _, Arc::clone(&clock) as _, settings);
    let world = World { clock, directory, guarded };
    world.set(0..1000, Some(ObjectState::Enabled));
    world.set(CANARY..=CANARY, Some(ObjectState::Enabled));
    world
}

fn guarded() -> World {
    world(GuardSettings { canary: Some(fleet_member(CANARY)), ..GuardSettings::default() })
}

impl World {
    fn set(&self, members: impl Iterator<Item = u32>, state: Option<ObjectState>) {
        let mut states = self.directory.states.lock().unwrap();
        for member in members.map(fleet_member) {
            match state {
                Some(state) => drop(states.insert(member, state)),
                None => drop(states.remove(&member)),
            }
        }
    }

    fn fails(&self, error: Option<DirectoryError>) {
        *self.directory.failure.lock().unwrap() = error;
    }

    fn is_down(&self) {
        self.fails(Some(DirectoryError::unavailable("moody", "HTTP 401")));
    }

    async fn observe(&self, member: u32) -> Result<Observation, DirectoryError> {
        self.guarded.observe(fleet_member(member)).await
    }

    async fn state(&self, member: u32) -> Result<Option<ObjectState>, DirectoryError> {
        self.observe(member).await.map(|observation| observation.state)
    }

    /// Time passes for the clock; the runtime's own is paused.
    fn later(&self, seconds: u64) {
        self.clock.advance(Duration::from_secs(seconds));
    }

    fn questions(&self) -> usize {
        self.directory.questions.lock().unwrap().len()
    }
}

#[tokio::test(start_paused = true)]
async fn an_answer_is_not_asked_for_again_while_it_is_fresh() {
    let world = guarded();
    for _ in 0..10 {
        assert_eq!(world.state(1).await.unwrap(), ENABLED);
    }
    assert_eq!(world.questions(), 1);
    world.set(1..2, DISABLED);
    world.later(4);
    assert_eq!(world.state(1).await.unwrap(), ENABLED);
    world.later(1);
    assert_eq!(world.state(1).await.unwrap(), DISABLED, "after five seconds at the latest");
    assert_eq!(world.questions(), 2);
}

#[tokio::test(start_paused = true)]
async fn those_who_ask_at_once_share_one_question() {
    let world = guarded();
    *world.directory.takes.lock().unwrap() = Duration::from_millis(500);
    let asked: Vec<_> = (0..50)
        .map(|_| {
            let guarded = world.guarded.clone();
            tokio::spawn(async move { guarded.state(fleet_member(1)).await })
        })
        .collect();
    for one in asked {
        assert_eq!(one.await.unwrap().unwrap(), ENABLED);
    }
    assert_eq!(world.questions(), 1);
}

#[tokio::test(start_paused = true)]
async fn an_outage_makes_nobody_deleted_and_nobody_enabled() {
    for failure in
        ["HTTP 401", "HTTP 403", "HTTP 500", "no such host", "certificate expired", "not JSON", "cut off"]
    {
        let world = guarded();
        world.set(2..3, DISABLED);
        world.set(3..4, GONE);
        world.set(4..5, None);
        let before = [ENABLED, DISABLED, GONE, None];
        for (member, state) in (1..).zip(before) {
            assert_eq!(world.state(member).await.unwrap(), state);
        }
        world.fails(Some(DirectoryError::unavailable("moody", failure)));
        world.later(299);
        for (member, state) in (1..).zip(before) {
            assert_eq!(world.state(member).await.unwrap(), state, "what was known last");
        }
        assert!(world.state(5).await.is_err(), "nothing is known of this one");
        world.later(1);
        assert!(world.state(2).await.is_err(), "a hold may have been lifted");
        world.later(299);
        assert_eq!(world.observe(1).await.unwrap().known_at, Some(UnixTime(NOW)));
        world.later(1);
        assert!(world.state(1).await.is_err(), "never good when nobody has known so for ten minutes");
        world.later(1_000_000);
        assert_eq!(world.state(3).await.unwrap(), GONE, "for ever");
        assert_eq!(world.state(4).await.unwrap(), None, "for ever");
        assert_eq!(world.guarded.health().trouble.as_deref().map(|why| why.contains(failure)), Some(true));
        world.fails(None);
        assert_eq!(world.state(1).await.unwrap(), ENABLED);
        assert_eq!(world.guarded.health().trouble, None);
    }
}

#[tokio::test(start_paused = true)]
async fn nothing_is_stale_where_that_is_not_wanted() {
    let strict = GuardSettings { max_stale: Duration::ZERO, ..GuardSettings::default() };
    let world = world(strict);
    assert_eq!(world.state(1).await.unwrap(), ENABLED);
    world.is_down();
    assert_eq!(world.state(1).await.unwrap(), ENABLED, "fresh");
    world.later(5);
    assert!(world.state(1).await.is_err());
}

#[tokio::test(start_paused = true)]
async fn a_slow_directory_is_not_waited_for_and_its_answer_is_not_lost() {
    let world = guarded();
    assert_eq!(world.state(1).await.unwrap(), ENABLED);
    *world.directory.takes.lock().unwrap() = Duration::from_secs(3);
    world.set(1..2, DISABLED);
    world.later(5);
    let asked_at = tokio::time::Instant::now();
    assert_eq!(world.state(1).await.unwrap(), ENABLED, "what was known last");
    assert!(world.state(2).await.unwrap_err().to_string().contains("800 ms"));
    assert_eq!(asked_at.elapsed(), Duration::from_millis(1600));
    tokio::time::sleep(Duration::from_secs(4)).await;
    assert_eq!(world.state(1).await.unwrap(), DISABLED);
    assert_eq!(world.state(2).await.unwrap(), ENABLED);
    assert_eq!(world.questions(), 3, "no question was sent twice");
}

#[tokio::test(start_paused = true)]
async fn a_directory_that_does_not_answer_keeps_nobody_waiting_whose_answer_is_known() {
    let world = guarded();
    for member in 0..500 {
        assert_eq!(world.state(member).await.unwrap(), ENABLED);
    }
    *world.directory.takes.lock().unwrap() = Duration::from_secs(1000);
    world.later(5);
    for member in 0..32 {
        assert_eq!(world.state(member).await.unwrap(), ENABLED);
    }
    let asked_at = tokio::time::Instant::now();
    let guarded = &world.guarded;
    let all: Vec<_> = (100..400)
        .map(|member| {
            let guarded = guarded.clone();
            tokio::spawn(async move { guarded.state(fleet_member(member)).await })
        })
        .collect();
    let before = world.questions();
    for one in all {
        assert_eq!(one.await.unwrap().unwrap(), ENABLED);
    }
    assert_eq!(asked_at.elapsed(), Duration::from_millis(800), "as long as the one who finds out waits");
    assert_eq!(world.questions() - before, 1);
    *world.directory.takes.lock().unwrap() = Duration::ZERO;
    assert_eq!(world.state(400).await.unwrap(), ENABLED);
    world.set(401..402, DISABLED);
    assert_eq!(world.state(401).await.unwrap(), DISABLED, "it answers again, and everybody may ask");
}

#[tokio::test(start_paused = true)]
async fn a_directory_that_asks_for_patience_gets_it() {
    let world = guarded();
    let retry_after = Duration::from_secs(30);
    world.fails(Some(DirectoryError::Throttled { directory: "moody".into(), retry_after }));
    assert!(world.state(1).await.is_err());
    world.fails(None);
    world.later(29);
    assert!(world.state(1).await.is_err() && world.state(2).await.is_err());
    assert!(world.guarded.names(fleet_member(1)).await.is_err());
    assert_eq!(world.questions(), 1);
    world.later(1);
    assert_eq!(world.state(1).await.unwrap(), ENABLED);
}

#[tokio::test(start_paused = true)]
async fn not_found_is_believed_when_the_canary_is_there() {
    let world = guarded();
    world.set(1..2, None);
    assert_eq!(world.state(1).await.unwrap(), None);
    world.set(2..3, None);
    world.set(CANARY..=CANARY, None);
    world.later(5);
    assert!(world.state(2).await.unwrap_err().to_string().contains("canary"));
    assert_eq!(world.state(CANARY).await.unwrap(), ENABLED, "its own absence is not believed either");
    world.set(CANARY..=CANARY, ENABLED);
    world.later(5);
    assert_eq!(world.state(2).await.unwrap(), None);
}

#[tokio::test(start_paused = true)]
async fn a_canary_that_was_there_a_moment_ago_proves_nothing() {
    let world = world(GuardSettings {
        fresh_for: Duration::from_secs(300),
        canary: Some(fleet_member(CANARY)),
        ..GuardSettings::default()
    });
    world.set(0..1, None);
    assert_eq!(world.state(0).await.unwrap(), None, "the canary was seen just now");
    world.set(0..1000, None);
    world.set(CANARY..=CANARY, None);
    let before = world.questions();
    for member in 1..1000 {
        assert!(world.state(member).await.is_err(), "{member}");
    }
    assert_eq!(world.questions() - before, 1000, "and it is not asked for more than once a second");
}

#[tokio::test(start_paused = true)]
async fn what_a_directory_remembers_is_relied_on_no_longer_than_what_it_was_asked() {
    let world = guarded();
    *world.directory.known_at.lock().unwrap() = Some(UnixTime(NOW));
    assert_eq!(world.state(1).await.unwrap(), ENABLED);
    world.later(599);
    let stale = world.observe(1).await.unwrap();
    assert_eq!((stale.state, stale.known_at), (ENABLED, Some(UnixTime(NOW))));
    assert!(stale.reliable_until > Some(UnixTime(NOW + 599)), "or nobody could be told");
    world.later(1);
    assert!(world.state(1).await.unwrap_err().to_string().contains("too old"));
    *world.directory.known_at.lock().unwrap() = Some(UnixTime(NOW + 599));
    assert_eq!(world.state(1).await.unwrap(), ENABLED);
}

#[tokio::test(start_paused = true)]
async fn a_directory_that_does_not_find_anybody_any_more_revokes_nobody() {
    for settings in [
        GuardSettings { canary: Some(fleet_member(CANARY)), ..GuardSettings::default() },
        GuardSettings::default(),
    ] {
        let world = world(settings);
        for member in 0..500 {
            assert_eq!(world.state(member).await.unwrap(), ENABLED);
        }
        world.set(0..1000, None);
        world.set(CANARY..=CANARY, None);
        world.later(10);
        let mut gone = 0;
        for member in 0..1000 {
            gone += usize::from(world.state(member).await == Ok(None));
        }
        assert!(gone <= 27, "{gone} believed, more than 5 % of those asked about");
        assert!(world.guarded.health().disbelieved > 0 || world.guarded.health().failed > 0);
    }
}

#[tokio::test(start_paused = true)]
async fn nobody_on_hold_is_revoked_for_ever_by_a_directory_that_finds_nobody() {
    let world = world(GuardSettings::default());
    world.set(0..200, DISABLED);
    for member in 0..200 {
        assert_eq!(world.state(member).await.unwrap(), DISABLED);
    }
    world.set(0..200, None);
    world.later(60);
    let mut gone = 0;
    for member in 0..200 {
        gone += usize::from(world.state(member).await == Ok(None));
    }
    assert_eq!(gone, 19, "no more than a few");
}

#[tokio::test(start_paused = true)]
async fn many_that_vanish_at_once_are_believed_when_an_operator_says_so() {
    let world = guarded();
    for member in 0..200 {
        assert_eq!(world.state(member).await.unwrap(), ENABLED);
    }
    world.set(0..100, None);
    world.later(600);
    let mut errors = 0;
    for member in 0..100 {
        errors += usize::from(world.state(member).await.is_err());
    }
    assert_eq!(errors, 81, "the first nineteen are not many");
    assert!(world.guarded.health().is_disbelieved);
    world.guarded.confirm_changes(UnixTime(NOW + 4000));
    for member in 0..100 {
        assert_eq!(world.state(member).await.unwrap(), None);
    }
    assert!(!world.guarded.health().is_disbelieved);
}

#[tokio::test(start_paused = true)]
async fn what_a_directory_tells_of_its_own_accord_counts() {
    let world = guarded();
    assert_eq!(world.state(1).await.unwrap(), ENABLED);
    world.guarded.learn(fleet_member(1), ObjectState::Disabled { since: None });
    assert_eq!(world.state(1).await.unwrap(), DISABLED);
    world.guarded.forget_freshness(fleet_member(1));
    assert_eq!(world.state(1).await.unwrap(), ENABLED, "it was asked");
    assert_eq!(world.questions(), 2);
}

#[tokio::test(start_paused = true)]
async fn memory_is_bounded() {
    let world = world(GuardSettings { capacity: 100, ..GuardSettings::default() });
    for member in 0..1000 {
        assert_eq!(world.state(member).await.unwrap(), ENABLED);
    }
    assert!(world.guarded.health().remembered <= 128, "{:?}", world.guarded.health());
}

#[tokio::test(start_paused = true)]
async fn while_changes_are_heard_nobody_is_asked_again() {
    let world = world(GuardSettings {
        canary: Some(fleet_member(CANARY)),
        fresh_while_followed: Duration::from_secs(3600),
        ..GuardSettings::default()
    });
    assert_eq!(world.state(1).await.unwrap(), ENABLED);
    world.later(10);
    let began = NOW + 10;
    world.guarded.learn(fleet_member(2), ObjectState::Enabled);
    let heard = |at: u64| world.guarded.keeps_up(UnixTime(began), UnixTime(at), UnixTime(at + 25));
    heard(began);
    assert_eq!(world.state(1).await.unwrap(), ENABLED);
    assert_eq!(world.questions(), 2, "this one was known before: what has changed since was not heard");
    world.later(20);
    heard(began + 20);
    for member in [1, 2] {
        let observation = world.observe(member).await.unwrap();
        assert_eq!(observation.known_at, Some(UnixTime(began + 20)), "nobody told of a change");
        assert_eq!(observation.reliable_until, Some(UnixTime(began + 25)), "others look again soon");
    }
    assert_eq!(world.questions(), 2);
    world.set(2..3, DISABLED);
    world.guarded.forget_freshness(fleet_member(2));
    assert_eq!(world.state(2).await.unwrap(), DISABLED, "it may have changed, so it is asked about");
    assert_eq!(world.questions(), 3);
    world.is_down();
    world.later(24);
    assert_eq!(world.state(1).await.unwrap(), ENABLED);
    assert_eq!(world.questions(), 3);
    world.later(1);
    assert_eq!(world.state(1).await.unwrap(), ENABLED, "what was known last");
    assert_eq!(world.questions(), 4, "nothing has been heard for too long");
    world.later(600 - 25);
    assert!(world.state(1).await.is_err(), "ten minutes after something was last heard");
}

#[tokio::test(start_paused = true)]
async fn health_tells_what_was_answered() {
    let world = guarded();
    world.set(2..3, DISABLED);
    world.set(3..4, GONE);
    world.set(4..5, None);
    for member in 1..5 {
        world.state(member).await.unwrap();
    }
    let health = world.guarded.health();
    let answers = health.answers;
    assert_eq!([answers.enabled, answers.disabled, answers.gone, answers.missing], [1; 4]);
    assert_eq!((health.asked, health.answered_at), (4, Some(UnixTime(NOW))));
    world.set(CANARY..=CANARY, None);
    world.later(10);
    world.set(5..6, None);
    assert!(world.state(5).await.is_err());
    let health = world.guarded.health();
    assert_eq!((health.without_canary, health.failed, health.disbelieved), (1, 1, 0));
    assert_eq!(health.answered_at, Some(UnixTime(NOW)));
    assert_eq!(health.confirmed_until, None);
    world.guarded.confirm_changes(UnixTime(NOW + 20));
    assert_eq!(world.guarded.health().confirmed_until, Some(UnixTime(NOW + 20)));
    world.later(10);
    assert_eq!(world.guarded.health().confirmed_until, None);
}
