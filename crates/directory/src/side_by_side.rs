//! Several directories as one.

use std::{collections::BTreeMap, sync::Arc};

use pki_core::BoxFuture;
use serial_binding::{BoundObject, ObjectKind, ObjectKinds};

use crate::{Directory, DirectoryError, ObjectNames, ObjectState, Observation};

/// Directories that hold different kinds of object. Each is asked about its own kinds, and all of them about names.
#[derive(Debug)]
pub struct SideBySide(Vec<Arc<dyn Directory>>);

impl SideBySide {
    /// Fails when two of them hold the same kind: each would call the other's objects deleted.
    pub fn new(directories: Vec<Arc<dyn Directory>>) -> Result<Self, KindHeldTwice> {
        let holders = |kind| directories.iter().filter(|directory| directory.kinds().contains(kind)).count();
        match ObjectKind::all().find(|kind| holders(*kind) > 1) {
            Some(kind) => Err(KindHeldTwice { kind }),
            None => Ok(Self(directories)),
        }
    }

    fn holder(&self, object: BoundObject) -> Result<&Arc<dyn Directory>, DirectoryError> {
        let holder = self.0.iter().find(|directory| directory.kinds().contains(object.kind()));
        let why =
            || DirectoryError::unavailable("of this kind", format_args!("nobody holds {}s", object.kind()));
        holder.ok_or_else(why)
    }
}

impl Directory for SideBySide {
    fn state(&self, object: BoundObject) -> BoxFuture<'_, Result<Option<ObjectState>, DirectoryError>> {
        Box::pin(async move { self.holder(object)?.state(object).await })
    }

    fn names(&self, object: BoundObject) -> BoxFuture<'_, Result<Option<ObjectNames>, DirectoryError>> {
        Box::pin(async move { self.holder(object)?.names(object).await })
    }

    fn attributes(
        &self,
        object: BoundObject,
    ) -> BoxFuture<'_, Result<BTreeMap<String, String>, DirectoryError>> {
        Box::pin(async move { self.holder(object)?.attributes(object).await })
    }

    /// An object is only told when every directory was asked: another may know one by the same name.
    fn identify<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<Option<BoundObject>, DirectoryError>> {
        Box::pin(async move {
            let mut found = None;
            for directory in &self.0 {
                let object = directory.identify(name).await?;
                if found.is_some() && object.is_some() {
                    let directory = String::from("more than one directory");
                    return Err(DirectoryError::Ambiguous { directory, name: name.to_owned() });
                }
                found = found.or(object);
            }
            Ok(found)
        })
    }

    /// Known as long as all of them know theirs.
    fn epoch(&self) -> Option<u64> {
        self.0.iter().try_fold(0u64, |sum, directory| Some(sum.wrapping_add(directory.epoch()?)))
    }

    fn kinds(&self) -> ObjectKinds {
        ObjectKind::all()
            .filter(|kind| self.0.iter().any(|directory| directory.kinds().contains(*kind)))
            .collect()
    }

    fn observe(&self, object: BoundObject) -> BoxFuture<'_, Result<Observation, DirectoryError>> {
        Box::pin(async move { self.holder(object)?.observe(object).await })
    }
}

/// Two directories hold objects of one kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("two directories hold objects of kind {kind}: each would call those of the other deleted")]
pub struct KindHeldTwice {
    kind: ObjectKind,
}

#[cfg(test)]
mod tests {
    use testkit::block_on;

    use super::*;

    /// Holds one kind, and one object of it called by its id.
    #[derive(Debug)]
    struct Only(&'static str);

    impl Only {
        fn object(&self) -> BoundObject {
            self.0.parse().unwrap()
        }
    }

    impl Directory for Only {
        fn state(&self, object: BoundObject) -> BoxFuture<'_, Result<Option<ObjectState>, DirectoryError>> {
            let state = (object == self.object()).then_some(ObjectState::Enabled);
            Box::pin(std::future::ready(Ok(state)))
        }
        fn names(&self, _: BoundObject) -> BoxFuture<'_, Result<Option<ObjectNames>, DirectoryError>> {
            Box::pin(std::future::ready(Ok(Some(ObjectNames::default()))))
        }
        fn attributes(
            &self,
            object: BoundObject,
        ) -> BoxFuture<'_, Result<BTreeMap<String, String>, DirectoryError>> {
            let attributes = BTreeMap::from([(String::from("id"), object.id().to_string())]);
            Box::pin(std::future::ready(Ok(attributes)))
        }
        fn identify<'a>(
            &'a self,
            name: &'a str,
        ) -> BoxFuture<'a, Result<Option<BoundObject>, DirectoryError>> {
            let found = (self.object().id().to_string() == name).then(|| self.object());
            Box::pin(std::future::ready(Ok(found)))
        }
        fn epoch(&self) -> Option<u64> {
            (self.0 != "jamf-user:4").then_some(7)
        }
        fn kinds(&self) -> ObjectKinds {
            [self.object().kind()].into_iter().collect()
        }
    }

    fn side_by_side(objects: &[&'static str]) -> Result<SideBySide, KindHeldTwice> {
        SideBySide::new(objects.iter().map(|object| Arc::new(Only(object)) as _).collect())
    }

    #[test]
    fn each_is_asked_about_its_own_kind() {
        let both = side_by_side(&["jamf-computer:17", "jamf-user:4"]).unwrap();
        let state = |object: &str| block_on(both.state(object.parse().unwrap()));
        assert_eq!(state("jamf-computer:17").unwrap(), Some(ObjectState::Enabled));
        assert_eq!(state("jamf-user:17").unwrap(), None);
        assert!(state("jamf-mobile-device:17").is_err(), "nobody's, and not deleted");
        let attributes = block_on(both.attributes("jamf-user:4".parse().unwrap())).unwrap();
        assert_eq!(attributes["id"], "4");
        assert_eq!(block_on(both.identify("4")).unwrap(), Some("jamf-user:4".parse().unwrap()));
        assert_eq!(block_on(both.identify("5")).unwrap(), None);
        assert!(both.kinds().contains(ObjectKind::JAMF_USER) && !both.kinds().contains(ObjectKind::DEVICE));
        assert_eq!(both.epoch(), None);
        assert_eq!(side_by_side(&["jamf-computer:17", "numbered:4"]).unwrap().epoch(), Some(14));
    }

    #[test]
    fn a_name_that_two_know_is_nobodys() {
        let both = side_by_side(&["jamf-computer:17", "jamf-mobile-device:17"]).unwrap();
        assert!(matches!(block_on(both.identify("17")), Err(DirectoryError::Ambiguous { .. })));
    }

    #[test]
    fn two_of_one_kind_are_refused() {
        let error = side_by_side(&["jamf-computer:17", "jamf-computer:18"]).unwrap_err();
        assert!(error.to_string().contains("jamf-computer"), "{error}");
    }
}
