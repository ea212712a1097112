//! A responder that has a delegate's key, and not the CA's.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod support;

use std::{path::Path, sync::Arc, time::Duration};

use issuance::create_root;
use keys_software::{AwsLc, KeyAlgorithm, SoftwareKey, load_key, replace_key};
use ocsp_server::SelfIssuedDelegates;
use pki_core::{Certificate, Clock as _, SigningKey, SystemClock, UnixTime};
use support::{Ca, Responder, eventually, write_private};
use testkit::{FixedClock, block_on, keys};

const HOUR: Duration = Duration::from_secs(3600);

const VARIABLES: [(&str, &str); 2] = [
    ("OCSP_SERVER__DELEGATE__CERTIFICATE", "delegate.pem"),
    ("OCSP_SERVER__DELEGATE__KEY", "delegate.key.pem"),
];

/// Where the delegate's files go in the CA's folder, which has no key of the CA any more.
fn without_ca_key(ca: &Ca) -> Arc<SoftwareKey> {
    let path = ca.data().join("ca.key.pem");
    let key = load_key(&path).unwrap();
    std::fs::remove_file(path).unwrap();
    Arc::new(key)
}

/// A delegate of whoever has that certificate and key, made when the clock stood at `now`.
fn delegate(
    issuer: Certificate,
    key: &Arc<SoftwareKey>,
    now: UnixTime,
    life: Duration,
) -> (Certificate, SoftwareKey) {
    let clock = Arc::new(FixedClock::new(now));
    let ca_key = Arc::clone(key) as Arc<dyn SigningKey>;
    let delegates = SelfIssuedDelegates::new(issuer, ca_key, life, clock, Arc::new(AwsLc)).unwrap();
    let key = SoftwareKey::generate(KeyAlgorithm::P256).unwrap();
    (block_on(delegates.certify(key.public_key())).unwrap(), key)
}

fn put(folder: &Path, certificate: &Certificate, key: &SoftwareKey) {
    std::fs::write(folder.join("delegate.pem"), certificate.to_pem()).unwrap();
    replace_key(&folder.join("delegate.key.pem"), key).unwrap();
}

#[test]
fn the_delegate_that_scep_server_makes_serves() {
    let ca = Ca::start();
    let (_, certificate) = ca.enroll("laptop-1");
    ca.command(&["delegate", "--out", ca.data().to_str().unwrap(), "--days", "2"]);
    without_ca_key(&ca);
    let told = Responder::try_start(&ca.data(), &[]).err().unwrap();
    assert!(told.contains("ca.key.pem"), "{told}");

    let responder = Responder::start(&ca.data(), &VARIABLES);
    let answer = ca.openssl(&responder.url, &certificate, &[]);
    assert!(answer.contains("Response verify OK") && answer.contains(": good"), "{answer}");
    ca.set_state("laptop-1", "disabled");
    eventually(|| ca.openssl(&responder.url, &certificate, &[]), "Reason: certificateHold");
}

#[test]
fn row_52_no_answer_outlives_its_delegate() {
    let ca = Ca::start();
    let (_, certificate) = ca.enroll("laptop-1");
    let ca_key = without_ca_key(&ca);
    let five_minutes = Duration::from_secs(300);
    let (short, key) = delegate(ca.certificate(), &ca_key, SystemClock.now(), five_minutes);
    put(&ca.data(), &short, &key);
    let responder = Responder::start(&ca.data(), &VARIABLES);
    let answer = ca.openssl(&responder.url, &certificate, &[]);
    let end = testkit::run_in(&ca.data(), "openssl", ["x509", "-noout", "-enddate", "-in", "delegate.pem"]);
    let end = String::from_utf8(end).unwrap();
    let expected = format!("Next Update: {}", end.trim().strip_prefix("notAfter=").unwrap());
    assert!(answer.contains(": good") && answer.contains(&expected), "{expected}: {answer}");
}

