//! PasswordRecipientInfos, opened with a challenge, by code that shares nothing with the server's.

use pki_core::{DecodeError, DigestAlgorithm, Oid, tlv};

use super::weak::Cipher;

const WHAT: &str = "a PasswordRecipientInfo";

/// The identifier octet of the choice `pwri`.
pub(crate) const TAG: u8 = 0xA3;

const PBKDF2: Oid = Oid::new_unwrap("1.2.840.113549.1.5.12");
const PWRI_KEK: Oid = Oid::new_unwrap("1.2.840.113549.1.9.16.3.9");

/// PBKDF2's functions; HMAC over SHA-1 is the default.
const PRFS: [(Oid, DigestAlgorithm); 4] = [
    (Oid::new_unwrap("1.2.840.113549.2.7"), DigestAlgorithm::Sha1),
    (Oid::new_unwrap("1.2.840.113549.2.9"), DigestAlgorithm::Sha256),
    (Oid::new_unwrap("1.2.840.113549.2.10"), DigestAlgorithm::Sha384),
    (Oid::new_unwrap("1.2.840.113549.2.11"), DigestAlgorithm::Sha512),
];

/// More rounds than this are not waited for.
const MOST_ITERATIONS: u64 = 10_000_000;

/// The content key that `password` unwraps ([RFC 5652 §6.2.4](https://www.rfc-editor.org/rfc/rfc5652#section-6.2.4),
/// [RFC 3211 §2.3.2](https://www.rfc-editor.org/rfc/rfc3211#section-2.3.2)), or why there is none.
///
/// ```text
/// PasswordRecipientInfo ::= SEQUENCE { version, keyDerivationAlgorithm [0] { id-PBKDF2, PBKDF2-params },
///     keyEncryptionAlgorithm { id-alg-PWRI-KEK, AlgorithmIdentifier }, encryptedKey OCTET STRING }
/// ```
pub(crate) fn unwrap(recipient: &[u8], password: &str) -> Result<Vec<u8>, String> {
    let Parts { derivation, cipher, iv, wrapped } = read(recipient).map_err(|error| error.to_string())?;
    let key = derivation.key(password, cipher.key_len());
    let block = cipher.block_len();
    if wrapped.len() < block.saturating_mul(2) || wrapped.len().checked_rem(block) != Some(0) {
        return Err("the wrapped key is not of whole blocks, at least two".into());
    }
    let last = wrapped.len().saturating_sub(block);
    let (rest, tail) = wrapped.split_at(last);
    let before = rest.get(last.saturating_sub(block)..).unwrap_or_default();
    let vector = cipher.decrypt_blocks(&key, before, tail.to_vec());
    let once = cipher.decrypt_blocks(&key, &vector, wrapped.clone());
    let twice = cipher.decrypt_blocks(&key, &iv, once);
    checked(&twice).ok_or_else(|| "the challenge does not open it".into())
}

/// Length, three check octets, key, and what fills it up.
fn checked(octets: &[u8]) -> Option<Vec<u8>> {
    let (&length, rest) = octets.split_first()?;
    let (check, rest) = rest.split_first_chunk::<3>()?;
    let key = rest.get(..usize::from(length))?;
    let beginning = key.first_chunk::<3>()?;
    check.iter().zip(beginning).all(|(check, octet)| *check == !octet).then(|| key.to_vec())
}

struct Parts {
    derivation: Derivation,
    cipher: Cipher,
    iv: Vec<u8>,
    wrapped: Vec<u8>,
}

struct Derivation {
    salt: Vec<u8>,
    iterations: u32,
    digest: DigestAlgorithm,
}

impl Derivation {
    fn key(&self, password: &str, length: usize) -> Vec<u8> {
        let derive = match self.digest {
            DigestAlgorithm::Sha256 => pbkdf2::pbkdf2_hmac::<sha2::Sha256>,
            DigestAlgorithm::Sha384 => pbkdf2::pbkdf2_hmac::<sha2::Sha384>,
            DigestAlgorithm::Sha512 => pbkdf2::pbkdf2_hmac::<sha2::Sha512>,
            _ => pbkdf2::pbkdf2_hmac::<sha1::Sha1>,
        };
        let mut key = vec![0; length];
        derive(password.as_bytes(), &self.salt, self.iterations, &mut key);
        key
    }
}

fn read(recipient: &[u8]) -> Result<Parts, DecodeError> {
    let mut fields = tlv::Cursor::into(recipient, TAG, WHAT)?;
    fields.expect(tlv::INTEGER)?;
    let derivation = derivation(fields.enter(0xA0)?)?;
    let mut wrap = fields.enter(tlv::SEQUENCE)?;
    named(wrap.oid()?, PWRI_KEK)?;
    let mut algorithm = wrap.enter(tlv::SEQUENCE)?;
    let oid = algorithm.oid()?;
    let cipher =
        Cipher::from_oid(oid).ok_or_else(|| DecodeError::new(WHAT, format_args!("the cipher {oid}")))?;
    let iv = algorithm.expect(tlv::OCTET_STRING)?.value.to_vec();
    let wrapped = fields.expect(tlv::OCTET_STRING)?.value.to_vec();
    Ok(Parts { derivation, cipher, iv, wrapped })
}

fn derivation(mut fields: tlv::Cursor<'_>) -> Result<Derivation, DecodeError> {
    named(fields.oid()?, PBKDF2)?;
    let mut parameters = fields.enter(tlv::SEQUENCE)?;
    let salt = parameters.expect(tlv::OCTET_STRING)?.value.to_vec();
    let digits = parameters.expect(tlv::INTEGER)?.value;
    let rounds =
        digits.iter().fold(0_u64, |sum, octet| sum.saturating_mul(256).saturating_add((*octet).into()));
    let iterations = u32::try_from(rounds).ok().filter(|_| (1..=MOST_ITERATIONS).contains(&rounds));
    let iterations =
        iterations.ok_or_else(|| DecodeError::new(WHAT, format_args!("{rounds} iterations of PBKDF2")))?;
    parameters.optional(tlv::INTEGER)?;
    let digest = match parameters.optional(tlv::SEQUENCE)? {
        None => DigestAlgorithm::Sha1,
        Some(prf) => {
            let oid = tlv::Cursor::over(prf.value, WHAT)?.oid()?;
            let known = PRFS.iter().find(|(known, _)| *known == oid).map(|(_, digest)| *digest);
            known.ok_or_else(|| DecodeError::new(WHAT, format_args!("PBKDF2 with {oid}")))?
        }
    };
    Ok(Derivation { salt, iterations, digest })
}

fn named(found: Oid, expected: Oid) -> Result<(), DecodeError> {
    if found == expected {
        return Ok(());
    }
    Err(DecodeError::new(WHAT, format_args!("the algorithm {found} in the place of {expected}")))
}
