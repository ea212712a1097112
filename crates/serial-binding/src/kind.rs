//! What an object is.

use core::{fmt, str::FromStr};

/// The kind of an object: four bits. Kinds 0 to 7 are named by 128-bit ids, 8 to 15 by numbers of 64 bits.
///
/// A kind says which directory knows the object, so that two directories side by side never answer for each other.
/// Numbers 7, 14 and 15 are reserved; there is no `ObjectKind` of them, and a serial number that carries one is
/// foreign.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ObjectKind(u8);

impl ObjectKind {
    /// A device that a directory of the site's own, such as a file, names by a UUID.
    pub const DEVICE: Self = Self(0);
    /// A user that a directory of the site's own, such as a file, names by a UUID.
    pub const USER: Self = Self(1);
    /// A device of Microsoft Entra, by its `deviceId`.
    pub const ENTRA_DEVICE: Self = Self(2);
    /// A user of Microsoft Entra, by its object id.
    pub const ENTRA_USER: Self = Self(3);
    /// A managed device of Intune, by its Intune device id.
    pub const INTUNE_DEVICE: Self = Self(4);
    /// An entry of an LDAP directory, device or user, by its `objectGUID` or `entryUUID`.
    pub const LDAP_ENTRY: Self = Self(5);
    /// A resource of a SCIM service whose ids are UUIDs.
    pub const SCIM_RESOURCE: Self = Self(6);
    /// A computer of Jamf Pro, by its id.
    pub const JAMF_COMPUTER: Self = Self(8);
    /// A mobile device of Jamf Pro, by its id.
    pub const JAMF_MOBILE_DEVICE: Self = Self(9);
    /// A user of Jamf Pro, by its id.
    pub const JAMF_USER: Self = Self(10);
    /// A user of Jamf Pro on a computer: a pair of ids, the computer's first.
    pub const JAMF_USER_ON_COMPUTER: Self = Self(11);
    /// A user of Jamf Pro on a mobile device: a pair of ids, the device's first.
    pub const JAMF_USER_ON_MOBILE_DEVICE: Self = Self(12);
    /// An object that a directory of the site's own names by a number.
    pub const NUMBERED: Self = Self(13);

    const NAMES: [(Self, &str); 13] = [
        (Self::DEVICE, "device"),
        (Self::USER, "user"),
        (Self::ENTRA_DEVICE, "entra-device"),
        (Self::ENTRA_USER, "entra-user"),
        (Self::INTUNE_DEVICE, "intune-device"),
        (Self::LDAP_ENTRY, "ldap-entry"),
        (Self::SCIM_RESOURCE, "scim-resource"),
        (Self::JAMF_COMPUTER, "jamf-computer"),
        (Self::JAMF_MOBILE_DEVICE, "jamf-mobile-device"),
        (Self::JAMF_USER, "jamf-user"),
        (Self::JAMF_USER_ON_COMPUTER, "jamf-user-on-computer"),
        (Self::JAMF_USER_ON_MOBILE_DEVICE, "jamf-user-on-mobile-device"),
        (Self::NUMBERED, "numbered"),
    ];

    /// The kind of that number; `None` for a number that is reserved or above 15.
    pub fn new(number: u8) -> Option<Self> {
        match number {
            0..=6 | 8..=13 => Some(Self(number)),
            _ => None,
        }
    }

    /// Every kind, in the order of their numbers.
    pub fn all() -> impl Iterator<Item = Self> {
        Self::NAMES.into_iter().map(|(kind, _)| kind)
    }

    /// Its number, 0 to 13.
    pub fn number(self) -> u8 {
        self.0
    }

    /// Its name, such as `intune-device`.
    pub fn name(self) -> &'static str {
        Self::NAMES.into_iter().find(|(kind, _)| *kind == self).map_or("reserved", |(_, name)| name)
    }

    /// Whether objects of this kind are named by numbers.
    pub fn is_numeric(self) -> bool {
        self.0 >= 8
    }

    /// Whether the number that names an object of this kind is a pair of two ids.
    pub fn is_pair(self) -> bool {
        matches!(self, Self::JAMF_USER_ON_COMPUTER | Self::JAMF_USER_ON_MOBILE_DEVICE)
    }
}

impl fmt::Display for ObjectKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl fmt::Debug for ObjectKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for ObjectKind {
    type Err = UnknownKind;

    /// Reads a [name](ObjectKind::name).
    fn from_str(text: &str) -> Result<Self, UnknownKind> {
        Self::NAMES.into_iter().find(|(_, name)| *name == text).map(|(kind, _)| kind).ok_or(UnknownKind)
    }
}

/// No kind of object has that name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "expected a kind of object: device, user, entra-device, entra-user, intune-device, ldap-entry, scim-resource, \
     jamf-computer, jamf-mobile-device, jamf-user, jamf-user-on-computer, jamf-user-on-mobile-device or numbered"
)]
#[expect(clippy::exhaustive_structs, reason = "there is nothing more to say")]
pub struct UnknownKind;

/// A set of kinds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ObjectKinds(u16);

impl ObjectKinds {
    /// Every kind.
    pub const ALL: Self = Self(u16::MAX);

    /// Whether `kind` is one of them.
    pub fn contains(self, kind: ObjectKind) -> bool {
        self.0 & bit(kind) != 0
    }
}

impl FromIterator<ObjectKind> for ObjectKinds {
    fn from_iter<I: IntoIterator<Item = ObjectKind>>(kinds: I) -> Self {
        Self(kinds.into_iter().fold(0, |set, kind| set | bit(kind)))
    }
}

fn bit(kind: ObjectKind) -> u16 {
    1u16.wrapping_shl(u32::from(kind.number()))
}

#[cfg(test)]
mod tests {
    use alloc::string::ToString;

    use super::*;

    #[test]
    fn numbers_and_names_read_back() {
        for kind in ObjectKind::all() {
            assert_eq!(ObjectKind::new(kind.number()), Some(kind));
            assert_eq!(kind.to_string().parse(), Ok(kind));
            assert!(UnknownKind.to_string().contains(kind.name()), "the error lists {kind}");
        }
        assert_eq!(ObjectKind::all().count(), (0..=u8::MAX).filter_map(ObjectKind::new).count());
        assert_eq!("reserved".parse::<ObjectKind>(), Err(UnknownKind));
    }

    #[test]
    fn a_set_holds_what_was_put_in() {
        let devices = ObjectKinds::from_iter([ObjectKind::DEVICE, ObjectKind::JAMF_COMPUTER]);
        assert!(devices.contains(ObjectKind::DEVICE) && devices.contains(ObjectKind::JAMF_COMPUTER));
        assert!(!devices.contains(ObjectKind::USER));
        assert!(ObjectKind::all().all(|kind| ObjectKinds::ALL.contains(kind)));
    }
}
