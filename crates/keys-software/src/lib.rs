//! Private keys in files and memory, by aws-lc-rs.
//!
//! [`AwsLc`] is randomness, signature checks, key wrapping and AES-GCM; [`EcdsaKey`], [`RsaKey`], [`Ed25519Key`] and
//! [`MlDsaKey`] are private keys, and [`SoftwareKey`] is any of them; a [`RepeatableKey`] signs a message the same way
//! each time. [`load_key`] and its kin keep them in files that their owner alone may read.
//!
//! Everything here computes at once: the futures of the seams are ready when they are made. The longest operation
//! that is usual, a signature or decryption by RSA-2048, takes about a quarter of a millisecond, short enough to run
//! in place on an async executor; RSA-4096 takes about 2 ms, and whoever serves many requests with such a key gives it
//! threads of its own.

mod aes_gcm;
mod aws_lc;
mod core_dumps;
mod ecdsa_key;
mod ed25519_key;
mod encoding;
mod key_algorithm;
mod key_files;
mod ml_dsa_key;
mod password_hash;
mod private_files;
mod repeatable_key;
mod rsa_key;
mod software_key;

pub use aws_lc::AwsLc;
pub use core_dumps::forbid_core_dumps;
pub use ecdsa_key::EcdsaKey;
pub use ed25519_key::Ed25519Key;
pub use encoding::InvalidKey;
pub use key_algorithm::{KeyAlgorithm, UnknownKeyAlgorithm};
pub use key_files::{create_key, create_secret, load_key, load_secret, replace_key};
pub use ml_dsa_key::MlDsaKey;
pub use password_hash::{NotAPasswordHash, PasswordHash};
pub use private_files::{FileError, create_private_file, read_private_file, replace_private_file};
pub use repeatable_key::{NotRepeatable, RepeatableKey};
pub use rsa_key::RsaKey;
pub use software_key::SoftwareKey;
