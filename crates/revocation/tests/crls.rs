//! CRLs as a source: which are believed, and what is told from them.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::arithmetic_side_effects,
    missing_docs,
    reason = "tests"
)]

use std::{fs, path::Path, sync::Arc, time::Duration};

use keys_software::AwsLc;
use pki_core::{CertRef, Certificate, Crl, CrlReason, IssuerId, SerialNumber, UnixTime};
use revocation::{
    CrlRefused, CrlRevocations, CrlSourceParts, CrlSourceSettings, Deltas, NoCrlIssuer,
    RevocationSource as _, SourceError, Standing, StatusReport, TakenIn, Unlisted,
};
use testkit::{FixedClock, NOW, block_on as wait};

const VECTORS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../vectors/crl");

/// When the CRLs of the vectors are looked at: ten seconds after they were issued.
const THEN: UnixTime = UnixTime(NOW.0 + 10);

fn vector(name: &str) -> Vec<u8> {
    fs::read(Path::new(VECTORS).join(name).join("input.der")).unwrap()
}

fn certificate(file: &str) -> Certificate {
    Certificate::from_pem(&fs::read_to_string(Path::new(VECTORS).join(file)).unwrap()).unwrap()
}

fn source(issuer: Certificate, settings: CrlSourceSettings) -> (CrlRevocations, Arc<FixedClock>) {
    let clock = Arc::new(FixedClock::new(THEN));
    let parts = CrlSourceParts { issuer, verifier: Arc::new(AwsLc), clock: clock.clone(), settings };
    (CrlRevocations::new(parts).unwrap(), clock)
}

/// Of the vectors' CA.
fn example(settings: CrlSourceSettings) -> (CrlRevocations, Arc<FixedClock>) {
    source(certificate("pki/ca.pem"), settings)
}

fn with_deltas() -> CrlSourceSettings {
    CrlSourceSettings { deltas: Deltas::Expected, ..CrlSourceSettings::default() }
}

fn ask(source: &CrlRevocations, serial: &str) -> Result<StatusReport, SourceError> {
    wait(source.status(CertRef { issuer: source.issuer(), serial: serial.parse().unwrap() }))
}

fn standing(source: &CrlRevocations, serial: &str) -> Option<Standing> {
    ask(source, serial).ok().map(|report| report.standing)
}

fn revoked(standing: Option<Standing>) -> Option<CrlReason> {
    match standing {
        Some(Standing::Revoked { reason, .. }) => Some(reason),
        Some(Standing::Hold { .. }) => Some(CrlReason::CertificateHold),
        _ => None,
    }
}

const GONE_ON: &str = "7FFEDCBA9876543210FEDCBA9876543210FEDCBA";

#[test]
fn vectors_are_read_as_openssl_wrote_them() {
    let mut seen = 0;
    for entry in fs::read_dir(VECTORS).unwrap() {
        let path = entry.unwrap().path();
        let Ok(expect) = fs::read_to_string(path.join("expect.toml")) else { continue };
        let expect: toml::Table = expect.parse().unwrap();
        let name = path.file_name().unwrap().to_str().unwrap();
        let crl = Crl::from_der(&vector(name)).unwrap();
        let text = |key: &str| expect.get(key).map(|value| value.as_str().unwrap().to_owned());
        assert_eq!(crl.number().map(|number| number.to_string()), text("number"), "{name}");
        assert_eq!(crl.delta_base().map(|number| number.to_string()), text("base"), "{name}");
        let entries = crl.entries().map(|entry| {
            let parts = [
                entry.serial_number().map(|serial| serial.to_string()),
                entry.reason().map(|reason| reason.to_string()),
                entry.invalid_since().map(|since| since.to_string()),
            ];
            parts.into_iter().flatten().collect::<Vec<_>>().join(" ")
        });
        let expected: Vec<_> =
            expect["entries"].as_array().unwrap().iter().map(|e| e.as_str().unwrap()).collect();
        assert_eq!(entries.collect::<Vec<_>>(), expected, "{name}");
        let uri = crl.scope().and_then(|scope| scope.uris()?.next().map(str::to_owned));
        assert_eq!(uri, text("point"), "{name}");
        crl.verify_signed_by(certificate("pki/ca.pem").public_key(), &AwsLc).unwrap();
        assert_eq!(Crl::from_pem(&crl.to_pem()).unwrap(), crl);

        let taken = example(with_deltas()).0.take_in(vector(name));
        match (taken, text("refused")) {
            (Ok(TakenIn::New { entries, .. }), None) => assert_eq!(entries, crl.len(), "{name}"),
            (Err(refused), Some(why)) => assert!(refused.to_string().contains(&why), "{name}: {refused}"),
            (taken, why) => panic!("{name}: {taken:?}, {why:?}"),
        }
        seen += 1;
    }
    assert!(seen >= 12);
}

