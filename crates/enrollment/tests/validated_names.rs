//! Names that an authority outside has validated, and ids of Microsoft's that only the directory knows.
#![allow(clippy::unwrap_used, clippy::panic, clippy::arithmetic_side_effects, missing_docs, reason = "tests")]

mod support;

use std::{future::ready, sync::Arc};

use enrollment::{
    Asked, AskedNames, ChallengeAuthority, ChallengeValidator, EnrollmentProfile, MicrosoftIdsForm,
    NameChoice, NameRules, Refusal, RenewalPolicy, RequestKind, SecurityIdentifierForm, Validated,
};
use pki_core::{BoxFuture, Certificate, GeneralName, Name, RequestedExtensions, oids, tlv};
use support::{Csr, World, issuance_profile, laptop, object_of, secret, world_of};
use testkit::keys;

const SID: &str = "S-1-5-21-1-2-3-1104";

/// Says yes, and what it was told to say of the names.
#[derive(Debug)]
struct Says(AskedNames);

impl ChallengeValidator for Says {
    fn validate<'a>(&'a self, _: &'a Asked<'a>) -> BoxFuture<'a, Result<Validated, Refusal>> {
        let said = Validated { object: Some(laptop()), asked_names: self.0, ..Validated::default() };
        Box::pin(ready(Ok(said)))
    }
}

fn world(asked_names: AskedNames, rules: NameRules) -> World {
    world_of(issuance_profile("devices"), |profile| {
        let authority = ChallengeAuthority::Validator(Arc::new(Says(asked_names)));
        EnrollmentProfile::new(Arc::clone(profile.issuance()), authority)
            .with_names(rules)
            .with_renewal(RenewalPolicy::default())
    })
}

fn validated() -> NameRules {
    NameRules { choice: NameChoice::Validated, ..NameRules::default() }
}

fn asking(subject: &str, names: &[GeneralName]) -> Csr {
    Csr { subject: subject.parse().unwrap(), ..Csr::alternatively_named(secret("x"), names) }
}

fn named(certificate: &Certificate) -> String {
    let names = certificate.subject_alt_names().unwrap();
    let names: Vec<_> = names.iter().map(GeneralName::to_string).collect();
    format!("{} {}", certificate.subject(), names.join(" "))
}

#[test]
fn proven_names_are_carried_whatever_the_directory_has() {
    let world = world(AskedNames::Proven, validated());
    let names = [
        GeneralName::Dns("pc-17.example.net".into()),
        GeneralName::Upn("zoë@example.com".into()),
        GeneralName::Email("zoe@example.com".into()),
        GeneralName::Uri("IntuneDeviceId://d6b58414-60ed-426b-b382-276a3e8d626d".into()),
    ];
    let issued = world.enroll(&asking("CN=DMQVGC0DHLA0,OU=Engines,O=Contoso", &names).signed()).unwrap();
    assert_eq!(
        named(&issued),
        "CN=DMQVGC0DHLA0,OU=Engines,O=Contoso DNS:pc-17.example.net UPN:zoë@example.com email:zoe@example.com \
         URI:IntuneDeviceId://d6b58414-60ed-426b-b382-276a3e8d626d"
    );
    assert_eq!(object_of(&issued), laptop());
}

#[test]
fn row_38_names_that_nobody_has_proven_are_not_carried() {
    let unproven = world(AskedNames::Unproven, validated());
    unproven.refuses(unproven.enroll(&asking("CN=laptop-1", &[]).signed()), "internal-error", 0);
    // And proven ones only where the profile says so.
    let by_directory = world(AskedNames::Proven, NameRules::default());
    by_directory.refuses(by_directory.enroll(&asking("CN=admin", &[]).signed()), "names-not-allowed", 0);
}

#[test]
fn row_42_proven_names_are_looked_at_all_the_same() {
    let attribute = |tag, text: &[u8]| {
        let value = tlv::sequence([&*tlv::oid("2.5.4.10".parse().unwrap()), &tlv::wrap(tag, text)]);
        Name::from_der(&tlv::sequence([&*tlv::wrap(tlv::SET, &value)])).unwrap()
    };
    let of = |subject| Csr { subject, ..Csr::with(secret("x")) };
    let other = GeneralName::Other { tag: 0x88, content: vec![0x2A, 3, 4] };
    let directory = GeneralName::Directory("CN=admin".parse().unwrap());
    let long = "x".repeat(65);
    for (csr, code) in [
        (of(attribute(0x1E, &[0, 65])), "name-invalid"),
        (of(attribute(0x14, b"Contoso")), "name-invalid"),
        (of(attribute(0x0C, "Con\u{202E}toso".as_bytes())), "name-invalid"),
        (of(attribute(0x0C, long.as_bytes())), "name-invalid"),
        (asking("CN=x,O=y", &[GeneralName::Dns("*.example.com".into())]), "name-invalid"),
        (asking("CN=x,O=y", &[directory]), "names-not-allowed"),
        (asking("CN=x,O=y", &[other]), "names-not-allowed"),
    ] {
        let world = world(AskedNames::Proven, validated());
        world.refuses(world.enroll(&csr.signed()), code, 0);
    }
}

