//! Keys in files.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::arithmetic_side_effects, reason = "tests")]
#![cfg(unix)]

use std::{
    fs::{self, Permissions},
    os::unix::fs::PermissionsExt as _,
    path::Path,
    thread,
};

use keys_software::{
    FileError, KeyAlgorithm, SoftwareKey, create_key, create_private_file, create_secret, load_key,
    load_secret, read_private_file, replace_key, replace_private_file,
};
use pki_core::SigningKey as _;

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o7777
}

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
}

fn files(folder: &Path) -> usize {
    fs::read_dir(folder).unwrap().count()
}

#[test]
fn keys_read_back_from_their_files() {
    let folder = testkit::tempdir().unwrap();
    let path = folder.path().join("ca.key.pem");
    let (first, second) = (
        SoftwareKey::generate(KeyAlgorithm::P256).unwrap(),
        SoftwareKey::generate(KeyAlgorithm::P384).unwrap(),
    );
    create_key(&path, &first).unwrap();
    assert_eq!(mode(&path), 0o600);
    assert_eq!(load_key(&path).unwrap().public_key(), first.public_key());
    replace_key(&path, &second).unwrap();
    assert_eq!(mode(&path), 0o600);
    assert_eq!(load_key(&path).unwrap().public_key(), second.public_key());
    fs::write(&path, &*first.to_pkcs8_der().unwrap()).unwrap();
    assert_eq!(load_key(&path).unwrap().public_key(), first.public_key());
    assert_eq!(files(folder.path()), 1, "nothing else is left in the folder");
}

#[test]
fn row_69_a_key_that_others_may_read_is_refused() {
    let folder = testkit::tempdir().unwrap();
    let path = folder.path().join("ca.key.pem");
    create_key(&path, &SoftwareKey::generate(KeyAlgorithm::P256).unwrap()).unwrap();
    for open in [0o644, 0o640, 0o604, 0o620, 0o601, 0o777] {
        set_mode(&path, open);
        let error = load_key(&path).unwrap_err();
        assert!(matches!(error, FileError::TooOpen { .. }), "{open:o}");
        assert!(error.to_string().contains(&format!("chmod 600 {}", path.display())), "{error}");
        assert!(load_secret(&path).unwrap_err().to_string().contains("chmod 600"));
    }
    for closed in [0o600, 0o400] {
        set_mode(&path, closed);
        load_key(&path).unwrap();
    }
}

#[test]
fn a_file_that_is_there_is_not_overwritten_by_create() {
    let folder = testkit::tempdir().unwrap();
    let path = folder.path().join("secret");
    create_private_file(&path, b"one").unwrap();
    let error = create_private_file(&path, b"two").unwrap_err();
    assert!(matches!(error, FileError::Exists { .. }), "{error}");
    assert_eq!(&**read_private_file(&path).unwrap(), b"one");
    replace_private_file(&path, b"three").unwrap();
    assert_eq!(&**read_private_file(&path).unwrap(), b"three");
    assert_eq!(files(folder.path()), 1);
}

#[test]
fn of_many_who_create_a_file_one_wins() {
    let folder = testkit::tempdir().unwrap();
    let path = folder.path().join("secret");
    let create = |number: u8| create_private_file(&path, &[number; 1000]).is_ok();
    let winners: Vec<u8> = thread::scope(|scope| {
        let tries: Vec<_> =
            (0..8).map(|number| scope.spawn(move || create(number).then_some(number))).collect();
        tries.into_iter().filter_map(|thread| thread.join().unwrap()).collect()
    });
    assert_eq!(winners.len(), 1);
    assert_eq!(**read_private_file(&path).unwrap(), vec![*winners.first().unwrap(); 1000]);
    assert_eq!(files(folder.path()), 1);
}

#[test]
fn secrets_are_read_as_hexadecimal_and_base64() {
    let folder = testkit::tempdir().unwrap();
    let path = folder.path().join("serial.key");
    let secret: [u8; 32] = std::array::from_fn(|at| u8::try_from(at * 8 + 3).unwrap());
    create_secret(&path, &secret).unwrap();
    assert_eq!(mode(&path), 0o600);
    assert_eq!(*load_secret(&path).unwrap(), secret);
    let hex = fs::read_to_string(&path).unwrap();
    fs::write(path.with_extension("raw"), secret).unwrap();
    let base64 = testkit::run("openssl", ["base64", "-in", path.with_extension("raw").to_str().unwrap()]);
    let base64 = String::from_utf8(base64).unwrap();
    for text in [hex.to_uppercase(), base64.clone(), base64.trim_end().trim_end_matches('=').to_owned()] {
        fs::write(&path, &text).unwrap();
        assert_eq!(*load_secret(&path).unwrap(), secret, "{text}");
    }
    let wrong = ["", "00", &hex[..62], &format!("{}00", hex.trim()), &"g".repeat(64), &"*".repeat(44)];
    for text in wrong {
        fs::write(&path, text).unwrap();
        let error = load_secret(&path).unwrap_err().to_string();
        assert!(error.contains("64 hexadecimal digits") && error.contains("serial.key"), "{error}");
    }
}

#[test]
fn errors_name_the_file_and_what_is_wrong() {
    let folder = testkit::tempdir().unwrap();
    let missing = folder.path().join("missing.pem");
    let error = load_key(&missing).unwrap_err();
    assert!(error.is_not_found());
    assert!(
        error.to_string().contains("cannot read") && error.to_string().contains("missing.pem"),
        "{error}"
    );
    let garbage = folder.path().join("garbage.pem");
    create_private_file(&garbage, b"not a key").unwrap();
    let error = load_key(&garbage).unwrap_err();
    assert!(!error.is_not_found());
    assert!(error.to_string().contains("garbage.pem: expected a private key"), "{error}");
    let large = folder.path().join("large");
    create_private_file(&large, &vec![b'x'; 70_000]).unwrap();
    assert!(read_private_file(&large).unwrap_err().to_string().contains("64 KiB"));
    let nowhere = folder.path().join("no-folder").join("key.pem");
    let error = create_private_file(&nowhere, b"").unwrap_err();
    assert!(error.is_not_found(), "{error}");
}
