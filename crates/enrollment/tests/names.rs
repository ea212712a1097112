//! Which names a certificate gets, whatever a request says.
#![allow(clippy::unwrap_used, clippy::panic, clippy::arithmetic_side_effects, missing_docs, reason = "tests")]

mod support;

use pki_core::{CertificationRequest, Extension, GeneralName, Name, RequestedExtensions, oids, tlv};
use support::{Csr, World, admin, laptop, object_of, world};

const UTF8: u8 = 0x0C;

fn name_of(parts: &[(u8, &[u8])]) -> Name {
    let rdns = parts.iter().flat_map(|(tag, octets)| {
        let attribute = tlv::sequence([&*tlv::oid(oids::COMMON_NAME), &tlv::wrap(*tag, octets)]);
        tlv::wrap(tlv::SET, &attribute)
    });
    Name::from_der(&tlv::wrap(tlv::SEQUENCE, &rdns.collect::<Vec<u8>>())).unwrap()
}

fn with_subject(world: &World, subject: Name) -> CertificationRequest {
    Csr { subject, ..Csr::with(world.challenge()) }.signed()
}

fn with_names(world: &World, names: &[GeneralName]) -> CertificationRequest {
    Csr::alternatively_named(world.challenge(), names).signed()
}

/// Every text here is a name of the object in the directory as well, letter by letter: only its looks are against it.
#[test]
fn row_42_common_names_that_deceive() {
    let long = "x".repeat(65);
    let texts = [
        "",
        " ",
        "laptop\0-1",
        "laptop-1\0",
        "laptop-1\r\n",
        "laptop\n1",
        "laptop\t1",
        "\u{1b}[2Jlaptop",
        "laptop\u{7f}",
        "laptop\u{80}",
        "laptop\u{9f}",
        "\u{202e}1-potpal",
        "laptop\u{202d}",
        "laptop\u{202a}1",
        "laptop\u{202b}1",
        "laptop\u{202c}1",
        "laptop\u{2066}1",
        "laptop\u{2067}1",
        "laptop\u{2068}1",
        "laptop\u{2069}1",
        "laptop\u{200e}",
        "laptop\u{200f}",
        "laptop\u{61c}",
        "lap\u{200b}top",
        "lap\u{200c}top",
        "lap\u{200d}top",
        "lap\u{2060}top",
        "\u{feff}laptop",
        "lap\u{ad}top",
        "laptop\u{2028}1",
        "laptop\u{2029}1",
        "lap\u{fffd}top",
        "lap\u{e000}top",
        "laptop\u{e0041}",
        "lap\u{fe0f}top",
        "lap\u{3164}top",
        "*",
        "*.example.com",
        "laptop*",
        &long,
    ];
    assert_eq!(texts.len(), 40);
    for text in texts {
        let world = world();
        world.directory.add(laptop(), text, &[]);
        let csr = with_subject(&world, name_of(&[(UTF8, text.as_bytes())]));
        world.refuses(world.enroll(&csr), "name-invalid", 0);
    }
}

#[test]
fn row_42_common_names_in_other_string_types() {
    for (tag, octets) in [
        (0x1E, &b"\0l\0a\0p\0t\0o\0p\0-\x001"[..]), // BMPString
        (0x14, b"laptop-1"),                        // TeletexString
        (0x16, b"laptop-1"),                        // IA5String
        (0x12, b"17"),                              // NumericString
        (UTF8, b"laptop-1\xff"),
        (0x13, b"laptop-\xe9"),
        (0x04, b"laptop-1"),
    ] {
        let world = world();
        let csr = with_subject(&world, name_of(&[(tag, octets)]));
        world.refuses(world.enroll(&csr), "name-invalid", 0);
    }
    let world = world();
    world.enroll(&with_subject(&world, name_of(&[(0x13, b"laptop-1")]))).unwrap();
}

#[test]
fn row_42_no_common_name_hides_behind_another() {
    let world = world();
    let csr = with_subject(&world, name_of(&[(UTF8, b"laptop-1\0"), (UTF8, b"laptop-1")]));
    world.refuses(world.enroll(&csr), "name-invalid", 0);
}

#[test]
fn row_42_alternative_names_that_deceive() {
    for name in [
        GeneralName::Dns("*.example.com".into()),
        GeneralName::Dns("laptop-1.example.com\0.evil.test".into()),
        GeneralName::Dns("a".repeat(254)),
        GeneralName::Dns(String::new()),
        GeneralName::Email("a@example.com\r\nBcc: b@example.com".into()),
        GeneralName::Email("*@example.com".into()),
        GeneralName::Upn("admin@example.com\u{202e}".into()),
        GeneralName::Upn("admin\u{200b}@example.com".into()),
        GeneralName::Upn("*@example.com".into()),
        GeneralName::Uri("http://x/\x07".into()),
        GeneralName::Uri("x".repeat(2049)),
        GeneralName::Directory(Name::of_common_name("a\nb")),
    ] {
        let world = world();
        world.directory.add(laptop(), "laptop-1", std::slice::from_ref(&name));
        world.refuses(world.enroll(&with_names(&world, &[name])), "name-invalid", 0);
    }
}

#[test]
fn row_42_a_deceiving_name_from_the_directory_is_not_issued_either() {
    let world = world();
    world.directory.add(laptop(), "laptop\u{202e}", &[]);
    let csr = with_subject(&world, Name::from_der(&[0x30, 0]).unwrap());
    world.refuses(world.enroll(&csr), "name-invalid", 0);
}

