//! Several directories as one.

use std::{collections::BTreeMap, future::Future, sync::Arc};

use pki_core::BoxFuture;
use quick_cache::sync::Cache;
use serial_binding::{BoundObject, ObjectKind, ObjectKinds};

use crate::{Directory, DirectoryError, ObjectNames, ObjectState, Observation};

/// Objects of which it is remembered which directory had them.
const REMEMBERED: usize = 200_000;

/// Directories of which each is asked about the kinds of object that it holds, and all of them about names.
///
/// Several may hold one kind, such as the tenants of a cloud, where that kind's ids are UUIDs: an object is in one of
/// them. It is there when one of them has it, and deleted when all of them say that they have not.
#[derive(Debug)]
pub struct SideBySide {
    directories: Vec<Arc<dyn Directory>>,
    /// Which one had an object last, of those that several may hold.
    last: Cache<BoundObject, usize>,
}

impl SideBySide {
    /// Fails when two of them hold one kind whose ids are numbers: the same number means another object in each.
    pub fn new(directories: Vec<Arc<dyn Directory>>) -> Result<Self, KindHeldTwice> {
        let holders = |kind| directories.iter().filter(|directory| directory.kinds().contains(kind)).count();
        match ObjectKind::all().find(|kind| kind.is_numeric() && holders(*kind) > 1) {
            Some(kind) => Err(KindHeldTwice { kind }),
            None => Ok(Self { directories, last: Cache::new(REMEMBERED) }),
        }
    }

    /// Those that may have the object, the one that had it last first.
    fn holders(&self, object: BoundObject) -> Vec<(usize, &Arc<dyn Directory>)> {
        let holds = |(_, directory): &(usize, &Arc<dyn Directory>)| directory.kinds().contains(object.kind());
        let mut holders: Vec<_> = self.directories.iter().enumerate().filter(holds).collect();
        if holders.len() > 1 {
            let last = self.last.get(&object);
            holders.sort_by_key(|(at, _)| Some(*at) != last);
        }
        holders
    }

    /// What the first of them that has the object says; where none has it, what the last of them says, unless another
    /// could not tell.
    async fn ask<'a, T, F>(
        &'a self,
        object: BoundObject,
        ask: impl Fn(&'a Arc<dyn Directory>) -> F,
        has_it: impl Fn(&T) -> bool,
    ) -> Result<T, DirectoryError>
    where
        F: Future<Output = Result<T, DirectoryError>>,
    {
        let (mut failed, mut answer) = (None, None);
        let holders = self.holders(object);
        for (at, directory) in &holders {
            match ask(directory).await {
                Ok(said) if has_it(&said) => {
                    if holders.len() > 1 {
                        self.last.insert(object, *at);
                    }
                    return Ok(said);
                }
                Ok(said) => answer = Some(said),
                Err(error) => failed = Some(error),
            }
        }
        let nobody =
            || DirectoryError::unavailable("of this kind", format_args!("nobody holds {}s", object.kind()));
        failed.map_or_else(|| answer.ok_or_else(nobody), Err)
    }
}

