//! Names by the rules of a profile.
#![allow(clippy::unwrap_used, clippy::panic, clippy::arithmetic_side_effects, missing_docs, reason = "tests")]

mod support;

use std::time::Duration;

use enrollment::{ListedNames, NameChoice, NameRules, RequestKind, SecurityIdentifierForm};
use issuance::ProfileSettings;
use pki_core::{
    Certificate, CertificationRequest, GeneralName, KeyUsage, Name, RequestedExtensions, oids, tlv,
};
use support::{Csr, World, issuance_profile, laptop, world_of};
use testkit::keys;

const SID: &str = "S-1-5-21-1-2-3-1104";

fn rules(subject: &str, alternative_names: &[&str], choice: NameChoice) -> NameRules {
    NameRules {
        subject: (!subject.is_empty()).then(|| subject.parse().unwrap()),
        alternative_names: Some(alternative_names.iter().map(|name| name.parse().unwrap()).collect()),
        choice,
        ..NameRules::default()
    }
}

/// `laptop-1` has two host names and a principal name; its department has a comma.
fn world(rules: NameRules) -> World {
    let world = world_of(ProfileSettings::new("devices"), |profile| profile.with_names(rules));
    let names = [
        GeneralName::Dns("laptop-1.example.com".into()),
        GeneralName::Dns("laptop-1.lab.example.com".into()),
        GeneralName::Upn("laptop-1@corp.example.com".into()),
    ];
    world.directory.add(laptop(), "laptop-1", &names);
    let attributes = [("department", "R, D+CN=admin"), ("sid", SID), ("country", "DE")];
    let attributes = attributes.map(|(key, value)| (key.to_owned(), value.to_owned()));
    *world.directory.attributes.lock().unwrap() = attributes.into();
    world
}

fn dns(text: &str) -> GeneralName {
    GeneralName::Dns(text.into())
}

fn asking(world: &World, subject: &str, names: &[GeneralName]) -> Csr {
    let subject = match subject {
        "" => Name::from_der(&[0x30, 0]).unwrap(),
        text => text.parse().unwrap(),
    };
    Csr { subject, ..Csr::alternatively_named(world.challenge(), names) }
}

/// What a certificate says of its subject: as text, and by alternative names.
fn named(certificate: &Certificate) -> String {
    let names = certificate.subject_alt_names().unwrap();
    let names: Vec<_> = names.iter().map(GeneralName::to_string).collect();
    format!("{} {}", certificate.subject(), names.join(" "))
}

fn refused(world: &World, csr: &Csr, code: &str) {
    world.refuses(world.enroll(&csr.signed()), code, 0);
}

#[test]
fn a_template_names_by_the_directory_and_keeps_each_value_one_value() {
    let world = world(rules(
        "CN={name},OU={attributes.department},OU={kind},C={attributes.country}",
        &["DNS:{dns}", "UPN:{upn}", "email:{email}", "URI:urn:uuid:{id}"],
        NameChoice::Directory,
    ));
    // Whatever is asked for is passed over.
    let csr = asking(&world, "CN=admin,O=Evil", &[dns("dc01.example.com")]);
    let certificate = world.enroll(&csr.signed()).unwrap();
    assert_eq!(
        named(&certificate),
        "CN=laptop-1,OU=R\\, D\\+CN\u{3d}admin,OU=device,C=DE DNS:laptop-1.example.com \
         DNS:laptop-1.lab.example.com UPN:laptop-1@corp.example.com \
         URI:urn:uuid:d6b58414-60ed-426b-b382-276a3e8d626d"
    );
    assert_eq!(certificate.subject().rdns().len(), 4);
    assert_eq!(certificate.subject().common_name().as_deref(), Some("laptop-1"));
}

#[test]
fn the_requester_chooses_among_what_templates_make() {
    let world = world(rules(
        "CN={name},O=Example",
        &["DNS:{name}.vpn.example.com", "DNS:{dns}"],
        NameChoice::Requester,
    ));
    let csr = asking(&world, "CN=LAPTOP-1.EXAMPLE.COM", &[dns("laptop-1.vpn.example.com")]);
    let certificate = world.enroll(&csr.signed()).unwrap();
    assert_eq!(named(&certificate), "CN=laptop-1.example.com,O=Example DNS:laptop-1.vpn.example.com");
}

