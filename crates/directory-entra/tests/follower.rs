//! A tenant that is followed, as the emulated Graph tells it.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::arithmetic_side_effects,
    missing_docs,
    reason = "tests"
)]

use std::{sync::Arc, time::Duration};

use directory::{Directory as _, DirectoryError, GuardSettings, GuardedDirectory, ObjectState};
use directory_entra::{
    Cloud, DeletedUsers, Endpoints, EntraDirectory, EntraParts, EntraPolicy, Follower, FollowerParts,
    NotificationAnswer, NotificationParts, Notifications, RiskLevel, is_graph_not_found,
};
use emulators::{Action, Emulators, Fault, Kind, Options, Service};
use pki_core::Clock;
use rest_client::{Cached, ClientCredentials, ClientProof, RestClient, RestSettings, Secret};
use serial_binding::BoundObject;
use testkit::FixedClock;

struct World {
    emulators: Emulators,
    clock: Arc<FixedClock>,
    directory: EntraDirectory,
    guard: GuardedDirectory,
    follower: Arc<Follower>,
}

async fn world(policy: EntraPolicy) -> World {
    let clock = Arc::new(FixedClock::default());
    let options = Options { page_size: 4, clock: Arc::clone(&clock) as _, ..Options::default() };
    let emulators = Emulators::start(options).await.unwrap();
    let shared: Arc<dyn Clock> = Arc::clone(&clock) as _;
    let directory = EntraDirectory::new(EntraParts {
        client: client(&emulators, &shared),
        policy,
        tenant: None,
        canaries: Vec::new(),
        max_lag: Duration::from_secs(60),
        max_risk_age: Duration::from_secs(3600),
        clock: Arc::clone(&shared),
    });
    let settings = GuardSettings { fresh_for: Duration::from_secs(30), ..GuardSettings::default() };
    let guard = GuardedDirectory::new("Graph", Arc::new(directory.clone()), Arc::clone(&shared), settings);
    let parts = FollowerParts {
        directory: directory.clone(),
        guard: guard.clone(),
        changes_every: Some(Duration::from_secs(10)),
        risks_every: Duration::from_secs(60),
    };
    World { emulators, clock, directory, guard, follower: Arc::new(Follower::new(parts)) }
}

fn client(emulators: &Emulators, clock: &Arc<dyn Clock>) -> RestClient {
    let endpoints = Endpoints { login: emulators.entra().to_owned(), graph: emulators.graph().to_owned() };
    let credentials = emulators.credentials();
    let login = RestClient::new(RestSettings::new("Entra", &*endpoints.login), None).unwrap();
    let proof = ClientProof::Secret(Secret::new(&*credentials.client_secret));
    let tokens = ClientCredentials::new(
        login,
        endpoints.token_url(&credentials.tenant),
        &*credentials.client_id,
        proof,
        Some(Cloud::Global.endpoints().scope()),
        Arc::clone(clock),
    );
    let settings =
        RestSettings { not_found: is_graph_not_found, ..RestSettings::new("Graph", endpoints.graph) };
    RestClient::new(settings, Some(Arc::new(Cached::new(tokens, Arc::clone(clock))))).unwrap()
}

impl World {
    fn object(&self, kind: Kind, at: usize) -> BoundObject {
        let name = match kind {
            Kind::EntraDevice => "entra-device",
            Kind::EntraUser => "entra-user",
            _ => "intune-device",
        };
        let id = self.id(kind, at);
        let device = || self.emulators.object(kind, &id).unwrap()["deviceId"].as_str().unwrap().to_owned();
        let id = if kind == Kind::EntraDevice { device() } else { id.clone() };
        format!("{name}:{id}").parse().unwrap()
    }

    fn id(&self, kind: Kind, at: usize) -> String {
        self.emulators.ids(kind)[at].clone()
    }

    fn act(&self, kind: Kind, id: &str, action: &Action) {
        self.emulators.act(kind, id, action).unwrap();
    }

    /// How many questions about single objects Graph was asked so far.
    fn questions(&self) -> usize {
        let is_question = |path: &str| {
            (path.contains("/devices(") || path.contains("/users/") || path.contains("$batch"))
                && !path.contains("delta")
        };
        self.emulators.requests().iter().filter(|request| is_question(&format!("{request:?}"))).count()
    }

    async fn guarded(&self, object: BoundObject) -> Result<Option<ObjectState>, DirectoryError> {
        self.guard.state(object).await
    }
}

const GOOD: Option<ObjectState> = Some(ObjectState::Enabled);
const HOLD: Option<ObjectState> = Some(ObjectState::Disabled { since: None });

