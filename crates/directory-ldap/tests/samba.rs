//! Samba as a domain controller: what Active Directory's attributes mean, row by row.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::arithmetic_side_effects,
    missing_docs,
    reason = "tests"
)]

use std::{sync::Arc, time::Duration};

use directory::{
    Directory as _, DirectoryError, GuardSettings, GuardedDirectory, ObjectState, SID_ATTRIBUTE,
};
use directory_ldap::{LdapDirectory, LdapFollower, LdapSettings, Locked, Login, Protection, Schema};
use pki_core::{GeneralName, UnixTime};
use serial_binding::BoundObject;
use testkit::{FixedClock, Samba};

const BASE: &str = "DC=ad,DC=example";
const ENABLED: Option<ObjectState> = Some(ObjectState::Enabled);
const ON_HOLD: Option<ObjectState> = Some(ObjectState::Disabled { since: None });

fn settings(samba: &Samba) -> LdapSettings {
    let (name, password) = Samba::administrator();
    LdapSettings {
        login: Some(Login { name: name.into(), password: String::from(password).into() }),
        trusted_cas: std::fs::read(samba.trusted_cas()).unwrap(),
        attributes: vec!["department".into()],
        ..LdapSettings::new("the domain", samba.tls_url(), BASE, Schema::active_directory())
    }
}

fn directory(settings: LdapSettings) -> LdapDirectory {
    LdapDirectory::new(settings, Arc::new(FixedClock::default())).unwrap()
}

/// Making a domain takes seconds, so one serves them all.
#[tokio::test]
async fn accounts_of_a_domain() {
    let samba = Samba::start();
    samba.tool(&[
        "user",
        "create",
        "ada",
        "A passw0rd of Ada",
        "--given-name=Ada",
        "--surname=Lovelace",
        "--mail-address=ada@example.com",
        "--department=Engines",
    ]);
    samba.modify(
        "dn: CN=laptop-1,CN=Computers,DC=ad,DC=example\nchangetype: add\nobjectClass: computer\n\
         sAMAccountName: laptop-1$\nuserAccountControl: 4096\ndNSHostName: laptop-1.ad.example\n\n\
         dn: OU=Laptops,DC=ad,DC=example\nchangetype: add\nobjectClass: organizationalUnit\n\n\
         dn: DC=ad,DC=example\nchangetype: modify\nreplace: lockoutThreshold\nlockoutThreshold: 2\n",
    );
    names_and_ways_to_find_them(&samba).await;
    let canary = directory(settings(&samba)).identify("dc1").await.unwrap();
    let settings = LdapSettings { canary, ..settings(&samba) };
    states_of_a_user(&samba, &settings).await;
    states_of_a_computer(&samba, &settings).await;
    connections(&samba, &settings).await;
    changes(&samba, &settings).await;
}

async fn names_and_ways_to_find_them(samba: &Samba) {
    let directory = directory(settings(samba));
    let laptop = directory.identify("laptop-1").await.unwrap().unwrap();
    let guid = samba.tool(&["computer", "show", "laptop-1", "--attributes=objectGUID"]);
    assert!(guid.contains(&format!("objectGUID: {}", laptop.id())), "Samba's own reading: {guid}");
    for name in
        ["LAPTOP-1", "laptop-1$", "laptop-1.ad.example", &laptop.id().to_string(), &laptop.to_string()]
    {
        assert_eq!(directory.identify(name).await.unwrap(), Some(laptop), "{name}");
    }
    let names = directory.names(laptop).await.unwrap().unwrap();
    assert_eq!(names.common_names, ["laptop-1", "laptop-1.ad.example"]);
    assert_eq!(names.alternative_names, [GeneralName::Dns("laptop-1.ad.example".into())]);
    let ada = directory.identify("ada@ad.example").await.unwrap().unwrap();
    for name in ["ada", "Ada Lovelace"] {
        assert_eq!(directory.identify(name).await.unwrap(), Some(ada), "{name}");
    }
    let names = directory.names(ada).await.unwrap().unwrap();
    assert_eq!(names.common_names, ["Ada Lovelace", "ada", "ada@ad.example"]);
    let alternative =
        [GeneralName::Email("ada@example.com".into()), GeneralName::Upn("ada@ad.example".into())];
    assert_eq!(names.alternative_names, alternative);
    let attributes = directory.attributes(ada).await.unwrap();
    assert_eq!(attributes["department"], "Engines");
    let sid = samba.tool(&["user", "show", "ada", "--attributes=objectSid"]);
    assert!(sid.contains(&format!("objectSid: {}", attributes[SID_ATTRIBUTE])), "{sid}");
    for name in ["nobody", "*", "ada)(cn=*", "Domain Users", "Computers"] {
        assert_eq!(directory.identify(name).await.unwrap(), None, "{name}");
    }
    let namesake = "dn: CN=laptop-1,CN=Users,DC=ad,DC=example\nchangetype:";
    samba.modify(&format!("{namesake} add\nobjectClass: user\nsAMAccountName: somebody\n"));
    assert!(matches!(directory.identify("laptop-1").await, Err(DirectoryError::Ambiguous { .. })));
    samba.modify(&format!("{namesake} delete\n"));
}

