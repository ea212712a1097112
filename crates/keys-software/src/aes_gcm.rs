//! AES-256-GCM.

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use pki_core::{AuthenticatedCipher, KeyError, NotAuthentic};

use crate::AwsLc;

impl AuthenticatedCipher for AwsLc {
    fn seal(
        &self,
        key: &[u8; 32],
        nonce: &[u8; 12],
        associated: &[u8],
        plain: &[u8],
    ) -> Result<Vec<u8>, KeyError> {
        let mut octets = plain.to_vec();
        let sealed = UnboundKey::new(&AES_256_GCM, key).map(LessSafeKey::new).and_then(|key| {
            let nonce = Nonce::assume_unique_for_key(*nonce);
            key.seal_in_place_append_tag(nonce, Aad::from(associated), &mut octets)
        });
        sealed.map_err(|_| KeyError::Refused)?;
        Ok(octets)
    }

    fn open(
        &self,
        key: &[u8; 32],
        nonce: &[u8; 12],
        associated: &[u8],
        sealed: &[u8],
    ) -> Result<Vec<u8>, NotAuthentic> {
        let mut octets = sealed.to_vec();
        let opened = UnboundKey::new(&AES_256_GCM, key).map(LessSafeKey::new).and_then(|key| {
            let nonce = Nonce::assume_unique_for_key(*nonce);
            key.open_in_place(nonce, Aad::from(associated), &mut octets).map(|plain| plain.len())
        });
        octets.truncate(opened.map_err(|_| NotAuthentic)?);
        Ok(octets)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_sealed_opens_with_everything_the_same_and_with_nothing_else() {
        let (key, nonce) = ([1; 32], [2; 12]);
        let sealed = AwsLc.seal(&key, &nonce, b"for whom", b"a secret").unwrap();
        assert_eq!(sealed.len(), 8 + 16);
        assert_eq!(AwsLc.open(&key, &nonce, b"for whom", &sealed).unwrap(), b"a secret");
        let mut bent = sealed.clone();
        bent[3] ^= 1;
        for (key, nonce, associated, sealed) in [
            ([3; 32], nonce, &b"for whom"[..], &sealed),
            (key, [3; 12], b"for whom", &sealed),
            (key, nonce, b"for who", &sealed),
            (key, nonce, b"for whom", &bent),
            (key, nonce, b"for whom", &sealed[..15].to_vec()),
        ] {
            assert_eq!(AwsLc.open(&key, &nonce, associated, sealed), Err(NotAuthentic));
        }
    }

    #[test]
    fn is_the_gcm_of_the_standard() {
        // Test case 14 of the specification of GCM that NIST's standard was made from: a zero key, nonce and block.
        let sealed = AwsLc.seal(&[0; 32], &[0; 12], b"", &[0; 16]).unwrap();
        let expected = 0xCEA7_403D_4D60_6B6E_074E_C5D3_BAF3_9D18_u128.to_be_bytes();
        let tag = 0xD0D1_C8A7_9999_6BF0_265B_98B5_D48A_B919_u128.to_be_bytes();
        assert_eq!(sealed, [expected, tag].concat());
    }
}
