//! Files that their owner alone may read, written whole or not at all.

use std::{
    fmt,
    fs::{self, File, OpenOptions},
    io::{self, Read as _, Write as _},
    path::{Path, PathBuf},
};

use pki_core::SecureRandom as _;
use zeroize::Zeroizing;

use crate::AwsLc;

/// Larger files are no keys.
const MAX_LEN: u64 = 64 * 1024;

/// A file of secrets could not be read or written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FileError {
    /// The operating system refused.
    #[error("cannot {action} {}: {error}", path.display())]
    Io {
        /// What was tried, such as `read`.
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// Why not.
        error: io::Error,
    },
    /// There is a file of that name, and it was not to be replaced.
    #[error("{} exists already: move it away, or use it", path.display())]
    Exists {
        /// The file.
        path: PathBuf,
    },
    /// Others than its owner may read or write it.
    #[error("{} holds a secret that others may read (mode {mode:04o}): run `chmod 600 {}`", path.display(), path.display())]
    TooOpen {
        /// The file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// What it holds cannot be used.
    #[error("{}: {problem}", path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// What was expected, and what came.
        problem: String,
    },
}

impl FileError {
    /// Whether the file is not there.
    pub fn is_not_found(&self) -> bool {
        matches!(self, Self::Io { error, .. } if error.kind() == io::ErrorKind::NotFound)
    }

    pub(crate) fn malformed(path: &Path, problem: impl fmt::Display) -> Self {
        Self::Malformed { path: path.to_owned(), problem: problem.to_string() }
    }

    fn io(action: &'static str, path: &Path, error: io::Error) -> Self {
        Self::Io { action, path: path.to_owned(), error }
    }
}

/// Reads a file that nobody but its owner may read or write (on Unix), at most 64 KiB of it.
pub fn read_private_file(path: &Path) -> Result<Zeroizing<Vec<u8>>, FileError> {
    let cannot = |error| FileError::io("read", path, error);
    let file = File::open(path).map_err(cannot)?;
    let about = file.metadata().map_err(cannot)?;
    refuse_open(path, &about)?;
    let size = usize::try_from(about.len().min(MAX_LEN)).unwrap_or(0);
    // Room for all of it at once: a buffer that grows leaves copies behind.
    let mut contents = Zeroizing::new(Vec::with_capacity(size.saturating_add(64)));
    file.take(MAX_LEN.saturating_add(1)).read_to_end(&mut contents).map_err(cannot)?;
    if u64::try_from(contents.len()).is_ok_and(|length| length <= MAX_LEN) {
        Ok(contents)
    } else {
        Err(FileError::malformed(path, "expected a file of at most 64 KiB: a larger one"))
    }
}

/// Creates a file for its owner alone (on Unix) where nothing is yet. When this returns, it would survive a crash;
/// when it fails, there is no file.
pub fn create_private_file(path: &Path, contents: &[u8]) -> Result<(), FileError> {
    let staged = stage(path, contents)?;
    let linked = link(&staged, path);
    // Whether it is linked now or not, the name under which it was staged has done its work.
    let _ = fs::remove_file(&staged);
    linked.map_err(|error| match error.kind() {
        io::ErrorKind::AlreadyExists => FileError::Exists { path: path.to_owned() },
        _ => FileError::io("create", path, error),
    })?;
    sync_folder(path)
}

/// Writes a file for its owner alone (on Unix), in place of what is there. When this returns, it would survive a
/// crash; at every moment the name stands for the whole old or the whole new contents.
pub fn replace_private_file(path: &Path, contents: &[u8]) -> Result<(), FileError> {
    let staged = stage(path, contents)?;
    if let Err(error) = fs::rename(&staged, path) {
        let _ = fs::remove_file(&staged);
        return Err(FileError::io("write", path, error));
    }
    sync_folder(path)
}

#[cfg(unix)]
fn refuse_open(path: &Path, about: &fs::Metadata) -> Result<(), FileError> {
    use std::os::unix::fs::PermissionsExt as _;
    let mode = about.permissions().mode() & 0o7777;
    let others = mode & 0o077;
    if others == 0 { Ok(()) } else { Err(FileError::TooOpen { path: path.to_owned(), mode }) }
}

#[cfg(not(unix))]
fn refuse_open(_path: &Path, _about: &fs::Metadata) -> Result<(), FileError> {
    Ok(())
}

fn stage(path: &Path, contents: &[u8]) -> Result<PathBuf, FileError> {
    let staged = beside(path)?;
    let written = open_new(&staged).and_then(|mut file| {
        file.write_all(contents)?;
        file.sync_all()
    });
    written.map(|()| staged.clone()).map_err(|error| {
        let _ = fs::remove_file(&staged);
        FileError::io("write", path, error)
    })
}

/// A name that nobody else uses, in the same folder so that it can be renamed.
fn beside(path: &Path) -> Result<PathBuf, FileError> {
    let mut random = [0; 8];
    let drawn = AwsLc.fill(&mut random);
    drawn.map_err(|error| FileError::io("write", path, io::Error::other(error)))?;
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    Ok(path.with_file_name(format!(".{name}.{:016x}.new", u64::from_be_bytes(random))))
}

fn open_new(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

/// A link fails where the name is taken; a rename would not. Where there are no links, the check comes before.
fn link(staged: &Path, path: &Path) -> io::Result<()> {
    match fs::hard_link(staged, path) {
        Err(error)
            if matches!(error.kind(), io::ErrorKind::Unsupported | io::ErrorKind::PermissionDenied)
                && !path.try_exists()? =>
        {
            fs::rename(staged, path)
        }
        done => done,
    }
}

/// A new name is durable only when its folder is.
fn sync_folder(path: &Path) -> Result<(), FileError> {
    #[cfg(unix)]
    {
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
        let folder = folder.unwrap_or_else(|| Path::new("."));
        let synced = File::open(folder).and_then(|folder| folder.sync_all());
        synced.map_err(|error| FileError::io("write", path, error))?;
    }
    Ok(())
}
