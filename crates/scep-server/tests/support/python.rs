//! Linters and libraries in Python.

use std::path::{Path, PathBuf};

use super::attempt;

/// A program of the environment that `cargo xtask test python` makes below the target folder.
pub fn python(program: &str) -> String {
    let built = Path::new(env!("CARGO_BIN_EXE_scep-server"));
    let program = built.ancestors().map(|folder| folder.join("python/bin").join(program));
    let found: Option<PathBuf> = program.into_iter().find(|program| program.exists());
    let found = found.unwrap_or_else(|| panic!("`cargo xtask test python` installs what this test needs"));
    found.display().to_string()
}

/// What linters of pkilint have to say, mere information aside. Each job is a linter and its arguments.
pub fn findings(folder: &Path, jobs: &[String]) -> String {
    let jobs = jobs.iter().map(String::as_str);
    let arguments: Vec<&str> =
        [concat!(env!("CARGO_MANIFEST_DIR"), "/tests/support/lint.py")].into_iter().chain(jobs).collect();
    attempt(folder, &python("python"), &arguments).1.trim().to_owned()
}
