//! The text files of the workspace.

use std::{
    fs,
    path::{Path, PathBuf},
};

use crate::failure::{Failure, While as _};

/// Every text file under a folder, but for what is built, found or hidden.
#[derive(Debug, Default)]
pub(super) struct Tree {
    pub(super) root: PathBuf,
    pub(super) files: Vec<File>,
    /// Every path, of text and of other files and of folders: what a link may lead to.
    pub(super) paths: Vec<String>,
}

/// A file: its path from the root, with `/`, and its text.
#[derive(Debug)]
pub(super) struct File {
    pub(super) path: String,
    pub(super) text: String,
}

/// Folders that hold nothing of ours.
const FOREIGN: &[&str] = &["target", "corpus", "artifacts", "coverage", "certbound-data"];
/// Hidden files and folders that are ours.
const OURS: &[&str] = &[".ci", ".cargo", ".config", ".github", ".gitignore"];

impl Tree {
    pub(super) fn read(root: &Path) -> Result<Self, Failure> {
        let mut tree = Self { root: root.into(), ..Self::default() };
        tree.enter(root, "")?;
        Ok(tree)
    }

    fn enter(&mut self, folder: &Path, prefix: &str) -> Result<(), Failure> {
        let mut entries = fs::read_dir(folder).during(folder.display())?.collect::<Result<Vec<_>, _>>();
        if let Ok(entries) = &mut entries {
            entries.sort_by_key(fs::DirEntry::file_name);
        }
        for entry in entries.during(folder.display())? {
            let (path, name) = (entry.path(), entry.file_name().to_string_lossy().into_owned());
            if FOREIGN.contains(&name.as_str()) || name.starts_with('.') && !OURS.contains(&name.as_str()) {
                continue;
            }
            let from_root = format!("{prefix}{name}");
            if path.is_dir() {
                self.enter(&path, &format!("{from_root}/"))?;
            } else if let Ok(text) = String::from_utf8(fs::read(&path).during(path.display())?) {
                self.files.push(File { path: from_root.clone(), text });
            }
            self.paths.push(from_root);
        }
        Ok(())
    }

    /// The text of one file.
    pub(super) fn text(&self, path: &str) -> Option<&str> {
        self.files.iter().find(|file| file.path == path).map(|file| file.text.as_str())
    }

    /// Files whose name ends so.
    pub(super) fn ending<'a>(&'a self, end: &'a str) -> impl Iterator<Item = &'a File> {
        self.files.iter().filter(move |file| file.path.ends_with(end))
    }

    /// Rust sources that are compiled into a crate, by the crate's folder name.
    pub(super) fn sources(&self) -> impl Iterator<Item = (&str, &File)> {
        self.ending(".rs").filter_map(|file| {
            let (name, rest) = file.path.strip_prefix("crates/")?.split_once('/')?;
            rest.starts_with("src/").then_some((name, file))
        })
    }
}

#[cfg(test)]
impl Tree {
    /// A tree that a test plants.
    pub(super) fn of(files: &[(&str, &str)]) -> Self {
        let file = |(path, text): &(&str, &str)| File { path: (*path).into(), text: (*text).into() };
        let paths = files.iter().map(|(path, _)| (*path).into()).collect();
        Self { root: "/nowhere/at-all".into(), files: files.iter().map(file).collect(), paths }
    }
}

impl File {
    /// The lines before the tests that a file ends with.
    pub(super) fn lines_before_tests(&self) -> impl Iterator<Item = (usize, &str)> {
        self.text.lines().enumerate().take_while(|(_, line)| line.trim() != "#[cfg(test)]")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_workspace_is_read_without_what_is_built() {
        let tree = Tree::read(Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))).unwrap();
        assert!(
            tree.text("xtask/src/tidy/tree.rs").is_some_and(|text| text.starts_with("//! The text files"))
        );
        assert!(
            tree.files
                .iter()
                .all(|file| !file.path.starts_with("target/") && !file.path.starts_with(".git/"))
        );
        assert!(tree.sources().any(|(name, file)| name == "pki-core" && file.path.ends_with("/lib.rs")));
    }
}
