//! Only enrollment makes the value that issuance wants before it signs.

use super::{Finding, tree::Tree};

/// The constructor that only one crate may call.
const CALL: &str = concat!("Authorized::", "vouch");

/// Who may name it: the crate that defines it, and the one that decides.
const MAY: &[&str] = &["issuance", "enrollment"];

pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let others = tree
        .ending(".rs")
        .filter(|file| !MAY.iter().any(|name| file.path.starts_with(&format!("crates/{name}/"))));
    others
        .flat_map(|file| {
            let calls = file.text.lines().enumerate().filter(|(_, line)| line.contains(CALL));
            calls.map(|(at, _)| {
                Finding::at(&file.path, at, format!("{CALL} is for the crate enrollment alone"))
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn authorizing_anywhere_else_is_found() {
        let call = format!("let certificate = {CALL}(request);\n");
        let tree =
            Tree::of(&[("crates/enrollment/src/lib.rs", &call), ("crates/scep-server/src/wire.rs", &call)]);
        let found: Vec<_> = check(&tree).into_iter().map(|finding| finding.path).collect();
        assert_eq!(found, ["crates/scep-server/src/wire.rs"]);
    }
}