#[test]
fn row_38_what_no_template_makes_is_not_to_be_had() {
    let world = || world(rules("CN={name}", &["DNS:{name}.vpn.example.com"], NameChoice::Requester));
    for names in [dns("laptop-1.example.com"), GeneralName::Upn("laptop-1@corp.example.com".into())] {
        let world = world();
        refused(&world, &asking(&world, "CN=laptop-1", &[names]), "names-not-allowed");
    }
    let world = world();
    refused(&world, &asking(&world, "CN=laptop-2", &[]), "names-not-allowed");
}

#[test]
fn a_template_without_the_name_names_by_what_it_has() {
    let world = world(rules("CN={id}", &[], NameChoice::Requester));
    for subject in ["", "CN=laptop-1", "CN=d6b58414-60ed-426b-b382-276a3e8d626d"] {
        let csr = asking(&world, subject, &[]);
        let issued = world.enroll(&csr.signed()).unwrap();
        assert_eq!(named(&issued), "CN=d6b58414-60ed-426b-b382-276a3e8d626d ", "{subject}");
        world.clock.advance(support::HOUR * 25);
    }
}

#[test]
fn an_exact_profile_takes_the_exact_request_alone() {
    let world = || world(rules("CN={name},O=Example", &["DNS:{dns}"], NameChoice::Exact));
    let both = [dns("laptop-1.lab.example.com"), dns("laptop-1.example.com")];
    for (subject, names) in [
        ("CN=laptop-1", &both[..]),
        ("CN=Laptop-1,O=Example", &both),
        ("O=Example,CN=laptop-1", &both),
        ("CN=laptop-1,O=Example", &both[..1]),
        ("CN=laptop-1,O=Example", &[]),
        ("CN=laptop-1,O=Example", &[both[0].clone(), both[0].clone()]),
        ("CN=laptop-1,O=Example", &[both[0].clone(), both[1].clone(), dns("x.example.com")]),
        ("CN=laptop-1,O=Example", &[both[0].clone(), dns("LAPTOP-1.example.com")]),
        ("", &both),
    ] {
        let world = world();
        refused(&world, &asking(&world, subject, names), "names-not-allowed");
    }
    let world = world();
    let csr = asking(&world, "CN=laptop-1,O=Example", &both);
    let issued = world.enroll(&csr.signed()).unwrap();
    assert_eq!(named(&issued), "CN=laptop-1,O=Example DNS:laptop-1.example.com DNS:laptop-1.lab.example.com");
}

#[test]
fn a_whitelist_takes_its_own_entries_letter_by_letter_and_widens_nothing() {
    let listed = |subject: &str, names: &[&str]| ListedNames {
        subject: subject.parse().unwrap(),
        alternative_names: names.iter().map(|name| name.parse().unwrap()).collect(),
    };
    let world = || {
        let whitelist = vec![
            listed("CN=laptop-1", &["DNS:laptop-1.example.com"]),
            listed("CN={name},O=Example", &[]),
            listed("CN=laptop-2", &[]),
            listed("CN={attributes.nothing}", &[]),
        ];
        world(NameRules { whitelist, ..NameRules::default() })
    };
    for (subject, names) in [
        ("CN=laptop-1", &[dns("laptop-1.example.com")][..]),
        ("CN=laptop-1,O=Example", &[]),
        ("CN=laptop-1.example.com,O=Example", &[]),
    ] {
        let world = world();
        let csr = asking(&world, subject, names);
        world.enroll(&csr.signed()).unwrap();
    }
    for (subject, names) in [
        ("CN=laptop-1", &[][..]),
        ("CN=LAPTOP-1", &[dns("laptop-1.example.com")]),
        ("CN=laptop-1", &[dns("laptop-1.example.com"), dns("laptop-1.lab.example.com")]),
        ("CN=laptop-1,O=Elsewhere", &[]),
    ] {
        let world = world();
        refused(&world, &asking(&world, subject, names), "names-not-listed");
        // Whoever asks for another's name shows that the challenge is in the wrong hands.
        refused(&world, &asking(&world, "CN=laptop-1,O=Elsewhere", &[]), "names-not-listed");
    }
    let world = world();
    refused(&world, &asking(&world, "CN=laptop-2", &[]), "names-not-allowed");
}

