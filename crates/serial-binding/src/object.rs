//! What a certificate is bound to.

use alloc::string::String;
use core::{fmt, str::FromStr};

use crate::ObjectKind;

/// The id of an object in its directory.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[expect(clippy::exhaustive_enums, reason = "the two forms that a serial number has room for")]
pub enum ObjectId {
    /// A UUID, in the order of its text.
    Uuid([u8; 16]),
    /// A number.
    Number(u64),
}

impl ObjectId {
    /// The id of a pair, as [`ObjectKind::is_pair`] kinds have it: a device and the user on it.
    pub fn from_pair(device: u32, user: u32) -> Self {
        Self::Number(u64::from(device) << 32 | u64::from(user))
    }
}

/// An object of a directory: what it is and which one. Prints as `kind:id`, and reads back from that.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct BoundObject {
    kind: ObjectKind,
    id: ObjectId,
}

impl BoundObject {
    /// Fails when objects of `kind` are not named by ids of that form.
    pub fn new(kind: ObjectKind, id: ObjectId) -> Result<Self, InvalidObject> {
        if kind.is_numeric() == matches!(id, ObjectId::Number(_)) {
            Ok(Self { kind, id })
        } else {
            Err(InvalidObject::WrongForm { kind })
        }
    }

    /// What it is.
    pub fn kind(self) -> ObjectKind {
        self.kind
    }

    /// Which one.
    pub fn id(self) -> ObjectId {
        self.id
    }

    /// The two ids, device and user, of an object whose kind [is a pair](ObjectKind::is_pair).
    pub fn pair(self) -> Option<(u32, u32)> {
        let ObjectId::Number(number) = self.id else { return None };
        let low = u32::try_from(number & u64::from(u32::MAX)).ok()?;
        self.kind.is_pair().then_some((u32::try_from(number >> 32).ok()?, low))
    }
}

impl fmt::Display for BoundObject {
    /// `intune-device:d6b58414-60ed-426b-b382-276a3e8d626d`, `jamf-computer:17`, `jamf-user-on-computer:17/4`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.pair() {
            Some((device, user)) => write!(f, "{}:{device}/{user}", self.kind),
            None => write!(f, "{}:{}", self.kind, self.id),
        }
    }
}

impl fmt::Debug for BoundObject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for BoundObject {
    type Err = InvalidObject;

    /// Reads what `Display` writes.
    fn from_str(text: &str) -> Result<Self, InvalidObject> {
        let malformed = || InvalidObject::NotKindAndId { text: text.chars().take(80).collect() };
        let (kind, id) = text.split_once(':').ok_or_else(malformed)?;
        let kind: ObjectKind = kind.parse().map_err(|_| malformed())?;
        let id = match id.split_once('/') {
            Some((device, user)) if kind.is_pair() => {
                let part = |part: &str| decimal(part).and_then(|number| u32::try_from(number).ok());
                part(device).zip(part(user)).map(|(device, user)| ObjectId::from_pair(device, user))
            }
            _ if kind.is_pair() => None,
            _ => id.parse().ok(),
        };
        Self::new(kind, id.ok_or_else(malformed)?)
    }
}

impl fmt::Debug for ObjectId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for ObjectId {
    /// `d6b58414-60ed-426b-b382-276a3e8d626d`, or the number.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(number) => fmt::Display::fmt(number, f),
            Self::Uuid(octets) => octets.iter().enumerate().try_for_each(|(at, octet)| {
                let dash = if matches!(at, 4 | 6 | 8 | 10) { "-" } else { "" };
                write!(f, "{dash}{octet:02x}")
            }),
        }
    }
}

impl FromStr for ObjectId {
    type Err = InvalidObjectId;

    /// Reads a UUID (either case, with or without its dashes or braces) or a decimal number.
    fn from_str(text: &str) -> Result<Self, InvalidObjectId> {
        uuid(text)
            .map(Self::Uuid)
            .or_else(|| decimal(text).map(Self::Number))
            .ok_or_else(|| InvalidObjectId { text: text.chars().take(80).collect() })
    }
}