// clause: RFC 5280 137
#[test]
fn what_is_not_the_whole_word_is_not_believed() {
    for (name, refused) in [
        ("refused-critical", CrlRefused::UnknownCritical("1.2.3.4.5".parse().unwrap())),
        ("refused-indirect", CrlRefused::Partial("indirectCRL")),
        ("refused-some-reasons", CrlRefused::Partial("onlySomeReasons")),
        ("refused-cas", CrlRefused::Partial("onlyContainsCACerts")),
        ("delta", CrlRefused::UnexpectedDelta),
    ] {
        let (source, _) = example(CrlSourceSettings::default());
        assert_eq!(source.take_in(vector(name)), Err(refused), "{name}");
        assert!(ask(&source, "02").is_err(), "nothing is told from it");
    }
    assert!(matches!(example(with_deltas()).0.take_in(vec![0x30, 0]), Err(CrlRefused::Malformed(_))));
}

#[test]
fn one_of_several_lists_is_believed_by_its_name() {
    let named = |uri: &str| CrlSourceSettings {
        distribution_point: Some(uri.into()),
        ..CrlSourceSettings::default()
    };
    let (other, _) = example(named("http://ca.example.com/crl/2"));
    assert!(matches!(
        other.take_in(vector("full-of-a-point")),
        Err(CrlRefused::OtherDistributionPoint { .. })
    ));
    let (source, _) = example(named("http://ca.example.com/crl"));
    source.take_in(vector("full-of-a-point")).unwrap();
    assert_eq!(revoked(standing(&source, "01")), Some(CrlReason::Unspecified));
}

#[test]
fn row_30_a_list_of_another_issuer_key_or_signature_is_refused() {
    let (ca, other) = (testkit::ca().certificate, testkit::rsa_ca().certificate);
    let full = vector("full");
    let of_other_name = source(other, CrlSourceSettings::default()).0.take_in(full.clone());
    assert!(matches!(of_other_name, Err(CrlRefused::OtherIssuer { .. })));
    // The same name in another case, another key.
    assert_eq!(ca.subject().common_name(), certificate("pki/ca.pem").subject().common_name());
    let folder = testkit::tempdir().unwrap();
    fs::write(folder.path().join("key.pem"), testkit::keys::P384_PEM).unwrap();
    let twin = |more: &[&str]| {
        let fixed = ["req", "-x509", "-key", "key.pem", "-subj", "/O=Example/CN=Example CA"];
        let pem = testkit::run_in(folder.path(), "openssl", fixed.iter().chain(more));
        Certificate::from_pem(std::str::from_utf8(&pem).unwrap()).unwrap()
    };
    let of_other_key = source(twin(&[]), CrlSourceSettings::default()).0.take_in(full.clone());
    assert_eq!(of_other_key, Err(CrlRefused::OtherKey));
    let (example, _) = example(CrlSourceSettings::default());
    for at in [full.len() - 1, full.len() / 2] {
        let mut changed = full.clone();
        changed[at] ^= 1;
        let taken = example.take_in(changed);
        assert!(taken.is_err(), "{at}: {taken:?}");
    }
    let may_not = twin(&["-addext", "keyUsage=critical,keyCertSign"]);
    let parts = CrlSourceParts {
        issuer: may_not,
        verifier: Arc::new(AwsLc),
        clock: Arc::new(FixedClock::default()),
        settings: CrlSourceSettings::default(),
    };
    assert_eq!(CrlRevocations::new(parts).unwrap_err(), NoCrlIssuer::MayNotSignCrls);
}

#[test]
fn listed_certificates_are_revoked_and_others_are_as_configured() {
    for (unlisted, expected) in [(Unlisted::NotMine, Standing::NotMine), (Unlisted::Good, Standing::Good)] {
        let (source, _) = example(CrlSourceSettings { unlisted, ..CrlSourceSettings::default() });
        assert!(ask(&source, "05").is_err() && source.epoch().is_none(), "never read");
        let taken = source.take_in(vector("full")).unwrap();
        let next_update = UnixTime("2036-11-21T12:00:00Z".parse::<UnixTime>().unwrap().0);
        assert_eq!(taken, TakenIn::New { entries: 4, next_update });
        let since = "2026-10-02T00:00:00Z".parse().unwrap();
        let compromised = Standing::Revoked { since, reason: CrlReason::KeyCompromise };
        assert_eq!(standing(&source, "02"), Some(compromised));
        assert_eq!(revoked(standing(&source, "01")), Some(CrlReason::Unspecified));
        assert_eq!(revoked(standing(&source, GONE_ON)), Some(CrlReason::Superseded));
        let hold = ask(&source, "03").unwrap();
        assert_eq!(hold.standing, Standing::Hold { since: "2026-10-03T00:00:00Z".parse().unwrap() });
        let unlisted = StatusReport { standing: expected, known_at: NOW, reliable_until: Some(next_update) };
        assert_eq!(ask(&source, "05"), Ok(unlisted));
        let other = CertRef { issuer: IssuerId::from_bytes([1; 32]), serial: "02".parse().unwrap() };
        assert_eq!(wait(source.status(other)).unwrap().standing, Standing::NotMine);
    }
}

