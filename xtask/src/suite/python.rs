//! The Python programs that tests run, in an environment of their own below the target folder.

use std::{fs, path::Path, process::Command};

use super::Missing;
use crate::{
    failure::{Failure, While as _},
    measure::target_folder,
    shell::{run, succeeds},
};

/// The packages, each with its version.
const PACKAGES: &str = include_str!("python.txt");

/// Sees to it that the environment holds these packages and no others.
pub(super) fn ensure(root: &Path, missing: Missing) -> Result<(), Failure> {
    let folder = target_folder(root)?.join("python");
    let (python, list) = (folder.join("bin/python"), folder.join("packages.txt"));
    let is_complete = fs::read_to_string(&list).is_ok_and(|made| made == PACKAGES);
    if is_complete && succeeds(Command::new(&python).arg("--version")) {
        println!("all there");
        return Ok(());
    }
    if missing == Missing::Report {
        return Err(Failure::new("the Python packages are missing; make them with: cargo xtask test python"));
    }
    if folder.exists() {
        fs::remove_dir_all(&folder).during(folder.display())?;
    }
    run(Command::new("python3").args(["-m", "venv"]).arg(&folder))?;
    let unfinished = folder.join("packages.txt.new");
    fs::write(&unfinished, PACKAGES).during(unfinished.display())?;
    let install = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps"];
    let only_built = ["--only-binary", ":all:", "--requirement"];
    run(Command::new(&python).args(install).args(only_built).arg(&unfinished))?;
    // Only now, so that an interrupted installation is begun anew.
    fs::rename(&unfinished, &list).during(list.display())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_package_has_one_version() {
        for line in PACKAGES.lines().filter(|line| !line.starts_with('#')) {
            let (name, version) = line.split_once("==").unwrap();
            assert!(!name.is_empty() && version.starts_with(|c: char| c.is_ascii_digit()), "{line}");
        }
    }
}