async fn states_of_a_user(samba: &Samba, settings: &LdapSettings) {
    let lenient = directory(settings.clone());
    let schema = Schema { locked: Locked::Hold, ..Schema::active_directory() };
    let strict = directory(LdapSettings { schema, ..settings.clone() });
    let ada = lenient.identify("ada").await.unwrap().unwrap();
    assert_eq!(strict.state(ada).await.unwrap(), ENABLED);
    let ada_is = |attribute: &str, value: &str| {
        let change = "dn: CN=Ada Lovelace,CN=Users,DC=ad,DC=example\nchangetype: modify\nreplace:";
        samba.modify(&format!("{change} {attribute}\n{attribute}: {value}\n"));
    };
    ada_is("userAccountControl", "514");
    assert_eq!(lenient.state(ada).await.unwrap(), ON_HOLD);
    ada_is("userAccountControl", "512");
    assert_eq!(lenient.state(ada).await.unwrap(), ENABLED);
    ada_is("accountExpires", "131659776000000000");
    let since = "2018-03-20T00:00:00Z".parse::<UnixTime>().ok();
    assert_eq!(lenient.state(ada).await.unwrap(), Some(ObjectState::Disabled { since }));
    for never in ["0", "9223372036854775807"] {
        ada_is("accountExpires", never);
        assert_eq!(lenient.state(ada).await.unwrap(), ENABLED);
    }
    for _ in 0..3 {
        samba.try_password("ada@ad.example", "not this one");
    }
    assert_eq!(lenient.state(ada).await.unwrap(), ENABLED);
    let locked = strict.state(ada).await.unwrap();
    assert!(matches!(locked, Some(ObjectState::Disabled { since: Some(_) })), "{locked:?}");
    ada_is("lockoutTime", "0");
    assert_eq!(strict.state(ada).await.unwrap(), ENABLED);
    let left = LdapSettings { disabled: "(department=Left)".parse().ok(), ..settings.clone() };
    let left = directory(left);
    assert_eq!(left.state(ada).await.unwrap(), ENABLED);
    ada_is("department", "Left");
    assert_eq!(left.state(ada).await.unwrap(), ON_HOLD);
    let moved = directory(LdapSettings { base: format!("CN=Computers,{BASE}"), ..settings.clone() });
    assert!(moved.state(ada).await.is_err(), "its canary is not there either");
    samba.modify("dn: CN=Ada Lovelace,CN=Users,DC=ad,DC=example\nchangetype: delete\n");
    assert_eq!(lenient.state(ada).await.unwrap(), None);
    let blind = directory(LdapSettings { canary: None, ..settings.clone() });
    assert!(blind.state(ada).await.is_err());
}

