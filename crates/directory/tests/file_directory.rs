//! The file directory: what its file means, and what changes to it do.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::arithmetic_side_effects,
    missing_docs,
    reason = "tests"
)]

mod support;

use std::{sync::Arc, time::Duration};

use directory::{Directory, DirectoryError, FileDirectory, FileDirectorySettings, ObjectState, Refresh};
use pki_core::{GeneralName, UnixTime};
use serial_binding::{BoundObject, ObjectId, ObjectKind, ObjectKinds};
use support::{ADA, LAPTOP, NOW, OnDisk, ada, device, fleet, fleet_member, laptop};
use testkit::{FixedClock, block_on};

const JSON: &str = r#"{
    "devices": [{"id": 17, "kind": "jamf-computer", "name": "mac-17", "state": "gone", "since": "2026-11-20T08:00:00Z"}],
    "users": [{"id": "307ff02c-76d6-4808-a523-3cbae90dcdbc", "name": "Ada", "state": "enabled"}]
}"#;

fn open(name: &str, text: &str) -> Result<FileDirectory, String> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    std::fs::write(&path, text).unwrap();
    let clock = Arc::new(FixedClock::new(UnixTime(NOW)));
    FileDirectory::open(path, clock, FileDirectorySettings::default()).map_err(|error| error.to_string())
}

fn identify(directory: &FileDirectory, name: &str) -> Option<BoundObject> {
    block_on(directory.identify(name)).unwrap()
}

/// The example in the documentation of `FileDirectory`.
fn documented() -> String {
    let source = include_str!("../src/file_directory.rs");
    let example = source.split("/// ```toml\n").nth(1).unwrap().split("/// ```").next().unwrap();
    example.lines().map(|line| line.trim_start_matches("///").trim_start()).collect::<Vec<_>>().join("\n")
}

#[test]
fn the_documented_example_is_read() {
    let file = OnDisk::new(&documented());
    let mac = BoundObject::new(ObjectKind::JAMF_COMPUTER, ObjectId::Number(17)).unwrap();
    assert_eq!(file.state(laptop()), Some(ObjectState::Enabled));
    let since = "2026-11-20T08:00:00Z".parse().ok();
    assert_eq!(file.state(mac), Some(ObjectState::Disabled { since }));
    assert_eq!(file.state(ada()), Some(ObjectState::Enabled));
    assert_eq!(file.state(format!("user:{LAPTOP}").parse().unwrap()), None, "a device and no user");

    let names = block_on(file.directory.names(ada())).unwrap().unwrap();
    assert_eq!(names.common_names, ["Ada Lovelace", "ada", ADA]);
    assert_eq!(
        names.alternative_names,
        [
            GeneralName::Email("ada@example.com".into()),
            GeneralName::Uri("https://example.com/people/ada".into()),
            GeneralName::Upn("ada@corp.example.com".into()),
        ]
    );
    for name in ["ada lovelace", "ADA", "ada@example.com", "Ada@Corp.example.com", &*ADA.to_uppercase()] {
        assert_eq!(identify(&file.directory, name), Some(ada()), "{name}");
    }
    assert_eq!(identify(&file.directory, "LAPTOP-17.example.com"), Some(laptop()));
    assert_eq!(identify(&file.directory, "17"), Some(mac));
    assert_eq!(identify(&file.directory, "nobody"), None);
    assert_eq!(block_on(file.directory.names(fleet_member(1))), Ok(None));
}

#[test]
fn json_says_the_same() {
    let directory = open("directory.json", JSON).unwrap();
    let mac = BoundObject::new(ObjectKind::JAMF_COMPUTER, ObjectId::Number(17)).unwrap();
    let since = Some(UnixTime(1_795_161_600));
    assert_eq!(block_on(directory.state(mac)), Ok(Some(ObjectState::Gone { since })));
    assert_eq!(identify(&directory, "Ada"), Some(ada()));
    assert_eq!(identify(&directory, "mac-17"), None, "what is gone has left its name");
    assert_eq!(identify(&directory, "17"), Some(mac));
}