fn uuid(text: &str) -> Option<[u8; 16]> {
    let text = text.strip_prefix('{').and_then(|text| text.strip_suffix('}')).unwrap_or(text);
    let bare = text.len() == 32 && !text.contains('-');
    let dashed = || text.char_indices().all(|(at, c)| (c == '-') == matches!(at, 8 | 13 | 18 | 23));
    if !bare && (text.len() != 36 || !dashed()) {
        return None;
    }
    let digits = text
        .chars()
        .filter(|&c| c != '-')
        .try_fold(0u128, |number, c| Some(number << 4 | u128::from(c.to_digit(16)?)))?;
    Some(digits.to_be_bytes())
}

/// Digits and nothing else, unlike `u64::from_str`, which lets a plus sign pass.
fn decimal(text: &str) -> Option<u64> {
    text.bytes().all(|octet| octet.is_ascii_digit()).then(|| text.parse().ok()).flatten()
}

/// A kind and an id that do not make an object.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidObject {
    /// The id has not the form that ids of that kind have.
    #[error("an object of kind {kind} is named by {}", if kind.is_numeric() { "a number" } else { "a UUID" })]
    WrongForm {
        /// The kind.
        kind: ObjectKind,
    },
    /// Text that is no object.
    #[error("expected an object as kind:id, such as device:d6b58414-60ed-426b-b382-276a3e8d626d: {text:?}")]
    NotKindAndId {
        /// The beginning of the text.
        text: String,
    },
}

/// Text that is no id.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expected a UUID such as d6b58414-60ed-426b-b382-276a3e8d626d, or a number: {text:?}")]
pub struct InvalidObjectId {
    text: String,
}

#[cfg(test)]
mod tests {
    use alloc::string::ToString as _;

    use proptest::prelude::*;

    use super::*;

    const UUID: &str = "d6b58414-60ed-426b-b382-276a3e8d626d";

    #[test]
    fn ids_are_read_as_people_paste_them() {
        let expected: ObjectId = UUID.parse().unwrap();
        assert_eq!(expected.to_string(), UUID);
        let braced = alloc::format!("{{{}}}", UUID.to_uppercase());
        for text in [&*UUID.to_uppercase(), &*UUID.replace('-', ""), &*braced] {
            assert_eq!(text.parse(), Ok(expected), "{text}");
        }
        assert_eq!("18446744073709551615".parse(), Ok(ObjectId::Number(u64::MAX)));
    }

    #[test]
    fn what_is_no_id_is_refused() {
        let moved_dash = "d6b5841-460ed-426b-b382-276a3e8d626d";
        for text in ["", "-1", "+1", " 1", "18446744073709551616", moved_dash, "laptop", "{17}", &UUID[1..]] {
            assert!(text.parse::<ObjectId>().is_err(), "{text}");
        }
    }

    #[test]
    fn kinds_and_ids_of_different_forms_do_not_go_together() {
        let uuid: ObjectId = UUID.parse().unwrap();
        assert!(BoundObject::new(ObjectKind::JAMF_COMPUTER, uuid).is_err());
        assert!(BoundObject::new(ObjectKind::DEVICE, ObjectId::Number(1)).is_err());
        for text in
            ["device:17", "device", "device:", "phone:1", "jamf-user-on-computer:17", "jamf-computer:1/2"]
        {
            assert!(text.parse::<BoundObject>().is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn objects_read_back(number in any::<u64>(), octets in any::<[u8; 16]>()) {
            for kind in ObjectKind::all() {
                let id = if kind.is_numeric() { ObjectId::Number(number) } else { ObjectId::Uuid(octets) };
                let object = BoundObject::new(kind, id).unwrap();
                prop_assert_eq!(object.to_string().parse(), Ok(object));
                if let Some((device, user)) = object.pair() {
                    prop_assert_eq!(ObjectId::from_pair(device, user), id);
                }
            }
        }

        #[test]
        fn no_text_panics(text in ".{0,60}") {
            let _ = (text.parse::<ObjectId>(), text.parse::<BoundObject>());
        }
    }
}
