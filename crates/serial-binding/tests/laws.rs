//! The laws that every layout keeps.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::arithmetic_side_effects,
    clippy::cast_possible_truncation,
    dead_code,
    missing_docs,
    unreachable_pub,
    reason = "tests"
)]

mod support;

use pki_core::{RandomFailed, SerialNumber};
use proptest::prelude::*;
use serial_binding::{
    BoundObject, KeyId, ObjectId, ObjectKind, PlainBinding, Resolution, ScepmanSerials, SealedBinding,
    SerialBinding, SerialBindings, SerialKey, opaque_serial,
};
use support::{Dry, Seeded, issuer};

fn objects() -> impl Strategy<Value = BoundObject> {
    let kinds: Vec<_> = ObjectKind::all().collect();
    (prop::sample::select(kinds), any::<[u8; 16]>(), any::<u64>()).prop_map(|(kind, uuid, number)| {
        let id = if kind.is_numeric() { ObjectId::Number(number) } else { ObjectId::Uuid(uuid) };
        BoundObject::new(kind, id).unwrap()
    })
}

fn serials() -> impl Strategy<Value = SerialNumber> {
    (any::<[u8; 20]>(), 0..=0x7F_u8).prop_filter_map("zero", |(mut octets, first)| {
        octets[0] = first;
        SerialNumber::from_be_bytes(&octets).ok()
    })
}

fn key(id: u8, octets: [u8; 32]) -> SerialKey {
    SerialKey::from_slice(KeyId::new(id).unwrap(), &octets).unwrap()
}

proptest! {
    #[test]
    fn what_is_bound_resolves_to_the_same_object(
        object in objects(), octets in any::<[u8; 32]>(), key_id in 0..16u8, seed in any::<u64>(),
    ) {
        let random = Seeded::new(seed);
        let sealed = SealedBinding::new(&key(key_id, octets), &issuer(0));
        let serial = sealed.bind(&object, &random).unwrap();
        prop_assert_eq!(sealed.resolve(&serial), Resolution::Object(object));
        prop_assert_eq!(PlainBinding.resolve(&serial), Resolution::Foreign);

        let serial = PlainBinding.bind(&object, &random).unwrap();
        prop_assert_eq!(PlainBinding.resolve(&serial), Resolution::Object(object));
        prop_assert_eq!(sealed.resolve(&serial), Resolution::Foreign);
    }

    #[test]
    fn what_is_made_has_20_octets_and_the_first_octet_of_its_version(
        object in objects(), octets in any::<[u8; 32]>(), key_id in 0..16u8, seed in any::<u64>(),
    ) {
        let random = Seeded::new(seed);
        let made = [
            (PlainBinding.bind(&object, &random).unwrap(), 0x10 | object.kind().number()),
            (SealedBinding::new(&key(key_id, octets), &issuer(0)).bind(&object, &random).unwrap(), 0x20 | key_id),
            (opaque_serial(&random).unwrap(), 0x30),
        ];
        for (serial, first) in made {
            prop_assert_eq!(serial.as_be_bytes().len(), 20);
            prop_assert_eq!(serial.as_be_bytes()[0], first);
        }
    }

    #[test]
    fn no_serial_number_panics_and_only_enabled_layouts_resolve(serial in serials(), short in 1..20usize) {
        let sealed = SerialBindings::sealed(&key(3, [7; 32]), &issuer(0));
        let everything = SerialBindings::sealed(&key(3, [7; 32]), &issuer(0))
            .with_plain()
            .with_scepman(ScepmanSerials::ENTRA);
        let first = serial.as_be_bytes()[0];
        let resolved = sealed.resolve(&serial);
        if first != 0x23 && first != 0x30 {
            prop_assert_eq!(resolved, Resolution::Foreign);
        }
        if resolved != Resolution::Foreign {
            prop_assert_eq!(everything.resolve(&serial), resolved);
        }
        if let Ok(short) = SerialNumber::from_be_bytes(&serial.as_be_bytes()[..short.min(serial.as_be_bytes().len())]) {
            prop_assert!(short.as_be_bytes().len() == 20 || everything.resolve(&short) == Resolution::Foreign);
        }
    }

    #[test]
    fn nothing_opens_under_another_key_key_id_or_ca(number in any::<u64>(), seed in any::<u64>()) {
        let object = BoundObject::new(ObjectKind::JAMF_COMPUTER, ObjectId::Number(number)).unwrap();
        let serial = SealedBinding::new(&key(0, [1; 32]), &issuer(0)).bind(&object, &Seeded::new(seed)).unwrap();
        for other in [
            SealedBinding::new(&key(0, [1; 32]), &issuer(1)),
            SealedBinding::new(&key(0, [2; 32]), &issuer(0)),
            SealedBinding::new(&key(1, [1; 32]), &issuer(0)),
        ] {
            // By chance, one in 585 turns into some UUID.
            prop_assert_ne!(other.resolve(&serial), Resolution::Object(object));
        }
    }
}

