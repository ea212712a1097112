//! Objects of one kind, in the order in which they were made, with what became of them.

use std::collections::HashMap;

use crate::entities::Entity;

/// What became of an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Life {
    Live,
    /// Deleted, and can be restored.
    InTrash,
    Gone,
}

#[derive(Debug)]
pub(crate) struct Row<T> {
    pub(crate) id: String,
    pub(crate) thing: T,
    pub(crate) life: Life,
    /// Where in the list of changes it stands last.
    changed: Option<usize>,
}

impl<T> Row<T> {
    pub(crate) fn is_live(&self) -> bool {
        self.life == Life::Live
    }
}

/// Rows are never taken out, so that a place in them stays what it is.
#[derive(Debug)]
pub(crate) struct Records<T> {
    rows: Vec<Row<T>>,
    by_key: HashMap<String, usize>,
    changes: Vec<usize>,
}

impl<T> Default for Records<T> {
    fn default() -> Self {
        Self { rows: Vec::new(), by_key: HashMap::new(), changes: Vec::new() }
    }
}

impl<T: Entity> Records<T> {
    /// One that was there from the beginning.
    pub(crate) fn settle(&mut self, id: String, thing: T) {
        let at = self.rows.len();
        self.by_key.extend(thing.keys().into_iter().map(|key| (key.to_lowercase(), at)));
        self.by_key.insert(id.to_lowercase(), at);
        self.rows.push(Row { id, thing, life: Life::Live, changed: None });
    }

    /// A new one, which is news.
    pub(crate) fn add(&mut self, id: String, thing: T) {
        let at = self.rows.len();
        self.settle(id, thing);
        self.note(at);
    }

    /// By id or another key that it has now, whatever became of it.
    pub(crate) fn find(&self, key: &str) -> Option<&Row<T>> {
        let row = self.rows.get(*self.by_key.get(&key.to_lowercase())?)?;
        let is_its_own = |known: &str| known.eq_ignore_ascii_case(key);
        (is_its_own(&row.id) || row.thing.keys().iter().any(|known| is_its_own(known))).then_some(row)
    }

    /// By id or another key, if it lives.
    pub(crate) fn live(&self, key: &str) -> Option<&Row<T>> {
        self.find(key).filter(|row| row.is_live())
    }

    /// By its id alone, if it lives.
    pub(crate) fn by_id(&self, id: &str) -> Option<&Row<T>> {
        self.live(id).filter(|row| row.id.eq_ignore_ascii_case(id))
    }

    /// Changes one, which is news; `None` when there is none.
    pub(crate) fn change<R>(&mut self, key: &str, change: impl FnOnce(&mut Row<T>) -> R) -> Option<R> {
        let at = *self.by_key.get(&key.to_lowercase())?;
        let row = self.rows.get_mut(at)?;
        let result = change(row);
        // It may have another name now.
        self.by_key.extend(row.thing.keys().into_iter().map(|key| (key.to_lowercase(), at)));
        self.note(at);
        Some(result)
    }

    /// Those that live, from place `at` on, each with its place.
    pub(crate) fn living_from(&self, at: usize) -> impl Iterator<Item = (usize, &Row<T>)> {
        self.rows.iter().enumerate().skip(at).filter(|(_, row)| row.is_live())
    }

    /// How many changes there have been.
    pub(crate) fn mark(&self) -> usize {
        self.changes.len()
    }

    /// What has changed since `mark`, each once, with the mark after it.
    pub(crate) fn changed_since(&self, mark: usize) -> impl Iterator<Item = (usize, &Row<T>)> {
        self.changes.iter().enumerate().skip(mark).filter_map(|(at, row)| {
            let row = self.rows.get(*row).filter(|row| row.changed == Some(at))?;
            Some((at.saturating_add(1), row))
        })
    }

    fn note(&mut self, at: usize) {
        let mark = self.changes.len();
        self.changes.push(at);
        if let Some(row) = self.rows.get_mut(at) {
            row.changed = Some(mark);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entities::JamfUser;

    #[test]
    fn a_change_is_told_once_and_by_its_latest_state() {
        let mut records = Records::default();
        for id in ["1", "2", "3"] {
            records.settle(id.into(), JamfUser::default());
        }
        assert_eq!(records.changed_since(0).count(), 0);
        records.change("2", |_| ());
        records.change("3", |row| row.life = Life::Gone);
        records.change("2", |row| row.life = Life::InTrash);
        let ids = |mark| records.changed_since(mark).map(|(_, row)| &*row.id).collect::<Vec<_>>();
        assert_eq!((ids(0), ids(2), ids(records.mark())), (vec!["3", "2"], vec!["2"], vec![]));
        assert_eq!(records.living_from(0).map(|(at, _)| at).collect::<Vec<_>>(), [0]);
        assert!(records.live("3").is_none() && records.find("3").is_some());
    }
}
