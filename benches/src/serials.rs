//! The serial number codec, and FF1 as the crate fpe has it.

use std::hint::black_box;

use fpe::ff1::{BinaryNumeralString, FF1};
use serial_binding::{
    BoundObject, KeyId, ObjectId, ObjectKind, PlainBinding, Resolution, SealedBinding, SerialBinding,
    SerialKey, opaque_serial,
};
use testkit::{SeededRandom, ca};

use crate::{Operation, Run};

/// The operations of this group.
pub const OPERATIONS: &[Operation] = &[
    Operation { name: "serial/v1 bind", prepare: || bind(PlainBinding) },
    Operation { name: "serial/v1 resolve", prepare: || resolve(PlainBinding) },
    Operation { name: "serial/v2 bind", prepare: || bind(sealed()) },
    Operation { name: "serial/v2 resolve", prepare: || resolve(sealed()) },
    Operation { name: "serial/v3 make", prepare: opaque },
    Operation { name: "serial/FF1 of the crate fpe, decrypt", prepare: ff1_of_fpe },
];

fn sealed() -> SealedBinding {
    let key = SerialKey::from_slice(KeyId::FIRST, &[7; 32]).expect("a key");
    SealedBinding::new(&key, ca().certificate.public_key())
}

fn object() -> BoundObject {
    BoundObject::new(ObjectKind::DEVICE, ObjectId::Uuid([0x5A; 16])).expect("an object")
}

fn bind(binding: impl SerialBinding + 'static) -> Run {
    let (object, random) = (object(), SeededRandom::new(1));
    Run::same(move || _ = black_box(binding.bind(black_box(&object), &random)).expect("a serial number"))
}

fn resolve(binding: impl SerialBinding + 'static) -> Run {
    let serial = binding.bind(&object(), &SeededRandom::new(1)).expect("a serial number");
    Run::same(move || assert_eq!(binding.resolve(black_box(&serial)), Resolution::Object(object())))
}

fn opaque() -> Run {
    let random = SeededRandom::new(1);
    Run::same(move || _ = black_box(opaque_serial(&random)).expect("a serial number"))
}

/// The same cipher, key size, width and tweak length as v2.
fn ff1_of_fpe() -> Run {
    let ff1 = FF1::<aes::Aes256>::new(&[7; 32], 2).expect("radix 2");
    let sealed = BinaryNumeralString::from_bytes_le(&[0x5A; 19]);
    Run::same(move || _ = black_box(ff1.decrypt(&[1; 33], black_box(&sealed))).expect("decrypts"))
}
