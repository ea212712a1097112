//! Keys, signatures and wrapped keys go to OpenSSL and back.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

use std::{fs, path::Path};

use keys_software::{AwsLc, EcdsaKey, InvalidKey, KeyAlgorithm, MlDsaKey, SoftwareKey};
use pki_core::{
    BadSignature, ContentKey, DecryptionKey, DigestAlgorithm, KeyEncryptor as _, KeyError, KeyKind,
    KeyTransport, PublicKey, SignatureAlgorithm, SignatureVerifier as _, SigningKey, WrappedKey,
};
use testkit::{block_on, keys, run_in};

const MESSAGE: &[u8] = b"what is signed";

fn openssl(folder: &Path, arguments: &str) -> Vec<u8> {
    run_in(folder, "openssl", arguments.split_whitespace())
}

fn digest_name(algorithm: SignatureAlgorithm) -> String {
    format!("{:?}", algorithm.digest()).to_lowercase()
}

fn ready_keys() -> [(KeyKind, SoftwareKey); 4] {
    let key = |pem| SoftwareKey::from_pem(pem).unwrap();
    [
        (KeyKind::Rsa { bits: 2048 }, key(keys::STRANGER_PEM)),
        (KeyKind::Rsa { bits: 3072 }, key(keys::RSA_3072_PEM)),
        (KeyKind::P256, key(keys::DEVICE_P256_PEM)),
        (KeyKind::P384, key(keys::P384_PEM)),
    ]
}

#[test]
fn openssl_verifies_what_we_sign() {
    let folder = testkit::tempdir().unwrap();
    for (kind, key) in ready_keys() {
        assert_eq!(key.public_key().kind(), kind);
        let signature = block_on(key.sign(MESSAGE)).unwrap();
        AwsLc.verify(key.public_key(), key.algorithm(), MESSAGE, &signature).unwrap();
        fs::write(folder.path().join("message"), MESSAGE).unwrap();
        fs::write(folder.path().join("signature"), signature).unwrap();
        fs::write(folder.path().join("public.der"), key.public_key().as_der()).unwrap();
        let digest = digest_name(key.algorithm());
        let verify = format!("dgst -{digest} -keyform der -verify public.der -signature signature message");
        assert_eq!(openssl(folder.path(), &verify), b"Verified OK\n");
    }
}

#[test]
fn we_verify_what_openssl_signs_and_nothing_else() {
    let folder = testkit::tempdir().unwrap();
    fs::write(folder.path().join("message"), MESSAGE).unwrap();
    let rsa = [
        SignatureAlgorithm::RsaPkcs1Sha1,
        SignatureAlgorithm::RsaPkcs1Sha256,
        SignatureAlgorithm::RsaPkcs1Sha384,
        SignatureAlgorithm::RsaPkcs1Sha512,
    ];
    let ecdsa =
        [SignatureAlgorithm::EcdsaSha256, SignatureAlgorithm::EcdsaSha384, SignatureAlgorithm::EcdsaSha512];
    for (kind, key) in ready_keys() {
        fs::write(folder.path().join("key.pem"), &*key.to_pkcs8_pem().unwrap()).unwrap();
        let (own, foreign) =
            if matches!(kind, KeyKind::Rsa { .. }) { (&rsa[..], &ecdsa[..]) } else { (&ecdsa[..], &rsa[..]) };
        for &algorithm in own {
            let sign = format!("dgst -{} -sign key.pem message", digest_name(algorithm));
            let mut signature = openssl(folder.path(), &sign);
            let verify = |algorithm, message, signature: &[u8]| {
                AwsLc.verify(key.public_key(), algorithm, message, signature)
            };
            assert_eq!(verify(algorithm, MESSAGE, &signature), Ok(()), "{kind} {algorithm:?}");
            assert_eq!(verify(algorithm, b"another", &signature), Err(BadSignature));
            for &other in own.iter().chain(foreign).filter(|&&other| other != algorithm) {
                assert_eq!(verify(other, MESSAGE, &signature), Err(BadSignature), "{kind} {other:?}");
            }
            *signature.last_mut().unwrap() ^= 1;
            assert_eq!(verify(algorithm, MESSAGE, &signature), Err(BadSignature));
        }
    }
}

