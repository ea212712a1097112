//! Cryptography that nobody should use: what a hostile or very old client sends. Keys that meet it are made for one run.

use cbc::{Decryptor, Encryptor};
use cipher::{Array, BlockModeDecrypt, BlockModeEncrypt, BlockSizeUser, KeyIvInit};
use keys_software::RsaKey;
use md5::Digest as _;
use num_bigint::BigUint;
use pki_core::{DigestAlgorithm, Oid, tlv};

/// A content cipher by its name on the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cipher {
    Des,
    TripleDes,
    Aes128,
    Aes192,
    Aes256,
}

impl Cipher {
    const TABLE: [(Self, Oid); 5] = [
        (Self::Des, Oid::new_unwrap("1.3.14.3.2.7")),
        (Self::TripleDes, Oid::new_unwrap("1.2.840.113549.3.7")),
        (Self::Aes128, Oid::new_unwrap("2.16.840.1.101.3.4.1.2")),
        (Self::Aes192, Oid::new_unwrap("2.16.840.1.101.3.4.1.22")),
        (Self::Aes256, Oid::new_unwrap("2.16.840.1.101.3.4.1.42")),
    ];

    pub(crate) fn oid(self) -> Oid {
        Self::TABLE.into_iter().find(|(known, _)| *known == self).map_or(super::cms::DATA, |(_, oid)| oid)
    }

    pub(crate) fn from_oid(oid: Oid) -> Option<Self> {
        Self::TABLE.into_iter().find(|(_, known)| *known == oid).map(|(cipher, _)| cipher)
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Des => "DES-CBC",
            Self::TripleDes => "3DES-CBC",
            Self::Aes128 => "AES-128-CBC",
            Self::Aes192 => "AES-192-CBC",
            Self::Aes256 => "AES-256-CBC",
        }
    }

    pub(crate) fn key_len(self) -> usize {
        match self {
            Self::Des => 8,
            Self::Aes128 => 16,
            Self::TripleDes | Self::Aes192 => 24,
            Self::Aes256 => 32,
        }
    }

    pub(crate) fn block_len(self) -> usize {
        if matches!(self, Self::Des | Self::TripleDes) { 8 } else { 16 }
    }

    /// With the padding of RFC 5652 §6.3.
    pub(crate) fn encrypt(self, key: &[u8], iv: &[u8], plain: &[u8]) -> Vec<u8> {
        let block = self.block_len();
        let padding = block.saturating_sub(plain.len().checked_rem(block).unwrap_or_default());
        let padded = [plain, &vec![u8::try_from(padding).unwrap_or_default(); padding]].concat();
        self.encrypt_blocks(key, iv, padded)
    }

    /// Whole blocks, as they are.
    pub(crate) fn encrypt_blocks(self, key: &[u8], iv: &[u8], mut octets: Vec<u8>) -> Vec<u8> {
        match self {
            Self::Des => encrypt::<Encryptor<des::Des>>(key, iv, &mut octets),
            Self::TripleDes => encrypt::<Encryptor<des::TdesEde3>>(key, iv, &mut octets),
            Self::Aes128 => encrypt::<Encryptor<aes::Aes128>>(key, iv, &mut octets),
            Self::Aes192 => encrypt::<Encryptor<aes::Aes192>>(key, iv, &mut octets),
            Self::Aes256 => encrypt::<Encryptor<aes::Aes256>>(key, iv, &mut octets),
        }
        octets
    }

    /// `None` when the padding is not that of RFC 5652 §6.3.
    pub(crate) fn decrypt(self, key: &[u8], iv: &[u8], octets: &[u8]) -> Option<Vec<u8>> {
        if key.len() != self.key_len() || octets.len().checked_rem(self.block_len()) != Some(0) {
            return None;
        }
        let mut octets = self.decrypt_blocks(key, iv, octets.to_vec());
        let padding = usize::from(*octets.last()?);
        let length = octets.len().checked_sub(padding)?;
        let sound = (1..=self.block_len()).contains(&padding)
            && octets.get(length..)?.iter().all(|&octet| usize::from(octet) == padding);
        octets.truncate(length);
        sound.then_some(octets)
    }

    /// Whole blocks, as they are.
    pub(crate) fn decrypt_blocks(self, key: &[u8], iv: &[u8], mut octets: Vec<u8>) -> Vec<u8> {
        match self {
            Self::Des => decrypt::<Decryptor<des::Des>>(key, iv, &mut octets),
            Self::TripleDes => decrypt::<Decryptor<des::TdesEde3>>(key, iv, &mut octets),
            Self::Aes128 => decrypt::<Decryptor<aes::Aes128>>(key, iv, &mut octets),
            Self::Aes192 => decrypt::<Decryptor<aes::Aes192>>(key, iv, &mut octets),
            Self::Aes256 => decrypt::<Decryptor<aes::Aes256>>(key, iv, &mut octets),
        }
        octets
    }
}

fn encrypt<C: KeyIvInit + BlockModeEncrypt + BlockSizeUser>(key: &[u8], iv: &[u8], octets: &mut [u8]) {
    if let Ok(mut cipher) = C::new_from_slices(key, iv) {
        cipher.encrypt_blocks(Array::slice_as_chunks_mut(octets).0);
    }
}

