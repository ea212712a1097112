//! Every frozen vector is made and read.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::arithmetic_side_effects,
    clippy::cast_possible_truncation,
    dead_code,
    missing_docs,
    unreachable_pub,
    reason = "tests"
)]

mod support;

use std::path::{Path, PathBuf};

use pki_core::{PublicKey, SerialNumber};
use serde::{Deserialize, de::DeserializeOwned};
use serial_binding::{
    BoundObject, KeyId, ObjectKind, PlainBinding, Resolution, ScepmanSerial, ScepmanSerials, SealedBinding,
    SerialBinding, SerialBindings, SerialKey, opaque_serial,
};
use support::{Fixed, issuer, unhex};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File<V, F> {
    vector: Vec<V>,
    #[serde(default = "Vec::new")]
    foreign: Vec<F>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Plain {
    kind: String,
    id: String,
    random: String,
    serial: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Sealed {
    key: String,
    key_id: u8,
    issuer_spki: String,
    kind: String,
    id: String,
    nonce: String,
    serial: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SealedForeign {
    why: String,
    key: String,
    key_id: u8,
    issuer_spki: String,
    serial: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Bare {
    serial: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Scepman {
    serial: String,
    kind: Option<String>,
    id: Option<String>,
}

fn directory() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../vectors/serial-binding")
}

fn read<V: DeserializeOwned, F: DeserializeOwned>(name: &str) -> File<V, F> {
    let file: File<V, F> = toml::from_str(&std::fs::read_to_string(directory().join(name)).unwrap()).unwrap();
    assert!(file.vector.len() >= 3, "{name} has lost its vectors");
    file
}

fn object(kind: &str, id: &str) -> BoundObject {
    format!("{kind}:{id}").parse().unwrap()
}

fn serial(hex: &str) -> SerialNumber {
    SerialNumber::from_be_bytes(&unhex(hex)).unwrap()
}

fn sealing(key: &str, key_id: u8, issuer_spki: &str) -> SealedBinding {
    let key = SerialKey::from_slice(KeyId::new(key_id).unwrap(), &unhex(key)).unwrap();
    SealedBinding::new(&key, &PublicKey::from_der(&unhex(issuer_spki)).unwrap())
}

#[test]
fn plain_vectors_hold() {
    let file = read::<Plain, Bare>("v1-plain.toml");
    for case in file.vector {
        let (object, serial) = (object(&case.kind, &case.id), serial(&case.serial));
        let made = PlainBinding.bind(&object, &Fixed(unhex(&case.random))).unwrap();
        assert_eq!(made, serial, "{object}");
        assert_eq!(PlainBinding.resolve(&serial), Resolution::Object(object));
    }
    for case in file.foreign {
        assert_eq!(PlainBinding.resolve(&serial(&case.serial)), Resolution::Foreign, "{}", case.serial);
    }
}

#[test]
fn sealed_vectors_hold() {
    let file = read::<Sealed, SealedForeign>("v2-sealed.toml");
    for case in file.vector {
        let binding = sealing(&case.key, case.key_id, &case.issuer_spki);
        let (object, serial) = (object(&case.kind, &case.id), serial(&case.serial));
        let random = Fixed(unhex(&format!("{:0>6}", case.nonce)));
        assert_eq!(binding.bind(&object, &random).unwrap(), serial, "{object}");
        assert_eq!(binding.resolve(&serial), Resolution::Object(object));
    }
    for case in file.foreign {
        let binding = sealing(&case.key, case.key_id, &case.issuer_spki);
        assert_eq!(binding.resolve(&serial(&case.serial)), Resolution::Foreign, "{}", case.why);
    }
}

#[test]
fn opaque_vectors_hold() {
    let file = read::<Bare, Bare>("v3-opaque.toml");
    let binding = SerialBindings::plain(&issuer(0)).with_scepman(ScepmanSerials::INTUNE);
    for case in file.vector {
        assert_eq!(binding.resolve(&serial(&case.serial)), Resolution::Unbound, "{}", case.serial);
    }
    for case in file.foreign {
        assert_eq!(binding.resolve(&serial(&case.serial)), Resolution::Foreign, "{}", case.serial);
    }
    assert_eq!(opaque_serial(&Fixed(vec![0xAB])).unwrap(), serial(&format!("30{}", "ab".repeat(19))));
}

#[test]
fn scepman_vectors_hold() {
    for case in read::<Scepman, Bare>("scepman.toml").vector {
        let serial = serial(&case.serial);
        let decoded = ScepmanSerial::decode(&serial);
        assert_eq!(decoded.map(|decoded| format!("{:?}", decoded.kind())), case.kind, "{}", case.serial);
        let id = decoded.and_then(ScepmanSerial::id);
        assert_eq!(id.map(|id| id.to_string()), case.id, "{}", case.serial);
        let bound = |kind: ObjectKind| Resolution::Object(BoundObject::new(kind, id.unwrap()).unwrap());
        let (intune, entra) = match case.kind.as_deref() {
            None => (Resolution::Foreign, Resolution::Foreign),
            Some("IntuneDevice" | "IncompliantIntuneDevice") => {
                (bound(ObjectKind::INTUNE_DEVICE), bound(ObjectKind::ENTRA_DEVICE))
            }
            Some("IntuneUser") => (bound(ObjectKind::ENTRA_USER), bound(ObjectKind::ENTRA_USER)),
            Some(_) => (Resolution::Unbound, Resolution::Unbound),
        };
        assert_eq!(ScepmanSerials::INTUNE.resolve(&serial), intune, "{}", case.serial);
        assert_eq!(ScepmanSerials::ENTRA.resolve(&serial), entra, "{}", case.serial);
    }
}