#[test]
fn what_is_wrong_is_refused_and_named() {
    let one = device(LAPTOP, "laptop", "enabled");
    let other = device(ADA, "other", "enabled");
    let twice = one.clone() + &device(LAPTOP, "other", "enabled");
    let namesake = one.clone() + &device(ADA, "Laptop", "disabled");
    let with = |line: &str| one.clone() + line;
    let cases = [
        ("", "neither is there"),
        ("# a comment\n", "neither is there"),
        ("devices = []", ""),
        ("[[device]]\nid = 1", "line 1, column 3: unknown field `device`"),
        (&*with("stat = \"enabled\"\n"), "line 5, column 1 (stat): unknown field `stat`"),
        (&*with("dns = \"one\"\n"), "line 5, column 7 (dns): invalid type"),
        (&*with("kind = \"phone\"\n"), "line 5, column 8 (kind): expected a kind of object: device, user"),
        (
            &*with("kind = \"jamf-computer\"\n"),
            "devices[0].id: an object of kind jamf-computer is named by a number",
        ),
        (&*with("since = \"yesterday\"\n"), "line 5, column 9 (since): expected a time such as"),
        (&*with("since = 2026-11-20\n"), "line 5, column 9 (since): expected a time such as"),
        (&*with("dns = [\"läptop\"]\n"), "devices[0].dns: \"läptop\" cannot stand in a certificate"),
        (&*with("upns = [\"a\\nb\"]\n"), "devices[0].upns: \"a\\nb\" cannot stand in a certificate"),
        (&*one.replace("\"laptop\"", "\" \""), "devices[0].name: \" \" cannot stand in a certificate"),
        (&*one.replace(LAPTOP, "laptop"), "line 2, column 6 (id): expected a UUID such as"),
        (&*one.replace(&format!("\"{LAPTOP}\""), "-1"), "line 2, column 6 (id): invalid value: integer `-1`"),
        (
            &*one.replace(&format!("\"{LAPTOP}\""), "17"),
            "devices[0].kind: an object named by a number says its kind",
        ),
        (&*one.replace("enabled", "on"), "line 4, column 9 (state): unknown variant `on`"),
        (&*one.replace("state = \"enabled\"\n", ""), "missing field `state`"),
        (&*one.replace("name = \"laptop\"\n", ""), "missing field `name`"),
        (&*twice, "devices[1].id: device:d6b58414-60ed-426b-b382-276a3e8d626d is in the file twice"),
        (&*namesake, "devices[1].name: \"Laptop\" is also the name of devices[0]"),
        (&one[..one.len() - 4], "line 4"),
        (&*(one.clone() + &other), ""),
    ];
    for (text, expected) in cases {
        match open("directory.toml", text) {
            Ok(_) => assert_eq!(expected, "", "{text}"),
            Err(error) => {
                assert!(!expected.is_empty() && error.contains(expected), "{text}\n{error}");
                assert!(error.contains("directory.toml") && !error.contains('\n'), "{error}");
            }
        }
    }
    let error = open("directory.json", &JSON.replace("\"gone\"", "1")).unwrap_err();
    assert!(error.contains("line 2") && error.contains("wrong"), "{error}");
    assert!(open("directory.json", &JSON[..JSON.len() - 1]).unwrap_err().contains("line 4"));
    assert!(open("directory.yaml", "").unwrap_err().contains(".toml or .json"));
}

#[test]
fn row_43_a_name_of_two_objects_is_nobodys() {
    let text = device(LAPTOP, "laptop", "enabled")
        + "dns = [\"shared.example.com\"]\n"
        + &device(ADA, "other", "enabled")
        + "dns = [\"SHARED.example.com\"]\n"
        + &device("00000000-0000-0000-0000-000000000001", "third", "gone")
        + "dns = [\"third.example.com\"]\n"
        + &device("00000000-0000-0000-0000-000000000002", "third", "enabled")
        + "dns = [\"third.example.com\"]\n";
    let file = OnDisk::new(&text);
    let error = block_on(file.directory.identify("shared.example.com")).unwrap_err();
    assert!(
        matches!(error, DirectoryError::Ambiguous { ref name, .. } if name == "shared.example.com"),
        "{error}"
    );
    assert_eq!(identify(&file.directory, "laptop"), Some(laptop()));
    assert_eq!(identify(&file.directory, "third"), Some(fleet_member(2)), "the other one is gone");
}

