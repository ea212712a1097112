//! Protocol crates say `no_std`, so that reaching for the operating system does not compile.

use super::{Finding, arrows::PROTOCOL, tree::Tree};

/// The ways to say it.
const ATTRIBUTES: &[&str] =
    &["#![no_std]", "#![cfg_attr(not(feature = \"std\"), no_std)]", "#![cfg_attr(not(test), no_std)]"];

pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let roots = PROTOCOL.iter().map(|name| format!("crates/{name}/src/lib.rs"));
    let says = |path: &str| {
        tree.text(path).is_some_and(|text| text.lines().any(|line| ATTRIBUTES.contains(&line.trim())))
    };
    roots
        .filter(|path| !says(path))
        .map(|path| Finding::of(&path, format!("a protocol crate says one of: {}", ATTRIBUTES.join(", "))))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_protocol_crate_with_std_is_found() {
        let paths: Vec<_> = PROTOCOL.iter().map(|name| format!("crates/{name}/src/lib.rs")).collect();
        let mut files: Vec<_> = paths.iter().map(|path| (path.as_str(), "//! x\n#![no_std]\n")).collect();
        assert_eq!(check(&Tree::of(&files)), []);
        files[0].1 = "//! x\n#![cfg_attr(not(feature = \"std\"), no_std)]\n";
        assert_eq!(check(&Tree::of(&files)), []);
        files[1].1 = "//! x\n// #![no_std]\n";
        assert_eq!(check(&Tree::of(&files)).len(), 1);
    }
}