#[test]
fn row_52_with_a_bad_delegate_it_does_not_start() {
    let ca = Ca::start();
    let (enrolled, _) = ca.enroll("laptop-1");
    let ca_key = without_ca_key(&ca);
    let (issuer, now) = (ca.certificate(), SystemClock.now());
    let refused = |certificate: &Certificate, key: &SoftwareKey, expected: &str| {
        put(&ca.data(), certificate, key);
        let told = Responder::try_start(&ca.data(), &VARIABLES).err();
        let told = told.unwrap_or_else(|| panic!("started, where {expected:?} was to be told"));
        assert!(told.contains(expected), "{expected:?} is not in {told}");
    };

    let device_key = SoftwareKey::from_pem(keys::DEVICE_PEM).unwrap();
    refused(&enrolled, &device_key, "OCSPSigning");
    refused(&issuer, &ca_key, "OCSPSigning");
    // Another CA, once of its own name and once of this one's.
    let other_key = Arc::new(SoftwareKey::generate(KeyAlgorithm::P256).unwrap());
    for name in [&"CN=Other CA".parse().unwrap(), issuer.subject()] {
        let other = block_on(create_root(name, &*other_key, issuer.validity(), &AwsLc)).unwrap();
        let (certificate, key) = delegate(other.certificate().clone(), &other_key, now, HOUR);
        refused(&certificate, &key, "not issued directly by the CA");
    }
    for made in [now.saturating_sub(2 * HOUR), now.saturating_add(2 * HOUR)] {
        let (certificate, key) = delegate(issuer.clone(), &ca_key, made, HOUR);
        refused(&certificate, &key, "is valid from");
    }
    let (certificate, key) = delegate(issuer, &ca_key, now, HOUR);
    refused(&certificate, &device_key, "does not");
    refused(&certificate, &SoftwareKey::generate(KeyAlgorithm::P256).unwrap(), "does not verify");

    // Nothing but what was wrong kept it from starting.
    put(&ca.data(), &certificate, &key);
    Responder::start(&ca.data(), &VARIABLES);
}

#[test]
fn row_52_a_delegate_that_clients_would_ask_about_is_refused() {
    let ca = Ca::start();
    let key = SoftwareKey::generate(KeyAlgorithm::P256).unwrap();
    let data = ca.data();
    replace_key(&data.join("delegate.key.pem"), &key).unwrap();
    let openssl = |text: &str| testkit::run_in(&data, "openssl", text.split(' '));
    openssl("req -new -key delegate.key.pem -subj /CN=responder -out delegate.csr");
    for (extensions, expected) in [
        ("extendedKeyUsage=OCSPSigning", Some("nocheck")),
        ("noCheck=ignored", Some("OCSPSigning")),
        ("extendedKeyUsage=OCSPSigning\nnoCheck=ignored\nkeyUsage=keyEncipherment", Some("digitalSignature")),
        ("extendedKeyUsage=OCSPSigning\nnoCheck=ignored\nbasicConstraints=CA:TRUE", Some("that of a CA")),
        ("extendedKeyUsage=OCSPSigning\nnoCheck=ignored", None),
    ] {
        std::fs::write(data.join("extensions"), extensions).unwrap();
        openssl(
            "x509 -req -in delegate.csr -CA ca.pem -CAkey ca.key.pem -days 1 -extfile extensions -out delegate.pem",
        );
        let told = Responder::try_start(&data, &VARIABLES).err();
        match expected {
            None => assert_eq!(told, None, "{extensions}"),
            Some(expected) => assert!(told.as_ref().unwrap().contains(expected), "{extensions}: {told:?}"),
        }
    }
}

#[test]
fn a_delegate_whose_key_is_missing_or_open_to_others_is_refused() {
    let ca = Ca::start();
    let ca_key = without_ca_key(&ca);
    let (certificate, key) = delegate(ca.certificate(), &ca_key, SystemClock.now(), HOUR);
    put(&ca.data(), &certificate, &key);
    let path = ca.data().join("delegate.key.pem");
    let open = std::os::unix::fs::PermissionsExt::from_mode(0o644);
    std::fs::set_permissions(&path, open).unwrap();
    let told = Responder::try_start(&ca.data(), &VARIABLES).err().unwrap();
    assert!(told.contains("delegate.key.pem") && told.contains("chmod 600"), "{told}");
    std::fs::remove_file(&path).unwrap();
    let told = Responder::try_start(&ca.data(), &VARIABLES).err().unwrap();
    assert!(told.contains("delegate.key.pem"), "{told}");
    let certificate = ca.data().join("delegate.pem");
    std::fs::rename(&certificate, ca.data().join("aside")).unwrap();
    let key = SoftwareKey::generate(KeyAlgorithm::P256).unwrap();
    replace_key(&path, &key).unwrap();
    let told = Responder::try_start(&ca.data(), &VARIABLES).err().unwrap();
    assert!(told.contains("delegate.pem") && told.contains("scep-server delegate"), "{told}");
    assert!(!told.contains("--data"), "another folder would not help: {told}");
    std::fs::rename(ca.data().join("aside"), certificate).unwrap();
    write_private(&path, "no key");
    let told = Responder::try_start(&ca.data(), &VARIABLES).err().unwrap();
    assert!(told.contains("delegate.key.pem"), "{told}");
}
