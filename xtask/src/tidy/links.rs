//! Links between documents lead somewhere.

use super::{
    Finding,
    tree::{File, Tree},
};

pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    tree.ending(".md").flat_map(|file| broken(tree, file)).collect()
}

fn broken(tree: &Tree, file: &File) -> Vec<Finding> {
    let mut fenced = false;
    let mut findings = Vec::new();
    for (at, line) in file.text.lines().enumerate() {
        if line.trim_start().starts_with("```") {
            fenced = !fenced;
        }
        if fenced {
            continue;
        }
        for target in targets(line).filter(|target| is_local(target)) {
            let path = target.split_once('#').map_or(target, |(path, _)| path);
            if !path.is_empty() && !leads_somewhere(tree, &file.path, path) {
                findings.push(Finding::at(&file.path, at, format!("the link to {target} leads nowhere")));
            }
        }
    }
    findings
}

/// What the links `[text](target)` of a line point to.
fn targets(line: &str) -> impl Iterator<Item = &str> {
    line.match_indices("](").filter_map(move |(at, opening)| {
        let rest = line.get(at.checked_add(opening.len())?..)?;
        rest.split_once(')').map(|(target, _)| target.trim())
    })
}

fn is_local(target: &str) -> bool {
    !target.contains("://") && !target.starts_with("mailto:")
}

/// Follows `target` from the folder of `from`.
fn leads_somewhere(tree: &Tree, from: &str, target: &str) -> bool {
    let mut parts: Vec<&str> = from.split('/').collect();
    parts.pop();
    for part in target.trim_end_matches('/').split('/') {
        match part {
            ".." if parts.pop().is_none() => return false,
            "." | ".." => {}
            name => parts.push(name),
        }
    }
    parts.is_empty() || tree.paths.iter().any(|path| *path == parts.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_that_lead_nowhere_are_found() {
        let page = "[a](../README.md) [b](b.md#x) ![c](pic.svg)\n[gone](gone.md), [out](../../x.md)\n\
                    [web](https://example.org/) [here](#top)\n```\n[code](not-a-link)\n```\n";
        let tree = Tree::of(&[("README.md", "[docs](docs/a.md)"), ("docs/a.md", page), ("docs/b.md", "")]);
        let found: Vec<_> = check(&tree).iter().map(ToString::to_string).collect();
        assert_eq!(
            found,
            [
                "docs/a.md:1: the link to pic.svg leads nowhere",
                "docs/a.md:2: the link to gone.md leads nowhere",
                "docs/a.md:2: the link to ../../x.md leads nowhere",
            ]
        );
    }
}