#[test]
fn row_38_alternative_names_that_are_not_the_objects_are_refused() {
    for name in [
        GeneralName::Upn("admin@example.com".into()),
        GeneralName::Dns("laptop-2.example.com".into()),
        GeneralName::Dns("laptop-1.example.com.evil.test".into()),
        GeneralName::Email("laptop-1.example.com".into()),
        GeneralName::Uri("laptop-1.example.com".into()),
        GeneralName::Ip(vec![127, 0, 0, 1]),
        GeneralName::Directory(Name::of_common_name("laptop-1")),
        GeneralName::Other { tag: 0x88, content: vec![0x2A] },
    ] {
        let world = world();
        world.refuses(world.enroll(&with_names(&world, &[name])), "names-not-allowed", 0);
    }
}

#[test]
fn row_38_names_of_every_form_are_issued_when_the_directory_has_them() {
    let world = world();
    let names = [
        GeneralName::Upn("zoë@example.com".into()),
        GeneralName::Email("zoe@example.com".into()),
        GeneralName::Uri("IntuneDeviceId://d6b58414-60ed-426b-b382-276a3e8d626d".into()),
        GeneralName::Ip(vec![10, 0, 0, 1]),
        GeneralName::Directory("CN=x,O=y".parse().unwrap()),
    ];
    world.directory.add(laptop(), "laptop-1", &names);
    let certificate = world.enroll(&with_names(&world, &names)).unwrap();
    assert_eq!(certificate.subject_alt_names().unwrap(), names);
}

#[test]
fn names_are_issued_as_the_directory_spells_them_and_once() {
    let world = world();
    let spelled = [GeneralName::Dns("Laptop-1.Example.com".into())];
    world.directory.add(laptop(), "LAPTOP-1", &spelled);
    let asked = ["laptop-1.example.com", "LAPTOP-1.EXAMPLE.COM"];
    let asked = asked.map(|name| GeneralName::Dns(name.into()));
    let certificate = world.enroll(&with_names(&world, &asked)).unwrap();
    assert_eq!(certificate.subject().to_string(), "CN=LAPTOP-1,O=Example");
    assert_eq!(certificate.subject_alt_names().unwrap(), spelled);
}

#[test]
fn only_names_that_are_asked_for_are_issued_and_without_a_common_name_the_first() {
    let world = world();
    let csr = with_subject(&world, Name::from_der(&[0x30, 0]).unwrap());
    let certificate = world.enroll(&csr).unwrap();
    assert_eq!(certificate.subject().to_string(), "CN=laptop-1,O=Example");
    assert!(certificate.subject_alt_names().unwrap().is_empty());
}

#[test]
fn row_38_other_parts_of_the_subject_are_the_profiles() {
    let world = world();
    let asked = "CN=laptop-1,OU=Domain Admins,O=Somebody Else,C=XX,emailAddress=root@example.com";
    let certificate = world.enroll(&with_subject(&world, asked.parse().unwrap())).unwrap();
    assert_eq!(certificate.subject().to_string(), "CN=laptop-1,O=Example");
}

#[test]
fn row_39_a_security_identifier_is_never_the_requesters_to_choose() {
    const SID: &str = "S-1-5-21-1111111111-2222222222-3333333333-500";
    let ntds = Extension::new("1.3.6.1.4.1.311.25.2".parse().unwrap(), {
        let value = tlv::wrap(0xA0, &tlv::wrap(tlv::OCTET_STRING, SID.as_bytes()));
        let type_id = tlv::oid("1.3.6.1.4.1.311.25.2.1".parse().unwrap());
        tlv::sequence([&*tlv::wrap(0xA0, &[type_id, value].concat())])
    });
    for prefix in ["tag:microsoft.com,2022-09-14:sid:", "TAG:Microsoft.com,2022-09-14:SID:"] {
        let world = world();
        let extensions = RequestedExtensions {
            subject_alt_names: vec![
                GeneralName::Dns("laptop-1.example.com".into()),
                GeneralName::Uri(format!("{prefix}{SID}")),
            ],
            others: vec![ntds.clone()],
            ..Default::default()
        };
        let csr = Csr { extensions, ..Csr::with(world.challenge()) }.signed();
        let certificate = world.enroll(&csr).unwrap();
        let names = certificate.subject_alt_names().unwrap();
        assert_eq!(names, [GeneralName::Dns("laptop-1.example.com".into())]);
        assert!(certificate.extension(ntds.id()).is_none());
        let contains = |needle: &[u8]| certificate.as_der().windows(needle.len()).any(|part| part == needle);
        assert!(!contains(SID.as_bytes()));
    }
}

#[test]
fn row_08_row_38_a_user_gets_the_users_names_and_no_devices() {
    let world = world();
    let challenge = world.challenge_for(admin(), "devices");
    let upn = [GeneralName::Upn("admin@example.com".into())];
    let csr = Csr { subject: Name::of_common_name("admin"), ..Csr::alternatively_named(challenge, &upn) };
    let certificate = world.enroll(&csr.signed()).unwrap();
    assert_eq!(object_of(&certificate), admin());
    assert_eq!(certificate.subject_alt_names().unwrap(), upn);
}
