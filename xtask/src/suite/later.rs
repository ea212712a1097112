//! Programs of later Debian releases that need nothing of theirs: fetched by name, version and digest, and unpacked below the
//! target folder. Nothing is installed, and the system's own packages stay as they are.

use std::{fs, path::Path, process::Command};

use super::Missing;
use crate::{
    failure::{Failure, While as _},
    measure::target_folder,
    shell::{output, run},
};

/// What apt calls to fetch a file whose digest is known; it knows the machine's proxies.
const FETCH: &str = "/usr/lib/apt/apt-helper";

/// Where packages are; the second keeps what the first has replaced.
const ARCHIVES: [&str; 2] =
    ["http://deb.debian.org/debian", "http://snapshot.debian.org/archive/debian/20250820T000000Z"];

/// A package.
#[derive(Debug)]
struct Package {
    name: &'static str,
    version: &'static str,
    /// Its folder in an archive.
    folder: &'static str,
    /// Architecture and SHA-256.
    digests: &'static [(&'static str, &'static str)],
    program: &'static str,
}

/// micromdm's server and client, statically linked.
const SCEP: Package = Package {
    name: "scep",
    version: "2.3.0-1+b3",
    folder: "pool/main/g/golang-github-micromdm-scep",
    digests: &[
        ("amd64", "bacf4871da3a34c1afbe331dfe3bcf81b14e908efeee840c3cdd8a6465e2dfe1"),
        ("arm64", "80fe2bd666aeabe46b423de18661bdeb09172fd29fc0a6f235eba56d83cbaea6"),
    ],
    program: "usr/bin/scepserver",
};

/// Sees to it that the package lies there, unpacked.
pub(super) fn ensure(root: &Path, missing: Missing) -> Result<(), Failure> {
    let folder = target_folder(root)?.join("later");
    let mark = folder.join("version.txt");
    let is_there = fs::read_to_string(&mark).is_ok_and(|found| found == SCEP.version);
    if is_there && folder.join(SCEP.program).exists() {
        println!("all there");
        return Ok(());
    }
    if missing == Missing::Report {
        return Err(Failure::new("micromdm's programs are missing; fetch them with: cargo xtask test later"));
    }
    if folder.exists() {
        fs::remove_dir_all(&folder).during(folder.display())?;
    }
    fs::create_dir_all(&folder).during(folder.display())?;
    let file = folder.join("package.deb");
    fetch(&SCEP, &file)?;
    run(Command::new("dpkg").arg("-x").arg(&file).arg(&folder))?;
    // Only now, so that what was interrupted is begun anew.
    fs::write(&mark, SCEP.version).during(mark.display())
}

fn fetch(package: &Package, file: &Path) -> Result<(), Failure> {
    let Package { name, version, folder, digests, .. } = package;
    let architecture = output(Command::new("dpkg").arg("--print-architecture"))?;
    let architecture = architecture.trim();
    let digest = digests.iter().find(|(known, _)| *known == architecture).map(|(_, digest)| digest);
    let digest = digest.ok_or_else(|| {
        Failure::new(format!(
            "no digest is known of {name} for {architecture}; add it to xtask/src/suite/later.rs"
        ))
    })?;
    let mut result = Ok(());
    for archive in ARCHIVES {
        let url = format!("{archive}/{folder}/{name}_{version}_{architecture}.deb");
        let mut command = Command::new(FETCH);
        result = run(command.args(["download-file", &url]).arg(file).arg(format!("SHA256:{digest}")));
        if result.is_ok() {
            break;
        }
    }
    result
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digests_are_of_sha256_and_each_is_another_ones() {
        let [(_, first), (_, second)] = SCEP.digests else { panic!("two architectures") };
        assert_ne!(first, second);
        for digest in [first, second] {
            assert!(digest.len() == 64 && digest.chars().all(|digit| digit.is_ascii_hexdigit()), "{digest}");
        }
    }
}
