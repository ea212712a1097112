//! The vectors of `vectors/ocsp`.
#![allow(dead_code, reason = "each test uses its part")]

use std::{fmt::Write as _, fs, path::PathBuf};

pub(crate) struct Vector {
    pub(crate) name: String,
    expect: toml::Table,
}

impl Vector {
    pub(crate) fn file(&self, name: &str) -> Vec<u8> {
        fs::read(folder().join(&self.name).join(name)).unwrap()
    }

    pub(crate) fn text(&self, key: &str) -> Option<String> {
        self.expect.get(key).map(|value| value.as_str().unwrap().into())
    }

    pub(crate) fn list(&self, key: &str) -> Vec<String> {
        let list = self.expect[key].as_array().unwrap().iter();
        list.map(|value| value.as_str().unwrap().into()).collect()
    }
}

/// The vectors whose folder's name begins with `prefix`; there are some.
pub(crate) fn vectors(prefix: &str) -> Vec<Vector> {
    let folders =
        fs::read_dir(folder()).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let vectors: Vec<_> = folders.filter(|name| name.starts_with(prefix)).map(|name| vector(&name)).collect();
    assert!(vectors.len() > 5);
    vectors
}

pub(crate) fn vector(name: &str) -> Vector {
    let expect = fs::read_to_string(folder().join(name).join("expect.toml")).unwrap();
    Vector { name: name.into(), expect: expect.parse().unwrap() }
}

/// A PEM file of the vectors' PKI.
pub(crate) fn pem(name: &str) -> String {
    fs::read_to_string(pki(name)).unwrap()
}

pub(crate) fn pki(name: &str) -> PathBuf {
    folder().join("pki").join(format!("{name}.pem"))
}

pub(crate) fn hex(octets: &[u8]) -> String {
    octets.iter().fold(String::new(), |mut out, octet| {
        let _ = write!(out, "{octet:02X}");
        out
    })
}

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../vectors/ocsp")
}
