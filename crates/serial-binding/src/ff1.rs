//! FF1-AES-256 ([NIST SP 800-38G](https://doi.org/10.6028/NIST.SP.800-38G)) for strings of 152 bits and nothing else.
//!
//! Radix 2, n = 152 and a tweak of 33 octets make almost all of FF1 constant: u = v = 76, b = 10, d = 16, so that each
//! of the ten rounds is one block of AES over a prefix that can be computed once. `docs/serial-binding.md` goes through
//! the steps of the standard one by one; `docs/adr/0002-own-ff1.md` says why this is here.

use aes::{
    Aes256Enc, Block,
    cipher::{BlockCipherEncrypt as _, KeyInit as _},
};
use zeroize::Zeroizing;

use crate::octets::Halves;

/// P of step 5: `[1] [2] [1] [radix]³ [10] [u mod 256] [n]⁴ [t]⁴`.
const P: u128 = 0x0102_0100_0002_0A4C_0000_0098_0000_0021;

/// FF1 under one key and one tweak.
pub(crate) struct Ff1 {
    /// Wipes its key schedule when dropped.
    cipher: Aes256Enc,
    /// The CBC-MAC state after P and the first 32 octets of the tweak, with the tweak's last octet already added where
    /// the third block of Q has it.
    prefix: Zeroizing<u128>,
}

impl Ff1 {
    /// The tweak is `first || issuer`.
    pub(crate) fn new(key: &[u8; 32], first: u8, issuer: &[u8; 32]) -> Self {
        let cipher = Aes256Enc::new(key.into());
        let [head @ .., last] = issuer;
        let tweak = head.iter().fold([u128::from(first), 0], |[low, high], &octet| {
            // 256 bits that shift together: the octet comes in at the right.
            [low << 8 | u128::from(octet), high << 8 | low >> 120]
        });
        let [second, first] = tweak;
        let state = [P, first, second].into_iter().fold(0, |state, block| encrypt(&cipher, state ^ block));
        Self { cipher, prefix: Zeroizing::new(state ^ u128::from(*last) << 120) }
    }

    /// FF1.Encrypt.
    pub(crate) fn encrypt(&self, plain: Halves) -> Halves {
        let Halves { left: mut a, right: mut b } = plain;
        for i in 0..10 {
            let c = a.wrapping_add(self.round(i, b)) & Halves::MASK;
            (a, b) = (b, c);
        }
        Halves { left: a, right: b }
    }

    /// FF1.Decrypt.
    pub(crate) fn decrypt(&self, sealed: Halves) -> Halves {
        let Halves { left: mut a, right: mut b } = sealed;
        for i in (0..10).rev() {
            let c = b.wrapping_sub(self.round(i, a)) & Halves::MASK;
            (a, b) = (c, a);
        }
        Halves { left: a, right: b }
    }

    /// y of step 6: the third block of Q is the tweak's last octet, four zeros, the round's number and ten octets of
    /// the half. Its 128 bits count modulo 2^76 only.
    fn round(&self, i: u8, half: u128) -> u128 {
        encrypt(&self.cipher, *self.prefix ^ u128::from(i) << 80 ^ half)
    }
}

fn encrypt(cipher: &Aes256Enc, block: u128) -> u128 {
    let mut block = Block::from(block.to_be_bytes());
    cipher.encrypt_block(&mut block);
    u128::from_be_bytes(block.into())
}

#[cfg(test)]
mod tests {
    use alloc::vec::Vec;

    use fpe::ff1::{FF1, FlexibleNumeralString};
    use proptest::prelude::*;

    use super::*;

    /// The same by the `fpe` crate, which is tested with NIST's samples.
    fn by_fpe(key: &[u8; 32], first: u8, issuer: &[u8; 32], plain: Halves) -> Halves {
        let tweak = [&[first][..], issuer].concat();
        let string = FlexibleNumeralString::from([bits(plain.left), bits(plain.right)].concat());
        let sealed = FF1::<aes::Aes256>::new(key, 2).unwrap().encrypt(&tweak, &string).unwrap();
        let sealed = Vec::<u16>::from(sealed);
        Halves { left: number(&sealed[..76]), right: number(&sealed[76..]) }
    }

    fn bits(half: u128) -> Vec<u16> {
        (0..76).rev().map(|place| u16::from(half >> place & 1 == 1)).collect()
    }

    fn number(bits: &[u16]) -> u128 {
        bits.iter().fold(0, |number, bit| number << 1 | u128::from(*bit))
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(512))]

        #[test]
        fn agrees_with_fpe(
            key in any::<[u8; 32]>(),
            first in any::<u8>(),
            issuer in any::<[u8; 32]>(),
            left in 0..=Halves::MASK,
            right in 0..=Halves::MASK,
        ) {
            let (ff1, plain) = (Ff1::new(&key, first, &issuer), Halves { left, right });
            let sealed = ff1.encrypt(plain);
            prop_assert_eq!(sealed, by_fpe(&key, first, &issuer, plain));
            prop_assert_eq!(ff1.decrypt(sealed), plain);
        }
    }

    #[test]
    fn agrees_with_fpe_at_the_edges() {
        let (key, issuer) = ([0; 32], [0xFF; 32]);
        for (left, right) in [(0, 0), (Halves::MASK, 0), (0, Halves::MASK), (Halves::MASK, Halves::MASK)] {
            let plain = Halves { left, right };
            let sealed = Ff1::new(&key, 0x2F, &issuer).encrypt(plain);
            assert_eq!(sealed, by_fpe(&key, 0x2F, &issuer, plain));
        }
    }
}
