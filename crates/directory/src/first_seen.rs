//! Memory of when an object was first seen disabled or gone, for directories that do not tell.

use std::{
    collections::HashMap,
    sync::{
        PoisonError, RwLock,
        atomic::{AtomicBool, Ordering},
    },
};

use pki_core::UnixTime;
use serial_binding::BoundObject;

/// What is the matter with an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Trouble {
    Disabled,
    Gone,
}

/// When objects were first seen in trouble. Holds at most twice `generation` of them, about 1 MB at the usual size; of
/// more than that, the ones longest not asked about are forgotten and dated anew.
#[derive(Debug)]
pub(crate) struct FirstSeen {
    generation: usize,
    /// Spares the lock while all is well.
    in_use: AtomicBool,
    seen: RwLock<Generations>,
}

type Seen = HashMap<BoundObject, (Trouble, UnixTime)>;

#[derive(Debug, Default)]
struct Generations {
    young: Seen,
    old: Seen,
}

impl FirstSeen {
    pub(crate) fn new(generation: usize) -> Self {
        Self { generation, in_use: AtomicBool::new(false), seen: RwLock::default() }
    }

    /// When `object` was first seen in this trouble: `now` if never.
    pub(crate) fn note(&self, object: BoundObject, trouble: Trouble, now: UnixTime) -> UnixTime {
        self.in_use.store(true, Ordering::Relaxed);
        let known = self.seen.read().unwrap_or_else(PoisonError::into_inner).young.get(&object).copied();
        match known {
            Some((before, since)) if before == trouble => since,
            _ => {
                let mut seen = self.seen.write().unwrap_or_else(PoisonError::into_inner);
                seen.note(object, trouble, now, self.generation)
            }
        }
    }

    /// `object` is well: the next trouble is a new one.
    pub(crate) fn clear(&self, object: BoundObject) {
        if self.in_use.load(Ordering::Relaxed) && self.contains(object) {
            let mut seen = self.seen.write().unwrap_or_else(PoisonError::into_inner);
            seen.young.remove(&object);
            seen.old.remove(&object);
        }
    }

    fn contains(&self, object: BoundObject) -> bool {
        let seen = self.seen.read().unwrap_or_else(PoisonError::into_inner);
        seen.young.contains_key(&object) || seen.old.contains_key(&object)
    }
}

impl Generations {
    fn note(&mut self, object: BoundObject, trouble: Trouble, now: UnixTime, generation: usize) -> UnixTime {
        let before = self.young.get(&object).copied().or_else(|| self.old.remove(&object));
        let since = before.filter(|(kind, _)| *kind == trouble).map_or(now, |(_, since)| since);
        if self.young.len() >= generation {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.insert(object, (trouble, since));
        since
    }
}

#[cfg(test)]
mod tests {
    use serial_binding::{ObjectId, ObjectKind};

    use super::*;

    fn number(id: u64) -> BoundObject {
        BoundObject::new(ObjectKind::NUMBERED, ObjectId::Number(id)).unwrap()
    }

    #[test]
    fn the_first_time_is_kept_until_the_object_is_well() {
        let seen = FirstSeen::new(8);
        assert_eq!(seen.note(number(1), Trouble::Disabled, UnixTime(10)), UnixTime(10));
        assert_eq!(seen.note(number(1), Trouble::Disabled, UnixTime(20)), UnixTime(10));
        assert_eq!(seen.note(number(1), Trouble::Gone, UnixTime(30)), UnixTime(30));
        seen.clear(number(1));
        assert_eq!(seen.note(number(1), Trouble::Gone, UnixTime(40)), UnixTime(40));
    }

    #[test]
    fn the_memory_is_bounded_and_keeps_what_is_asked_about() {
        let seen = FirstSeen::new(8);
        for id in 0..1000 {
            seen.note(number(id), Trouble::Gone, UnixTime(id));
            assert_eq!(seen.note(number(0), Trouble::Gone, UnixTime(id)), UnixTime(0));
        }
        let generations = seen.seen.read().unwrap();
        assert!(generations.young.len() <= 8 && generations.old.len() <= 8);
    }
}
