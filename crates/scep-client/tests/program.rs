//! The program as people run it, against a server on a socket.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod support;

use std::{fs, process::Command};

use bytes::Bytes;
use http_body_util::Full;
use http_listener::{Listener, ListenerLimits};
use hyper::{Request, Response, body::Incoming, service::service_fn};
use support::{
    CHALLENGE,
    program::{assert_code, mode, world},
};

#[tokio::test(flavor = "multi_thread")]
async fn enroll_writes_key_certificate_and_ca_that_openssl_takes() {
    let world = world().await;
    let output = world.enroll("laptop-1", &["--challenge", CHALLENGE, "--san", "DNS:laptop-1.example"]).await;
    assert_code(&output, 0);
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(said.contains("cert.pem  CN=laptop-1, serial "), "{said}");
    assert_eq!(mode(&world.path("key.pem")), 0o600);
    let mut names: Vec<String> = fs::read_dir(world.folder.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    assert_eq!(names, ["ca.pem", "cert.pem", "key.pem"], "nothing is left over");

    let folder = world.folder.path();
    testkit::run_in(folder, "openssl", ["verify", "-CAfile", "ca.pem", "cert.pem"]);
    let of_key = testkit::run_in(folder, "openssl", ["pkey", "-in", "key.pem", "-pubout"]);
    let of_certificate = testkit::run_in(folder, "openssl", ["x509", "-in", "cert.pem", "-noout", "-pubkey"]);
    assert_eq!(of_key, of_certificate);
    let names =
        testkit::run_in(folder, "openssl", ["x509", "-in", "cert.pem", "-noout", "-ext", "subjectAltName"]);
    assert!(String::from_utf8_lossy(&names).contains("DNS:laptop-1.example"));
}

#[tokio::test(flavor = "multi_thread")]
async fn renew_gets_a_new_key_in_place_or_elsewhere() {
    let world = world().await;
    assert_code(&world.enroll("laptop-1", &["--challenge", CHALLENGE]).await, 0);
    let before = [fs::read(world.path("key.pem")).unwrap(), fs::read(world.path("cert.pem")).unwrap()];
    let url = world.url();
    let renew = ["renew", &url, "--ca-cert", "ca.pem", "--cert", "cert.pem", "--key", "key.pem"];

    let elsewhere = ["--key-out", "key2.pem", "--cert-out", "cert2.pem"];
    assert_code(&world.run(&[&renew[..], &elsewhere].concat()).await, 0);
    assert_eq!(before, [fs::read(world.path("key.pem")).unwrap(), fs::read(world.path("cert.pem")).unwrap()]);
    let (old, new) = (world.certificate("cert.pem"), world.certificate("cert2.pem"));
    assert_eq!(old.subject(), new.subject());
    assert_ne!(old.public_key(), new.public_key());
    let refused = assert_code(&world.run(&[&renew[..], &elsewhere].concat()).await, 1);
    assert!(refused.contains("key2.pem exists already") && refused.contains("--force"), "{refused}");

    assert_code(&world.run(&renew).await, 0);
    assert_ne!(fs::read(world.path("key.pem")).unwrap(), before[0]);
    assert_ne!(world.certificate("cert.pem"), old);
    assert_eq!(mode(&world.path("key.pem")), 0o600);
    let folder = world.folder.path();
    let of_key = testkit::run_in(folder, "openssl", ["pkey", "-in", "key.pem", "-pubout"]);
    let of_certificate = testkit::run_in(folder, "openssl", ["x509", "-in", "cert.pem", "-noout", "-pubkey"]);
    assert_eq!(of_key, of_certificate);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_challenge_comes_from_a_file_or_the_environment_as_well() {
    let world = world().await;
    fs::write(world.path("challenge"), format!("{CHALLENGE}\n")).unwrap();
    assert_code(&world.enroll("laptop-1", &["--challenge-file", "challenge"]).await, 0);
    let text = assert_code(&world.enroll("laptop-2", &["--challenge-file", "none", "--force"]).await, 1);
    assert!(text.contains("challenge"), "{text}");

    let (url, fingerprint) = (world.url(), world.fingerprint());
    let mut command = Command::new(env!("CARGO_BIN_EXE_scep-client"));
    command.args([
        "enroll",
        &url,
        "--ca-fingerprint",
        &fingerprint,
        "--subject",
        "CN=laptop-3",
        "--key",
        "key.pem",
    ]);
    command.current_dir(world.folder.path()).env("SCEP_CHALLENGE", CHALLENGE);
    let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
    assert_code(&output, 0);
    assert_eq!(world.certificate("cert.pem").subject().to_string(), "CN=laptop-3");
}

#[tokio::test(flavor = "multi_thread")]
async fn each_failure_has_its_exit_code_and_says_what_to_do() {
    let world = world().await;
    let wrong = assert_code(&world.enroll("laptop-1", &["--challenge", "wrong"]).await, 5);
    let refusal = "error: the CA refused the request: badRequest, \"the challenge is wrong\"\n";
    assert!(wrong.ends_with(refusal), "{wrong}");
    assert!(!world.path("key.pem").exists() && !world.path("cert.pem").exists());

    // The key of the attempt before is used again.
    let kept = fs::read(world.path("key.pem.new")).unwrap();
    let text = assert_code(&world.enroll("slow-1", &["--challenge", CHALLENGE]).await, 6);
    assert!(
        text.contains("using the key of an earlier attempt") && text.contains("waits for approval"),
        "{text}"
    );
    let text = assert_code(&world.enroll("laptop-1", &["--challenge", CHALLENGE]).await, 1);
    assert!(text.contains("holds a transaction for CN=slow-1") && text.contains("--start-over"), "{text}");
    assert_code(&world.enroll("laptop-1", &["--challenge", CHALLENGE, "--start-over"]).await, 0);
    assert_eq!(fs::read(world.path("key.pem")).unwrap(), kept);

    let exists = assert_code(&world.enroll("laptop-1", &["--challenge", CHALLENGE]).await, 1);
    assert!(exists.contains("--key-out") && exists.contains("--force"), "{exists}");

    let (url, fingerprint) = (world.url(), "ab".repeat(32));
    let enroll = ["enroll", &url, "--subject", "CN=x", "--challenge", CHALLENGE, "--key-out", "other.pem"];
    let other =
        assert_code(&world.run(&[&enroll[..], &["--ca-fingerprint", &fingerprint]].concat()).await, 4);
    assert!(other.contains(&fingerprint) && other.contains("ask the CA's operator"), "{other}");
    assert_code(&world.run(&enroll).await, 2);
    assert!(!world.path("other.pem.new").exists(), "no key is made for a CA that is not trusted");

    let nobody = ["enroll", "http://127.0.0.1:1/scep", "--insecure-trust-first"];
    let more = ["--subject", "CN=x", "--key-out", "other.pem"];
    let text = assert_code(&world.run(&[&nobody[..], &more].concat()).await, 3);
    assert!(text.contains("onnection refused"), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ca_taken_on_faith_is_warned_about_with_its_fingerprint() {
    let world = world().await;
    let url = world.url();
    let enroll = ["enroll", &url, "--subject", "CN=x", "--challenge", CHALLENGE, "--insecure-trust-first"];
    let text = assert_code(&world.run(&enroll).await, 0);
    let fingerprint = world.fingerprint().replace(':', "").to_lowercase();
    assert!(text.contains(&format!("--ca-fingerprint {fingerprint}")), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pending_request_is_waited_for() {
    let world = world().await;
    let waiting = ["--challenge", CHALLENGE, "--max-wait", "30", "--poll-interval", "1"];
    assert_code(&world.enroll("slow-1", &waiting).await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn help_documents_the_exit_codes_and_never_shows_a_challenge() {
    let world = world().await;
    for command in ["enroll", "renew"] {
        let mut help = Command::new(env!("CARGO_BIN_EXE_scep-client"));
        help.args([command, "--help"]).env("SCEP_CHALLENGE", CHALLENGE);
        let text = String::from_utf8(help.output().unwrap().stdout).unwrap();
        assert!(text.contains("Exit codes:") && !text.contains(CHALLENGE), "{text}");
    }
    assert_eq!(fs::read_dir(world.folder.path()).unwrap().count(), 0);
}

/// A server that answers everything with that head and body.
async fn fixed(head: &'static str, body: Vec<u8>) -> String {
    let listener = Listener::bind("127.0.0.1:0", ListenerLimits::default()).await.unwrap();
    let url = format!("http://{}/scep", listener.local_addr());
    let answer = service_fn(move |_: Request<Incoming>| {
        let (status, location) = head.split_once(' ').unwrap();
        let response = Response::builder().status(status).header("location", location);
        let response = response.body(Full::new(Bytes::from(body.clone()))).unwrap();
        async { Ok::<_, std::convert::Infallible>(response) }
    });
    tokio::spawn(listener.serve(answer, std::future::pending()));
    url
}

#[tokio::test(flavor = "multi_thread")]
async fn redirects_and_endless_answers_are_reported_and_not_followed() {
    let world = world().await;
    let redirecting = fixed("301 https://elsewhere.example/scep/", Vec::new()).await;
    let flooding = fixed("200 /", vec![0x30; 3 * 1024 * 1024]).await;
    for (url, said) in
        [(redirecting, "https://elsewhere.example/scep/"), (flooding, "more than 1048576 octets")]
    {
        let enroll = ["enroll", &url, "--subject", "CN=x", "--insecure-trust-first"];
        let text = assert_code(&world.run(&enroll).await, 3);
        assert!(text.contains(said), "{text}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn names_and_usages_are_asked_for_as_given() {
    let world = world().await;
    let names = [
        "dns:laptop-1.example",
        "email:zoe@example.com",
        "uri:urn:uuid:0a4c6b7e",
        "upn:zoe@corp.example",
        "ip:192.0.2.1",
        "ip:2001:db8::1",
    ];
    let mut more = vec!["--challenge", CHALLENGE, "--eku", "clientAuth,1.3.6.1.5.5.7.3.4"];
    more.extend(["--key-usage", "digitalSignature"]);
    more.extend(names.iter().flat_map(|name| ["--san", name]));
    assert_code(&world.enroll("laptop-1", &more).await, 0);
    let text =
        testkit::run_in(world.folder.path(), "openssl", ["x509", "-in", "cert.pem", "-noout", "-text"]);
    let text = String::from_utf8(text).unwrap();
    for expected in [
        "DNS:laptop-1.example",
        "email:zoe@example.com",
        "URI:urn:uuid:0a4c6b7e",
        "IP Address:192.0.2.1",
        "IP Address:2001:DB8:0:0:0:0:0:1",
        "TLS Web Client Authentication, E-mail Protection",
    ] {
        assert!(text.contains(expected), "{expected}: {text}");
    }
    let certificate = world.certificate("cert.pem");
    let upn = pki_core::GeneralName::Upn("zoe@corp.example".into());
    assert!(certificate.subject_alt_names().unwrap().contains(&upn));
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_of_every_kind_are_made_and_renewed_into_each_other() {
    let world = world().await;
    assert_code(&world.enroll("laptop-1", &["--challenge", CHALLENGE, "--key-type", "p256"]).await, 0);
    let url = world.url();
    let renew =
        ["renew", &url, "--ca-cert", "ca.pem", "--cert", "cert.pem", "--key", "key.pem", "--key-type"];
    for (kind, said) in [
        ("p384", "secp384r1"),
        ("rsa3072", "Private-Key: (3072 bit"),
        ("rsa4096", "Private-Key: (4096 bit"),
        ("p256", "prime256v1"),
    ] {
        assert_code(&world.run(&[&renew[..], &[kind]].concat()).await, 0);
        let text =
            testkit::run_in(world.folder.path(), "openssl", ["pkey", "-in", "key.pem", "-noout", "-text"]);
        let text = String::from_utf8(text).unwrap();
        assert!(text.contains(said), "{kind}: {text}");
        assert_eq!(mode(&world.path("key.pem")), 0o600);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_challenge_from_the_command_line_is_warned_about_and_standard_input_is_not() {
    let world = world().await;
    let text = assert_code(&world.enroll("laptop-1", &["--challenge", CHALLENGE]).await, 0);
    assert!(text.starts_with("warning: a challenge on the command line can be read by others"), "{text}");

    let (url, fingerprint) = (world.url(), world.fingerprint());
    let fixed = ["enroll", &url, "--ca-fingerprint", &fingerprint, "--subject", "CN=laptop-2", "--force"];
    let mut command = world.command(&[&fixed[..], &["--challenge-file", "-"]].concat());
    command.stdin(std::process::Stdio::piped()).stderr(std::process::Stdio::piped());
    let output = tokio::task::block_in_place(|| {
        let mut child = command.spawn().unwrap();
        let line = format!("{CHALLENGE}\n");
        std::io::Write::write_all(&mut child.stdin.take().unwrap(), line.as_bytes()).unwrap();
        child.wait_with_output().unwrap()
    });
    assert_eq!(assert_code(&output, 0), "");
    assert_eq!(world.certificate("cert.pem").subject().to_string(), "CN=laptop-2");
}
