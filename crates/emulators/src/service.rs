//! Which services there are.

use std::{fmt, str::FromStr};

/// One of the services, each with an address of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Service {
    /// Entra's tokens, and a machine's managed identity.
    Entra,
    /// Microsoft Graph.
    Graph,
    /// Intune's services for certification authorities.
    Intune,
    /// Jamf Pro.
    Jamf,
    /// SCIM 2.0.
    Scim,
    /// The control interface.
    Control,
}

impl Service {
    /// Every service, in the order of their ports.
    pub const ALL: [Self; 6] =
        [Self::Control, Self::Entra, Self::Graph, Self::Intune, Self::Jamf, Self::Scim];

    /// Its name, such as `graph`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Entra => "entra",
            Self::Graph => "graph",
            Self::Intune => "intune",
            Self::Jamf => "jamf",
            Self::Scim => "scim",
            Self::Control => "control",
        }
    }
}

impl fmt::Display for Service {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Service {
    type Err = ();

    /// Reads a [name](Service::name).
    fn from_str(text: &str) -> Result<Self, ()> {
        Self::ALL.into_iter().find(|service| service.name() == text).ok_or(())
    }
}
