//! Who is handed a certificate that was issued before.
#![allow(clippy::unwrap_used, clippy::panic, clippy::arithmetic_side_effects, missing_docs, reason = "tests")]

mod support;

use enrollment::{CertificateLookup, Refusal, RefusalClass};
use pki_core::{Certificate, CrlReason, Name, SerialNumber};
use revocation::{SourceError, Standing};
use support::{Csr, World, other_laptop, self_signed, world};
use testkit::{NOW, block_on, keys};

fn look_up(world: &World, serial: SerialNumber, signer: &Certificate) -> Result<Certificate, Refusal> {
    let issuer = testkit::ca().certificate.subject().clone();
    block_on(world.enroller.certificate(CertificateLookup { issuer: &issuer, serial, signer }))
}

fn serial(certificate: &Certificate) -> SerialNumber {
    certificate.serial_number().unwrap()
}

/// A second certificate of `laptop-1`, for another key.
fn second(world: &World, first: &Certificate) -> Certificate {
    let csr = Csr { key: keys::p384(), ..Csr::default() }.signed();
    world.submit("devices", b"2", &csr, first, enrollment::RequestKind::Renewal).unwrap()
}

// clause: RFC 8894 M25, S21
#[test]
fn the_holder_of_the_key_and_the_object_itself_get_the_certificate() {
    let world = world();
    let first = world.enrolled("devices");
    let own_key = self_signed(&Csr::default().signed());
    assert_eq!(look_up(&world, serial(&first), &own_key), Ok(first.clone()));
    let second = second(&world, &first);
    assert_eq!(look_up(&world, serial(&first), &second), Ok(first.clone()));
    assert_eq!(look_up(&world, serial(&second), &first), Ok(second));
}

#[test]
fn row_16_whoever_else_asks_is_told_that_there_is_none() {
    let world = world();
    let first = world.enrolled("devices");
    let second = second(&world, &first);
    let challenge = world.challenge_for(other_laptop(), "devices");
    let other = Csr { key: keys::rsa_2048(), ..Csr::named(challenge, "laptop-2") }.signed();
    let other = world.enroll(&other).unwrap();
    let stranger = self_signed(&Csr { key: keys::rsa_3072(), ..Csr::default() }.signed());
    let unknown: SerialNumber = "0102030405".parse().unwrap();
    for (serial, signer) in [
        (serial(&first), &other),
        (serial(&first), &stranger),
        (serial(&other), &first),
        (unknown, &first),
        (unknown, &stranger),
    ] {
        let refusal = look_up(&world, serial, signer).unwrap_err();
        assert_eq!(refusal, Refusal::CertificateUnknown);
        assert_eq!(refusal.class(), RefusalClass::NotFound);
    }
    let elsewhere: Name = "CN=Elsewhere".parse().unwrap();
    let lookup = CertificateLookup { issuer: &elsewhere, serial: serial(&first), signer: &first };
    assert_eq!(block_on(world.enroller.certificate(lookup)), Err(Refusal::CertificateUnknown));

    // The standing of the certificate that asks counts, and its time.
    for standing in [
        Standing::Hold { since: NOW },
        Standing::Revoked { since: NOW, reason: CrlReason::KeyCompromise },
        Standing::NotMine,
    ] {
        world.revocation.say(standing);
        assert_eq!(look_up(&world, serial(&first), &second), Err(Refusal::CertificateUnknown));
    }
    *world.revocation.0.lock().unwrap() = Err(SourceError::unavailable("ledger", "disk on fire"));
    assert_eq!(look_up(&world, serial(&first), &second).unwrap_err().class(), RefusalClass::TryLater);
    world.revocation.say(Standing::Good);
    world.clock.set(second.validity().not_after());
    look_up(&world, serial(&first), &second).unwrap();
    world.clock.advance(std::time::Duration::from_secs(1));
    assert_eq!(look_up(&world, serial(&first), &second), Err(Refusal::CertificateUnknown));
}
