//! What cargo knows of the workspace's packages.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
};

use serde_json::Value;

use crate::{
    failure::Failure,
    shell::{cargo, output},
};

/// The packages of the workspace that lie under `crates/`, by name.
#[derive(Debug, Default)]
pub(super) struct Packages(pub(super) BTreeMap<String, Package>);

/// What a package depends on, tests aside.
#[derive(Debug, Default)]
pub(super) struct Package {
    /// Other packages of ours.
    pub(super) ours: BTreeSet<String>,
    /// Everything that is compiled into it without default features, however far down.
    pub(super) everything: BTreeSet<String>,
}

impl Packages {
    pub(super) fn read(root: &Path) -> Result<Self, Failure> {
        let json = output(&mut cargo(root, ["metadata", "--format-version=1", "--no-deps", "--locked"]))?;
        let metadata: Value = serde_json::from_str(&json).map_err(|error| Failure::new(error.to_string()))?;
        let mut packages = Self::direct(&metadata);
        for (name, package) in &mut packages.0 {
            package.everything = everything(root, name)?;
        }
        Ok(packages)
    }

    /// The arrows between packages of ours.
    fn direct(metadata: &Value) -> Self {
        let packages = || list(metadata, "packages").filter(|package| lies_in_crates(package));
        let names: BTreeSet<&str> = packages().filter_map(|package| package["name"].as_str()).collect();
        let known = packages().filter_map(|package| {
            let normal = list(package, "dependencies").filter(|dependency| dependency["kind"].is_null());
            let ours = normal
                .filter_map(|dependency| dependency["name"].as_str())
                .filter(|name| names.contains(name));
            let ours = ours.map(String::from).collect();
            Some((package["name"].as_str()?.into(), Package { ours, everything: BTreeSet::new() }))
        });
        Self(known.collect())
    }
}

fn list<'a>(value: &'a Value, field: &str) -> impl Iterator<Item = &'a Value> {
    value[field].as_array().into_iter().flatten()
}

fn lies_in_crates(package: &Value) -> bool {
    let manifest = package["manifest_path"].as_str().map(Path::new);
    let folder = manifest.and_then(Path::parent).and_then(Path::parent);
    folder.and_then(Path::file_name).is_some_and(|name| name == "crates")
}

/// Every package in the tree of normal dependencies.
fn everything(root: &Path, name: &str) -> Result<BTreeSet<String>, Failure> {
    let arguments =
        ["tree", "--locked", "--edges=normal", "--prefix=none", "--no-default-features", "--package", name];
    let tree = output(&mut cargo(root, arguments))?;
    Ok(tree.lines().skip(1).filter_map(|line| line.split_whitespace().next()).map(String::from).collect())
}

#[cfg(test)]
impl Packages {
    /// Packages that a test plants: name and the packages of ours that it knows.
    pub(super) fn of(arrows: &[(&str, &[&str])]) -> Self {
        let package = |known: &[&str]| Package {
            ours: known.iter().map(|name| (*name).into()).collect(),
            everything: BTreeSet::new(),
        };
        Self(arrows.iter().map(|(name, known)| ((*name).into(), package(known))).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_normal_dependencies_between_crates_are_arrows() {
        let metadata = serde_json::json!({ "packages": [
            { "name": "a", "manifest_path": "/x/crates/a/Cargo.toml", "dependencies": [
                { "name": "b", "kind": null }, { "name": "c", "kind": "dev" }, { "name": "serde", "kind": null } ] },
            { "name": "b", "manifest_path": "/x/crates/b/Cargo.toml", "dependencies": [] },
            { "name": "c", "manifest_path": "/x/crates/c/Cargo.toml", "dependencies": [] },
            { "name": "xtask", "manifest_path": "/x/xtask/Cargo.toml", "dependencies": [ { "name": "a", "kind": null } ] },
        ] });
        let packages = Packages::direct(&metadata);
        assert_eq!(packages.0.keys().collect::<Vec<_>>(), ["a", "b", "c"]);
        assert_eq!(packages.0["a"].ours.iter().collect::<Vec<_>>(), ["b"]);
    }
}