#[test]
fn row_44_a_change_of_state_shows_at_the_next_look() {
    let file = OnDisk::new(&device(LAPTOP, "laptop", "enabled"));
    let mut epochs = vec![file.directory.epoch()];
    for state in ["disabled", "enabled", "disabled"] {
        file.write(&device(LAPTOP, "laptop", state));
        assert_eq!(file.directory.refresh(), Refresh::Changed { objects: 1 });
        let expected =
            if state == "enabled" { ObjectState::Enabled } else { ObjectState::Disabled { since: None } };
        assert_eq!(file.state(laptop()), Some(expected));
        epochs.push(file.directory.epoch());
        assert_eq!(file.directory.refresh(), Refresh::Unchanged);
        assert_eq!(file.directory.epoch(), epochs[epochs.len() - 1]);
    }
    epochs.dedup();
    assert_eq!(epochs.len(), 4, "{epochs:?}");
}

#[test]
fn changes_within_one_tick_of_the_file_systems_clock_show() {
    let file = OnDisk::new(&device(LAPTOP, "laptop", "enabled"));
    // The file has just been written, as far as this clock knows: its metadata proves nothing yet.
    file.clock.set(UnixTime(0));
    for round in 0..200 {
        // Both of one length, and often of one time stamp.
        let (state, expected) = if round % 2 == 0 {
            ("disabled", ObjectState::Disabled { since: None })
        } else {
            ("enabled", ObjectState::Enabled)
        };
        file.write(&format!("{:200}", device(LAPTOP, "laptop", state)));
        file.directory.refresh();
        assert_eq!(file.state(laptop()), Some(expected), "round {round}");
    }
}

#[test]
fn a_deletion_is_believed_at_the_second_look() {
    let file = OnDisk::new(&fleet(2));
    file.write(&fleet(1));
    let held = Refresh::HeldBack { removed: 1, of: 2, until: UnixTime(NOW) };
    assert_eq!(file.directory.refresh(), held);
    assert_eq!(file.state(fleet_member(1)), Some(ObjectState::Enabled));
    assert_eq!(file.directory.refresh(), Refresh::Changed { objects: 1 });
    assert_eq!(file.state(fleet_member(1)), None);
}

#[test]
fn a_file_caught_while_it_was_being_written_deletes_nobody() {
    let file = OnDisk::new(&fleet(40));
    for written in [10, 20, 30] {
        file.write(&fleet(written));
        assert!(matches!(file.directory.refresh(), Refresh::HeldBack { .. }));
    }
    file.write(&fleet(40));
    assert_eq!(file.directory.refresh(), Refresh::Unchanged);
    assert_eq!(file.state(fleet_member(39)), Some(ObjectState::Enabled));
}

#[test]
fn row_50_an_emptied_missing_or_unreadable_file_is_an_outage_and_no_deletion() {
    type Break = fn(&OnDisk);
    let breaks: [(&str, Break); 6] = [
        ("emptied", |file| file.write("")),
        ("half written", |file| file.write(&fleet(2)[..100])),
        ("nonsense", |file| file.write("<html>502 Bad Gateway</html>")),
        ("not text", |file| std::fs::write(&file.path, [0xFF; 100]).unwrap()),
        ("missing", |file| std::fs::remove_file(&file.path).unwrap()),
        ("a folder", |file| {
            std::fs::remove_file(&file.path).unwrap();
            std::fs::create_dir(&file.path).unwrap();
        }),
    ];
    for (what, break_it) in breaks {
        let file = OnDisk::new(&fleet(2));
        let epoch = file.directory.epoch();
        break_it(&file);
        for _ in 0..3 {
            assert!(matches!(file.directory.refresh(), Refresh::Failed(_)), "{what}");
        }
        file.clock.set(UnixTime(NOW + 600));
        file.directory.refresh();
        assert_eq!(
            file.state(fleet_member(1)),
            Some(ObjectState::Enabled),
            "{what}: the last good state serves"
        );
        assert_eq!(file.directory.epoch(), epoch, "{what}");
        file.clock.set(UnixTime(NOW + 601));
        file.directory.refresh();
        let error = block_on(file.directory.state(fleet_member(1))).unwrap_err().to_string();
        assert!(error.contains("too old to rely on: the directory file"), "{what}: {error}");
        assert!(
            block_on(file.directory.identify("d1")).is_err()
                && block_on(file.directory.names(laptop())).is_err()
        );
        assert_eq!(file.directory.epoch(), None, "{what}: nothing answered before may be served on");
    }
}