#[tokio::test]
async fn what_is_followed_is_answered_from_memory() {
    let world = world(EntraPolicy::default()).await;
    world.follower.hear_changes().await.unwrap();
    assert_eq!(world.follower.progress(), (20, Some(world.clock.now())));
    for kind in [Kind::EntraDevice, Kind::EntraUser] {
        for at in 0..10 {
            let seen = world.directory.observe(world.object(kind, at)).await.unwrap();
            assert_eq!((seen.state, seen.known_at), (GOOD, Some(world.clock.now())));
        }
    }
    assert_eq!(world.questions(), 0);
    world.clock.advance(Duration::from_secs(61));
    assert_eq!(world.directory.state(world.object(Kind::EntraUser, 0)).await.unwrap(), GOOD);
    assert_eq!(world.questions(), 1, "what was heard too long ago is asked");
}

#[tokio::test]
async fn changes_reach_the_guard_before_anybody_asks() {
    let world = world(EntraPolicy::default()).await;
    world.follower.hear_changes().await.unwrap();
    let (laptop, ada) = (world.object(Kind::EntraDevice, 3), world.object(Kind::EntraUser, 4));
    for object in [laptop, ada] {
        assert_eq!(world.guarded(object).await.unwrap(), GOOD);
    }
    world.act(Kind::EntraDevice, &world.id(Kind::EntraDevice, 3), &Action::Disable);
    let ada_id = world.id(Kind::EntraUser, 4);
    world.act(Kind::EntraUser, &ada_id, &Action::Disable);
    assert_eq!(world.guarded(laptop).await.unwrap(), GOOD, "not heard of yet");
    assert_eq!(world.follower.hear_changes().await.unwrap(), 2);
    for object in [laptop, ada] {
        assert_eq!(world.guarded(object).await.unwrap(), HOLD, "{object}");
    }
    world.act(Kind::EntraUser, &ada_id, &Action::Enable);
    world.follower.hear_changes().await.unwrap();
    assert_eq!(world.guarded(ada).await.unwrap(), GOOD);
    assert_eq!(world.questions(), 0);
}

#[tokio::test]
async fn who_is_removed_is_asked_about_and_only_that_answer_deletes() {
    for (deleted_users, expected) in [(DeletedUsers::Gone, None), (DeletedUsers::Hold, HOLD)] {
        let world = world(EntraPolicy { deleted_users, ..EntraPolicy::default() }).await;
        world.follower.hear_changes().await.unwrap();
        let (ada, id) = (world.object(Kind::EntraUser, 4), world.id(Kind::EntraUser, 4));
        assert_eq!(world.guarded(ada).await.unwrap(), GOOD);
        world.act(Kind::EntraUser, &id, &Action::Delete);
        world.follower.hear_changes().await.unwrap();
        world.emulators.set_fault(Service::Graph, Fault::Status(500));
        assert_eq!(world.guarded(ada).await.unwrap(), GOOD, "known last");
        world.emulators.clear_faults(Service::Graph);
        assert_eq!(world.guarded(ada).await.unwrap(), expected);
        world.act(Kind::EntraUser, &id, &Action::Restore);
        world.follower.hear_changes().await.unwrap();
        assert_eq!(world.guarded(ada).await.unwrap(), GOOD, "restored");
    }
}

#[tokio::test]
async fn a_link_that_is_too_old_has_everything_told_again() {
    let world = world(EntraPolicy::default()).await;
    world.follower.hear_changes().await.unwrap();
    let (laptop, id) = (world.object(Kind::EntraDevice, 3), world.id(Kind::EntraDevice, 3));
    assert_eq!(world.guarded(laptop).await.unwrap(), GOOD);
    world.act(Kind::EntraDevice, &id, &Action::Disable);
    world.emulators.expire_delta_tokens();
    assert_eq!(world.follower.hear_changes().await.unwrap(), 1, "only what is different has changed");
    assert_eq!(world.guarded(laptop).await.unwrap(), HOLD);
    assert_eq!(world.follower.hear_changes().await.unwrap(), 0);
}

#[tokio::test]
async fn a_round_that_fails_leaves_what_is_known() {
    let world = world(EntraPolicy::default()).await;
    world.follower.hear_changes().await.unwrap();
    for fault in [Fault::Status(500), Fault::Throttled { retry_after: Some(3) }, Fault::Empty] {
        world.emulators.set_fault(Service::Graph, fault);
        let _ = world.follower.hear_changes().await;
        let known = world.directory.state(world.object(Kind::EntraUser, 0)).await;
        assert!(matches!(known, Ok(GOOD)), "{known:?}");
        world.emulators.clear_faults(Service::Graph);
    }
}

