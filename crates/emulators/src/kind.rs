//! What objects there are.

use std::{fmt, str::FromStr};

/// A kind of object, named as in bound serial numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Kind {
    /// A device of Entra, by its object id; it is found by its `deviceId` too.
    EntraDevice,
    /// A user of Entra, by its object id; it is found by its user principal name too.
    EntraUser,
    /// A managed device of Intune.
    IntuneDevice,
    /// A user of the SCIM service; it is found by its user name too.
    ScimUser,
    /// A computer of Jamf Pro.
    JamfComputer,
    /// A mobile device of Jamf Pro.
    JamfMobileDevice,
    /// A user of Jamf Pro; it is found by its user name too.
    JamfUser,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Self; 7] = [
        Self::EntraDevice,
        Self::EntraUser,
        Self::IntuneDevice,
        Self::ScimUser,
        Self::JamfComputer,
        Self::JamfMobileDevice,
        Self::JamfUser,
    ];

    /// Its name, such as `intune-device`.
    pub fn name(self) -> &'static str {
        match self {
            Self::EntraDevice => "entra-device",
            Self::EntraUser => "entra-user",
            Self::IntuneDevice => "intune-device",
            Self::ScimUser => "scim-resource",
            Self::JamfComputer => "jamf-computer",
            Self::JamfMobileDevice => "jamf-mobile-device",
            Self::JamfUser => "jamf-user",
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Kind {
    type Err = ();

    /// Reads a [name](Kind::name).
    fn from_str(text: &str) -> Result<Self, ()> {
        Self::ALL.into_iter().find(|kind| kind.name() == text).ok_or(())
    }
}
