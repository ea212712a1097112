//! Objects that nobody is asked about.

use pki_core::BoxFuture;
use serial_binding::{BoundObject, ObjectId, ObjectKind, ObjectKinds};

use crate::{Directory, DirectoryError, ObjectNames, ObjectState};

/// Takes every object of some kinds for enabled. Their certificates are good until somebody revokes them by hand, or an
/// authority outside has them revoked: for sites that have no directory of such objects to ask, and where something else
/// vouches for them at enrollment.
///
/// It knows no names: profiles must take those that the authority has validated.
#[derive(Debug, Clone)]
pub struct Unchecked(ObjectKinds);

impl Unchecked {
    /// For objects of these kinds.
    pub fn new(kinds: ObjectKinds) -> Self {
        Self(kinds)
    }
}

impl Directory for Unchecked {
    fn state(&self, _: BoundObject) -> BoxFuture<'_, Result<Option<ObjectState>, DirectoryError>> {
        Box::pin(std::future::ready(Ok(Some(ObjectState::Enabled))))
    }

    fn names(&self, object: BoundObject) -> BoxFuture<'_, Result<Option<ObjectNames>, DirectoryError>> {
        let names =
            ObjectNames { common_names: vec![object.id().to_string()], alternative_names: Vec::new() };
        Box::pin(std::future::ready(Ok(Some(names))))
    }

    /// By its id, which is of the first of the kinds that have such ids.
    fn identify<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<Option<BoundObject>, DirectoryError>> {
        let found = name.parse::<ObjectId>().ok().and_then(|id| {
            let mut kinds = ObjectKind::all().filter(|kind| self.0.contains(*kind) && !kind.is_pair());
            kinds.find_map(|kind| BoundObject::new(kind, id).ok())
        });
        Box::pin(std::future::ready(Ok(found)))
    }

    fn epoch(&self) -> Option<u64> {
        Some(0)
    }

    fn kinds(&self) -> ObjectKinds {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use testkit::block_on;

    use super::*;

    #[test]
    fn every_id_of_its_kinds_is_an_enabled_object() {
        let directory =
            Unchecked::new([ObjectKind::INTUNE_DEVICE, ObjectKind::JAMF_USER].into_iter().collect());
        let text = "d6b58414-60ed-426b-b382-276a3e8d626d";
        let object = block_on(directory.identify(text)).unwrap().unwrap();
        assert_eq!(object.to_string(), format!("intune-device:{text}"));
        assert_eq!(block_on(directory.state(object)), Ok(Some(ObjectState::Enabled)));
        assert_eq!(block_on(directory.names(object)).unwrap().unwrap().common_names, [text]);
        let user = block_on(directory.identify("17")).unwrap().unwrap();
        assert_eq!(user.to_string(), "jamf-user:17");
        assert_eq!(block_on(directory.identify("zoe@example.com")), Ok(None));
        assert!(!directory.kinds().contains(ObjectKind::ENTRA_USER));
    }
}