#[tokio::test]
async fn a_user_at_risk_is_on_hold_and_who_is_at_none_must_be_known() {
    let untolerated_risks = vec![RiskLevel::Medium, RiskLevel::High];
    let world = world(EntraPolicy { untolerated_risks, ..EntraPolicy::default() }).await;
    let (ada, id) = (world.object(Kind::EntraUser, 4), world.id(Kind::EntraUser, 4));
    assert!(world.directory.state(ada).await.is_err(), "nobody has told yet");
    world.follower.hear_risks().await.unwrap();
    assert_eq!(world.guarded(ada).await.unwrap(), GOOD);
    for (level, expected) in [("low", GOOD), ("medium", HOLD), ("high", HOLD), ("none", GOOD)] {
        world.act(Kind::EntraUser, &id, &Action::Risk(level.into()));
        world.clock.advance(Duration::from_secs(2));
        world.follower.hear_risks().await.unwrap();
        assert_eq!(world.guarded(ada).await.unwrap(), expected, "{level}");
        assert_eq!(world.guarded(world.object(Kind::EntraUser, 5)).await.unwrap(), GOOD);
    }
    world.act(Kind::EntraUser, &id, &Action::Risk("high".into()));
    world.clock.advance(Duration::from_secs(3601));
    assert!(world.directory.state(ada).await.is_err(), "told too long ago");
    world.act(Kind::EntraUser, &id, &Action::Disable);
    assert_eq!(world.directory.state(ada).await.unwrap(), HOLD, "which risk makes no better");
}

fn notifications(world: &World, url: &str) -> Notifications {
    Notifications::new(NotificationParts {
        follower: Arc::clone(&world.follower),
        url: url.to_owned(),
        client_state: Secret::new("a state of the client"),
    })
}

#[tokio::test]
async fn a_notification_has_a_user_asked_about_and_one_of_somebody_else_nothing() {
    let world = world(EntraPolicy::default()).await;
    world.follower.hear_changes().await.unwrap();
    let notifications = notifications(&world, "https://pki.example.com/notifications");
    let (ada, id) = (world.object(Kind::EntraUser, 4), world.id(Kind::EntraUser, 4));
    assert_eq!(world.guarded(ada).await.unwrap(), GOOD);
    world.act(Kind::EntraUser, &id, &Action::Disable);
    let told = |state: &str| {
        let body = serde_json::json!({"value": [{
            "subscriptionId": "s", "clientState": state, "changeType": "updated", "resource": format!("Users/{id}"),
            "resourceData": {"@odata.type": "#Microsoft.Graph.User", "id": id},
        }]});
        notifications.answer("", body.to_string().as_bytes())
    };
    for wrong in ["", "a state of the clien", "a state of the clienT", "a state of the client "] {
        assert_eq!(told(wrong), NotificationAnswer::Taken);
        assert_eq!(world.guarded(ada).await.unwrap(), GOOD, "{wrong:?}");
    }
    assert_eq!(world.questions(), 0);
    assert_eq!(told("a state of the client"), NotificationAnswer::Taken);
    assert_eq!(world.guarded(ada).await.unwrap(), HOLD);
    assert_eq!(world.questions(), 1);
}

#[tokio::test]
async fn validation_tokens_come_back_and_what_is_no_notification_is_refused() {
    let world = world(EntraPolicy::default()).await;
    let notifications = notifications(&world, "https://pki.example.com/notifications");
    let echo = |text: &str| NotificationAnswer::Echo(text.into());
    assert_eq!(
        notifications.answer("validationToken=Validation%3a+Testing%21", b""),
        echo("Validation: Testing!")
    );
    assert_eq!(notifications.answer("x=1&validationToken=%3Cb%3E", b""), echo("<b>"));
    let long = format!("validationToken={}", "x".repeat(3000));
    for (query, body) in [(&*long, "{}"), ("validationToken=%", "{}"), ("", ""), ("", "{}"), ("", "[]")] {
        assert_eq!(
            notifications.answer(query, body.as_bytes()),
            NotificationAnswer::Refused,
            "{query} {body}"
        );
    }
}

#[tokio::test]
async fn changes_are_followed_without_being_asked_for() {
    let world = world(EntraPolicy::default()).await;
    let follower = Arc::clone(&world.follower);
    let following = tokio::spawn(async move { follower.run().await });
    while world.follower.progress().1.is_none() {
        tokio::task::yield_now().await;
    }
    following.abort();
    assert_eq!(world.follower.progress().0, 20);
}
