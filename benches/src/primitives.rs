//! What no server can do without: the operations of the cryptographic library, behind our seams.

use std::sync::Arc;

use pki_core::{
    ContentKey, DecryptionKey as _, KeyEncryptor as _, KeyTransport, PublicKey, SignatureAlgorithm,
    SignatureVerifier as _, SigningKey, WrappedKey,
};
use testkit::{block_on, keys};

use crate::{Operation, Run};

/// The operations of this group.
pub const OPERATIONS: &[Operation] = &[
    Operation { name: "primitive/P-256 sign", prepare: || sign(keys::p256()) },
    Operation { name: "primitive/P-256 verify", prepare: || verify(&*keys::p256()) },
    Operation { name: "primitive/P-384 sign", prepare: || sign(keys::p384()) },
    Operation { name: "primitive/RSA-2048 sign", prepare: || sign(keys::rsa_2048()) },
    Operation { name: "primitive/RSA-2048 verify", prepare: || verify(&*keys::rsa_2048()) },
    Operation { name: "primitive/RSA-2048 unwrap", prepare: unwrap },
];

const MESSAGE: &[u8] = &[7; 200];

fn sign<K: SigningKey + 'static>(key: Arc<K>) -> Run {
    Run::same(move || drop(block_on(key.sign(MESSAGE)).expect("a signature")))
}

fn verify(key: &dyn SigningKey) -> Run {
    let signature = block_on(key.sign(MESSAGE)).expect("a signature");
    let (key, algorithm): (PublicKey, SignatureAlgorithm) = (key.public_key().clone(), key.algorithm());
    Run::same(move || keys_software::AwsLc.verify(&key, algorithm, MESSAGE, &signature).expect("it holds"))
}

fn unwrap() -> Run {
    let key = keys::rsa_2048();
    let (public, content) = (SigningKey::public_key(&*key), ContentKey::new(vec![7; 16]));
    let wrapped = keys_software::AwsLc.wrap_key(public, KeyTransport::RsaPkcs1, &content).expect("wraps");
    let wrapped = WrappedKey::new(KeyTransport::RsaPkcs1, wrapped);
    Run::same(move || drop(block_on(key.unwrap_key(&wrapped)).expect("unwraps")))
}
