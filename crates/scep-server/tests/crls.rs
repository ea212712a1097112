//! The CA's CRLs, as checkers that nobody here wrote see them.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "tests"
)]

mod support;

use std::path::{Path, PathBuf};

use support::{
    Server, attempt, enroll, eventually, openssl_ocsp,
    python::{findings, python},
    run, scep_client,
};

const DELTAS: (&str, &str) = ("SCEP_SERVER__CRL__DELTA_MINUTES", "60");
/// Certificates say where CRLs are.
const TOLD: (&str, &str) = ("SCEP_SERVER__PROFILE", "[{ crl = true }]");

fn url(server: &Server, path: &str) -> String {
    server.url("CA certificate").strip_suffix("/ca").unwrap().to_owned() + path
}

/// Fetches a list as soon as it is other than `before`; returns the file, called `name`.
fn fetch(server: &Server, path: &str, name: &str, before: &[u8]) -> PathBuf {
    let file = server.folder().join(name);
    let get = || {
        let target = url(server, path);
        let got = attempt(server.folder(), "curl", &["-sf", "-o", file.to_str().unwrap(), &target]).0;
        (got && std::fs::read(&file).unwrap() != before).to_string()
    };
    assert_eq!(eventually(get, |got| got == "true"), "true", "{path}");
    file
}

fn serial(server: &Server, certificate: &Path) -> String {
    let text = ["x509", "-noout", "-serial", "-in", certificate.to_str().unwrap()];
    run(server.folder(), "openssl", &text).trim().strip_prefix("serial=").unwrap().to_owned()
}

/// What cryptography reads on a list: a line for the list, then one for each entry.
fn cryptography(server: &Server, crl: &Path) -> Vec<String> {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/support/check_crl.py");
    let (crl, ca) = (crl.to_str().unwrap(), server.ca_pem());
    let text = run(server.folder(), &python("python"), &[script, crl, ca.to_str().unwrap()]);
    text.lines().map(|line| line.trim().to_owned()).collect()
}

/// Whether `openssl verify` lets a certificate pass with these lists, and what it says.
fn openssl_verify(server: &Server, certificate: &Path, crls: &[&Path], more: &[&str]) -> (bool, String) {
    let pems = crls.iter().map(|crl| {
        let convert = ["crl", "-inform", "DER", "-in", crl.to_str().unwrap()];
        run(server.folder(), "openssl", &convert)
    });
    std::fs::write(server.folder().join("crls.pem"), pems.collect::<String>()).unwrap();
    let ca = server.ca_pem();
    let fixed =
        ["verify", "-x509_strict", "-crl_check", "-CAfile", ca.to_str().unwrap(), "-CRLfile", "crls.pem"];
    let arguments: Vec<&str> =
        fixed.into_iter().chain(more.iter().copied()).chain([certificate.to_str().unwrap()]).collect();
    attempt(server.folder(), "openssl", &arguments)
}

fn believed(server: &Server, crl: &Path) {
    let (crl, ca) = (crl.to_str().unwrap(), server.ca_pem());
    let ca = ca.to_str().unwrap();
    let text = run(
        server.folder(),
        "openssl",
        &["crl", "-inform", "DER", "-in", crl, "-noout", "-verify", "-CAfile", ca],
    );
    assert!(text.contains("verify OK"), "{text}");
    // certtool reads both files in one form.
    run(server.folder(), "openssl", &["crl", "-inform", "DER", "-in", crl, "-out", "one.pem"]);
    let arguments = ["--verify-crl", "--load-ca-certificate", ca, "--infile", "one.pem"];
    let text = run(server.folder(), "certtool", &arguments);
    assert!(text.contains("Verification output: Verified"), "{text}");
    assert_eq!(findings(server.folder(), &[format!("lint_crl -t CRL -p PKIX {crl}")]), "");
}