fn decrypt<C: KeyIvInit + BlockModeDecrypt + BlockSizeUser>(key: &[u8], iv: &[u8], octets: &mut [u8]) {
    if let Ok(mut cipher) = C::new_from_slices(key, iv) {
        cipher.decrypt_blocks(Array::slice_as_chunks_mut(octets).0);
    }
}

/// The digest that `oid` names, MD5 among them; nothing when it is not known.
pub(crate) fn digest(oid: Oid, data: &[u8]) -> Vec<u8> {
    match DigestAlgorithm::from_oid(oid) {
        Ok(DigestAlgorithm::Md5) => md5::Md5::digest(data).to_vec(),
        Ok(known) => known.digest(data).unwrap_or_default(),
        Err(_) => Vec::new(),
    }
}

/// A signature by RSASSA-PKCS1-v1_5 ([RFC 8017 §8.2](https://www.rfc-editor.org/rfc/rfc8017#section-8.2)) over whatever
/// digest, which takes milliseconds and tells the key to whoever times it.
pub(crate) fn sign_rsa(key: &RsaKey, digest_oid: Oid, message: &[u8]) -> Option<Vec<u8>> {
    let algorithm = tlv::sequence([&*tlv::oid(digest_oid), &[5, 0]]);
    let hash = tlv::wrap(tlv::OCTET_STRING, &digest(digest_oid, message));
    let info = tlv::sequence([&*algorithm, &hash]);
    let (modulus, exponent) = private_numbers(key)?;
    let length = modulus.len();
    let padding = vec![0xFF; length.checked_sub(info.len())?.checked_sub(3)?];
    let block = [&[0, 1][..], &padding, &[0], &info].concat();
    let modulus = BigUint::from_bytes_be(&modulus);
    let signature = BigUint::from_bytes_be(&block).modpow(&BigUint::from_bytes_be(&exponent), &modulus);
    let signature = signature.to_bytes_be();
    Some([vec![0; length.checked_sub(signature.len())?], signature].concat())
}

/// ```text
/// PrivateKeyInfo ::= SEQUENCE { version, privateKeyAlgorithm, privateKey OCTET STRING }
/// RSAPrivateKey ::= SEQUENCE { version, modulus, publicExponent, privateExponent, ... }
/// ```
fn private_numbers(key: &RsaKey) -> Option<(Vec<u8>, Vec<u8>)> {
    const WHAT: &str = "a PrivateKeyInfo";
    let der = key.to_pkcs8_der().ok()?;
    let mut info = tlv::Cursor::into(&der, tlv::SEQUENCE, WHAT).ok()?;
    info.expect(tlv::INTEGER).ok()?;
    info.expect(tlv::SEQUENCE).ok()?;
    let private = info.expect(tlv::OCTET_STRING).ok()?;
    let mut numbers = tlv::Cursor::into(private.value, tlv::SEQUENCE, WHAT).ok()?;
    numbers.expect(tlv::INTEGER).ok()?;
    let modulus = numbers.expect(tlv::INTEGER).ok()?.value;
    numbers.expect(tlv::INTEGER).ok()?;
    let exponent = numbers.expect(tlv::INTEGER).ok()?.value;
    Some((modulus.strip_prefix(&[0]).unwrap_or(modulus).to_vec(), exponent.to_vec()))
}

#[cfg(test)]
mod tests {
    use keys_software::AwsLc;
    use pki_core::{SignatureAlgorithm, SignatureVerifier as _, SigningKey};
    use testkit::keys;

    use super::*;

    #[test]
    fn signatures_are_those_of_everybody() {
        let key = keys::rsa_2048();
        let sign = |digest: DigestAlgorithm| sign_rsa(&key, digest.oid(), b"a message").unwrap();
        let ours = testkit::block_on(key.sign(b"a message")).unwrap();
        assert_eq!(sign(DigestAlgorithm::Sha256), ours);
        for (digest, algorithm) in [
            (DigestAlgorithm::Sha1, SignatureAlgorithm::RsaPkcs1Sha1),
            (DigestAlgorithm::Sha512, SignatureAlgorithm::RsaPkcs1Sha512),
        ] {
            let public = SigningKey::public_key(&*key);
            AwsLc.verify(public, algorithm, b"a message", &sign(digest)).unwrap();
        }
    }

    #[test]
    fn what_is_encrypted_reads_back() {
        for (cipher, _) in Cipher::TABLE {
            assert_eq!(Cipher::from_oid(cipher.oid()), Some(cipher));
            let (key, iv) = (vec![7; cipher.key_len()], vec![9; cipher.block_len()]);
            for length in [0, 1, 15, 16, 17] {
                let plain = vec![0x61; length];
                let sealed = cipher.encrypt(&key, &iv, &plain);
                assert_eq!(cipher.decrypt(&key, &iv, &sealed), Some(plain));
            }
            let unpadded = cipher.encrypt_blocks(&key, &iv, vec![0; 16]);
            assert_eq!(cipher.decrypt(&key, &iv, &unpadded), None);
        }
    }

    #[test]
    fn single_des_is_the_one_of_openssl() {
        let ours = Cipher::Des.encrypt(&[0x13; 8], &[0x24; 8], b"text");
        let (key, iv) = ("13".repeat(8), "24".repeat(8));
        let arguments =
            ["enc", "-des-cbc", "-provider", "legacy", "-provider", "default", "-K", &key, "-iv", &iv];
        let theirs = testkit::run_with_input(std::path::Path::new("."), "openssl", arguments, b"text");
        assert_eq!(ours, theirs);
    }
}