#[test]
fn what_the_directory_does_not_say_is_told_to_the_operator() {
    let world = world(rules("CN={name},OU={attributes.floor}", &[], NameChoice::Directory));
    let csr = asking(&world, "", &[]);
    let refusal = world.enroll(&csr.signed()).unwrap_err();
    assert_eq!(refusal.code(), "attribute-unusable");
    assert!(refusal.to_string().contains("{attributes.floor}"), "{refusal}");
    assert!(!refusal.reply_text().contains("floor"));
    // That is not the requester's fault: the challenge is still good.
    world.directory.attributes.lock().unwrap().insert("floor".into(), "3".into());
    world.enroll(&csr.signed()).unwrap();
}

#[test]
fn row_42_a_deceiving_value_of_the_directory_is_not_issued() {
    for (template, value) in [
        ("CN={attributes.x}", "a\u{202e}b"),
        ("CN={attributes.x}", "*.example.com"),
        ("CN={name},O={attributes.x}", "a\r\nb"),
        ("CN={name},C={attributes.x}", "Ä"),
        ("CN={name},OU={attributes.x}", " "),
    ] {
        let world = world(rules(template, &[], NameChoice::Directory));
        world.directory.attributes.lock().unwrap().insert("x".into(), value.into());
        refused(&world, &asking(&world, "", &[]), "name-invalid");
    }
    let long = "x".repeat(65);
    for (template, value) in [
        ("DNS:{attributes.x}", "zoë.example.com"),
        ("UPN:{attributes.x}", "a\0b"),
        ("DNS:{attributes.x}", ""),
    ] {
        let world = world(rules("CN={name}", &[template], NameChoice::Directory));
        world.directory.attributes.lock().unwrap().insert("x".into(), value.into());
        refused(&world, &asking(&world, "", &[]), "name-invalid");
    }
    let world = world(rules("CN={attributes.x}", &[], NameChoice::Directory));
    world.directory.attributes.lock().unwrap().insert("x".into(), long);
    refused(&world, &asking(&world, "", &[]), "name-invalid");
}

#[test]
fn row_39_a_security_identifier_comes_from_the_directory_or_not_at_all() {
    use SecurityIdentifierForm::{Both, Extension, None as Nothing, Uri};
    let uri = |sid: &str| GeneralName::Uri(format!("tag:microsoft.com,2022-09-14:sid:{sid}"));
    let admins = uri("S-1-5-21-1-2-3-500");
    for (form, in_extension, in_names) in
        [(Nothing, false, false), (Extension, true, false), (Uri, false, true), (Both, true, true)]
    {
        let world = world(NameRules { security_identifier: form, ..NameRules::default() });
        let csr = asking(&world, "CN=laptop-1", std::slice::from_ref(&admins));
        let others = vec![pki_core::Extension::new(oids::NTDS_CA_SECURITY, vec![0x30, 0])];
        let extensions = RequestedExtensions { others, ..csr.extensions.clone() };
        let issued = world.enroll(&Csr { extensions, ..csr }.signed()).unwrap();
        let extension = issued.extension(oids::NTDS_CA_SECURITY);
        assert_eq!(
            extension.is_some_and(|it| it.value().ends_with(SID.as_bytes())),
            in_extension,
            "{form:?}"
        );
        assert_eq!(extension.is_some(), in_extension);
        let names = issued.subject_alt_names().unwrap();
        assert_eq!(names, if in_names { vec![uri(SID)] } else { vec![] }, "{form:?}");
    }
    // An object without an account has no such name; a value that is none is the operator's to correct.
    let world = world(NameRules { security_identifier: Both, ..NameRules::default() });
    world.directory.attributes.lock().unwrap().insert("sid".into(), "S-1".into());
    let csr = asking(&world, "CN=laptop-1", &[]);
    refused(&world, &csr, "attribute-unusable");
    world.directory.attributes.lock().unwrap().remove("sid");
    let issued = world.enroll(&csr.signed()).unwrap();
    assert!(
        issued.extension(oids::NTDS_CA_SECURITY).is_none() && issued.subject_alt_names().unwrap().is_empty()
    );
}

#[test]
fn row_08_a_renewal_by_templates_gains_no_names() {
    let world = world(rules("CN={name},OU={attributes.country}", &["DNS:{dns}"], NameChoice::Directory));
    let old = world.enroll(&asking(&world, "", &[]).signed()).unwrap();
    let renew = |number: &[u8]| {
        let csr = Csr { key: keys::p384(), ..Csr::default() }.signed();
        world.submit("devices", number, &csr, &old, RequestKind::Renewal)
    };
    assert_eq!(named(&renew(b"1").unwrap()), named(&old));
    // More of the directory's names than before, and less.
    let names = [dns("laptop-1.example.com"), dns("dc01.example.com")];
    world.directory.add(laptop(), "laptop-1", &names);
    assert_eq!(named(&renew(b"2").unwrap()), "CN=laptop-1,OU=DE DNS:laptop-1.example.com");
    world.directory.add(laptop(), "admin", &names);
    world.refuses(renew(b"3"), "names-not-allowed", 3);
}