// clause: RFC 5280 126, 127, 128, 129, 131, 132, 134, 135
#[test]
fn openssl_gnutls_cryptography_and_pkilint_believe_every_list() {
    for key in ["rsa3072", "p256"] {
        let server = Server::start_with(&[DELTAS, TOLD, ("SCEP_SERVER__CA__KEY", key)]);
        let names = ["demo-laptop", "laptop-2", "zoe"];
        let certificates = names.map(|name| enroll(&server, name));
        let serials = certificates.each_ref().map(|certificate| serial(&server, certificate));
        let first = fetch(&server, "/crl", "first.der", b"");
        believed(&server, &first);
        assert_eq!(cryptography(&server, &first).len(), 1);
        for certificate in &certificates {
            assert!(openssl_verify(&server, certificate, &[&first], &[]).0, "nothing is revoked");
        }

        // What the directory says is on the list as the responder tells it; an order brings it there at once.
        server.set_state("laptop-2", "disabled");
        eventually(
            || openssl_ocsp(&server, &certificates[1], &[]),
            |answer| answer.contains("certificateHold"),
        );
        server.succeed(&["cert", "revoke", &serials[0], "--reason", "keyCompromise"]);
        let second = fetch(&server, "/crl", "second.der", &std::fs::read(&first).unwrap());
        believed(&server, &second);
        let mut told = cryptography(&server, &second).split_off(1);
        told.sort();
        let mut expected =
            [format!("{} key_compromise", serials[0]), format!("{} certificate_hold", serials[1])];
        expected.sort();
        assert_eq!(told, expected);
        for (certificate, passes) in certificates.iter().zip([false, false, true]) {
            let (passed, text) = openssl_verify(&server, certificate, &[&second], &[]);
            assert_eq!(passed, passes, "{text}");
            assert!(passed || text.contains("certificate revoked"), "{text}");
        }

        // The delta list goes with both, and takes the hold back that only the second one had.
        server.set_state("laptop-2", "enabled");
        eventually(|| openssl_ocsp(&server, &certificates[1], &[]), |answer| answer.contains(": good"));
        let before = fetch(&server, "/crl/delta", "delta.der", b"");
        let before = std::fs::read(before).unwrap();
        server.succeed(&["cert", "revoke", &serials[2], "--reason", "superseded"]);
        let delta = fetch(&server, "/crl/delta", "delta.der", &before);
        believed(&server, &delta);
        let text = cryptography(&server, &delta);
        let base = cryptography(&server, &first)[0].split(' ').nth(1).unwrap().to_owned();
        assert!(text[0].starts_with("signed") && text[0].ends_with(&format!("since {base}")), "{}", text[0]);
        assert!(text.contains(&format!("{} remove_from_crl", serials[1])), "{text:?}");
        for full in [&first, &second] {
            for (certificate, passes) in certificates.iter().zip([false, true, false]) {
                let (passed, text) = openssl_verify(&server, certificate, &[full, &delta], &["-use_deltas"]);
                assert_eq!(passed, passes, "{}: {text}", full.display());
            }
        }
    }
}

// clause: RFC 5280 133
#[test]
fn certificates_say_where_their_list_is_when_asked_to() {
    let server = Server::start_with(&[DELTAS, TOLD]);
    let certificate = enroll(&server, "laptop-2");
    let shown = ["x509", "-noout", "-text", "-in", certificate.to_str().unwrap()];
    let text = run(server.folder(), "openssl", &shown);
    let at = |heading: &str| {
        let (_, rest) = text.split_once(heading).unwrap_or_else(|| panic!("no {heading}: {text}"));
        rest.lines().find_map(|line| line.trim().strip_prefix("URI:")).unwrap().to_owned()
    };
    let (full, freshest) = (at("X509v3 CRL Distribution Points"), at("X509v3 Freshest CRL"));
    assert_eq!(freshest, format!("{full}/delta"));
    // It is the list of the generation that issued the certificate, whichever is at work.
    let list = fetch(&server, "/crl", "crl.der", b"");
    run(server.folder(), "curl", &["-sf", "-o", "named.der", &full]);
    assert_eq!(std::fs::read(server.folder().join("named.der")).unwrap(), std::fs::read(&list).unwrap());
    believed(&server, &fetch(&server, full.strip_prefix(&url(&server, "")).unwrap(), "named.der", b""));

    let quiet = Server::start();
    let certificate = enroll(&quiet, "laptop-2");
    let shown = ["x509", "-noout", "-text", "-in", certificate.to_str().unwrap()];
    let text = run(quiet.folder(), "openssl", &shown);
    assert!(!text.contains("Distribution Points") && !text.contains("Freshest"), "{text}");
    assert!(
        attempt(quiet.folder(), "curl", &["-sf", &url(&quiet, "/crl/delta")]).1.is_empty(),
        "no delta lists"
    );
}

