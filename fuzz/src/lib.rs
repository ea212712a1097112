//! What the targets share: seams that always say yes, and messages around content of the fuzzer's choice.
//!
//! A mutated message dies at its signature, and mutated ciphertext is noise. So the signature verifier here accepts
//! everything, and what the fuzzer writes is encrypted and wrapped up as a client would.

#[path = "../../crates/scep-proto/tests/differential/mod.rs"]
pub mod differential;
mod envelope;
mod seams;

pub use envelope::{CONTENT_KEY, ca, pki_message};
pub use seams::{Anything, Counting, Plainly};