#[test]
fn a_request_may_be_granted_fewer_usages_and_a_shorter_life_where_the_profile_says_so() {
    let both = vec![oids::KP_CLIENT_AUTH, oids::KP_SERVER_AUTH];
    let settings = ProfileSettings { extended_key_usages: both.clone(), ..issuance_profile("devices") };
    let csr = |world: &World| {
        let extensions = RequestedExtensions {
            key_usage: Some(KeyUsage::DIGITAL_SIGNATURE),
            extended_key_usages: both[1..].to_vec(),
            ..Default::default()
        };
        Csr { extensions, key: keys::rsa_2048(), ..Csr::with(world.challenge()) }.signed()
    };
    let plain = world_of(settings.clone(), |profile| profile);
    let all = plain.enroll(&csr(&plain)).unwrap();
    assert_eq!(all.extended_key_usages().unwrap(), both);
    assert!(all.key_usage().unwrap().unwrap().contains(KeyUsage::KEY_ENCIPHERMENT));
    let granting = world_of(settings, |profile| profile.granting_fewer_usages().granting_shorter_validity());
    let fewer = granting.enroll(&csr(&granting)).unwrap();
    assert_eq!(fewer.extended_key_usages().unwrap(), both[1..]);
    assert_eq!(fewer.key_usage().unwrap(), Some(KeyUsage::DIGITAL_SIGNATURE));
    let life = fewer.validity().not_after().saturating_since(testkit::NOW);
    assert_eq!(life, Duration::from_secs(365 * 24 * 60 * 60), "nothing was asked for");
    let extensions = RequestedExtensions { key_usage: Some(KeyUsage::KEY_AGREEMENT), ..Default::default() };
    let none = Csr { extensions, key: keys::rsa_3072(), ..Csr::with(granting.challenge()) }.signed();
    granting.refuses(granting.enroll(&none), "key-usage-not-allowed", 1);
}

/// A request for so many days, as Windows writes it.
fn for_days(world: &World, days: &str) -> CertificationRequest {
    let bmp =
        |text: &str| tlv::wrap(0x1E, &text.encode_utf16().flat_map(u16::to_be_bytes).collect::<Vec<_>>());
    let pair = |name: &str, value: &str| tlv::sequence([&*bmp(name), &bmp(value)]);
    let pairs = [pair("ValidityPeriod", "Days"), pair("ValidityPeriodUnits", days)].concat();
    let period = tlv::sequence([&*tlv::oid(oids::ENROLLMENT_NAME_VALUE), &tlv::wrap(tlv::SET, &pairs)]);
    let (plain, key) = (Csr::with(world.challenge()).signed(), support::device_key());
    let mut fields = tlv::Cursor::into(plain.tbs(), tlv::SEQUENCE, "a request").unwrap();
    let mut info: Vec<u8> = (0..3).flat_map(|_| fields.next().unwrap().bytes.to_vec()).collect();
    info.extend(tlv::wrap(0xA0, &[fields.next().unwrap().value, &period].concat()));
    let info = tlv::wrap(tlv::SEQUENCE, &info);
    let signature = testkit::block_on(key.sign(&info)).unwrap();
    let signature = tlv::wrap(tlv::BIT_STRING, &[&[0], &*signature].concat());
    CertificationRequest::from_der(&tlv::sequence([&*info, &key.algorithm().to_der(), &signature])).unwrap()
}

#[test]
fn a_shorter_life_is_granted_where_the_profile_says_so_and_a_longer_one_never() {
    for (grants, asked, expected) in
        [(false, "7", 365), (true, "7", 7), (true, "3650", 365), (true, "0", 365)]
    {
        let world = world_of(issuance_profile("devices"), |profile| {
            if grants { profile.granting_shorter_validity() } else { profile }
        });
        let issued = world.enroll(&for_days(&world, asked)).unwrap();
        let life = issued.validity().not_after().saturating_since(testkit::NOW);
        assert_eq!(life.as_secs(), expected * 24 * 60 * 60, "{grants} {asked}");
    }
}