#[test]
fn pss_goes_to_openssl_and_back() {
    const PSS: &str = "-sigopt rsa_padding_mode:pss -sigopt rsa_pss_saltlen:digest";
    let folder = testkit::tempdir().unwrap();
    fs::write(folder.path().join("message"), MESSAGE).unwrap();
    fs::write(folder.path().join("key.pem"), keys::STRANGER_PEM).unwrap();
    let all = [
        SignatureAlgorithm::RsaPssSha256,
        SignatureAlgorithm::RsaPssSha384,
        SignatureAlgorithm::RsaPssSha512,
        SignatureAlgorithm::RsaPkcs1Sha384,
        SignatureAlgorithm::RsaPkcs1Sha512,
    ];
    for algorithm in all {
        let SoftwareKey::Rsa(key) = SoftwareKey::from_pem(keys::STRANGER_PEM).unwrap() else { panic!("RSA") };
        let key = key.with_signature_algorithm(algorithm).unwrap();
        let public = SigningKey::public_key(&key);
        let signature = block_on(key.sign(MESSAGE)).unwrap();
        fs::write(folder.path().join("signature"), &signature).unwrap();
        fs::write(folder.path().join("public.der"), public.as_der()).unwrap();
        let options = if algorithm.oid() == SignatureAlgorithm::RsaPssSha256.oid() { PSS } else { "" };
        let digest = digest_name(algorithm);
        let verify =
            format!("dgst -{digest} {options} -keyform der -verify public.der -signature signature message");
        assert_eq!(openssl(folder.path(), &verify), b"Verified OK\n");
        for other in all {
            let holds = AwsLc.verify(public, other, MESSAGE, &signature).is_ok();
            assert_eq!(holds, other == algorithm, "{algorithm:?} {other:?}");
        }
        let theirs = openssl(folder.path(), &format!("dgst -{digest} {options} -sign key.pem message"));
        assert_eq!(AwsLc.verify(public, algorithm, MESSAGE, &theirs), Ok(()), "{algorithm:?}");
    }
    let SoftwareKey::Rsa(key) = SoftwareKey::from_pem(keys::STRANGER_PEM).unwrap() else { panic!("RSA") };
    assert!(key.with_signature_algorithm(SignatureAlgorithm::RsaPkcs1Sha1).is_err(), "SHA-1 is never made");
}

#[test]
fn ed25519_goes_to_openssl_and_back() {
    let folder = testkit::tempdir().unwrap();
    fs::write(folder.path().join("message"), MESSAGE).unwrap();
    openssl(folder.path(), "genpkey -algorithm ed25519 -out key.pem");
    let key = SoftwareKey::from_pem(&fs::read_to_string(folder.path().join("key.pem")).unwrap()).unwrap();
    assert_eq!((key.public_key().kind(), key.algorithm()), (KeyKind::Ed25519, SignatureAlgorithm::Ed25519));
    fs::write(folder.path().join("signature"), block_on(key.sign(MESSAGE)).unwrap()).unwrap();
    openssl(folder.path(), "pkeyutl -verify -rawin -inkey key.pem -sigfile signature -in message");
    let mut theirs = openssl(folder.path(), "pkeyutl -sign -rawin -inkey key.pem -in message");
    let verify =
        |signature: &[u8]| AwsLc.verify(key.public_key(), SignatureAlgorithm::Ed25519, MESSAGE, signature);
    assert_eq!(verify(&theirs), Ok(()));
    *theirs.last_mut().unwrap() ^= 1;
    assert_eq!(verify(&theirs), Err(BadSignature));
}