#[test]
fn lists_are_handed_out_as_caches_want_them() {
    let server = Server::start();
    let list = fetch(&server, "/crl", "crl.der", b"");
    let curl = |arguments: &[&str], path: &str| {
        let target = url(&server, path);
        let all: Vec<&str> =
            ["-s", "-D", "-"].into_iter().chain(arguments.iter().copied()).chain([&*target]).collect();
        let text = run(server.folder(), "curl", &all);
        text.split("\r\n\r\n").next().unwrap().to_lowercase()
    };
    let discard = ["-o", "discarded"];
    let head = curl(&["-I"], "/crl");
    let get = curl(&discard, "/crl");
    let field = |head: &str, name: &str| {
        let line = head.lines().find_map(|line| line.strip_prefix(&format!("{name}: ")));
        line.unwrap_or_else(|| panic!("no {name}: {head}")).to_owned()
    };
    for head in [&head, &get] {
        assert!(head.starts_with("http/1.1 200"), "{head}");
        assert_eq!(field(head, "content-type"), "application/pkix-crl");
        assert_eq!(field(head, "content-length"), std::fs::read(&list).unwrap().len().to_string());
        assert_eq!(field(head, "cache-control"), "public, max-age=300, no-transform, must-revalidate");
    }
    let text = run(
        server.folder(),
        "openssl",
        &["crl", "-inform", "DER", "-in", list.to_str().unwrap(), "-noout", "-lastupdate", "-nextupdate"],
    );
    for (label, name) in [("lastUpdate=", "last-modified"), ("nextUpdate=", "expires")] {
        // Nov 21 12:00:00 2026 GMT, and Sat, 21 Nov 2026 12:00:00 GMT
        let openssl = text.lines().find_map(|line| line.strip_prefix(label)).unwrap().to_lowercase();
        let parts: Vec<&str> = openssl.split_whitespace().collect();
        let date = format!("{:0>2} {} {} {} gmt", parts[1], parts[0], parts[3], parts[2]);
        assert!(field(&get, name).ends_with(&date), "{name}: {} {date}", field(&get, name));
    }
    let etag = field(&get, "etag");
    let digest = run(server.folder(), "openssl", &["dgst", "-sha256", "-r", list.to_str().unwrap()]);
    assert_eq!(etag.trim_matches('"'), digest.split(' ').next().unwrap());
    for condition in [etag.clone(), format!("\"x\", W/{etag}"), "*".into()] {
        let known = curl(&["-H", &format!("If-None-Match: {condition}"), "-o", "discarded"], "/crl");
        assert!(known.starts_with("http/1.1 304") && field(&known, "etag") == etag, "{condition}: {known}");
    }
    assert!(curl(&["-H", "If-None-Match: \"x\"", "-o", "discarded"], "/crl").starts_with("http/1.1 200"));
    assert!(curl(&["-X", "POST", "-o", "discarded"], "/crl").starts_with("http/1.1 405"));
    assert!(curl(&discard, "/crl/nobody").starts_with("http/1.1 404"));
    assert!(curl(&discard, "/crl/delta").starts_with("http/1.1 404"), "there are none");

    let pem = fetch(&server, "/crl.pem", "crl.pem", b"");
    let der = run(
        server.folder(),
        "openssl",
        &["crl", "-in", pem.to_str().unwrap(), "-outform", "DER", "-out", "again.der"],
    );
    assert_eq!(
        std::fs::read(server.folder().join("again.der")).unwrap(),
        std::fs::read(&list).unwrap(),
        "{der}"
    );
    assert_ne!(field(&curl(&discard, "/crl.pem"), "etag"), etag, "another text has another tag");
    assert_eq!(server.succeed(&["crl"]), std::fs::read_to_string(&pem).unwrap());
    let out = server.folder().join("command.der");
    server.succeed(&["crl", "--out", out.to_str().unwrap()]);
    assert_eq!(std::fs::read(&out).unwrap(), std::fs::read(&list).unwrap());
    let refused = server.command(&["crl", "--delta"]);
    assert!(String::from_utf8_lossy(&refused.stderr).contains("crl.delta_minutes"), "{refused:?}");
}

#[test]
fn without_lists_there_are_none() {
    let server = Server::start_with(&[("SCEP_SERVER__CRL__ENABLED", "false")]);
    assert!(!attempt(server.folder(), "curl", &["-sf", &url(&server, "/crl")]).0);
    let refused = server.command(&["crl"]);
    assert!(String::from_utf8_lossy(&refused.stderr).contains("crl.enabled"), "{refused:?}");
}

