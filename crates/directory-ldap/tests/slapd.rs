//! OpenLDAP's server: what its entries mean, row by row, and what is made of its bad days.
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
use directory_ldap::{LdapDirectory, LdapFollower, LdapSettings, Locked, Login, Protection, Schema};
use pki_core::{Clock, GeneralName};
use serial_binding::BoundObject;
use testkit::{BASE, FixedClock, Slapd, tls_files};

const ENABLED: Option<ObjectState> = Some(ObjectState::Enabled);
const ON_HOLD: Option<ObjectState> = Some(ObjectState::Disabled { since: None });

fn entry(number: u8) -> BoundObject {
    format!("ldap-entry:00000000-0000-4000-8000-0000000000{number:02}").parse().unwrap()
}

const CANARY: u8 = 1;
const LAPTOP: u8 = 2;
const ADA: u8 = 3;

fn login(name: &str) -> Login {
    let password = format!("a password of the {name}").into();
    Login { name: format!("cn={name},{BASE}"), password }
}

fn settings(slapd: &Slapd) -> LdapSettings {
    LdapSettings {
        login: Some(login("reader")),
        canary: Some(entry(CANARY)),
        attributes: ["departmentNumber", "employeeType", "title", "o"].map(String::from).into(),
        timeout: Duration::from_secs(2),
        ..LdapSettings::new("the people", slapd.url(), BASE, Schema::rfc4519())
    }
}

fn clock() -> Arc<dyn Clock> {
    Arc::new(FixedClock::default())
}

fn directory(settings: LdapSettings) -> LdapDirectory {
    LdapDirectory::new(settings, clock()).unwrap()
}

/// What is said of Ada, which must be neither good nor revoked.
async fn no_answer(settings: LdapSettings) -> String {
    directory(settings).state(entry(ADA)).await.unwrap_err().to_string()
}

const ADA_IS_DELETED: &str = "dn: uid=ada,ou=people,dc=example,dc=com\nchangetype: delete\n";

#[tokio::test]
async fn a_person_is_enabled_on_hold_or_deleted() {
    let slapd = Slapd::start();
    let lenient = directory(settings(&slapd));
    let schema = Schema { locked: Locked::Hold, ..Schema::rfc4519() };
    let strict = directory(LdapSettings { schema, ..settings(&slapd) });
    assert_eq!(lenient.state(entry(ADA)).await.unwrap(), ENABLED);
    let ada = "dn: uid=ada,ou=people,dc=example,dc=com\nchangetype: modify\n";
    slapd.modify(&format!("{ada}replace: pwdAccountLockedTime\npwdAccountLockedTime: 000001010000Z\n"));
    for directory in [&lenient, &strict] {
        assert_eq!(directory.state(entry(ADA)).await.unwrap(), ON_HOLD, "by an administrator");
    }
    slapd.modify(&format!("{ada}delete: pwdAccountLockedTime\n"));
    assert_eq!(strict.state(entry(ADA)).await.unwrap(), ENABLED);
    for _ in 0..3 {
        slapd.try_password("uid=ada,ou=people,dc=example,dc=com", "not this one");
    }
    assert_eq!(lenient.state(entry(ADA)).await.unwrap(), ENABLED);
    let locked = strict.state(entry(ADA)).await.unwrap();
    assert!(matches!(locked, Some(ObjectState::Disabled { since: Some(_) })), "for an hour: {locked:?}");
    slapd.modify(ADA_IS_DELETED);
    for directory in [&lenient, &strict] {
        assert_eq!(directory.state(entry(ADA)).await.unwrap(), None);
        assert_eq!(directory.state(entry(LAPTOP)).await.unwrap(), ENABLED);
    }
}

#[tokio::test]
async fn an_entry_is_disabled_by_a_filter_and_not_guessed_at() {
    let slapd = Slapd::start();
    let disabled = |filter: &str| {
        directory(LdapSettings { disabled: Some(filter.parse().unwrap()), ..settings(&slapd) })
    };
    let left = disabled("(employeeType=left)");
    assert_eq!(left.state(entry(ADA)).await.unwrap(), ENABLED);
    assert_eq!(left.state(entry(LAPTOP)).await.unwrap(), ENABLED, "it has no such attribute");
    let ada = "dn: uid=ada,ou=people,dc=example,dc=com\nchangetype: modify\n";
    slapd.modify(&format!("{ada}replace: employeeType\nemployeeType: left\n"));
    assert_eq!(left.state(entry(ADA)).await.unwrap(), ON_HOLD);
    // The reader may not read the first of these, and nobody has heard of the second.
    for hidden in ["(employeeNumber=7)", "(noSuchAttribute=TRUE)"] {
        let error = disabled(hidden).state(entry(ADA)).await.unwrap_err();
        assert!(error.to_string().contains("does not tell"), "{hidden}: {error}");
    }
}