#[test]
fn row_08_a_renewal_of_proven_names_gains_none() {
    let world = world(AskedNames::Proven, validated());
    let [one, two] = ["one.example.com", "two.example.com"].map(|name| GeneralName::Dns(name.into()));
    let old = world.enroll(&asking("CN=x,O=Contoso", &[one.clone(), two.clone()]).signed()).unwrap();
    let renew = |number: &[u8], subject: &str, names: &[GeneralName]| {
        let csr = Csr { key: keys::p384(), ..asking(subject, names) }.signed();
        world.submit("devices", number, &csr, &old, RequestKind::Renewal)
    };
    let renewed = renew(b"2", "CN=x,O=Contoso", std::slice::from_ref(&two)).unwrap();
    assert_eq!(named(&renewed), "CN=x,O=Contoso DNS:two.example.com");
    let three = GeneralName::Dns("three.example.com".into());
    world.refuses(renew(b"3", "CN=x,O=Contoso", &[one, three]), "names-not-allowed", 2);
    world.refuses(renew(b"4", "CN=admin,O=Contoso", &[]), "names-not-allowed", 2);
}

#[test]
fn row_39_proven_names_bring_no_security_identifier() {
    let rules = NameRules { security_identifier: SecurityIdentifierForm::Uri, ..validated() };
    let world = world(AskedNames::Proven, rules);
    let uri = |sid: &str| GeneralName::Uri(format!("tag:microsoft.com,2022-09-14:sid:{sid}"));
    let csr = asking("CN=x,O=y", &[uri("S-1-5-21-1-2-3-500")]).signed();
    world.directory.attributes.lock().unwrap().insert("sid".into(), SID.into());
    let issued = world.enroll(&csr).unwrap();
    assert_eq!(issued.subject_alt_names().unwrap(), [uri(SID)]);
}

#[test]
fn row_39_tenant_and_device_come_from_the_directory_or_not_at_all() {
    const TENANT: &str = "b54dc1af-5320-4f60-b5d4-821e0cf2a359";
    let rules = |microsoft_ids| NameRules { microsoft_ids, ..NameRules::default() };
    let forged = [oids::ENTRA_TENANT_ID, oids::ENTRA_DEVICE_ID]
        .map(|id| pki_core::Extension::new(id, tlv::wrap(tlv::OCTET_STRING, &[0xEE; 16])));
    let enroll = |form, known: &[(&str, &str)]| {
        let world = world(AskedNames::Unproven, rules(form));
        let known = known.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned()));
        *world.directory.attributes.lock().unwrap() = known.collect();
        let extensions = RequestedExtensions { others: forged.to_vec(), ..RequestedExtensions::default() };
        world.enroll(&Csr { extensions, ..Csr::with(secret("x")) }.signed())
    };
    let lengths = |issued: &Certificate| {
        [oids::ENTRA_TENANT_ID, oids::ENTRA_DEVICE_ID].map(|id| {
            let extension = issued.extension(id);
            assert!(extension.is_none_or(|extension| !extension.value().contains(&0xEE)));
            extension.map(|extension| (extension.value().len(), extension.is_critical()))
        })
    };
    let both = [("tenant-id", TENANT), ("device-id", "07bc0167-9061-43b7-b243-0bb6aeda736e")];
    let made = Some((18, false));
    let extensions = MicrosoftIdsForm::Extensions;
    assert_eq!(lengths(&enroll(extensions, &both).unwrap()), [made, made]);
    assert_eq!(lengths(&enroll(extensions, &both[..1]).unwrap()), [made, None]);
    assert_eq!(lengths(&enroll(extensions, &[]).unwrap()), [None, None]);
    assert_eq!(lengths(&enroll(MicrosoftIdsForm::None, &both).unwrap()), [None, None]);
    for wrong in ["contoso.onmicrosoft.com", "17", ""] {
        let refusal = enroll(extensions, &[("tenant-id", wrong)]).unwrap_err();
        assert_eq!(refusal.code(), "attribute-unusable", "{wrong}");
    }
}
