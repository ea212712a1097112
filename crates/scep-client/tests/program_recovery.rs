//! The program when answers get lost, when it is killed, and when it stays.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod support;

use std::{
    fs,
    io::{BufRead as _, BufReader},
    process::Stdio,
    sync::atomic::Ordering,
};

use pki_core::SigningKey as _;
use support::{
    CHALLENGE, Misbehavior, SmallCa,
    program::{World, assert_code, mode, world, world_of},
};

const ONCE: [&str; 2] = ["--retries", "0"];

async fn enrolled() -> World {
    let world = world().await;
    fs::write(world.path("challenge"), CHALLENGE).unwrap();
    assert_code(&world.enroll("laptop-1", &["--challenge-file", "challenge"]).await, 0);
    world
}

impl World {
    fn renewing(&self) -> Vec<String> {
        let fixed = ["--ca-cert", "ca.pem", "--cert", "cert.pem", "--key", "key.pem"];
        ["renew".to_owned(), self.url()].into_iter().chain(fixed.map(String::from)).collect()
    }

    async fn renew(&self, more: &[&str]) -> std::process::Output {
        let renewing = self.renewing();
        let arguments: Vec<&str> = renewing.iter().map(String::as_str).chain(more.iter().copied()).collect();
        self.run(&arguments).await
    }

    /// Whether key and certificate on disk belong together, and nothing is left over.
    fn assert_sound(&self) {
        let key = keys_software::load_key(&self.path("key.pem")).unwrap();
        assert_eq!(key.public_key(), self.certificate("cert.pem").public_key());
        let leftover = self.files().into_iter().find(|name| name.contains("new") || name.contains("pending"));
        assert_eq!(leftover, None);
    }
}

// clause: RFC 8894 C17
#[tokio::test(flavor = "multi_thread")]
async fn a_lost_answer_costs_no_second_certificate() {
    let world = world().await;
    world.lose.store(1, Ordering::SeqCst);
    let enroll = [&["--challenge", CHALLENGE][..], &ONCE].concat();
    let text = assert_code(&world.enroll("laptop-1", &enroll).await, 3);
    assert!(text.contains("run the same command again"), "{text}");
    assert_eq!((world.issued(), world.path("cert.pem").exists()), (1, false));
    assert_eq!(mode(&world.path("cert.pem.pending")), 0o600, "it holds the challenge");
    assert_code(&world.enroll("laptop-1", &enroll).await, 0);
    assert_eq!(world.issued(), 1);
    world.assert_sound();
}

// clause: RFC 8894 C17
#[tokio::test(flavor = "multi_thread")]
async fn a_ca_that_does_not_repeat_itself_is_asked_in_a_new_transaction() {
    let world = world_of(SmallCa::new(testkit::ca(), Some(Misbehavior::NoRepeats))).await;
    world.lose.store(1, Ordering::SeqCst);
    let enroll = [&["--challenge", CHALLENGE][..], &ONCE].concat();
    assert_code(&world.enroll("laptop-1", &enroll).await, 3);
    let text = assert_code(&world.enroll("laptop-1", &enroll).await, 0);
    assert!(text.contains("starting over with a new transaction"), "{text}");
    assert_eq!(world.issued(), 2);
    world.assert_sound();
}