async fn states_of_a_computer(samba: &Samba, settings: &LdapSettings) {
    let directory = directory(settings.clone());
    let laptop = directory.identify("laptop-1").await.unwrap().unwrap();
    assert_eq!(directory.state(laptop).await.unwrap(), ENABLED);
    let change =
        "dn: CN=laptop-1,CN=Computers,DC=ad,DC=example\nchangetype: modify\nreplace: userAccountControl\n";
    samba.modify(&format!("{change}userAccountControl: 4098\n"));
    assert_eq!(directory.state(laptop).await.unwrap(), ON_HOLD);
    samba.modify(&format!("{change}userAccountControl: 4096\n"));
    assert_eq!(directory.state(laptop).await.unwrap(), ENABLED);
    samba.modify(
        "dn: CN=laptop-1,CN=Computers,DC=ad,DC=example\nchangetype: modrdn\nnewrdn: CN=laptop-1\ndeleteoldrdn: 1\n\
         newsuperior: OU=Laptops,DC=ad,DC=example\n",
    );
    assert_eq!(directory.state(laptop).await.unwrap(), ENABLED, "moved, and still below the base");
    // A group has an id, and no account.
    let group = samba.tool(&["group", "show", "Domain Users", "--attributes=objectGUID"]);
    let id = group.lines().find_map(|line| line.strip_prefix("objectGUID: ")).unwrap();
    let group: BoundObject = format!("ldap-entry:{id}").parse().unwrap();
    let error = directory.state(group).await.unwrap_err().to_string();
    assert!(error.contains("no account"), "{error}");
    samba.modify("dn: CN=laptop-1,OU=Laptops,DC=ad,DC=example\nchangetype: delete\n");
    assert_eq!(directory.state(laptop).await.unwrap(), None);
}

async fn connections(samba: &Samba, settings: &LdapSettings) {
    let canary = settings.canary.unwrap();
    let (plain, required) = (vec![samba.url()], Protection::Required);
    let start_tls = LdapSettings { servers: plain.clone(), protection: required, ..settings.clone() };
    assert_eq!(directory(start_tls).state(canary).await.unwrap(), ENABLED);
    let unprotected = LdapSettings { servers: plain, timeout: Duration::from_secs(3), ..settings.clone() };
    let error = directory(unprotected).state(canary).await.unwrap_err().to_string();
    assert!(error.contains("result 8") && error.contains("protected"), "{error}");
    let (name, _) = Samba::administrator();
    let wrong = Login { name: name.into(), password: String::from("wrong").into() };
    let error = directory(LdapSettings { login: Some(wrong), ..settings.clone() }).state(canary).await;
    assert!(error.unwrap_err().to_string().contains("bind_dn"));
    let nobody = directory(LdapSettings { login: None, ..settings.clone() }).state(canary).await;
    assert!(nobody.is_err(), "a domain shows nothing to nobody: {nobody:?}");
}

async fn changes(samba: &Samba, settings: &LdapSettings) {
    let clock = Arc::new(FixedClock::default());
    let directory = Arc::new(LdapDirectory::new(settings.clone(), Arc::clone(&clock) as _).unwrap());
    let guard = GuardSettings {
        canary: settings.canary,
        fresh_while_followed: Duration::from_secs(3600),
        ..GuardSettings::default()
    };
    let guarded =
        GuardedDirectory::new("the domain", Arc::clone(&directory) as _, Arc::clone(&clock) as _, guard);
    let mut follower = LdapFollower::new(Arc::clone(&directory), guarded.clone(), Duration::from_secs(10));
    let bob = "dn: CN=bob,CN=Users,DC=ad,DC=example\nchangetype:";
    samba.modify(&format!(
        "{bob} add\nobjectClass: computer\nsAMAccountName: bob$\nuserAccountControl: 4096\n"
    ));
    let id = directory.identify("bob").await.unwrap().unwrap();
    let all = follower.round().await.unwrap();
    assert!(all > 3, "{all}");
    assert_eq!(follower.round().await.unwrap(), 0, "nothing has changed");
    assert_eq!(guarded.state(id).await.unwrap(), ENABLED);
    samba.modify(&format!("{bob} modify\nreplace: userAccountControl\nuserAccountControl: 4098\n"));
    assert_eq!(follower.round().await.unwrap(), 1);
    assert_eq!(guarded.state(id).await.unwrap(), ON_HOLD);
    assert_eq!(guarded.health().asked, 0);
    samba.modify(&format!("{bob} delete\n"));
    assert_eq!(guarded.state(id).await.unwrap(), ON_HOLD, "nobody has told it yet");
    assert_eq!(follower.round().await.unwrap(), 1);
    assert_eq!(guarded.state(id).await.unwrap(), None);
    assert_eq!(guarded.health().asked, 1, "a deletion is proven, not believed");
}
