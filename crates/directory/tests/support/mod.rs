//! What the tests of directories share: a file to change, a binding.
#![allow(dead_code, unreachable_pub, reason = "not every test file uses all of it")]

use std::{
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use directory::{Directory as _, FileDirectory, FileDirectorySettings, ObjectState};
use pki_core::{CertRef, IssuerId, PublicKey, RandomFailed, SecureRandom, SerialNumber, UnixTime};
use serial_binding::{BoundObject, KeyId, SerialBinding as _, SerialBindings, SerialKey};
use testkit::{FixedClock, block_on};

/// Far enough ahead of the file system's clock that the metadata of a file just written counts as settled.
pub const NOW: u64 = 4_000_000_000;

pub const LAPTOP: &str = "d6b58414-60ed-426b-b382-276a3e8d626d";
pub const ADA: &str = "307ff02c-76d6-4808-a523-3cbae90dcdbc";

pub fn laptop() -> BoundObject {
    format!("device:{LAPTOP}").parse().unwrap()
}

pub fn ada() -> BoundObject {
    format!("user:{ADA}").parse().unwrap()
}

/// A file directory in a folder of its own.
#[derive(Debug)]
pub struct OnDisk {
    pub folder: tempfile::TempDir,
    pub path: PathBuf,
    pub clock: Arc<FixedClock>,
    pub directory: Arc<FileDirectory>,
}

impl OnDisk {
    pub fn new(text: &str) -> Self {
        Self::with(text, FileDirectorySettings::default())
    }

    pub fn with(text: &str, settings: FileDirectorySettings) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("directory.toml");
        std::fs::write(&path, text).unwrap();
        let clock = Arc::new(FixedClock::new(UnixTime(NOW)));
        let directory = Arc::new(FileDirectory::open(&path, Arc::clone(&clock) as _, settings).unwrap());
        Self { folder, path, clock, directory }
    }

    pub fn write(&self, text: &str) {
        std::fs::write(&self.path, text).unwrap();
    }

    pub fn state(&self, object: BoundObject) -> Option<ObjectState> {
        block_on(self.directory.state(object)).unwrap()
    }
}

pub fn device(id: &str, name: &str, state: &str) -> String {
    format!("[[devices]]\nid = \"{id}\"\nname = \"{name}\"\nstate = \"{state}\"\n")
}

/// `count` enabled devices.
pub fn fleet(count: u32) -> String {
    (0..count)
        .map(|n| device(&format!("00000000-0000-0000-0000-{n:012x}"), &format!("d{n}"), "enabled"))
        .collect()
}

pub fn fleet_member(n: u32) -> BoundObject {
    format!("device:00000000-0000-0000-0000-{n:012x}").parse().unwrap()
}

/// Counts up.
#[derive(Debug, Default)]
struct Counting(AtomicU64);

impl SecureRandom for Counting {
    fn fill(&self, out: &mut [u8]) -> Result<(), RandomFailed> {
        let count = self.0.fetch_add(1, Ordering::SeqCst).to_be_bytes();
        out.iter_mut().rev().zip(count.iter().rev()).for_each(|(slot, octet)| *slot = *octet);
        Ok(())
    }
}

/// The CA of these tests.
#[derive(Debug)]
pub struct Ca {
    pub id: IssuerId,
    pub binding: Arc<SerialBindings>,
    random: Counting,
}

impl Ca {
    pub fn new() -> Self {
        // The public key of RFC 6979, appendix A.2.5.
        let spki = "3059301306072a8648ce3d020106082a8648ce3d0301070342000460fed4ba255a9d31c961eb74c6356d68c049b892\
                    3b61fa6ce669622e60f29fb67903fe1008b8bc99a41ae9e95628bc64f2f1b20c2d7e9f5177a3c294d4462299";
        let spki: Vec<u8> =
            (0..spki.len()).step_by(2).map(|at| u8::from_str_radix(&spki[at..at + 2], 16).unwrap()).collect();
        let key = SerialKey::from_slice(KeyId::FIRST, &[7; 32]).unwrap();
        let binding = SerialBindings::sealed(&key, &PublicKey::from_der(&spki).unwrap());
        Self { id: IssuerId::from_bytes([1; 32]), binding: Arc::new(binding), random: Counting::default() }
    }

    /// A certificate bound to `object`, with a serial number that no other has.
    pub fn certificate(&self, object: BoundObject) -> CertRef {
        self.numbered(self.binding.bind(&object, &self.random).unwrap())
    }

    pub fn numbered(&self, serial: SerialNumber) -> CertRef {
        CertRef { issuer: self.id, serial }
    }
}