#[test]
fn row_49_a_list_that_has_run_out_tells_only_what_is_for_ever() {
    let (source, clock) = example(CrlSourceSettings { unlisted: Unlisted::Good, ..Default::default() });
    assert!(matches!(source.take_in(vector("refused-run-out")), Err(CrlRefused::RunOut { .. })));
    source.take_in(vector("full")).unwrap();
    let epoch = source.epoch();
    clock.set("2036-11-21T12:00:01Z".parse().unwrap());
    let error = ask(&source, "05").unwrap_err().to_string();
    assert!(error.contains("CN=Example CA") && error.contains("2036-11-21T12:00:00Z"), "{error}");
    assert!(ask(&source, "03").is_err(), "a hold may have been lifted");
    assert_eq!(revoked(standing(&source, "02")), Some(CrlReason::KeyCompromise));
    assert!(epoch.is_some() && source.epoch().is_none());
}

#[test]
fn row_59_a_list_from_the_future_is_refused() {
    let (source, clock) = example(CrlSourceSettings::default());
    clock.set(UnixTime(NOW.0 - 301));
    assert!(matches!(source.take_in(vector("full")), Err(CrlRefused::FromTheFuture { .. })));
    clock.set(UnixTime(NOW.0 - 300));
    source.take_in(vector("full")).unwrap();
    let report = ask(&source, "05").unwrap();
    assert_eq!(report.known_at, UnixTime(NOW.0 - 300), "nothing is known of what is to come");
}

#[test]
fn row_54_an_older_list_does_not_come_back() {
    let (source, _) = example(CrlSourceSettings::default());
    source.take_in(vector("full-of-users")).unwrap();
    let epoch = source.epoch();
    assert!(matches!(source.take_in(vector("full")), Err(CrlRefused::Older { .. })));
    assert_eq!(source.take_in(vector("full-of-users")), Ok(TakenIn::Unchanged));
    assert_eq!(source.epoch(), epoch);
    assert_eq!(standing(&source, "02"), Some(Standing::NotMine), "as number 8 has it");
    source.take_in(vector("full-after-2049")).unwrap();
    assert_ne!(source.epoch(), epoch, "kept answers are void");
}

// clause: RFC 5280 134, 135
#[test]
fn a_delta_changes_the_list_that_it_goes_with() {
    let (source, clock) = example(with_deltas());
    source.take_in(vector("full")).unwrap();
    assert!(ask(&source, "05").is_err(), "the delta is needed");
    assert_eq!(revoked(standing(&source, "02")), Some(CrlReason::KeyCompromise));
    source.take_in(vector("delta")).unwrap();
    assert_eq!(standing(&source, "03"), Some(Standing::NotMine), "removed");
    assert_eq!(revoked(standing(&source, "04")), Some(CrlReason::AffiliationChanged), "added");
    assert_eq!(revoked(standing(&source, "01")), Some(CrlReason::Unspecified), "as before");
    assert_eq!(ask(&source, "05").unwrap().known_at, NOW);
    // A full list as late as the delta needs none. One that has another scope cannot have this one.
    source.take_in(vector("full-of-users")).unwrap();
    assert_eq!(
        (standing(&source, "04"), revoked(standing(&source, "01"))),
        (Some(Standing::NotMine), Some(CrlReason::Unspecified))
    );
    clock.advance(Duration::from_secs(1));
    let (early, _) = example(with_deltas());
    early.take_in(vector("delta")).unwrap();
    assert!(ask(&early, "05").unwrap_err().to_string().contains("not read yet"));
}

