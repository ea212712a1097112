//! Randomness that is the same every time.

use std::{
    fmt,
    sync::{Mutex, PoisonError},
};

use pki_core::{RandomFailed, SecureRandom};
use sha2::{Digest as _, Sha256};

/// The same octets for the same seed: SHA-256 of seed and counter. For tests that compare, never for secrets.
pub struct SeededRandom {
    seed: u64,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    block: u64,
    left: Vec<u8>,
}

impl SeededRandom {
    /// Starts the sequence of `seed`.
    pub fn new(seed: u64) -> Self {
        Self { seed, state: Mutex::default() }
    }

    fn next(&self, state: &mut State) -> u8 {
        if state.left.is_empty() {
            let mut hash = Sha256::new_with_prefix(self.seed.to_be_bytes());
            hash.update(state.block.to_be_bytes());
            state.left = hash.finalize().to_vec();
            state.block = state.block.wrapping_add(1);
        }
        state.left.pop().unwrap_or_default()
    }
}

impl SecureRandom for SeededRandom {
    fn fill(&self, out: &mut [u8]) -> Result<(), RandomFailed> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        out.fill_with(|| self.next(&mut state));
        Ok(())
    }
}

impl fmt::Debug for SeededRandom {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SeededRandom({})", self.seed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_seed_is_one_sequence_however_it_is_cut() {
        let (whole, cut, other) = (SeededRandom::new(1), SeededRandom::new(1), SeededRandom::new(2));
        let (mut a, mut b, mut c) = ([0; 100], [0; 100], [0; 100]);
        whole.fill(&mut a).unwrap();
        b.chunks_mut(7).for_each(|part| cut.fill(part).unwrap());
        other.fill(&mut c).unwrap();
        assert_eq!(a, b);
        assert_ne!(a, c);
    }
}