#[tokio::test(flavor = "multi_thread")]
async fn another_challenge_begins_a_new_attempt_with_the_same_key() {
    let world = world().await;
    world.lose.store(1, Ordering::SeqCst);
    assert_code(&world.enroll("laptop-1", &[&["--challenge", "wrong"][..], &ONCE].concat()).await, 3);
    let key = fs::read(world.path("key.pem.new")).unwrap();
    let text = assert_code(&world.enroll("laptop-1", &["--challenge", CHALLENGE]).await, 0);
    assert!(text.contains("starting over") && text.contains("key of an earlier attempt"), "{text}");
    assert_eq!(fs::read(world.path("key.pem")).unwrap(), key);
    world.assert_sound();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_renewal_killed_between_key_and_certificate_is_finished_without_the_ca() {
    // A complete renewal elsewhere gives what a killed one leaves.
    for key_was_moved in [false, true] {
        let world = enrolled().await;
        let elsewhere = ["--key-out", "key2.pem", "--cert-out", "cert2.pem"];
        assert_code(&world.renew(&elsewhere).await, 0);
        let new = world.certificate("cert2.pem");
        fs::rename(world.path("cert2.pem"), world.path("cert.pem.new")).unwrap();
        let place = if key_was_moved { "key.pem" } else { "key.pem.new" };
        fs::rename(world.path("key2.pem"), world.path(place)).unwrap();

        let mut renewing = world.renewing();
        renewing[1] = "http://127.0.0.1:1/scep".into();
        let arguments: Vec<&str> = renewing.iter().map(String::as_str).collect();
        assert_code(&world.run(&arguments).await, 0);
        assert_eq!(world.certificate("cert.pem"), new);
        world.assert_sound();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_renewal_whose_answer_is_lost_keeps_the_old_pair_and_then_replaces_it() {
    let world = enrolled().await;
    let before = fs::read(world.path("key.pem")).unwrap();
    world.lose.store(1, Ordering::SeqCst);
    assert_code(&world.renew(&ONCE).await, 3);
    assert_eq!(fs::read(world.path("key.pem")).unwrap(), before);
    // It is under way, due or not.
    assert_code(&world.renew(&["--renew-within", "1d"]).await, 0);
    assert_eq!(world.issued(), 2);
    world.assert_sound();
    assert_code(&world.renew(&["--renew-within", "1d"]).await, 7);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_transaction_that_is_done_but_not_forgotten_is_forgotten() {
    let world = world().await;
    world.lose.store(1, Ordering::SeqCst);
    let enroll = [&["--challenge", CHALLENGE][..], &ONCE].concat();
    assert_code(&world.enroll("laptop-1", &enroll).await, 3);
    let state = fs::read(world.path("cert.pem.pending")).unwrap();
    assert_code(&world.enroll("laptop-1", &enroll).await, 0);
    // As if it had been killed just before it removed the file.
    fs::write(world.path("cert.pem.pending"), state).unwrap();
    testkit::run_in(world.folder.path(), "chmod", ["600", "cert.pem.pending"]);
    assert_code(&world.run(&["poll"]).await, 0);
    world.assert_sound();
    let text = assert_code(&world.run(&["poll"]).await, 1);
    assert!(text.contains("nothing waits"), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_that_is_killed_while_it_waits_is_taken_up_by_the_next() {
    let world = world().await;
    let (url, fingerprint) = (world.url(), world.fingerprint());
    let waiting = ["--challenge", CHALLENGE, "--max-wait", "3600", "--poll-interval", "3600"];
    let fixed = ["enroll", &url, "--ca-fingerprint", &fingerprint, "--subject", "CN=slow-1"];
    let mut command = world.command(&[&fixed[..], &waiting].concat());
    let mut child = command.stderr(Stdio::null()).spawn().unwrap();
    let pending = || fs::read_to_string(world.path("cert.pem.pending")).unwrap_or_default();
    while !pending().contains("\"pending\": true") {
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!(world.files(), ["cert.pem.pending", "key.pem.new"]);
    let key = fs::read(world.path("key.pem.new")).unwrap();
    let on = ["--max-wait", "60", "--poll-interval", "0"];
    assert_code(&world.run(&[&["poll"][..], &on].concat()).await, 0);
    assert_eq!((fs::read(world.path("key.pem")).unwrap(), world.issued()), (key, 1));
    world.assert_sound();
}

// clause: RFC 8894 C8
#[tokio::test(flavor = "multi_thread")]
async fn polls_are_limited_and_taken_up_later() {
    let world = world_of(SmallCa::new(testkit::ca(), Some(Misbehavior::NeverApproves))).await;
    let limited = ["--max-wait", "60", "--poll-interval", "0", "--max-polls", "3"];
    let text =
        assert_code(&world.enroll("slow-1", &[&["--challenge", CHALLENGE][..], &limited].concat()).await, 6);
    assert!(text.contains("scep-client poll --state"), "{text}");
    assert_code(&world.run(&[&["poll"][..], &limited].concat()).await, 6);
    assert_eq!(world.files(), ["cert.pem.pending", "key.pem.new"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_key_is_kept_when_asked_for() {
    let world = enrolled().await;
    let before = (fs::read(world.path("key.pem")).unwrap(), world.certificate("cert.pem"));
    assert_code(&world.renew(&["--reuse-key"]).await, 0);
    assert_eq!(fs::read(world.path("key.pem")).unwrap(), before.0);
    assert_ne!(world.certificate("cert.pem"), before.1);
    world.assert_sound();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hook_runs_when_the_new_certificate_is_in_place() {
    let world = enrolled().await;
    let hook = r#"cp "$SCEP_CERT" seen.pem && test -s "$SCEP_KEY""#;
    assert_code(&world.renew(&["--hook", hook, "--renew-within", "1d"]).await, 7);
    assert!(!world.path("seen.pem").exists());
    assert_code(&world.renew(&["--hook", hook]).await, 0);
    assert_eq!(world.certificate("seen.pem"), world.certificate("cert.pem"));
    let text = assert_code(&world.renew(&["--hook", "exit 3"]).await, 1);
    assert!(text.contains("is in place, but the hook \"exit 3\" failed"), "{text}");
    world.assert_sound();
}

/// The first lines that the daemon prints.
fn daemon(world: &World, more: &[&str], lines: usize) -> Vec<serde_json::Value> {
    let mut renewing = world.renewing();
    renewing[0] = "daemon".into();
    let arguments: Vec<&str> = ["--json"]
        .into_iter()
        .chain(renewing.iter().map(String::as_str))
        .chain(more.iter().copied())
        .collect();
    let mut command = world.command(&arguments);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let output = BufReader::new(child.stdout.take().unwrap());
    let seen = output.lines().take(lines).map(|line| serde_json::from_str(&line.unwrap()).unwrap()).collect();
    child.kill().unwrap();
    child.wait().unwrap();
    seen
}

#[tokio::test(flavor = "multi_thread")]
async fn the_daemon_renews_when_it_is_time_and_tells_when_it_will_again() {
    let world = enrolled().await;
    let before = world.certificate("cert.pem");
    let seen = tokio::task::block_in_place(|| daemon(&world, &["--renew-within", "99%"], 1));
    assert_eq!((&seen[0]["command"], &seen[0]["result"]), (&"daemon".into(), &"issued".into()));
    // The next one is in its window as well, and is left alone for long.
    assert!(seen[0]["next"].as_str().unwrap() > "2030", "{seen:?}");
    assert_ne!(world.certificate("cert.pem"), before);
    world.assert_sound();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_daemon_survives_a_server_that_is_away_and_a_certificate_that_waits() {
    let world = enrolled().await;
    let unreachable = World { address: "127.0.0.1:1".parse().unwrap(), ..world };
    let seen = tokio::task::block_in_place(|| daemon(&unreachable, &["--renew-within", "99%"], 1));
    assert_eq!((&seen[0]["result"], &seen[0]["error"]["kind"]), (&"failed".into(), &"server".into()));
    assert!(seen[0]["next"].is_string(), "{seen:?}");

    fs::remove_file(unreachable.path("key.pem")).unwrap();
    let mut renewing = unreachable.renewing();
    renewing[0] = "daemon".into();
    let arguments: Vec<&str> = renewing.iter().map(String::as_str).collect();
    assert_code(&unreachable.run(&arguments).await, 1);
}