#[test]
fn ml_dsa_goes_to_another_implementation_and_back() {
    use ml_dsa::{
        EncodedVerifyingKey, MlDsa65, Signature, SigningKey as TheirKey, VerifyingKey,
        signature::{Keypair as _, SignatureEncoding as _, Signer as _, Verifier as _},
    };
    let ours = MlDsaKey::generate().unwrap();
    let signature = block_on(ours.sign(MESSAGE)).unwrap();
    let public: EncodedVerifyingKey<MlDsa65> = ours.public_key().key_octets().try_into().unwrap();
    let theirs = VerifyingKey::<MlDsa65>::decode(&public);
    theirs.verify(MESSAGE, &Signature::try_from(&*signature).unwrap()).unwrap();
    assert!(theirs.verify(b"another", &Signature::try_from(&*signature).unwrap()).is_err());

    let pair = TheirKey::<MlDsa65>::from_seed(&[7; 32].into());
    // A PrivateKeyInfo that holds the seed alone, [0] IMPLICIT (RFC 9881 section 6).
    let mut der =
        vec![0x30, 52, 2, 1, 0, 0x30, 11, 6, 9, 0x60, 0x86, 0x48, 1, 0x65, 3, 4, 3, 18, 4, 34, 0x80, 32];
    der.extend([7; 32]);
    let key = SoftwareKey::from_der(&der).unwrap();
    assert_eq!((key.public_key().kind(), key.algorithm()), (KeyKind::MlDsa65, SignatureAlgorithm::MlDsa65));
    assert_eq!(key.public_key().key_octets(), &*pair.verifying_key().encode());
    let mut signature = pair.sign(MESSAGE).to_bytes().to_vec();
    let verify =
        |signature: &[u8]| AwsLc.verify(key.public_key(), SignatureAlgorithm::MlDsa65, MESSAGE, signature);
    assert_eq!(verify(&signature), Ok(()));
    *signature.last_mut().unwrap() ^= 1;
    assert_eq!(verify(&signature), Err(BadSignature));
    assert_eq!(*key.to_pkcs8_der().unwrap(), der);
}

#[test]
fn old_signers_with_1024_bits_are_verified_but_not_enciphered_for() {
    let folder = testkit::tempdir().unwrap();
    openssl(folder.path(), "genpkey -quiet -algorithm RSA -pkeyopt rsa_keygen_bits:1024 -out key.pem");
    let public =
        PublicKey::from_der(&openssl(folder.path(), "pkey -in key.pem -pubout -outform der")).unwrap();
    fs::write(folder.path().join("message"), MESSAGE).unwrap();
    let signature = openssl(folder.path(), "dgst -sha256 -sign key.pem message");
    AwsLc.verify(&public, SignatureAlgorithm::RsaPkcs1Sha256, MESSAGE, &signature).unwrap();
    let secret = ContentKey::new(vec![7; 16]);
    assert_eq!(AwsLc.wrap_key(&public, KeyTransport::RsaPkcs1, &secret), Err(KeyError::Refused));
    let pem = fs::read_to_string(folder.path().join("key.pem")).unwrap();
    assert!(matches!(SoftwareKey::from_pem(&pem), Err(InvalidKey::Unsound(_))));
}

const TRANSPORTS: [(KeyTransport, &str); 3] = [
    (KeyTransport::RsaPkcs1, "-pkeyopt rsa_padding_mode:pkcs1"),
    (KeyTransport::RsaOaep(DigestAlgorithm::Sha1), "-pkeyopt rsa_padding_mode:oaep"),
    (
        KeyTransport::RsaOaep(DigestAlgorithm::Sha256),
        "-pkeyopt rsa_padding_mode:oaep -pkeyopt rsa_oaep_md:sha256 -pkeyopt rsa_mgf1_md:sha256",
    ),
];

#[test]
fn keys_are_wrapped_for_openssl_and_by_openssl() {
    let folder = testkit::tempdir().unwrap();
    let key = keys::rsa_2048();
    fs::write(folder.path().join("key.pem"), keys::STRANGER_PEM).unwrap();
    fs::write(folder.path().join("secret"), [7; 32]).unwrap();
    let secret = ContentKey::new(vec![7; 32]);
    for (transport, options) in TRANSPORTS {
        let wrapped = AwsLc.wrap_key(DecryptionKey::public_key(&*key), transport, &secret).unwrap();
        assert_eq!(wrapped.len(), 256);
        fs::write(folder.path().join("wrapped"), &wrapped).unwrap();
        let opened =
            openssl(folder.path(), &format!("pkeyutl -decrypt -inkey key.pem -in wrapped {options}"));
        assert_eq!(opened, [7; 32]);

        let wrapped =
            openssl(folder.path(), &format!("pkeyutl -encrypt -inkey key.pem -in secret {options}"));
        let opened = block_on(key.unwrap_key(&WrappedKey::new(transport, wrapped))).unwrap();
        assert_eq!(opened.expose(), [7; 32]);
    }
}

