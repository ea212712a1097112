//! Serial numbers of every layout: any octets can be read, and an object that is read can be bound again.
#![no_main]

use std::sync::LazyLock;

use certbound_fuzz::Counting;
use libfuzzer_sys::fuzz_target;
use pki_core::{PublicKey, SerialNumber};
use serial_binding::{
    KeyId, PlainBinding, Resolution, ScepmanSerial, ScepmanSerials, SerialBinding, SerialBindings, SerialKey,
};

/// The CA and the key of vectors/serial-binding/v2-sealed.toml, under every key id.
static SEALED: LazyLock<SerialBindings> = LazyLock::new(|| {
    let issuer = PublicKey::from_der(include_bytes!("../src/sealing-ca.spki")).expect("a public key");
    let octets: [u8; 32] = std::array::from_fn(|at| at as u8);
    let mut keys =
        (0..16).map(|id| SerialKey::from_slice(KeyId::new(id).expect("an id"), &octets).expect("a key"));
    let first = keys.next().expect("the first of sixteen");
    let sealed = SerialBindings::sealed(&first, &issuer);
    let sealed =
        keys.try_fold(sealed, |bindings, key| bindings.with_earlier_key(&key)).expect("ids of their own");
    sealed.with_plain().with_scepman(ScepmanSerials::INTUNE)
});

fuzz_target!(|octets: &[u8]| {
    let Ok(serial) = SerialNumber::from_be_bytes(octets) else { return };
    assert_eq!(serial.to_string().parse(), Ok(serial), "text reads back");
    let _ = ScepmanSerial::decode(&serial);
    let Resolution::Object(object) = SEALED.resolve(&serial) else { return };
    assert_eq!(serial.as_be_bytes().len(), SerialNumber::MAX_LEN);
    for binding in [&*SEALED as &dyn SerialBinding, &PlainBinding] {
        let bound = binding.bind(&object, &Counting).expect("counting never fails");
        assert_eq!(binding.resolve(&bound), Resolution::Object(object));
        assert_eq!(bound.as_be_bytes().len(), SerialNumber::MAX_LEN);
    }
});
