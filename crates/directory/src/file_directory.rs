//! A directory in a file.

use std::{
    collections::BTreeMap,
    fmt,
    future::ready,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError, RwLock},
    time::Duration,
};

use pki_core::{BoxFuture, Clock, DigestAlgorithm, UnixTime};
use serial_binding::{BoundObject, ObjectKinds};

use crate::{
    Directory, DirectoryError, ObjectNames, ObjectState, Observation,
    document::{Document, Language},
    snapshot::{Named, Removal, Snapshot},
    stamp::Stamp,
};

/// A directory of devices and users in a TOML or JSON file, which people or programs change at any time.
///
/// ```toml
/// [[devices]]
/// id = "d6b58414-60ed-426b-b382-276a3e8d626d"   # a UUID, or a number with a kind
/// name = "laptop-17"                            # the common name of its certificates
/// dns = ["laptop-17.example.com"]
/// state = "enabled"                             # enabled, disabled (on hold) or gone (revoked for ever)
///
/// [[devices]]
/// id = 17
/// kind = "jamf-computer"
/// name = "mac-17"
/// state = "disabled"
/// since = 2026-11-20T08:00:00Z                  # if left out: when it was first seen
///
/// [[users]]
/// id = "307ff02c-76d6-4808-a523-3cbae90dcdbc"
/// name = "Ada Lovelace"
/// common_names = ["ada"]                        # more that the common name may be
/// emails = ["ada@example.com"]
/// upns = ["ada@corp.example.com"]
/// uris = ["https://example.com/people/ada"]
/// attributes = { sid = "S-1-5-21-1-2-3-1104", department = "Engines" }   # for templates of names
/// state = "enabled"
/// ```
///
/// `id`, `name` and `state` are required. `kind` is a name of [`ObjectKind`](serial_binding::ObjectKind); without it,
/// devices are `device`s and users `user`s. An object taken out of the file is deleted.
///
/// [`refresh`](Self::refresh) looks whether the file has changed; call it every 250 ms or so. Every change is checked
/// as a whole and taken over as a whole:
///
/// * A file that is missing, cannot be parsed, or is empty is an outage and never "everyone deleted": the last good
///   state serves on for [`max_stale`](FileDirectorySettings::max_stale), then every question is an error.
/// * A change that takes objects away is taken over when a second look finds the same. One that takes away more than
///   half of them, and at least 20, must have stood for
///   [`mass_removal_delay`](FileDirectorySettings::mass_removal_delay): until then the state before it serves on.
pub struct FileDirectory {
    path: PathBuf,
    language: Language,
    clock: Arc<dyn Clock>,
    settings: FileDirectorySettings,
    current: RwLock<Current>,
    watch: Mutex<Watch>,
}

/// How a [`FileDirectory`] behaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct FileDirectorySettings {
    /// How long the last good state serves when the file cannot be read any more, or nobody looks. 600 s by default.
    pub max_stale: Duration,
    /// How long a change that takes away most objects must have stood before it is believed. 300 s by default.
    pub mass_removal_delay: Duration,
    /// The kinds of object that the file holds, where another directory holds others. All by default.
    pub kinds: ObjectKinds,
}

impl Default for FileDirectorySettings {
    fn default() -> Self {
        Self {
            max_stale: Duration::from_secs(600),
            mass_removal_delay: Duration::from_secs(300),
            kinds: ObjectKinds::ALL,
        }
    }
}

/// A removal of fewer objects than this is never a mass removal.
const MASS_REMOVAL_AT_LEAST: usize = 20;

/// What readers see.
#[derive(Debug)]
struct Current {
    snapshot: Arc<Snapshot>,
    epoch: u64,
    /// When the file was last found to say this.
    known_at: UnixTime,
    /// Why it was not found so the last time.
    trouble: Option<String>,
}

/// What the next look needs to know of the looks before it.
#[derive(Debug, Default)]
struct Watch {
    /// What the file said when it was last read.
    read: Option<LastRead>,
    held: Option<Held>,
}

/// What the file said when it was read.
#[derive(Debug)]
struct LastRead {
    /// As what, if a later change would show in its metadata.
    settled: Option<Stamp>,
    /// Parsing takes long beside reading, and leaves the memory of a large directory in pieces.
    digest: Option<Vec<u8>>,
    content: Content,
}

type Content = Result<Arc<Snapshot>, FileDirectoryError>;

/// A state that takes objects away, waiting to be believed.
#[derive(Debug)]
struct Held {
    snapshot: Arc<Snapshot>,
    since: UnixTime,
}

/// What [`FileDirectory::refresh`] found.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Refresh {
    /// The file is as it was.
    Unchanged,
    /// The file has changed; its new state holds.
    Changed {
        /// How many objects there are now.
        objects: usize,
    },
    /// The file has changed in a way that takes objects away; the state before that serves until it is believed.
    HeldBack {
        /// How many objects it takes away.
        removed: usize,
        /// How many there are before.
        of: usize,
        /// When it will be believed if it stays as it is.
        until: UnixTime,
    },
    /// The file cannot be used; the last good state serves for a while.
    Failed(FileDirectoryError),
}