#[tokio::test]
async fn an_entry_has_names_and_is_found_by_them() {
    let slapd = Slapd::start();
    let directory = directory(settings(&slapd));
    let names = directory.names(entry(ADA)).await.unwrap().unwrap();
    assert_eq!(names.common_names, ["Ada Lovelace", "ada"]);
    assert_eq!(names.alternative_names, [GeneralName::Email("ada@example.com".into())]);
    let attributes = directory.attributes(entry(ADA)).await.unwrap();
    let expected = [("departmentNumber", "7"), ("employeeType", "staff")];
    assert_eq!(
        attributes,
        expected.map(|(name, value)| (name.into(), value.into())).into(),
        "she has two titles and no o"
    );
    let id = "00000000-0000-4000-8000-000000000003";
    for name in ["Ada Lovelace", "ADA", "ada@example.com", id, &format!("ldap-entry:{id}")] {
        assert_eq!(directory.identify(name).await.unwrap(), Some(entry(ADA)), "{name}");
    }
    for name in ["", "nobody", "*", "a*", "ada)(uid=*", r"ad\61", "ada\0", "people", "ü"] {
        assert_eq!(directory.identify(name).await.unwrap(), None, "{name:?}");
    }
    slapd.modify(
        "dn: cn=ada,ou=devices,dc=example,dc=com\nchangetype: add\nobjectClass: device\ncn: ada\n\n\
         dn: cn=*\\29\\28,ou=devices,dc=example,dc=com\nchangetype: add\nobjectClass: device\ncn: *)(\n",
    );
    assert!(matches!(directory.identify("ada").await, Err(DirectoryError::Ambiguous { .. })));
    let odd = directory.identify("*)(").await.unwrap().unwrap();
    let filter = directory_ldap::Filter::equal("cn", "*)(").to_string();
    let found = slapd.search(&filter, &["entryUUID"]);
    assert!(
        found.contains(&format!("entryUUID: {}", odd.id())),
        "OpenLDAP's client reads {filter} so too: {found}"
    );
}

#[tokio::test]
async fn what_is_not_shown_is_deleted_only_where_base_and_canary_are() {
    let slapd = Slapd::start();
    slapd.modify(ADA_IS_DELETED);
    let proven = directory(settings(&slapd));
    assert_eq!(proven.state(entry(ADA)).await.unwrap(), None);
    let cases = [
        ("canary", LdapSettings { canary: None, ..settings(&slapd) }),
        ("canary", LdapSettings { canary: Some(entry(99)), ..settings(&slapd) }),
        ("canary", LdapSettings { login: Some(login("blind")), ..settings(&slapd) }),
        ("base", LdapSettings { login: None, base: format!("ou=people,{BASE}"), ..settings(&slapd) }),
        ("no such base", LdapSettings { base: format!("ou=nowhere,{BASE}"), ..settings(&slapd) }),
        ("no such base", LdapSettings { base: "dc=elsewhere".into(), ..settings(&slapd) }),
        ("result 34", LdapSettings { base: "no name".into(), ..settings(&slapd) }),
    ];
    for (why, settings) in cases {
        let error = no_answer(settings).await;
        assert!(error.contains(why), "{why}: {error}");
    }
    let canary = directory(LdapSettings { canary: Some(entry(ADA)), ..settings(&slapd) });
    assert!(canary.state(entry(ADA)).await.is_err(), "nor is the canary itself");
    slapd.modify(
        "dn: ou=elsewhere,dc=example,dc=com\nchangetype: add\nobjectClass: referral\nobjectClass: extensibleObject\n\
         ou: elsewhere\nref: ldap://elsewhere.example.com/ou=elsewhere,dc=example,dc=com\n",
    );
    let error = proven.state(entry(ADA)).await.unwrap_err().to_string();
    assert!(error.contains("refers us to ldap://elsewhere.example.com"), "{error}");
    assert_eq!(proven.state(entry(LAPTOP)).await.unwrap(), ENABLED, "which is there");
}