// clause: RFC 5280 132
#[test]
fn a_killed_server_goes_on_where_it_was_and_makes_up_for_orders() {
    let server = Server::start();
    let certificate = enroll(&server, "laptop-2");
    let serial = serial(&server, &certificate);
    let first = fetch(&server, "/crl", "first.der", b"");
    let number = |server: &Server, crl: &Path| -> u64 {
        cryptography(server, crl)[0].split(' ').nth(1).unwrap().parse().unwrap()
    };
    let before = number(&server, &first);
    let server = server.kill_and_restart();
    let again = fetch(&server, "/crl", "again.der", b"");
    assert_eq!(
        std::fs::read(&again).unwrap(),
        std::fs::read(&first).unwrap(),
        "the list that was handed out"
    );
    server.stop_where_it_stands();
    server.succeed(&["cert", "revoke", &serial, "--reason", "keyCompromise"]);
    let server = server.kill_and_restart();
    let later = fetch(&server, "/crl", "later.der", &std::fs::read(&first).unwrap());
    assert!(number(&server, &later) > before);
    assert_eq!(cryptography(&server, &later)[1..], [format!("{serial} key_compromise")]);
}

// clause: RFC 8894 M21, M25, M26, S22
#[test]
fn row_16_get_crl_gives_the_latest_list_whatever_the_serial_number() {
    let server = Server::start();
    let certificate = enroll(&server, "laptop-2");
    let other = enroll(&server, "demo-laptop");
    let list = fetch(&server, "/crl", "crl.der", b"");
    let ask = |certificate: &Path, out: &str| {
        let key = server.folder().join("laptop-2.key");
        let key =
            if certificate.ends_with("laptop-2.pem") { key } else { server.folder().join("demo-laptop.key") };
        let arguments = [
            "get-crl",
            server.url("SCEP URL"),
            "--ca-fingerprint",
            server.fingerprint(),
            "--scep",
            "--cert",
            certificate.to_str().unwrap(),
            "--key",
            key.to_str().unwrap(),
            "--out",
            out,
        ];
        run(server.folder(), scep_client().to_str().unwrap(), &arguments);
        std::fs::read(server.folder().join(out)).unwrap()
    };
    assert_eq!(ask(&certificate, "one.der"), std::fs::read(&list).unwrap());
    assert_eq!(ask(&other, "other.der"), std::fs::read(&list).unwrap());
    server.succeed(&["cert", "revoke", &serial(&server, &other), "--reason", "superseded"]);
    let later = fetch(&server, "/crl", "later.der", &std::fs::read(&list).unwrap());
    assert_eq!(ask(&certificate, "later-one.der"), std::fs::read(&later).unwrap());
}

/// A line of the metrics that begins so; what stands after its labels.
fn metric(server: &Server, beginning: &str) -> String {
    let shown = run(server.folder(), "curl", &["-sf", &url(server, "/metrics")]);
    let line = shown.lines().find(|line| line.starts_with(beginning));
    line.and_then(|line| line.rsplit(' ').next()).unwrap_or_default().to_owned()
}

#[test]
fn metrics_tell_how_the_lists_stand_and_that_none_can_be_published() {
    let server = Server::start_with(&[("SCEP_SERVER__CA__KEY", "p256")]);
    let certificate = enroll(&server, "demo-laptop");
    let first = fetch(&server, "/crl", "first.der", b"");
    let number = |list: &Path| cryptography(&server, list)[0].split(' ').nth(1).unwrap().to_owned();
    let labelled = |name: &str| format!("{name}{{ca=\"default\",key=\"");
    let shown = || metric(&server, &labelled("certbound_crl_number")).trim_end_matches(".0").to_owned();
    assert_eq!(shown(), number(&first));
    let seconds = |name: &str| metric(&server, &labelled(name)).parse::<u64>().unwrap();
    let [made, next] =
        ["certbound_crl_this_update_seconds", "certbound_crl_next_update_seconds"].map(seconds);
    assert_eq!(next - made, 86_400);

    server.succeed(&["cert", "revoke", &serial(&server, &certificate), "--reason", "superseded"]);
    let second = fetch(&server, "/crl", "second.der", &std::fs::read(&first).unwrap());
    assert_eq!(eventually(shown, |shown| shown == number(&second)), number(&second));
    assert_eq!(metric(&server, &labelled("certbound_crl_entries")), "1");

    // Nothing can be written down any more, so nothing is published.
    let failures = || metric(&server, &labelled("certbound_crl_publishing_failures_total"));
    assert_eq!(failures(), "0");
    let script =
        "import sqlite3, sys; sqlite3.connect(sys.argv[1]).execute('ALTER TABLE crl_state RENAME TO gone')";
    let ledger = server.data().join("ledger.sqlite");
    run(server.folder(), "python3", &["-c", script, ledger.to_str().unwrap()]);
    assert_ne!(eventually(failures, |failures| failures != "0"), "0");
}