impl Directory for SideBySide {
    fn state(&self, object: BoundObject) -> BoxFuture<'_, Result<Option<ObjectState>, DirectoryError>> {
        Box::pin(self.ask(object, move |directory| directory.state(object), Option::is_some))
    }

    fn names(&self, object: BoundObject) -> BoxFuture<'_, Result<Option<ObjectNames>, DirectoryError>> {
        Box::pin(self.ask(object, move |directory| directory.names(object), Option::is_some))
    }

    fn attributes(
        &self,
        object: BoundObject,
    ) -> BoxFuture<'_, Result<BTreeMap<String, String>, DirectoryError>> {
        Box::pin(self.ask(object, move |directory| directory.attributes(object), |known| !known.is_empty()))
    }

    /// An object is only told when every directory was asked: another may know one by the same name.
    fn identify<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<Option<BoundObject>, DirectoryError>> {
        Box::pin(async move {
            let mut found = None;
            for directory in &self.directories {
                let object = directory.identify(name).await?;
                if found.is_some() && object.is_some() && found != object {
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
        self.directories.iter().try_fold(0u64, |sum, directory| Some(sum.wrapping_add(directory.epoch()?)))
    }

    fn kinds(&self) -> ObjectKinds {
        ObjectKind::all()
            .filter(|kind| self.directories.iter().any(|directory| directory.kinds().contains(*kind)))
            .collect()
    }

    fn observe(&self, object: BoundObject) -> BoxFuture<'_, Result<Observation, DirectoryError>> {
        Box::pin(self.ask(object, move |directory| directory.observe(object), |seen| seen.state.is_some()))
    }
}

/// Two directories hold objects of one kind whose ids are numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "two directories hold objects of kind {kind}, whose ids are numbers: the same number would mean another object in \
     each"
)]
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
            let attributes = (object == self.object()).then(|| (String::from("id"), object.id().to_string()));
            let attributes = attributes.into_iter().collect();
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

    const UNKNOWN: &str = "entra-user:00000000-0000-4000-8000-000000000009";

    #[test]
    fn tenants_hold_one_kind_and_an_object_is_in_one_of_them() {
        let [ada, bob] = [1, 2].map(|n| format!("entra-user:00000000-0000-4000-8000-00000000000{n}"));
        let tenants = [&ada, &bob].map(|user| &*String::leak(user.clone()));
        let both = side_by_side(&tenants).unwrap();
        for _ in 0..2 {
            for user in [&ada, &bob] {
                let object: BoundObject = user.parse().unwrap();
                assert_eq!(block_on(both.state(object)).unwrap(), Some(ObjectState::Enabled));
                let attributes = block_on(both.attributes(object)).unwrap();
                assert_eq!(attributes["id"], object.id().to_string(), "by the one that has it");
                assert_eq!(block_on(both.identify(&object.id().to_string())).unwrap(), Some(object));
            }
        }
        assert_eq!(block_on(both.state(UNKNOWN.parse().unwrap())).unwrap(), None, "in neither");
        let bob = bob.parse().unwrap();
        assert_eq!(both.holders(bob).first().map(|(at, _)| *at), Some(1), "it is asked first the next time");
        assert_eq!(block_on(both.observe(bob)).unwrap().state, Some(ObjectState::Enabled));
    }

    /// Cannot be asked.
    #[derive(Debug)]
    struct Down;

    impl Directory for Down {
        fn state(&self, _: BoundObject) -> BoxFuture<'_, Result<Option<ObjectState>, DirectoryError>> {
            Box::pin(std::future::ready(Err(DirectoryError::unavailable("down", "down"))))
        }
        fn names(&self, _: BoundObject) -> BoxFuture<'_, Result<Option<ObjectNames>, DirectoryError>> {
            Box::pin(std::future::ready(Ok(None)))
        }
        fn identify<'a>(&'a self, _: &'a str) -> BoxFuture<'a, Result<Option<BoundObject>, DirectoryError>> {
            Box::pin(std::future::ready(Ok(None)))
        }
        fn epoch(&self) -> Option<u64> {
            None
        }
        fn kinds(&self) -> ObjectKinds {
            [ObjectKind::ENTRA_USER].into_iter().collect()
        }
    }

    #[test]
    fn a_tenant_that_cannot_be_asked_may_have_what_the_others_have_not() {
        let ada = "entra-user:00000000-0000-4000-8000-000000000001";
        for order in [[0, 1], [1, 0]] {
            let tenants: [Arc<dyn Directory>; 2] = [Arc::new(Only(ada)), Arc::new(Down)];
            let both = SideBySide::new(order.map(|at| Arc::clone(&tenants[at])).into()).unwrap();
            assert_eq!(block_on(both.state(ada.parse().unwrap())).unwrap(), Some(ObjectState::Enabled));
            assert!(block_on(both.state(UNKNOWN.parse().unwrap())).is_err());
        }
    }

    #[test]
    fn two_of_one_kind_with_numbers_are_refused() {
        let error = side_by_side(&["jamf-computer:17", "jamf-computer:18"]).unwrap_err();
        assert!(error.to_string().contains("jamf-computer"), "{error}");
    }
}
