//! Tenants and devices of Microsoft Entra, as certificates name them.

use pki_core::{Extension, oids, tlv};

/// What Microsoft's own device certificates say, and policies of gateways and RADIUS servers look for. It comes from a
/// directory and never from a requester.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[expect(clippy::exhaustive_structs, reason = "built by enrollment")]
pub struct MicrosoftIds {
    /// The tenant's id, in the order of its text; goes into 1.2.840.113556.5.14.
    pub tenant: Option<[u8; 16]>,
    /// The device's id in Entra (`deviceId`, not the object id), in the order of its text; goes into
    /// 1.2.840.113556.1.5.284.2.
    pub device: Option<[u8; 16]>,
}

impl MicrosoftIds {
    /// As extensions, none of them critical.
    ///
    /// ```text
    /// Value ::= OCTET STRING (SIZE (16))    -- the GUID in memory: its first three parts are little-endian
    /// ```
    ///
    /// There is no specification. [MS-DVRJ](https://learn.microsoft.com/openspecs/windows_protocols/ms-dvrj) has the device
    /// id in certificates that Entra issues, and Intune's carry the tenant id in this form.
    pub(crate) fn to_extensions(self) -> Vec<u8> {
        let ids = [(oids::ENTRA_TENANT_ID, self.tenant), (oids::ENTRA_DEVICE_ID, self.device)];
        let known = ids.into_iter().filter_map(|(extension, id)| Some((extension, id?)));
        let extensions = known
            .map(|(extension, id)| Extension::new(extension, tlv::wrap(tlv::OCTET_STRING, &in_memory(id))));
        extensions.flat_map(|extension| extension.to_der()).collect()
    }
}

/// The order in which Windows keeps the octets of a GUID.
fn in_memory(mut id: [u8; 16]) -> [u8; 16] {
    let (first, rest) = id.split_at_mut(4);
    let (second, rest) = rest.split_at_mut(2);
    let (third, _) = rest.split_at_mut(2);
    first.reverse();
    second.reverse();
    third.reverse();
    id
}

#[cfg(test)]
mod tests {
    use serial_binding::ObjectId;

    use super::*;

    fn id(text: &str) -> Option<[u8; 16]> {
        match text.parse() {
            Ok(ObjectId::Uuid(octets)) => Some(octets),
            _ => None,
        }
    }

    #[test]
    fn ids_are_encoded_as_microsofts_own_certificates_have_them() {
        // The tenant as a certificate of Intune's has it.
        let tenant = id("b54dc1af-5320-4f60-b5d4-821e0cf2a359");
        let made = MicrosoftIds { tenant, device: None }.to_extensions();
        let value =
            [0x04, 0x10, 0xAF, 0xC1, 0x4D, 0xB5, 0x20, 0x53, 0x60, 0x4F, 0xB5, 0xD4, 0x82, 0x1E, 0x0C];
        let value = [&value[..], &[0xF2, 0xA3, 0x59]].concat();
        assert_eq!(made, Extension::new(oids::ENTRA_TENANT_ID, value).to_der());
        let both = MicrosoftIds { tenant, device: id("07bc0167-9061-43b7-b243-0bb6aeda736e") };
        assert!(both.to_extensions().starts_with(&made));
        let device = [0x67, 0x01, 0xBC, 0x07, 0x61, 0x90, 0xB7, 0x43, 0xB2, 0x43];
        assert!(both.to_extensions().windows(device.len()).any(|window| window == device));
        assert!(MicrosoftIds::default().to_extensions().is_empty());
    }
}