impl FileDirectory {
    /// Reads the file at `path`, whose extension (`.toml` or `.json`) says its language.
    pub fn open(
        path: impl Into<PathBuf>,
        clock: Arc<dyn Clock>,
        settings: FileDirectorySettings,
    ) -> Result<Self, FileDirectoryError> {
        let path = path.into();
        let language = match path.extension().and_then(|extension| extension.to_str()) {
            Some("toml") => Language::Toml,
            Some("json") => Language::Json,
            _ => {
                return Err(FileDirectoryError::Unusable {
                    path,
                    why: String::from("expected a name that ends in .toml or .json"),
                });
            }
        };
        let now = clock.now();
        let mut directory = Self {
            path,
            language,
            clock,
            settings,
            current: RwLock::new(Current {
                snapshot: Arc::default(),
                epoch: 0,
                known_at: now,
                trouble: None,
            }),
            watch: Mutex::default(),
        };
        let mut watch = Watch::default();
        let snapshot = directory.look(&mut watch, now)?;
        directory.current = RwLock::new(Current { snapshot, epoch: 0, known_at: now, trouble: None });
        directory.watch = Mutex::new(watch);
        Ok(directory)
    }

    /// Where the file is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Looks whether the file has changed, and takes its new state over. Costs one look at the file's metadata while it
    /// has not; reads and parses in the calling thread when it has. Readers are not held up.
    pub fn refresh(&self) -> Refresh {
        let mut watch = self.watch.lock().unwrap_or_else(PoisonError::into_inner);
        let now = self.clock.now();
        match self.look(&mut watch, now) {
            Ok(snapshot) => self.judge(snapshot, &mut watch.held, now),
            Err(error) => {
                watch.held = None;
                self.write(|current| current.trouble = Some(error.to_string()));
                Refresh::Failed(error)
            }
        }
    }

    /// What the file says now.
    fn look(&self, watch: &mut Watch, now: UnixTime) -> Content {
        let unusable = |why: &dyn fmt::Display| FileDirectoryError::Unusable {
            path: self.path.clone(),
            why: why.to_string(),
        };
        let stamp = Stamp::of(&self.path).map_err(|error| unusable(&error))?;
        if let Some(last) = watch.read.as_ref().filter(|last| last.settled == Some(stamp)) {
            return last.content.clone();
        }
        let text = stamp.read(&self.path).map_err(|error| unusable(&error))?;
        let digest = DigestAlgorithm::Sha256.digest(text.as_bytes());
        let content = match watch.read.take() {
            Some(last) if last.digest.is_some() && last.digest == digest => last.content,
            _ => self.parse(&text),
        };
        let settled = stamp.is_settled(now).then_some(stamp);
        watch.read = Some(LastRead { settled, digest, content: content.clone() });
        content
    }

    fn parse(&self, text: &str) -> Content {
        let document = Document::parse(text, self.language);
        let snapshot = document.and_then(|document| Snapshot::of(document, self.settings.kinds));
        let malformed = |why| FileDirectoryError::Malformed { path: self.path.clone(), why };
        snapshot.map(Arc::new).map_err(malformed)
    }

    /// Takes `next` over, or holds it back.
    fn judge(&self, next: Arc<Snapshot>, held: &mut Option<Held>, now: UnixTime) -> Refresh {
        let before = self.read(|current| Arc::clone(&current.snapshot));
        let is_same = same(&before, &next);
        let removal = if is_same { Removal::NONE } else { before.removal(&next) };
        if removal.removed > 0 {
            let waiting = held.take().filter(|held| same(&held.snapshot, &next));
            let is_first_look = waiting.is_none();
            let since = waiting.map_or(now, |held| held.since);
            let until = since.saturating_add(self.delay(removal));
            if is_first_look || now < until {
                *held = Some(Held { snapshot: next, since });
                return self.hold_back(removal, until);
            }
        }
        *held = None;
        let objects = next.len();
        self.write(|current| {
            *current = Current {
                snapshot: next,
                epoch: current.epoch.wrapping_add(u64::from(!is_same)),
                known_at: now,
                trouble: None,
            };
        });
        if is_same { Refresh::Unchanged } else { Refresh::Changed { objects } }
    }

    fn hold_back(&self, removal: Removal, until: UnixTime) -> Refresh {
        let Removal { removed, of } = removal;
        let why = format!(
            "its new state takes away {removed} of {of} objects and is held back until {until}; put them back, or wait"
        );
        self.write(|current| current.trouble = Some(why));
        Refresh::HeldBack { removed, of, until }
    }

    fn delay(&self, removal: Removal) -> Duration {
        let Removal { removed, of } = removal;
        let is_mass = removed >= MASS_REMOVAL_AT_LEAST && removed > of / 2;
        if is_mass { self.settings.mass_removal_delay } else { Duration::ZERO }
    }