#[test]
fn row_50_a_mass_deletion_is_held_back_until_it_has_stood() {
    let mut settings = FileDirectorySettings::default();
    settings.mass_removal_delay = Duration::from_secs(60);
    let file = OnDisk::with(&fleet(40), settings);
    file.write(&fleet(19));
    let held = Refresh::HeldBack { removed: 21, of: 40, until: UnixTime(NOW + 60) };
    for passed in [0, 1, 59] {
        file.clock.set(UnixTime(NOW + passed));
        assert_eq!(file.directory.refresh(), held);
        assert_eq!(file.state(fleet_member(39)), Some(ObjectState::Enabled));
    }
    // Another change starts the waiting anew.
    file.write(&fleet(18));
    let held = Refresh::HeldBack { removed: 22, of: 40, until: UnixTime(NOW + 119) };
    assert_eq!(file.directory.refresh(), held);
    file.clock.set(UnixTime(NOW + 119));
    assert_eq!(file.directory.refresh(), Refresh::Changed { objects: 18 });
    assert_eq!(file.state(fleet_member(39)), None);
}

#[test]
fn what_counts_as_a_mass_deletion() {
    for (before, after, is_mass) in
        [(40, 19, true), (40, 20, false), (20, 0, true), (19, 0, false), (100, 49, true)]
    {
        let file = OnDisk::new(&fleet(before));
        file.write(&(String::from("users = []\n") + &fleet(after)));
        file.directory.refresh();
        let second = file.directory.refresh();
        assert_eq!(matches!(second, Refresh::HeldBack { .. }), is_mass, "{before} to {after}: {second:?}");
    }
    let file = OnDisk::new(&fleet(40));
    file.write(&fleet(40).replace("enabled", "gone"));
    file.directory.refresh();
    assert!(matches!(file.directory.refresh(), Refresh::HeldBack { removed: 40, of: 40, .. }));
    // A hold can be lifted again.
    file.write(&fleet(40).replace("enabled", "disabled"));
    assert_eq!(file.directory.refresh(), Refresh::Changed { objects: 40 });
}

#[test]
fn a_directory_that_nobody_looks_at_any_more_goes_stale() {
    let file = OnDisk::new(&fleet(1));
    file.clock.set(UnixTime(NOW + 601));
    let error = block_on(file.directory.state(fleet_member(0))).unwrap_err().to_string();
    assert!(error.contains("nobody has looked at it since"), "{error}");
    assert_eq!(file.directory.refresh(), Refresh::Unchanged);
    assert_eq!(file.state(fleet_member(0)), Some(ObjectState::Enabled));
}

#[test]
fn a_repaired_file_serves_again() {
    let file = OnDisk::new(&device(LAPTOP, "laptop", "enabled"));
    file.write("devices = [");
    file.directory.refresh();
    file.clock.set(UnixTime(NOW + 1000));
    file.write(&device(LAPTOP, "laptop", "disabled"));
    assert_eq!(file.directory.refresh(), Refresh::Changed { objects: 1 });
    let seen = block_on(file.directory.observe(laptop())).unwrap();
    assert_eq!(seen.known_at, Some(UnixTime(NOW + 1000)));
    assert_eq!(seen.state, Some(ObjectState::Disabled { since: None }));
}

#[test]
fn a_file_renamed_into_place_is_noticed() {
    let file = OnDisk::new(&device(LAPTOP, "laptop", "enabled"));
    let new = file.folder.path().join("new");
    std::fs::write(&new, device(LAPTOP, "laptop", "disabled")).unwrap();
    std::fs::rename(new, &file.path).unwrap();
    assert_eq!(file.directory.refresh(), Refresh::Changed { objects: 1 });
}

#[test]
fn a_file_of_some_kinds_holds_no_others() {
    let mut settings = FileDirectorySettings::default();
    settings.kinds = ObjectKinds::from_iter([ObjectKind::DEVICE]);
    let file = OnDisk::with(&device(LAPTOP, "laptop", "enabled"), settings);
    assert!(!file.directory.kinds().contains(ObjectKind::USER));
    file.write(&device(LAPTOP, "laptop", "enabled").replace("devices", "users"));
    let Refresh::Failed(error) = file.directory.refresh() else { panic!("accepted") };
    assert!(
        error.to_string().contains("users[0].kind: this directory holds no objects of kind user"),
        "{error}"
    );
}
