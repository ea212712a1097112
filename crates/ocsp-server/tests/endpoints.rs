//! One responder under several paths and addresses, for several CAs, with several delegates.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod support;

use support::{Ca, Responder, curl};

/// The URLs that the program said besides the first.
fn urls<'a>(said: &'a str, what: &str) -> Vec<&'a str> {
    let lines = said.lines().filter_map(|line| line.trim().strip_prefix(what));
    lines.map(str::trim).collect()
}

// clause: RFC 9654 110, 111
// clause: RFC 9919 81
#[test]
fn nonces_are_a_matter_of_path_and_address() {
    let ca = Ca::start();
    let (_, certificate) = ca.enroll("laptop-1");
    let config = r#"
[metrics]
listen = "127.0.0.1:0"
[[endpoint]]
path = "/ocsp/strict"
nonces = "require"
[[endpoint]]
listen = "127.0.0.2:0"
path = "/"
nonces = "ignore"
"#;
    let responder = Responder::try_start_with(&ca.data(), config, &[]).unwrap();
    let ask = |url: &str, form: &str| ca.openssl(url, &certificate, &[form]);
    let strict = format!("{}/strict", responder.url);
    let ignoring = urls(&responder.said, "Listening as well at")[0];
    for (url, form, told) in [
        (&*responder.url, "-nonce", ": good"),
        (&responder.url, "-no_nonce", ": good"),
        (&strict, "-nonce", ": good"),
        (&strict, "-no_nonce", "unauthorized"),
        (ignoring, "-nonce", ": good"),
        (ignoring, "-no_nonce", ": good"),
    ] {
        let answer = ask(url, form);
        assert!(answer.contains(told), "{url} {form}: {answer}");
        assert_eq!(answer.contains("no nonce in response"), url == ignoring && form == "-nonce", "{answer}");
    }
    // Metrics are shown where they are to be, and counted for all.
    let metrics = urls(&responder.said, "Metrics")[0];
    let shown = curl(&[metrics]);
    assert!(shown.contains(r#"cause="no-nonce"} 1"#) && shown.ends_with("# EOF\n"), "{shown}");
    assert!(shown.contains(r#"status="good",source="directory",origin="signed"} 3"#), "{shown}");
    for base in [&responder.url, &ignoring.to_owned()] {
        let root = base.trim_end_matches("/ocsp");
        assert!(!curl(&[&format!("{root}/metrics")]).contains("certbound"), "{root}");
        assert_eq!(curl(&[&format!("{root}/readyz")]), "ready\n");
        assert_eq!(curl(&["-X", "POST", &format!("{root}/readyz")]), "this can be read with GET only\n");
    }
    let twice = "[[endpoint]]\npath = '/ocsp/'";
    let told = Responder::try_start_with(&ca.data(), twice, &[]).err().unwrap();
    assert!(told.contains("two endpoints") && told.contains("/ocsp/"), "{told}");
}

// clause: RFC 6960 3, 42
#[test]
fn several_cas_are_answered_for_each_by_its_own_delegate() {
    let [first, second] = [Ca::start(), Ca::start()];
    let [(_, one), (_, two)] = [first.enroll("laptop-1"), second.enroll("laptop-2")];
    let config = format!("[[ca]]\ndata = {:?}\n", second.data());
    let responder = Responder::try_start_with(&first.data(), &config, &[]).unwrap();
    for (ca, certificate) in [(&first, &one), (&second, &two)] {
        let answer = ca.openssl(&responder.url, certificate, &[]);
        assert!(answer.contains("Response verify OK") && answer.contains(": good"), "{answer}");
    }
    // Each has a directory of its own, which is followed.
    second.set_state("laptop-2", "disabled");
    support::eventually(|| second.openssl(&responder.url, &two, &[]), "certificateHold");
    assert!(first.openssl(&responder.url, &one, &[]).contains(": good"));
    let stranger = Ca::start();
    let (_, other) = stranger.enroll("laptop-1");
    let answer = stranger.openssl(&responder.url, &other, &[]);
    assert!(answer.contains("unauthorized"), "{answer}");
}

#[test]
fn the_certificate_of_the_ca_has_a_status_too() {
    let ca = Ca::start();
    let responder = Responder::start(&ca.data(), &[]);
    let own = ca.data().join("ca.pem");
    for url in [&responder.url, &ca.embedded()] {
        let answer = ca.openssl(url, &own, &[]);
        assert!(answer.contains("Response verify OK") && answer.contains(": good"), "{answer}");
    }
}

// clause: RFC 6960 51, 59, 62
#[test]
fn delegates_have_the_kinds_of_keys_that_are_set() {
    let ca = Ca::start();
    let (_, certificate) = ca.enroll("laptop-1");
    for (keys, shown) in [
        (r#"["p384"]"#, "ecdsa-with-SHA384"),
        (r#"["rsa2048"]"#, "sha256WithRSAEncryption"),
        (r#"["ed25519"]"#, "ED25519"),
        // The CA signs by ECDSA with SHA-256, so does the delegate that nobody chose otherwise.
        (r#"["rsa2048", "p256"]"#, "ecdsa-with-SHA256"),
    ] {
        let responder = Responder::start(&ca.data(), &[("OCSP_SERVER__DELEGATE__KEYS", keys)]);
        let answer = ca.openssl(&responder.url, &certificate, &["-resp_text"]);
        assert!(answer.contains("Response verify OK") && answer.contains(": good"), "{keys}: {answer}");
        assert!(answer.contains(&format!("Signature Algorithm: {shown}")), "{keys}: {answer}");
    }
    for keys in ["[]", r#"["rsa1024"]"#] {
        let told = Responder::try_start(&ca.data(), &[("OCSP_SERVER__DELEGATE__KEYS", keys)]).err().unwrap();
        assert!(told.contains("delegate.keys"), "{told}");
    }
}

#[test]
fn presets_are_shown_in_full_and_change_what_is_said() {
    let ca = Ca::start();
    let (_, certificate) = ca.enroll("laptop-1");
    ca.set_state("laptop-1", "disabled");
    for (preset, never_issued, hold) in [
        ("enterprise", "Jan  1 00:00:00 1970 GMT", "Reason: certificateHold"),
        ("cabf", "unauthorized", "Revocation Time"),
        ("lenient", ": unknown", "Reason: certificateHold"),
    ] {
        let responder = Responder::start(&ca.data(), &[("OCSP_SERVER__ANSWERS__PRESET", preset)]);
        let answer = ca.openssl_serial(&responder.url, "1");
        assert!(answer.contains(never_issued), "{preset}: {answer}");
        let answer = ca.openssl(&responder.url, &certificate, &[]);
        assert!(
            answer.contains(hold) && (preset != "cabf" || !answer.contains("Reason")),
            "{preset}: {answer}"
        );
    }
}
