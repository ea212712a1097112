//! Public signatures show no type of a crate that is pre-1.0, out of step with its siblings, or ours to replace.
//!
//! This reads text, not types: it sees a foreign type that is written with its path, or imported by name in the same
//! file. A type that reaches a signature through an alias of ours is not seen.

use std::collections::BTreeSet;

use super::{
    Finding,
    tree::{File, Tree},
};

/// Crates whose types stay inside.
const INSIDE: &[&str] = &[
    "der",
    "spki",
    "const_oid",
    "x509_cert",
    "cms",
    "pkcs8",
    "x509_ocsp",
    "rusqlite",
    "aws_lc_rs",
    "quick_cache",
    "toml",
];

pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    tree.sources().flat_map(|(_, file)| leaks(file)).collect()
}

fn leaks(file: &File) -> Vec<Finding> {
    let text: Vec<(usize, &str)> = file.lines_before_tests().collect();
    let imported = imported(&text);
    signatures(&text)
        .into_iter()
        .filter_map(|(at, signature)| {
            let name = foreign(&signature, &imported)?;
            Some(Finding::at(
                &file.path,
                at,
                format!("a public signature shows {name}, which must stay inside"),
            ))
        })
        .collect()
}

/// What names a foreign type in a signature, if anything does.
fn foreign(signature: &str, imported: &BTreeSet<String>) -> Option<String> {
    let path = INSIDE.iter().find(|name| {
        signature.match_indices(&format!("{name}::")).any(|(at, _)| {
            let before = signature.get(..at).and_then(|before| before.chars().next_back());
            !before.is_some_and(|c| c.is_alphanumeric() || c == '_' || c == ':')
        })
    });
    let word =
        || signature.split(|c: char| !c.is_alphanumeric() && c != '_').find(|word| imported.contains(*word));
    path.map(|name| format!("{name}::…")).or_else(|| word().map(String::from))
}

/// Types that the file imports from crates that stay inside: names in upper case, as they are called here.
fn imported(text: &[(usize, &str)]) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for (_, statement) in statements(text, |line| line.starts_with("use ")) {
        let path = statement.trim_start_matches("use ");
        let from_inside = INSIDE.iter().any(|name| path.starts_with(&format!("{name}::")));
        if !from_inside {
            continue;
        }
        for item in path.split([',', '{', '}', ';']).map(str::trim) {
            let name = item.rsplit([':', ' ']).next().unwrap_or_default();
            if name.starts_with(char::is_uppercase) {
                names.insert(name.into());
            }
        }
    }
    names
}

/// Public items, fields and re-exports, each up to its body; and what public types implement.
fn signatures(text: &[(usize, &str)]) -> Vec<(usize, String)> {
    let public = declared(text);
    let is_public = |line: &str| line.starts_with("pub ");
    let mut found: Vec<_> = statements(text, is_public)
        .into_iter()
        .map(|(at, item)| (at, without_private_fields(item)))
        .collect();
    let implementations = statements(text, |line| line.starts_with("impl"));
    found.extend(implementations.into_iter().filter(|(_, header)| {
        let Some((_, on)) = header.split_once(" for ") else { return false };
        on.split(|c: char| !c.is_alphanumeric()).any(|word| public.contains(word))
    }));
    found
}

/// A tuple struct shows only those of its fields that are public.
fn without_private_fields(item: String) -> String {
    match item.split_once('(') {
        Some((head, fields)) if head.starts_with("pub struct ") => {
            let public = fields.split(", ").filter(|field| field.trim().starts_with("pub "));
            format!("{head}({}", public.collect::<String>())
        }
        _ => item,
    }
}

/// Types that the file declares public.
fn declared(text: &[(usize, &str)]) -> BTreeSet<String> {
    let name = |line: &str| {
        let rest =
            ["pub struct ", "pub enum ", "pub trait "].iter().find_map(|start| line.strip_prefix(start))?;
        Some(rest.split(|c: char| !c.is_alphanumeric() && c != '_').next()?.into())
    };
    text.iter().filter_map(|(_, line)| name(line.trim())).collect()
}

/// Joins the lines of each statement that starts so, up to its `{`, `;` or, for a field, the end of its line.
fn statements(text: &[(usize, &str)], starts: impl Fn(&str) -> bool) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    let mut lines = text.iter().map(|(at, line)| (*at, line.trim()));
    while let Some((at, line)) = lines.next() {
        if !starts(line) {
            continue;
        }
        let import = line.contains("use ");
        let ends = |line: &str| line.contains(';') || !import && (line.contains('{') || line.ends_with(','));
        let mut statement = String::from(line);
        let open = |text: &str| text.matches('(').count() > text.matches(')').count();
        while !ends(statement.as_str()) || !import && open(&statement) && !statement.contains('{') {
            let Some((_, next)) = lines.next() else { break };
            statement.push(' ');
            statement.push_str(next);
        }
        let end = if import { statement.len() } else { statement.find('{').unwrap_or(statement.len()) };
        found.push((at, statement.get(..end).unwrap_or_default().into()));
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Vec<Option<usize>> {
        check(&Tree::of(&[("crates/a/src/b.rs", text)])).into_iter().map(|finding| finding.line).collect()
    }

    #[test]
    fn foreign_types_in_public_signatures_are_found() {
        for text in [
            "pub fn name(&self) -> &x509_cert::name::RdnSequence {\n",
            "pub fn long(\n    &self,\n    oid: const_oid::ObjectIdentifier,\n) -> bool {\n",
            "use der::{Any, Encode as _};\npub fn any() -> Any {\n",
            "use der::asn1::ObjectIdentifier as Oid;\npub struct A {\n    pub oid: Oid,\n}\n",
            "pub use cms::content_info::ContentInfo;\n",
            "pub struct Key(pub aws_lc_rs::signature::EcdsaKeyPair);\n",
            "pub struct A;\nimpl From<der::Error> for A {\n",
            "pub type Store = rusqlite::Connection;\n",
        ] {
            assert_eq!(found(text).len(), 1, "{text}");
        }
    }

    #[test]
    fn what_stays_inside_passes() {
        for text in [
            "use der::{Any, Encode as _};\nfn any() -> Any {\n",
            "pub(crate) fn any() -> der::Any {\n",
            "pub fn parse(bytes: &[u8]) -> Result<A, Error> {\n    der::Any::from_der(bytes)\n}\n",
            "pub fn order(under::Study) {\n",
            "struct A;\nimpl From<der::Error> for A {\n",
            "pub struct A;\n\n#[cfg(test)]\nmod tests {\n    pub fn x() -> der::Any {\n",
            "pub struct A {\n    pub name: String,\n    inner: der::Any,\n}\n",
            "use der::Any;\npub struct A(Any, pub(crate) Any);\n",
        ] {
            assert_eq!(found(text), [], "{text}");
        }
    }
}
