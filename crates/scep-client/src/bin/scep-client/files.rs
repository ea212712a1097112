//! Certificates on disk: whole or not at all.

use std::{
    ffi::OsString,
    fs, io,
    path::{Path, PathBuf},
};

use crate::failure::Failure;

/// Puts `contents` at `path`: what was there before is there until all of it is.
pub(crate) fn replace(path: &Path, contents: &[u8]) -> Result<(), Failure> {
    let staged = stage(path, contents)?;
    rename(&staged, path)
}

/// Writes `contents` beside `path`, to be renamed to it.
pub(crate) fn stage(path: &Path, contents: &[u8]) -> Result<PathBuf, Failure> {
    let staged = beside(path, &format!(".{}.tmp", std::process::id()));
    let written = fs::File::create(&staged).and_then(|mut file| {
        io::Write::write_all(&mut file, contents)?;
        file.sync_all()
    });
    written.map(|()| staged.clone()).map_err(|error| {
        // The first error is the one to tell.
        let _ = fs::remove_file(&staged);
        cannot("write", &staged, &error)
    })
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
        replace(&path, b"one").unwrap();
        replace(&path, b"two").unwrap();
        assert_eq!(read(&path).unwrap(), "two");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn says_which_file_cannot_be_had() {
        let failure = replace(Path::new("/nonexistent/cert.pem"), b"one").unwrap_err();
        assert!(failure.to_string().contains("/nonexistent/cert.pem"), "{failure}");
    }
}
