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
