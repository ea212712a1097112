//! OCSP requests made by changing a few octets of one.

use std::path::PathBuf;

use benches::connection::post;
use clap::{Args, ValueEnum};
use ocsp_proto::{Issuer, Question, REQUEST_MEDIA_TYPE};
use ocsp_server::data_folder;
use pki_core::{Certificate, DigestAlgorithm, SerialNumber};
use serial_binding::{BoundObject, ObjectId, ObjectKind, SerialBinding as _};
use testkit::SeededRandom;

use crate::{Failure, Target};

/// What is different about each request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Ask {
    /// A serial number that was never asked about, nor issued.
    Serials,
    /// A nonce, about one device: each answer has to be signed.
    Nonces,
    /// The device, one after the other and over again.
    Objects,
}

#[derive(Args)]
pub(crate) struct Options {
    /// The folder with the CA's certificate and its keys of serial numbers.
    #[arg(long)]
    pub(crate) data: PathBuf,
    /// How many devices there are, as `load devices` numbers them.
    #[arg(long, default_value_t = 1)]
    pub(crate) objects: u32,
    /// Of what kind.
    #[arg(long, default_value_t = ObjectKind::DEVICE)]
    pub(crate) kind: ObjectKind,
    /// The first number of a random sequence: the next run asks about other serial numbers with another one.
    #[arg(long, default_value_t = 1)]
    pub(crate) seed: u64,
}

/// A request, and what changes.
pub(crate) struct Template {
    issuer: Issuer,
    ask: Ask,
    /// Those of the devices, where these are asked about.
    serials: Vec<SerialNumber>,
    seed: u64,
    request: Vec<u8>,
    /// Where the octets are that change.
    at: usize,
}

const SERIAL_LEN: usize = 20;
const NONCE_LEN: usize = 32;
/// Octets that stand nowhere else in a request.
const MARK: [u8; NONCE_LEN] = [0x5A; NONCE_LEN];

impl Template {
    pub(crate) fn new(target: &Target, ask: Ask, options: &Options) -> Result<Self, Failure> {
        let ca = data_folder::read_certificate(&options.data.join(data_folder::CA_CERTIFICATE))?;
        let serials = match ask {
            Ask::Serials => Vec::new(),
            Ask::Nonces => serials(options, &ca, 1)?,
            Ask::Objects => serials(options, &ca, options.objects)?,
        };
        let issuer = Issuer::new(ca);
        let mark = MARK.get(..SERIAL_LEN).unwrap_or_default();
        let question = match (ask, serials.first()) {
            (Ask::Nonces, Some(serial)) => {
                let octets = serial.as_be_bytes();
                Question::new(issuer.clone(), DigestAlgorithm::Sha1, [octets])?.with_nonce(&MARK)?
            }
            _ => Question::new(issuer.clone(), DigestAlgorithm::Sha1, [mark])?,
        };
        let request = post(target.host(), target.path(), REQUEST_MEDIA_TYPE, question.as_der());
        let at = request.windows(mark.len()).position(|window| window == mark);
        let at = at.ok_or("the request does not hold what it asks about")?;
        Ok(Self { issuer, ask, serials, seed: options.seed, request, at })
    }

    pub(crate) fn request(&self) -> Vec<u8> {
        self.request.clone()
    }

    /// Makes `request` the one of that number.
    pub(crate) fn fill(&self, number: u64, request: &mut [u8]) {
        let Some(rest) = request.get_mut(self.at..) else { return };
        match self.ask {
            Ask::Serials | Ask::Objects => {
                write(rest, self.serial(number).as_ref().map_or(&[], SerialNumber::as_be_bytes));
            }
            Ask::Nonces => write(rest, &random::<NONCE_LEN>(self.seed, number)),
        }
    }

    /// What a client would ask by the request of that number, without its nonce.
    pub(crate) fn question(&self, number: u64) -> Option<Question> {
        let serial = match self.ask {
            Ask::Nonces => *self.serials.first()?,
            Ask::Serials | Ask::Objects => self.serial(number)?,
        };
        Question::new(self.issuer.clone(), DigestAlgorithm::Sha1, [serial.as_be_bytes()]).ok()
    }

    fn serial(&self, number: u64) -> Option<SerialNumber> {
        if self.ask == Ask::Objects {
            let count = u64::try_from(self.serials.len()).ok()?;
            return self.serials.get(usize::try_from(number.checked_rem(count)?).ok()?).copied();
        }
        let mut octets = random::<SERIAL_LEN>(self.seed, number);
        // The form of a sealed one, with the first key.
        octets[0] = 0x20;
        SerialNumber::from_be_bytes(&octets).ok()
    }
}

fn write(into: &mut [u8], octets: &[u8]) {
    into.iter_mut().zip(octets).for_each(|(slot, octet)| *slot = *octet);
}

/// Octets that no other number of the sequence gives.
fn random<const LEN: usize>(seed: u64, number: u64) -> [u8; LEN] {
    let mut octets = [0; LEN];
    let mut state =
        seed.wrapping_mul(0xD134_2543_DE82_EF95).wrapping_add(number.wrapping_mul(0x9E37_79B9_7F4A_7C15));
    for chunk in octets.chunks_mut(8) {
        state = (state ^ (state >> 31)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        state ^= state >> 29;
        write(chunk, &state.to_be_bytes());
        state = state.wrapping_add(0x94D0_49BB_1331_11EB);
    }
    octets
}

/// One for each device, the same in every run.
fn serials(options: &Options, ca: &Certificate, count: u32) -> Result<Vec<SerialNumber>, Failure> {
    let keys = data_folder::read_serial_keys(&options.data)?;
    let binding = data_folder::sealed_binding(&keys, ca.public_key())?;
    let serial =
        |number: u32| Ok(binding.bind(&device(options.kind, number)?, &SeededRandom::new(number.into()))?);
    (1..=count.max(1)).map(serial).collect()
}

/// The device of that number, as `load devices` writes it.
pub(crate) fn device(kind: ObjectKind, number: u32) -> Result<BoundObject, Failure> {
    let id = if kind.is_numeric() {
        ObjectId::Number(number.into())
    } else {
        benches::enrollment::device_id(number).parse()?
    };
    Ok(BoundObject::new(kind, id)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_numbers_give_the_same() {
        let mut all: Vec<[u8; SERIAL_LEN]> = (0..10_000).map(|number| random(7, number)).collect();
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), 10_000);
        assert_ne!(random::<20>(1, 1), random::<20>(2, 1));
    }
}