#[test]
fn what_was_wrapped_one_way_does_not_open_another_way() {
    let key = keys::rsa_2048();
    let public = DecryptionKey::public_key(&*key);
    let secret = ContentKey::new(vec![7; 32]);
    for (made, _) in TRANSPORTS {
        let octets = AwsLc.wrap_key(public, made, &secret).unwrap();
        for (opened, _) in TRANSPORTS.into_iter().filter(|(other, _)| *other != made) {
            let result = block_on(key.unwrap_key(&WrappedKey::new(opened, octets.clone())));
            assert_eq!(result.unwrap_err(), KeyError::Refused);
        }
    }
    let sha512 = KeyTransport::RsaOaep(DigestAlgorithm::Sha512);
    assert_eq!(AwsLc.wrap_key(public, sha512, &secret), Err(KeyError::Refused));
    let ec = EcdsaKey::generate_p256().unwrap();
    assert_eq!(AwsLc.wrap_key(ec.public_key(), KeyTransport::RsaPkcs1, &secret), Err(KeyError::Refused));
}

#[test]
fn openssl_reads_the_keys_we_write() {
    let folder = testkit::tempdir().unwrap();
    let path = folder.path().join("key.pem");
    for algorithm in [KeyAlgorithm::P256, KeyAlgorithm::P384, KeyAlgorithm::Rsa2048, KeyAlgorithm::Ed25519] {
        let key = SoftwareKey::generate(algorithm).unwrap();
        fs::write(&path, &*key.to_pkcs8_pem().unwrap()).unwrap();
        openssl(folder.path(), "pkey -in key.pem -check -noout");
        let public = openssl(folder.path(), "pkey -in key.pem -pubout -outform der");
        assert_eq!(public, key.public_key().as_der());
        assert_eq!(
            SoftwareKey::from_der(&key.to_pkcs8_der().unwrap()).unwrap().public_key(),
            key.public_key()
        );
    }
}

#[test]
fn we_read_the_keys_openssl_writes_in_each_form() {
    let folder = testkit::tempdir().unwrap();
    openssl(folder.path(), "ecparam -name secp384r1 -genkey -out sec1.pem");
    fs::write(folder.path().join("pkcs8.pem"), keys::STRANGER_PEM).unwrap();
    openssl(folder.path(), "pkey -in pkcs8.pem -traditional -out pkcs1.pem");
    for name in ["sec1", "pkcs1", "pkcs8"] {
        let pem = fs::read_to_string(folder.path().join(format!("{name}.pem"))).unwrap();
        let key = SoftwareKey::from_pem(&format!("a comment\n{pem}")).unwrap();
        let public = openssl(folder.path(), &format!("pkey -in {name}.pem -pubout -outform der"));
        assert_eq!(key.public_key().as_der(), public, "{name}");
    }
}

#[test]
fn other_keys_and_locked_keys_are_refused_by_name() {
    let folder = testkit::tempdir().unwrap();
    fs::write(folder.path().join("key.pem"), keys::DEVICE_P256_PEM).unwrap();
    openssl(folder.path(), "pkey -in key.pem -aes256 -passout pass:x -out locked.pem");
    openssl(folder.path(), "pkey -in key.pem -traditional -aes256 -passout pass:x -out locked-old.pem");
    openssl(folder.path(), "pkcs8 -topk8 -in key.pem -passout pass:x -outform der -out locked.der");
    openssl(folder.path(), "genpkey -algorithm ed448 -out ed448.pem");
    openssl(folder.path(), "genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-521 -out p521.pem");
    let pem = |name: &str| SoftwareKey::from_pem(&fs::read_to_string(folder.path().join(name)).unwrap());
    for name in ["locked.pem", "locked-old.pem"] {
        assert_eq!(pem(name).unwrap_err(), InvalidKey::Encrypted);
    }
    let locked = fs::read(folder.path().join("locked.der")).unwrap();
    assert_eq!(SoftwareKey::from_der(&locked).unwrap_err(), InvalidKey::Encrypted);
    for name in ["ed448.pem", "p521.pem"] {
        assert!(matches!(pem(name), Err(InvalidKey::Unsound(_))), "{name}");
    }
    for text in
        ["", "-----BEGIN PRIVATE KEY-----", "-----BEGIN PRIVATE KEY-----\n!\n-----END PRIVATE KEY-----"]
    {
        assert!(matches!(SoftwareKey::from_pem(text), Err(InvalidKey::Malformed(_))), "{text}");
    }
}

#[test]
fn row_67_keys_are_never_printed() {
    for (kind, key) in ready_keys() {
        let shown = format!("{key:?}");
        assert!(shown.contains(&kind.to_string()) && shown.len() < 40, "{shown}");
    }
}
