//! Sealed challenges: every frozen vector, and what they let through.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    missing_docs,
    reason = "tests"
)]

mod support;

use std::{path::Path, sync::Arc};

use enrollment::{SealError, SealedChallenges, SealedTerms, SealingKey};
use keys_software::AwsLc;
use pki_core::{ChallengePassword, GeneralName, RandomFailed, SecureRandom, SigningKey as _, UnixTime};
use serde::Deserialize;
use serial_binding::KeyId;
use support::{Csr, HOUR, World, laptop, object_of, other_laptop, secret, world_asking};
use testkit::{NOW, keys};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    vector: Vec<Vector>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Vector {
    key: String,
    key_id: u8,
    nonce: String,
    profile: String,
    expires: u64,
    object: Option<String>,
    key_hash: Option<String>,
    #[serde(default)]
    names: Vec<String>,
    terms: String,
    challenge: String,
}

/// Gives these octets out.
#[derive(Debug)]
struct Fixed(Vec<u8>);

impl SecureRandom for Fixed {
    fn fill(&self, out: &mut [u8]) -> Result<(), RandomFailed> {
        out.copy_from_slice(&self.0);
        Ok(())
    }
}

fn unhex(text: &str) -> Vec<u8> {
    let pairs = text.as_bytes().chunks(2).map(|pair| str::from_utf8(pair).unwrap());
    pairs.map(|pair| u8::from_str_radix(pair, 16).unwrap()).collect()
}

fn vectors() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../vectors/sealed-challenges/v1.toml")
}

impl Vector {
    fn terms(&self) -> SealedTerms {
        SealedTerms {
            expires: UnixTime(self.expires),
            object: self.object.as_ref().map(|object| object.parse().unwrap()),
            key: self.key_hash.as_ref().map(|hash| unhex(hash).try_into().unwrap()),
            names: self.names.clone(),
        }
    }

    fn challenges(&self) -> SealedChallenges {
        let random = Arc::new(Fixed(unhex(&self.nonce)));
        SealedChallenges::new(key(self.key_id, unhex(&self.key).try_into().unwrap()), Arc::new(AwsLc), random)
    }
}

fn key(id: u8, octets: [u8; 32]) -> SealingKey {
    SealingKey::new(KeyId::new(id).unwrap(), octets)
}

fn sealing(key: SealingKey) -> SealedChallenges {
    SealedChallenges::new(key, Arc::new(AwsLc), Arc::new(AwsLc))
}

#[test]
fn every_vector_is_sealed_and_opened() {
    let file: File = toml::from_str(&std::fs::read_to_string(vectors()).unwrap()).unwrap();
    assert_eq!(file.vector.len(), 4);
    for vector in file.vector {
        assert_eq!(vector.terms().encode().unwrap(), unhex(&vector.terms), "{}", vector.challenge);
        let challenges = vector.challenges();
        let sealed = challenges.seal(&vector.terms(), &vector.profile).unwrap();
        assert_eq!(sealed.expose(), vector.challenge);
        assert_eq!(challenges.open(&sealed, &vector.profile).unwrap().terms, vector.terms());
    }
}

#[test]
fn somebody_who_read_the_page_alone_makes_the_same() {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/sealed_challenges.py");
    let vectors = vectors();
    let said = testkit::run("python3", [script.to_str().unwrap(), "check", vectors.to_str().unwrap()]);
    assert_eq!(String::from_utf8(said).unwrap(), "4\n");
}

/// A challenge, and the world that takes it.
fn world_of_terms(terms: &SealedTerms) -> (World, ChallengePassword) {
    let challenges = sealing(key(0, [7; 32]));
    let challenge = challenges.seal(terms, "devices").unwrap();
    (world_asking(Arc::new(challenges)), challenge)
}

fn in_an_hour() -> SealedTerms {
    SealedTerms { object: Some(laptop()), ..SealedTerms::until(NOW.saturating_add(HOUR)) }
}