#[tokio::test]
async fn several_servers_must_agree_that_an_entry_is_gone() {
    let (mut one, mut two) = (Slapd::start(), Slapd::start());
    let both = directory(LdapSettings { servers: vec![one.url(), two.url()], ..settings(&one) });
    one.modify(ADA_IS_DELETED);
    assert_eq!(both.state(entry(ADA)).await.unwrap(), ENABLED, "the other one shows it");
    two.kill();
    let error = both.state(entry(ADA)).await.unwrap_err().to_string();
    assert!(error.contains(&two.url()), "{error}");
    assert_eq!(both.state(entry(LAPTOP)).await.unwrap(), ENABLED, "one is enough for that");
    two.restart();
    tokio::time::sleep(Duration::from_millis(300)).await;
    two.modify(ADA_IS_DELETED);
    assert_eq!(both.state(entry(ADA)).await.unwrap(), None);
    one.kill();
    assert_eq!(both.state(entry(LAPTOP)).await.unwrap(), ENABLED, "the other one answers");
    assert!(both.state(entry(ADA)).await.is_err());
}

#[tokio::test]
async fn an_entry_must_have_been_missing_for_as_long_as_servers_need() {
    let slapd = Slapd::start();
    let clock = Arc::new(FixedClock::default());
    let settings = LdapSettings { settle: Duration::from_secs(60), ..settings(&slapd) };
    let directory = LdapDirectory::new(settings, Arc::clone(&clock) as _).unwrap();
    slapd.modify(ADA_IS_DELETED);
    for _ in 0..2 {
        assert!(directory.state(entry(ADA)).await.unwrap_err().to_string().contains("less than 60 s"));
        clock.advance(Duration::from_secs(30));
    }
    assert_eq!(directory.state(entry(ADA)).await.unwrap(), None);
    slapd.modify(
        "dn: cn=laptop-1,ou=devices,dc=example,dc=com\nchangetype: modrdn\nnewrdn: cn=laptop-2\ndeleteoldrdn: 1\n",
    );
    assert_eq!(directory.state(entry(LAPTOP)).await.unwrap(), ENABLED, "by another name");
}

#[tokio::test]
async fn tls_is_with_the_right_server_or_not_at_all() {
    let slapd = Slapd::start();
    let trusted_cas = std::fs::read(slapd.trusted_cas()).unwrap();
    let secured = |url: String, trusted_cas: &[u8]| LdapSettings {
        servers: vec![url],
        protection: Protection::Required,
        trusted_cas: trusted_cas.to_vec(),
        ..settings(&slapd)
    };
    let other = testkit::tempdir().unwrap();
    tls_files(other.path(), "127.0.0.1");
    let other = std::fs::read(other.path().join("ca.pem")).unwrap();
    for url in [slapd.url(), slapd.tls_url()] {
        let right = directory(secured(url.clone(), &trusted_cas));
        assert_eq!(right.state(entry(ADA)).await.unwrap(), ENABLED, "{url}");
        let named = url.replace("127.0.0.1", "localhost");
        for wrong in [secured(url.clone(), &other), secured(named, &trusted_cas), secured(url, &[])] {
            let url = wrong.servers[0].clone();
            let error = no_answer(wrong).await;
            assert!(error.contains("TLS: invalid peer certificate"), "{url}: {error}");
        }
    }
    let plain = secured(slapd.tls_url().replace("ldaps", "ldap"), &trusted_cas);
    assert!(!no_answer(plain).await.is_empty(), "StartTLS where there is TLS already");
}

#[tokio::test]
async fn a_wrong_password_is_nobodys_fault_but_ours() {
    let slapd = Slapd::start();
    let wrong = Login { password: String::from("wrong").into(), ..login("reader") };
    let wrong = LdapSettings { login: Some(wrong), ..settings(&slapd) };
    let error = no_answer(wrong).await;
    assert!(error.contains("bind_dn"), "{error}");
    let empty = Login { password: String::new().into(), ..login("reader") };
    let empty = LdapSettings { login: Some(empty), ..settings(&slapd) };
    assert!(
        LdapDirectory::new(empty, clock()).is_err(),
        "the server would take that for nobody, and let it in"
    );
}