    /// Reads what holds, unless it is too old to.
    fn ask<T>(&self, read: impl FnOnce(&Current) -> T) -> Result<T, DirectoryError> {
        let now = self.clock.now();
        self.read(|current| {
            if self.is_recent(current, now) {
                return Ok(read(current));
            }
            let trouble = current.trouble.as_deref().unwrap_or("nobody has looked at it since");
            let why = format!("what was read at {} is too old to rely on: {trouble}", current.known_at);
            Err(DirectoryError::unavailable(self.name(), why))
        })
    }

    fn is_recent(&self, current: &Current, now: UnixTime) -> bool {
        now.saturating_since(current.known_at) <= self.settings.max_stale
    }

    fn name(&self) -> String {
        self.path.display().to_string()
    }

    fn read<T>(&self, read: impl FnOnce(&Current) -> T) -> T {
        read(&self.current.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn write(&self, write: impl FnOnce(&mut Current)) {
        write(&mut self.current.write().unwrap_or_else(PoisonError::into_inner));
    }
}

fn same(one: &Arc<Snapshot>, other: &Arc<Snapshot>) -> bool {
    Arc::ptr_eq(one, other) || one == other
}

impl Directory for FileDirectory {
    fn state(&self, object: BoundObject) -> BoxFuture<'_, Result<Option<ObjectState>, DirectoryError>> {
        Box::pin(ready(self.ask(|current| current.snapshot.state(object))))
    }

    fn names(&self, object: BoundObject) -> BoxFuture<'_, Result<Option<ObjectNames>, DirectoryError>> {
        Box::pin(ready(self.ask(|current| current.snapshot.names(object).cloned())))
    }

    fn attributes(
        &self,
        object: BoundObject,
    ) -> BoxFuture<'_, Result<BTreeMap<String, String>, DirectoryError>> {
        Box::pin(ready(self.ask(|current| current.snapshot.attributes(object))))
    }

    /// By id, name, common name, host name, e-mail address or user principal name, in any case.
    fn identify<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<Option<BoundObject>, DirectoryError>> {
        let named = self.ask(|current| current.snapshot.named(name));
        Box::pin(ready(match named {
            Ok(None) => Ok(None),
            Ok(Some(Named::One(object))) => Ok(Some(object)),
            Ok(Some(Named::Several)) => {
                Err(DirectoryError::Ambiguous { directory: self.name(), name: name.to_owned() })
            }
            Err(error) => Err(error),
        }))
    }

    /// `None` while the file has not been readable for too long, so that nothing answered before is served on.
    fn epoch(&self) -> Option<u64> {
        let now = self.clock.now();
        self.read(|current| self.is_recent(current, now).then_some(current.epoch))
    }

    fn kinds(&self) -> ObjectKinds {
        self.settings.kinds
    }

    fn observe(&self, object: BoundObject) -> BoxFuture<'_, Result<Observation, DirectoryError>> {
        Box::pin(ready(self.ask(|current| Observation {
            state: current.snapshot.state(object),
            known_at: Some(current.known_at),
            reliable_until: None,
        })))
    }
}

impl fmt::Debug for FileDirectory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FileDirectory").field("path", &self.path).finish_non_exhaustive()
    }
}

/// The file cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FileDirectoryError {
    /// It cannot be read.
    #[error("the directory file {} cannot be read: {why}", path.display())]
    Unusable {
        /// Where it is.
        path: PathBuf,
        /// What is wrong.
        why: String,
    },
    /// What it says is no directory.
    #[error("the directory file {} is wrong: {why}", path.display())]
    Malformed {
        /// Where it is.
        path: PathBuf,
        /// What is wrong, and where.
        why: String,
    },
}

#[cfg(test)]
mod tests {
    use testkit::{FixedClock, tempdir};

    use super::*;

    #[test]
    fn what_reads_the_same_is_not_parsed_again() {
        let folder = tempdir().unwrap();
        let path = folder.path().join("directory.toml");
        let device = "[[devices]]\nid = 1\nkind = \"jamf-computer\"\nname = \"a\"\nstate = \"enabled\"\n";
        std::fs::write(&path, device).unwrap();
        // By this clock the file has just been written, so that its metadata prove nothing.
        let clock = Arc::new(FixedClock::new(UnixTime(0)));
        let directory = FileDirectory::open(&path, clock, FileDirectorySettings::default()).unwrap();
        let snapshot = || Arc::as_ptr(&directory.read(|current| Arc::clone(&current.snapshot)));
        let first = snapshot();
        assert_eq!(directory.refresh(), Refresh::Unchanged);
        assert_eq!(snapshot(), first);
        std::fs::write(&path, device.replace("enabled", "disabled")).unwrap();
        assert_eq!(directory.refresh(), Refresh::Changed { objects: 1 });
    }
}
