//! Whether a file is still the one that was read.

use std::{
    fs::{File, Metadata},
    io::{self, Read as _},
    path::Path,
};

use pki_core::UnixTime;

/// A file larger than this is refused.
const MAX_LEN: u64 = 256 << 20;
/// Two changes within one tick of the file system's clock look like one; the coarsest in use tick every two seconds.
const COARSEST_TICK: u64 = 2;

/// What of a file's metadata changes when its content does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Stamp {
    len: u64,
    /// Modified and changed: seconds and nanoseconds.
    times: [(i64, i64); 2],
    /// Device and inode, which differ when a new file was renamed into place.
    identity: (u64, u64),
}

impl Stamp {
    /// Of the file at `path`, which must be an ordinary one: opening a pipe would block.
    pub(crate) fn of(path: &Path) -> io::Result<Self> {
        let metadata = path.metadata()?;
        if !metadata.is_file() {
            return Err(io::Error::other("not an ordinary file"));
        }
        Ok(Self::from(&metadata))
    }

    /// Whether a later change would surely show, the file having been read at `now`.
    pub(crate) fn is_settled(&self, now: UnixTime) -> bool {
        let latest = self.times.iter().map(|(seconds, _)| *seconds).max().unwrap_or(i64::MAX);
        u64::try_from(latest).is_ok_and(|latest| latest.saturating_add(COARSEST_TICK) < now.0)
    }

    /// The content of the file at `path`, if it is the one stamped, and stays so while it is read.
    pub(crate) fn read(&self, path: &Path) -> io::Result<String> {
        if self.len > MAX_LEN {
            return Err(io::Error::other(format!("{} octets, more than {MAX_LEN}", self.len)));
        }
        let mut text = String::new();
        File::open(path)?.take(MAX_LEN).read_to_string(&mut text)?;
        if Self::of(path)? == *self {
            Ok(text)
        } else {
            Err(io::Error::other("it was being written while it was read"))
        }
    }
}

#[cfg(unix)]
impl From<&Metadata> for Stamp {
    fn from(metadata: &Metadata) -> Self {
        use std::os::unix::fs::MetadataExt as _;
        Self {
            len: metadata.len(),
            times: [(metadata.mtime(), metadata.mtime_nsec()), (metadata.ctime(), metadata.ctime_nsec())],
            identity: (metadata.dev(), metadata.ino()),
        }
    }
}

#[cfg(not(unix))]
impl From<&Metadata> for Stamp {
    fn from(metadata: &Metadata) -> Self {
        use std::time::UNIX_EPOCH;
        let modified = metadata.modified().ok().and_then(|time| time.duration_since(UNIX_EPOCH).ok());
        let modified = modified.map_or((i64::MAX, 0), |time| {
            (i64::try_from(time.as_secs()).unwrap_or(i64::MAX), i64::from(time.subsec_nanos()))
        });
        Self { len: metadata.len(), times: [modified; 2], identity: (0, 0) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metadata_proves_nothing_within_a_tick_of_the_last_change() {
        let stamp = Stamp { len: 1, times: [(100, 5), (90, 0)], identity: (0, 0) };
        for (now, is_settled) in [(0, false), (100, false), (102, false), (103, true)] {
            assert_eq!(stamp.is_settled(UnixTime(now)), is_settled, "{now}");
        }
        let before_1970 = Stamp { times: [(-1, 0), (-1, 0)], ..stamp };
        assert!(!before_1970.is_settled(UnixTime(103)));
    }

    #[test]
    fn a_file_that_changed_under_the_reader_is_not_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        std::fs::write(&path, "before").unwrap();
        let stamp = Stamp::of(&path).unwrap();
        assert_eq!(stamp.read(&path).unwrap(), "before");
        std::fs::write(&path, "and after").unwrap();
        assert!(stamp.read(&path).unwrap_err().to_string().contains("being written"));
        assert!(Stamp { len: MAX_LEN + 1, ..stamp }.read(&path).is_err());
        assert!(Stamp::of(folder.path()).is_err());
    }
}