#[tokio::test]
async fn a_server_that_is_killed_or_hangs_changes_nobodys_state() {
    let mut slapd = Slapd::start();
    let directory = Arc::new(directory(settings(&slapd)));
    let clock = Arc::new(FixedClock::default());
    let guard =
        GuardSettings { canary: Some(entry(CANARY)), fresh_for: Duration::ZERO, ..GuardSettings::default() };
    let guarded =
        GuardedDirectory::new("the people", Arc::clone(&directory) as _, Arc::clone(&clock) as _, guard);
    assert_eq!(guarded.state(entry(ADA)).await.unwrap(), ENABLED);
    slapd.kill();
    assert!(directory.state(entry(ADA)).await.is_err());
    assert_eq!(guarded.state(entry(ADA)).await.unwrap(), ENABLED, "what was known last");
    clock.advance(Duration::from_secs(600));
    assert!(guarded.state(entry(ADA)).await.is_err(), "and not for ever");
    slapd.restart();
    // It is not tried again at once.
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(guarded.state(entry(ADA)).await.unwrap(), ENABLED);
    slapd.hang();
    let error = directory.state(entry(ADA)).await.unwrap_err().to_string();
    assert!(error.contains("no answer within 2000 ms"), "{error}");
    slapd.go_on();
    let mut asked = 0;
    while directory.state(entry(ADA)).await.is_err() {
        asked += 1;
        assert!(asked < 100, "it goes on");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    slapd.kill();
    slapd.restart();
    assert_eq!(
        directory.state(entry(ADA)).await.unwrap(),
        ENABLED,
        "a connection that has ended is made again at once"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn many_questions_share_a_connection() {
    let slapd = Slapd::start();
    let directory = Arc::new(directory(settings(&slapd)));
    let asked: Vec<_> = (0..500)
        .map(|n| {
            let directory = Arc::clone(&directory);
            let object = if n % 2 == 0 { entry(ADA) } else { entry(LAPTOP) };
            tokio::spawn(async move { (object, directory.names(object).await) })
        })
        .collect();
    for one in asked {
        let (object, names) = one.await.unwrap();
        let expected = if object == entry(ADA) { "Ada Lovelace" } else { "laptop-1" };
        assert_eq!(names.unwrap().unwrap().common_names[0], expected);
    }
}

#[tokio::test]
async fn changes_are_followed_and_need_not_be_asked_for() {
    let mut slapd = Slapd::start();
    let device =
        |n| format!("dn: cn=d{n},ou=devices,{BASE}\nchangetype: add\nobjectClass: device\ncn: d{n}\n");
    let devices = (0..1200).map(device).collect::<Vec<_>>().join("\n");
    slapd.modify(&devices);
    let clock = Arc::new(FixedClock::default());
    let directory = Arc::new(LdapDirectory::new(settings(&slapd), Arc::clone(&clock) as _).unwrap());
    let guard = GuardSettings {
        canary: Some(entry(CANARY)),
        fresh_while_followed: Duration::from_secs(3600),
        ..GuardSettings::default()
    };
    let (inner, now) = (Arc::clone(&directory) as _, Arc::clone(&clock) as _);
    let guarded = GuardedDirectory::new("the people", inner, now, guard);
    let mut follower = LdapFollower::new(directory, guarded.clone(), Duration::from_secs(10));
    let heard = follower.round().await.unwrap();
    assert_eq!(heard, 1206, "all devices and people, in three pages");
    assert_eq!(guarded.health().remembered, heard);
    for _ in 0..10 {
        clock.advance(Duration::from_secs(10));
        follower.round().await.unwrap();
        let observation = guarded.observe(entry(ADA)).await.unwrap();
        assert_eq!((observation.state, observation.known_at), (ENABLED, Some(clock.now())));
    }
    assert_eq!(guarded.health().asked, 0);
    let ada = "dn: uid=ada,ou=people,dc=example,dc=com\nchangetype: modify\n";
    slapd.modify(&format!("{ada}replace: pwdAccountLockedTime\npwdAccountLockedTime: 000001010000Z\n"));
    assert!(follower.round().await.unwrap() < 1206);
    assert_eq!(guarded.state(entry(ADA)).await.unwrap(), ON_HOLD);
    assert_eq!(guarded.health().asked, 0);
    slapd.kill();
    assert!(follower.round().await.is_err());
    clock.advance(Duration::from_secs(60));
    assert_eq!(guarded.state(entry(ADA)).await.unwrap(), ON_HOLD, "what was known last");
    assert!(guarded.health().asked > 0, "who is not followed is asked");
    clock.advance(Duration::from_secs(600));
    assert!(guarded.state(entry(LAPTOP)).await.is_err(), "and nothing lasts for ever");
}
