//! Files on disk: whole or not at all.

use std::{
    ffi::OsString,
    fs, io,
    path::{Path, PathBuf},
};

use pki_core::Certificate;

use crate::failure::Failure;

/// Puts `contents` at `path`: what was there before is there until all of it is, and after a crash as well.
pub(crate) fn replace(path: &Path, contents: &[u8]) -> Result<(), Failure> {
    let staged = beside(path, &format!(".{}.tmp", std::process::id()));
    let written = fs::File::create(&staged).and_then(|mut file| {
        io::Write::write_all(&mut file, contents)?;
        file.sync_all()
    });
    written.map_err(|error| {
        // The first error is the one to tell.
        let _ = fs::remove_file(&staged);
        cannot("write", path, &error)
    })?;
    rename(&staged, path)
}

/// Moves `from` to `to`, over what is there.
pub(crate) fn rename(from: &Path, to: &Path) -> Result<(), Failure> {
    fs::rename(from, to).and_then(|()| sync_folder(to)).map_err(|error| cannot("write", to, &error))
}

/// Removes a file, if it is there.
pub(crate) fn remove(path: &Path) -> Result<(), Failure> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(cannot("remove", path, &error)),
        _ => Ok(()),
    }
}

/// The text of a file.
pub(crate) fn read(path: &Path) -> Result<String, Failure> {
    fs::read_to_string(path).map_err(|error| cannot("read", path, &error))
}

/// The certificate in a PEM file.
pub(crate) fn certificate(path: &Path) -> Result<Certificate, Failure> {
    Certificate::from_pem(&read(path)?)
        .map_err(|error| Failure::local(format_args!("{}: {error}", path.display())))
}

/// `path` with `suffix` at the end of its name.
pub(crate) fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(suffix);
    name.into()
}

/// `path` from the root, so that it names the same file wherever it is read from.
pub(crate) fn absolute(path: &Path) -> Result<PathBuf, Failure> {
    std::path::absolute(path).map_err(|error| cannot("find", path, &error))
}

/// A new name is durable only when its folder is.
fn sync_folder(path: &Path) -> io::Result<()> {
    #[cfg(unix)]
    {
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
        fs::File::open(folder.unwrap_or_else(|| Path::new(".")))?.sync_all()?;
    }
    #[cfg(not(unix))]
    let _ = path;
    Ok(())
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
