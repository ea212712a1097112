//! SCEPman's serial numbers, read so that a fleet enrolled there can be answered here. None is ever made.

use pki_core::SerialNumber;

use crate::{BoundObject, ObjectId, ObjectKind, Resolution};

/// What a certificate of SCEPman is for: its serial number's first octet, as its manual tables it. Odd octets name the
/// same kind as the even ones before them; what else they mean is not public.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum ScepmanKind {
    /// 40, 41: a device, by its Intune or Entra id.
    IntuneDevice,
    /// 42: the short-lived first certificate of a device that is not compliant yet.
    IncompliantIntuneDevice,
    /// 44, 45: a mobile device of Jamf.
    JamfDevice,
    /// 50, 51: bound to nothing.
    Static,
    /// 54, 55: a computer of Jamf.
    JamfComputer,
    /// 60, 61: a user of Entra.
    IntuneUser,
    /// 64, 65: a user of Jamf.
    JamfUser,
    /// 6C, 6D: a user on a mobile device of Jamf.
    JamfUserOnDevice,
    /// 70: a domain controller, bound to nothing.
    DomainController,
    /// 7C, 7D: a user on a computer of Jamf.
    JamfUserOnComputer,
}

impl ScepmanKind {
    fn of(first: u8) -> Option<Self> {
        Some(match first {
            0x40 | 0x41 => Self::IntuneDevice,
            0x42 => Self::IncompliantIntuneDevice,
            0x44 | 0x45 => Self::JamfDevice,
            0x50 | 0x51 => Self::Static,
            0x54 | 0x55 => Self::JamfComputer,
            0x60 | 0x61 => Self::IntuneUser,
            0x64 | 0x65 => Self::JamfUser,
            0x6C | 0x6D => Self::JamfUserOnDevice,
            0x70 => Self::DomainController,
            0x7C | 0x7D => Self::JamfUserOnComputer,
            _ => return None,
        })
    }

    fn is_jamf(self) -> bool {
        matches!(
            self,
            Self::JamfDevice
                | Self::JamfComputer
                | Self::JamfUser
                | Self::JamfUserOnDevice
                | Self::JamfUserOnComputer
        )
    }
}

/// A serial number of SCEPman's: kind, three octets of unknown meaning, and sixteen octets that are a GUID except for
/// the kinds of Jamf, whose layout is not public.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ScepmanSerial {
    kind: ScepmanKind,
    guid: [u8; 16],
}

impl ScepmanSerial {
    /// Takes `serial` apart; `None` when its length or first octet is not SCEPman's.
    pub fn decode(serial: &SerialNumber) -> Option<Self> {
        let [first, _, _, _, guid @ ..] = *<&[u8; 20]>::try_from(serial.as_be_bytes()).ok()?;
        Some(Self { kind: ScepmanKind::of(first)?, guid })
    }

    /// What the certificate is for.
    pub fn kind(self) -> ScepmanKind {
        self.kind
    }

    /// The id, in the order of its text; `None` for the kinds of Jamf.
    pub fn id(self) -> Option<ObjectId> {
        // Microsoft writes the first three fields of a GUID with the low octet first.
        let [a0, a1, a2, a3, b0, b1, c0, c1, d @ ..] = self.guid;
        let [d0, d1, d2, d3, d4, d5, d6, d7] = d;
        let octets = [a3, a2, a1, a0, b1, b0, c1, c0, d0, d1, d2, d3, d4, d5, d6, d7];
        (!self.kind.is_jamf()).then_some(ObjectId::Uuid(octets))
    }
}

/// How to read SCEPman's serial numbers.
///
/// Whether the id of a device is Intune's or Entra's depends on how SCEPman was set up and does not show in the
/// number, so it is told here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ScepmanSerials {
    devices: ObjectKind,
}

impl ScepmanSerials {
    /// Devices were enrolled under their Intune ids.
    pub const INTUNE: Self = Self { devices: ObjectKind::INTUNE_DEVICE };
    /// Devices were enrolled under their Entra ids.
    pub const ENTRA: Self = Self { devices: ObjectKind::ENTRA_DEVICE };

    /// What `serial` is bound to. Certificates bound to nothing, and those of Jamf, whose ids cannot be read, are
    /// [`Resolution::Unbound`].
    pub fn resolve(self, serial: &SerialNumber) -> Resolution {
        let Some(decoded) = ScepmanSerial::decode(serial) else { return Resolution::Foreign };
        let kind = match decoded.kind {
            ScepmanKind::IntuneDevice | ScepmanKind::IncompliantIntuneDevice => self.devices,
            ScepmanKind::IntuneUser => ObjectKind::ENTRA_USER,
            _ => return Resolution::Unbound,
        };
        let object = decoded.id().and_then(|id| BoundObject::new(kind, id).ok());
        object.map_or(Resolution::Unbound, Resolution::Object)
    }
}
