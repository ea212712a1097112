//! What the tests of serial numbers share: fixed and seeded randomness, hexadecimal, public keys.

use std::sync::Mutex;

use pki_core::{PublicKey, RandomFailed, SecureRandom};

/// Gives out these octets, over and over.
#[derive(Debug)]
pub struct Fixed(pub Vec<u8>);

impl SecureRandom for Fixed {
    fn fill(&self, out: &mut [u8]) -> Result<(), RandomFailed> {
        out.iter_mut().zip(self.0.iter().cycle()).for_each(|(slot, octet)| *slot = *octet);
        Ok(())
    }
}

/// A sequence that differs from call to call (xorshift), good enough for tests.
#[derive(Debug)]
pub struct Seeded(Mutex<u64>);

impl Seeded {
    pub fn new(seed: u64) -> Self {
        Self(Mutex::new(seed | 1))
    }

    pub fn octets<const N: usize>(&self) -> [u8; N] {
        let mut out = [0; N];
        self.fill(&mut out).unwrap();
        out
    }
}

impl SecureRandom for Seeded {
    fn fill(&self, out: &mut [u8]) -> Result<(), RandomFailed> {
        let mut state = self.0.lock().unwrap();
        for slot in out {
            *state ^= *state << 13;
            *state ^= *state >> 7;
            *state ^= *state << 17;
            *slot = (*state >> 24) as u8;
        }
        Ok(())
    }
}

/// Has no randomness to give.
#[derive(Debug)]
pub struct Dry;

impl SecureRandom for Dry {
    fn fill(&self, _out: &mut [u8]) -> Result<(), RandomFailed> {
        Err(RandomFailed)
    }
}

pub fn unhex(text: &str) -> Vec<u8> {
    assert!(text.len().is_multiple_of(2), "{text}");
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap()).collect()
}

pub fn hex(octets: &[u8]) -> String {
    octets.iter().fold(String::new(), |text, octet| text + &format!("{octet:02x}"))
}

/// The public key of RFC 6979, appendix A.2.5, and one more.
pub const ISSUERS: [&str; 2] = [
    "3059301306072a8648ce3d020106082a8648ce3d0301070342000460fed4ba255a9d31c961eb74c6356d68c049b8923b61fa6ce669622e60\
     f29fb67903fe1008b8bc99a41ae9e95628bc64f2f1b20c2d7e9f5177a3c294d4462299",
    "3059301306072a8648ce3d020106082a8648ce3d030107034200048686889ec1a5186acdff93b2834102f9fb0f7c85d14b3b651a629b7039\
     86324a94a82ab31e530a4878b6cbd51da86b63ac29b0b666c5d51eb51c38af20d35b05",
];

pub fn issuer(number: usize) -> PublicKey {
    PublicKey::from_der(&unhex(ISSUERS[number])).unwrap()
}