#[test]
fn row_13_a_sealed_challenge_enrolls_its_object_once() {
    let (world, challenge) = world_of_terms(&in_an_hour());
    let csr = Csr::with(challenge.clone()).signed();
    let certificate = world.enroll(&csr).unwrap();
    assert_eq!(object_of(&certificate), laptop());
    assert_eq!(world.enroll(&csr).unwrap(), certificate, "a repeat gets the same");
    for text in [challenge.expose().to_owned(), challenge.expose().to_lowercase().replace('-', "")] {
        let thief = Csr { key: keys::p384(), ..Csr::with(secret(&text)) }.signed();
        world.refuses(world.enroll(&thief), "challenge-spent", 1);
    }
}

#[test]
fn row_01_a_sealed_challenge_gets_no_other_names() {
    let (world, challenge) = world_of_terms(&in_an_hour());
    world.refuses(world.enroll(&Csr::named(challenge.clone(), "laptop-2").signed()), "names-not-allowed", 0);
    let honest = Csr { key: keys::p384(), ..Csr::with(challenge) }.signed();
    world.refuses(world.enroll(&honest), "challenge-spent", 0);
    let fewer = SealedTerms { names: vec!["laptop-1".into()], ..in_an_hour() };
    let (world, challenge) = world_of_terms(&fewer);
    let own = [GeneralName::Dns("laptop-1.example.com".into())];
    let asking = Csr::alternatively_named(challenge, &own).signed();
    world.refuses(world.enroll(&asking), "names-not-allowed", 0);
}

#[test]
fn without_an_object_it_enrolls_whom_the_names_find() {
    let (world, challenge) = world_of_terms(&SealedTerms::until(NOW));
    let certificate = world.enroll(&Csr::named(challenge, "laptop-2").signed()).unwrap();
    assert_eq!(object_of(&certificate), other_laptop());
}

#[test]
fn it_is_good_for_its_key_and_until_its_last_second() {
    let fingerprint = keys::p384().public_key().fingerprint();
    let (world, challenge) = world_of_terms(&SealedTerms { key: Some(fingerprint), ..in_an_hour() });
    world.refuses(world.enroll(&Csr::with(challenge.clone()).signed()), "challenge-rejected", 0);
    world.enroll(&Csr { key: keys::p384(), ..Csr::with(challenge) }.signed()).unwrap();
    let (world, challenge) = world_of_terms(&in_an_hour());
    world.clock.advance(HOUR + std::time::Duration::from_secs(1));
    world.refuses(world.enroll(&Csr::with(challenge).signed()), "challenge-expired", 0);
}

#[test]
fn row_03_a_challenge_of_another_profile_key_or_making_is_none() {
    let other_profile = sealing(key(0, [7; 32])).seal(&in_an_hour(), "users").unwrap();
    let other_key = sealing(key(0, [8; 32])).seal(&in_an_hour(), "devices").unwrap();
    let other_id = sealing(key(1, [7; 32])).seal(&in_an_hour(), "devices").unwrap();
    let (world, challenge) = world_of_terms(&in_an_hour());
    let mut bent = challenge.expose().to_owned();
    let other = if &bent[30..31] == "0" { "1" } else { "0" };
    bent.replace_range(30..31, other);
    for challenge in [other_profile, other_key, other_id, secret(&bent), secret("CBS1-00"), secret("guess")] {
        world.refuses(world.enroll(&Csr::with(challenge).signed()), "challenge-unknown", 0);
    }
    world.refuses(world.enroll(&Csr::default().signed()), "challenge-missing", 0);
}

#[test]
fn a_key_that_was_replaced_still_opens() {
    let old = sealing(key(0, [7; 32])).seal(&in_an_hour(), "devices").unwrap();
    let new = sealing(key(1, [9; 32])).with_earlier_key(key(0, [7; 32]));
    assert!(new.open(&new.seal(&in_an_hour(), "devices").unwrap(), "devices").is_some());
    let opened = new.open(&old, "devices").unwrap();
    assert_eq!(opened.terms, in_an_hour());
    assert!(opened.is_live(NOW) && !opened.is_live(NOW.saturating_add(HOUR * 2)));
    assert_eq!(format!("{:?}", key(3, [7; 32])), "SealingKey(id 3, ..)");
}

#[test]
fn what_does_not_fit_is_not_cut() {
    let names = (0..9).map(|number| format!("laptop-{number}.example.com")).collect();
    let refused = sealing(key(0, [7; 32])).seal(&SealedTerms { names, ..in_an_hour() }, "devices");
    assert_eq!(refused.unwrap_err(), SealError::TooLong);
}
