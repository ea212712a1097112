//! What a certificate is bound to.

use core::fmt;

/// The kind of an object: four bits, 0 to 7 for objects named by 128-bit ids, 8 to 15 for objects named by numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ObjectKind(u8);

impl ObjectKind {
    /// A device named by a 128-bit id.
    pub const DEVICE: Self = Self(0);
    /// A user named by a 128-bit id.
    pub const USER: Self = Self(1);

    /// The kind of that number, 0 to 15.
    pub fn new(number: u8) -> Option<Self> {
        (number < 16).then_some(Self(number))
    }

    /// Its number, 0 to 15.
    pub fn number(self) -> u8 {
        self.0
    }

    /// Whether objects of this kind are named by numbers.
    pub fn is_numeric(self) -> bool {
        self.0 >= 8
    }
}

/// The id of an object in its directory.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[expect(clippy::exhaustive_enums, reason = "the two forms that a serial number has room for")]
pub enum ObjectId {
    /// A UUID, in the order of its text.
    Uuid([u8; 16]),
    /// A number.
    Number(u64),
}

/// An object of a directory: what it is and which one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct BoundObject {
    kind: ObjectKind,
    id: ObjectId,
}

impl BoundObject {
    /// Fails when an object of `kind` is not named by ids of that form.
    pub fn new(kind: ObjectKind, id: ObjectId) -> Result<Self, InvalidObject> {
        if kind.is_numeric() == matches!(id, ObjectId::Number(_)) {
            Ok(Self { kind, id })
        } else {
            Err(InvalidObject)
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

/// An id of the wrong form for its kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("kinds 0 to 7 are named by UUIDs, kinds 8 to 15 by numbers")]
#[expect(clippy::exhaustive_structs, reason = "there is nothing more to say")]
pub struct InvalidObject;
