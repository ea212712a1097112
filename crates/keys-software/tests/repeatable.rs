//! Signatures that are the same each time: those of the standards' own examples, and good to another library.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

use std::sync::Arc;

use keys_software::{AwsLc, KeyAlgorithm, NotRepeatable, RepeatableKey, SoftwareKey};
use pki_core::{SignatureAlgorithm, SignatureVerifier as _, SigningKey as _, tlv};
use proptest::prelude::*;
use testkit::block_on;

fn octets(hex: &str) -> Vec<u8> {
    let digit = |digit: u8| char::from(digit).to_digit(16).unwrap();
    hex.as_bytes().chunks(2).map(|two| u8::try_from(digit(two[0]) << 4 | digit(two[1])).unwrap()).collect()
}

/// ECPrivateKey (RFC 5915) with the curve named.
fn sec1(curve: &str, secret: &str) -> SoftwareKey {
    let curve = tlv::wrap(0xA0, &tlv::oid(curve.parse().unwrap()));
    let der = tlv::sequence([&[2, 1, 1][..], &tlv::wrap(tlv::OCTET_STRING, &octets(secret)), &curve]);
    SoftwareKey::from_der(&der).unwrap()
}

fn der_signature(r: &str, s: &str) -> Vec<u8> {
    let integer = |hex: &str| {
        let mut number = octets(hex);
        if number[0] >= 0x80 {
            number.insert(0, 0);
        }
        tlv::wrap(tlv::INTEGER, &number)
    };
    tlv::sequence([&*integer(r), &integer(s)])
}

/// RFC 6979, appendices A.2.5 and A.2.6: curve, private key, message, r and s.
const RFC_6979: [(&str, &str, &str, &str, &str); 4] = [
    (
        "1.2.840.10045.3.1.7",
        "C9AFA9D845BA75166B5C215767B1D6934E50C3DB36E89B127B8A622B120F6721",
        "sample",
        "EFD48B2AACB6A8FD1140DD9CD45E81D69D2C877B56AAF991C34D0EA84EAF3716",
        "F7CB1C942D657C41D436C7A1B6E29F65F3E900DBB9AFF4064DC4AB2F843ACDA8",
    ),
    (
        "1.2.840.10045.3.1.7",
        "C9AFA9D845BA75166B5C215767B1D6934E50C3DB36E89B127B8A622B120F6721",
        "test",
        "F1ABB023518351CD71D881567B1EA663ED3EFCF6C5132B354F28D3B0B7D38367",
        "019F4113742A2B14BD25926B49C649155F267E60D3814B4C0CC84250E46F0083",
    ),
    (
        "1.3.132.0.34",
        "6B9D3DAD2E1B8C1C05B19875B6659F4DE23C3B667BF297BA9AA47740787137D896D5724E4C70A825F872C9EA60D2EDF5",
        "sample",
        "94EDBB92A5ECB8AAD4736E56C691916B3F88140666CE9FA73D64C4EA95AD133C81A648152E44ACF96E36DD1E80FABE46",
        "99EF4AEB15F178CEA1FE40DB2603138F130E740A19624526203B6351D0A3A94FA329C145786E679E7B82C71A38628AC8",
    ),
    (
        "1.3.132.0.34",
        "6B9D3DAD2E1B8C1C05B19875B6659F4DE23C3B667BF297BA9AA47740787137D896D5724E4C70A825F872C9EA60D2EDF5",
        "test",
        "8203B63D3C853E8D77227FB377BCF7B7B772E97892A80F36AB775D509D7A5FEB0542A7F0812998DA8F1DD3CA3CF023DB",
        "DDD0760448D42D8A43AF45AF836FCE4DE8BE06B485E9B61B827C2F13173923E06A739F040649A667BF3B828246BAA5A5",
    ),
];

#[test]
fn ecdsa_signatures_are_those_of_rfc_6979() {
    for (curve, secret, message, r, s) in RFC_6979 {
        let key = RepeatableKey::new(Arc::new(sec1(curve, secret))).unwrap();
        let signature = block_on(key.sign(message.as_bytes())).unwrap();
        assert_eq!(signature, der_signature(r, s), "{curve} {message}");
    }
}

#[test]
fn what_salts_its_signatures_is_refused() {
    let SoftwareKey::Rsa(rsa) = SoftwareKey::from_pem(testkit::keys::RSA_3072_PEM).unwrap() else { panic!() };
    let pss = SignatureAlgorithm::RsaPssSha256;
    let key = SoftwareKey::Rsa(rsa.with_signature_algorithm(pss).unwrap());
    assert_eq!(RepeatableKey::new(Arc::new(key)).unwrap_err(), NotRepeatable(pss));
}

fn repeatable(algorithm: KeyAlgorithm) -> [RepeatableKey; 2] {
    let key = SoftwareKey::generate(algorithm).unwrap();
    // As another instance has it: from the file.
    let copy = SoftwareKey::from_der(&key.to_pkcs8_der().unwrap()).unwrap();
    [key, copy].map(|key| RepeatableKey::new(Arc::new(key)).unwrap())
}

#[test]
fn the_same_message_is_signed_alike_everywhere_and_another_library_verifies_it() {
    let kinds = KeyAlgorithm::ALL.into_iter();
    let kinds = kinds.filter(|kind| !matches!(kind, KeyAlgorithm::Rsa3072 | KeyAlgorithm::Rsa4096));
    let pairs: Vec<_> = kinds.map(|kind| (kind, repeatable(kind))).collect();
    proptest!(ProptestConfig::with_cases(16), |(message in prop::collection::vec(any::<u8>(), 0..600))| {
        for (kind, [one, other]) in &pairs {
            let signature = block_on(one.sign(&message)).unwrap();
            prop_assert_eq!(&signature, &block_on(other.sign(&message)).unwrap(), "{}", kind);
            let verified = AwsLc.verify(one.public_key(), one.algorithm(), &message, &signature);
            prop_assert_eq!(verified, Ok(()), "{}", kind);
        }
    });
}