#[test]
fn a_delta_of_another_start_or_scope_tells_nothing() {
    // Made like the vectors; number 3 is before the start of the delta, and number 6 has another scope.
    let folder = testkit::tempdir().unwrap();
    let made = |number: &str, section: &str| {
        let config = "[ca]\ndefault_ca=x\n[x]\ndatabase=index\ncrlnumber=number\ndefault_md=sha256\n\
                      [plain]\nauthorityKeyIdentifier=keyid\n\
                      [users]\nauthorityKeyIdentifier=keyid\nissuingDistributionPoint=critical,@of\n[of]\nonlyuser=TRUE\n";
        for (name, text) in [("config", config), ("index", ""), ("number", number)] {
            fs::write(folder.path().join(name), text).unwrap();
        }
        let (ca, key) = (format!("{VECTORS}/pki/ca.pem"), format!("{VECTORS}/pki/ca.key.pem"));
        testkit::run_in(
            folder.path(),
            "openssl",
            [
                "ca",
                "-config",
                "config",
                "-gencrl",
                "-crlexts",
                section,
                "-cert",
                &ca,
                "-keyfile",
                &key,
                "-crl_lastupdate",
                "20261121120000Z",
                "-crl_nextupdate",
                "20361121120000Z",
            ],
        )
    };
    for (number, section) in [("03", "plain"), ("06", "users")] {
        let (source, _) = example(with_deltas());
        source.take_in(made(number, section)).unwrap();
        source.take_in(vector("delta")).unwrap();
        assert!(ask(&source, "05").is_err(), "{number} {section}");
        assert_eq!(
            revoked(standing(&source, "04")),
            Some(CrlReason::AffiliationChanged),
            "for ever is for ever"
        );
    }
    let (source, _) = example(with_deltas());
    source.take_in(made("06", "plain")).unwrap();
    source.take_in(vector("delta")).unwrap();
    assert_eq!(standing(&source, "05"), Some(Standing::NotMine), "a start between is as good");
}

#[test]
fn a_list_signed_with_sha1_is_refused() {
    let folder = testkit::tempdir().unwrap();
    let ca = testkit::rsa_ca().certificate;
    let config = "[ca]\ndefault_ca=x\n[x]\ndatabase=index\ncrlnumber=number\n";
    for (name, text) in [
        ("config", config),
        ("index", ""),
        ("number", "01"),
        ("key.pem", testkit::keys::RSA_CA_PEM),
        ("ca.pem", &ca.to_pem()),
    ] {
        fs::write(folder.path().join(name), text).unwrap();
    }
    for (digest, is_believed) in [("sha1", false), ("sha256", true)] {
        let pem = testkit::run_in(
            folder.path(),
            "openssl",
            [
                "ca",
                "-config",
                "config",
                "-gencrl",
                "-md",
                digest,
                "-cert",
                "ca.pem",
                "-keyfile",
                "key.pem",
                "-crl_lastupdate",
                "20261121120000Z",
                "-crl_nextupdate",
                "20361121120000Z",
            ],
        );
        let taken = source(ca.clone(), CrlSourceSettings::default()).0.take_in(pem);
        assert_eq!(taken.is_ok(), is_believed, "{digest}: {taken:?}");
        assert!(is_believed || taken == Err(CrlRefused::Sha1));
    }
}

#[test]
fn serial_numbers_of_every_length_are_found() {
    let serials: Vec<SerialNumber> = (1..=20)
        .flat_map(|length| [0x01, 0x7F].map(|first| [&[first][..], &vec![0xA5; length - 1]].concat()))
        .map(|octets| SerialNumber::from_be_bytes(&octets).unwrap())
        .collect();
    let folder = testkit::tempdir().unwrap();
    let line = |serial| format!("R\t491231235959Z\t261001000000Z,keyCompromise\t{serial}\tunknown\t/CN=x\n");
    let index = serials.iter().map(line).collect::<Vec<_>>().concat();
    let config = "[ca]\ndefault_ca=x\n[x]\ndatabase=index\ncrlnumber=number\ndefault_md=sha256\n";
    for (name, text) in [("config", config), ("index", &index), ("number", "01")] {
        fs::write(folder.path().join(name), text).unwrap();
    }
    let (ca, key) = (format!("{VECTORS}/pki/ca.pem"), format!("{VECTORS}/pki/ca.key.pem"));
    let pem = testkit::run_in(
        folder.path(),
        "openssl",
        [
            "ca",
            "-config",
            "config",
            "-gencrl",
            "-cert",
            &ca,
            "-keyfile",
            &key,
            "-crl_lastupdate",
            "20261121120000Z",
            "-crl_nextupdate",
            "20361121120000Z",
        ],
    );
    let (source, _) = example(CrlSourceSettings::default());
    source.take_in(pem).unwrap();
    for serial in &serials {
        assert_eq!(
            revoked(standing(&source, &serial.to_string())),
            Some(CrlReason::KeyCompromise),
            "{serial}"
        );
        let mut near = serial.as_be_bytes().to_vec();
        *near.last_mut().unwrap() ^= 2;
        let near = SerialNumber::from_be_bytes(&near).unwrap();
        assert_eq!(standing(&source, &near.to_string()), Some(Standing::NotMine), "{near}");
    }
}
