//! Keys and certificates on disk.

use std::{
    ffi::OsString,
    fs::{self, File, OpenOptions},
    io::{self, Write as _},
    path::{Path, PathBuf},
};

use crate::failure::Failure;

/// Who may read a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Access {
    /// Its owner alone.
    Owner,
    /// Everybody, as the umask allows.
    Everybody,
}

/// Puts `contents` at `path`: the file is there whole or not at all, and what was there before is there until then.
pub(crate) fn replace(path: &Path, contents: &[u8], access: Access) -> Result<(), Failure> {
    let staged = stage(path, contents, access)?;
    fs::rename(&staged, path).map_err(|error| cannot("write", path, &error))
}

/// Puts `contents` at `path` where nothing is yet.
pub(crate) fn create(path: &Path, contents: &[u8], access: Access) -> Result<(), Failure> {
    write_new(path, contents, access).map_err(|error| cannot("create", path, &error))
}

/// Moves `from` to `to`, over what is there.
pub(crate) fn rename(from: &Path, to: &Path) -> Result<(), Failure> {
    fs::rename(from, to).map_err(|error| cannot("write", to, &error))
}

/// The text of a file.
pub(crate) fn read(path: &Path) -> Result<String, Failure> {
    fs::read_to_string(path).map_err(|error| cannot("read", path, &error))
}

/// `path` with `suffix` at the end of its name.
pub(crate) fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(suffix);
    name.into()
}

fn stage(path: &Path, contents: &[u8], access: Access) -> Result<PathBuf, Failure> {
    let staged = beside(path, &format!(".{}.tmp", std::process::id()));
    write_new(&staged, contents, access).map_err(|error| cannot("write", &staged, &error))?;
    Ok(staged)
}

fn write_new(path: &Path, contents: &[u8], access: Access) -> io::Result<()> {
    let mut file = open_new(path, access)?;
    let written = file.write_all(contents).and_then(|()| file.sync_all());
    if written.is_err() {
        // Half a file is worse than none; the first error is the one to tell.
        let _ = fs::remove_file(path);
    }
    written
}

fn open_new(path: &Path, access: Access) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(
        &mut options,
        match access {
            Access::Owner => 0o600,
            Access::Everybody => 0o644,
        },
    );
    options.open(path)
}

fn cannot(what: &str, path: &Path, error: &io::Error) -> Failure {
    Failure::local(format_args!("cannot {what} {}: {error}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn replaces_whole_and_leaves_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("cert.pem");
        replace(&path, b"one", Access::Everybody).unwrap();
        replace(&path, b"two", Access::Everybody).unwrap();
        assert_eq!(read(&path).unwrap(), "two");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn creates_only_where_nothing_is() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key.pem");
        create(&path, b"one", Access::Owner).unwrap();
        let failure = create(&path, b"two", Access::Owner).unwrap_err();
        assert!(failure.to_string().contains("exists"), "{failure}");
        assert_eq!(read(&path).unwrap(), "one");
    }

    #[cfg(unix)]
    #[test]
    fn keys_are_for_their_owner_alone() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key.pem");
        create(&path, b"key", Access::Owner).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        replace(&path, b"key", Access::Owner).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    }
}