#[test]
fn renewals_of_one_object_have_nothing_in_common() {
    let binding = SealedBinding::new(&key(0, [1; 32]), &issuer(0));
    let object = "device:d6b58414-60ed-426b-b382-276a3e8d626d".parse().unwrap();
    let random = Seeded::new(1);
    let serials: Vec<_> = (0..64).map(|_| binding.bind(&object, &random).unwrap()).collect();
    for pair in serials.windows(2) {
        let (one, other) = (pair[0].as_be_bytes(), pair[1].as_be_bytes());
        let differing: u32 = one.iter().zip(other).map(|(a, b)| (a ^ b).count_ones()).sum();
        assert!((40..112).contains(&differing), "{differing} of 152 bits differ");
    }
}

#[test]
fn keys_rotate() {
    let object: BoundObject = "device:d6b58414-60ed-426b-b382-276a3e8d626d".parse().unwrap();
    let (old, new) = (key(0, [1; 32]), key(1, [2; 32]));
    let random = Seeded::new(1);
    let before = SerialBindings::sealed(&old, &issuer(0));
    let earlier = before.bind(&object, &random).unwrap();
    let after = SerialBindings::sealed(&new, &issuer(0)).with_earlier_key(&old).unwrap();
    let later = after.bind(&object, &random).unwrap();
    assert_eq!(later.as_be_bytes()[0], 0x21);
    assert_eq!(after.resolve(&earlier), Resolution::Object(object));
    assert_eq!(after.resolve(&later), Resolution::Object(object));
    assert_eq!(before.resolve(&later), Resolution::Foreign);
    let taken = SerialBindings::sealed(&new, &issuer(0)).with_earlier_key(&key(1, [3; 32]));
    assert!(taken.unwrap_err().to_string().contains("id 1"));
}

#[test]
fn plain_numbers_are_made_where_asked_for_and_read_where_asked_for() {
    let object: BoundObject = "jamf-user-on-computer:17/4".parse().unwrap();
    let plain = SerialBindings::plain(&issuer(0));
    let serial = plain.bind(&object, &Seeded::new(1)).unwrap();
    assert_eq!(plain.resolve(&serial), Resolution::Object(object));
    let sealed = SerialBindings::sealed(&key(0, [1; 32]), &issuer(0));
    assert_eq!(sealed.resolve(&serial), Resolution::Foreign);
    assert_eq!(sealed.with_plain().resolve(&serial), Resolution::Object(object));
}

#[test]
fn row_47_a_never_issued_number_is_not_an_object() {
    // Of what claims to be sealed with a key that is not ours, nothing resolves; nor does what other CAs number.
    let binding = SerialBindings::sealed(&key(3, [7; 32]), &issuer(0));
    let random = Seeded::new(47);
    for length in 1..=20 {
        for _ in 0..200 {
            let octets = &random.octets::<20>()[..length];
            let Ok(serial) = SerialNumber::from_be_bytes(octets) else { continue };
            if !matches!(serial.as_be_bytes()[0], 0x23 | 0x30) || serial.as_be_bytes().len() < 20 {
                assert_eq!(binding.resolve(&serial), Resolution::Foreign, "{serial}");
            }
        }
    }
}

#[test]
fn row_48_forged_numbers_do_not_reach_the_directory() {
    let binding = SerialBindings::sealed(&key(3, [7; 32]), &issuer(0));
    let random = Seeded::new(48);
    let (mut uuids, mut numbers) = (0, 0);
    let forged = 200_000;
    for _ in 0..forged {
        let mut octets = random.octets::<20>();
        octets[0] = 0x23;
        match binding.resolve(&SerialNumber::from_be_bytes(&octets).unwrap()) {
            Resolution::Object(object) if object.kind().is_numeric() => numbers += 1,
            Resolution::Object(_) => uuids += 1,
            _ => {}
        }
    }
    assert!(uuids <= forged / 512 * 11 / 10, "{uuids} of {forged} would be looked up");
    assert_eq!(numbers, 0);
}

#[test]
fn row_73_a_collision_shows_as_the_same_number_so_that_the_record_can_refuse_it() {
    let object: BoundObject = "device:d6b58414-60ed-426b-b382-276a3e8d626d".parse().unwrap();
    let binding = SealedBinding::new(&key(0, [1; 32]), &issuer(0));
    let stuck = support::Fixed(vec![0x5A]);
    assert_eq!(binding.bind(&object, &stuck), binding.bind(&object, &stuck));
}

#[test]
fn without_randomness_nothing_is_bound() {
    let binding = SealedBinding::new(&key(0, [1; 32]), &issuer(0));
    for object in ["device:d6b58414-60ed-426b-b382-276a3e8d626d", "jamf-computer:1"] {
        let object: BoundObject = object.parse().unwrap();
        assert_eq!(binding.bind(&object, &Dry), Err(RandomFailed));
        assert_eq!(PlainBinding.bind(&object, &Dry), Err(RandomFailed));
    }
    assert_eq!(opaque_serial(&Dry), Err(RandomFailed));
    assert!(SerialKey::generate(KeyId::FIRST, &Dry).is_err());
}

#[test]
fn row_67_no_binding_prints_its_key() {
    let secret = key(0, [0xA7; 32]);
    let text = format!(
        "{:?} {:?} {:?}",
        secret,
        SealedBinding::new(&secret, &issuer(0)),
        SerialBindings::sealed(&secret, &issuer(0))
    );
    assert!(!text.to_lowercase().contains("a7, a7") && !text.contains("167"), "{text}");
}
