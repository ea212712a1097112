//! docs/limits.md agrees with the code: each row of its tables ends with a value and the constant that holds it,
//! written `crate::CONSTANT` (or `crate::Type::CONSTANT`, or `crate::Type::default().field`).

use super::{Finding, tree::Tree};

const PAGE: &str = "docs/limits.md";

pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let Some(page) = tree.text(PAGE) else { return vec![Finding::of(PAGE, "is missing")] };
    let mut findings = Vec::new();
    for (at, value, constant) in
        page.lines().enumerate().filter_map(|(at, line)| row(line).map(|(v, c)| (at, v, c)))
    {
        match declared(tree, constant) {
            None => findings.push(Finding::at(PAGE, at, format!("the code has no {constant}"))),
            Some(code) if digits(&code) != digits(value) => {
                findings.push(Finding::at(PAGE, at, format!("{constant} is {code}, not {value}")));
            }
            Some(_) => {}
        }
    }
    findings
}

/// The value and the constant: the last two cells of a row whose last one is in backquotes.
fn row(line: &str) -> Option<(&str, &str)> {
    let mut cells = line.trim().strip_prefix('|')?.trim_end_matches('|').rsplit('|').map(str::trim);
    let constant = cells.next()?.strip_prefix('`')?.strip_suffix('`')?;
    Some((cells.next()?, constant))
}

/// The value that the crate gives its constant, or its field of a `Default`. Where a segment of the path names a file,
/// as a module or as a type, it is looked for there alone.
fn declared(tree: &Tree, constant: &str) -> Option<String> {
    let (name, item) = (constant.split("::").next()?, constant.rsplit([':', '.']).next()?);
    let sources: Vec<_> = tree.sources().filter(|(folder, _)| folder.replace('-', "_") == name).collect();
    let modules: Vec<String> =
        constant.split("::").skip(1).map(|part| format!("/{}.rs", snake_case(part))).collect();
    let named = |path: &str| modules.iter().any(|module| path.ends_with(module));
    let alone = sources.iter().any(|(_, file)| named(&file.path));
    let files = sources.iter().filter(|(_, file)| !alone || named(&file.path));
    let mut lines = files.flat_map(|(_, file)| file.text.lines().map(str::trim));
    let field = constant.contains("default().");
    lines.find_map(|line| if field { field_value(line, item) } else { constant_value(line, item) })
}

/// `SerialNumber` -> `serial_number`
fn snake_case(name: &str) -> String {
    name.chars().enumerate().fold(String::new(), |mut text, (at, c)| {
        if at > 0 && c.is_uppercase() {
            text.push('_');
        }
        text.extend(c.to_lowercase());
        text
    })
}

/// `const MAX: usize = 1 << 16;` -> `1 << 16`
fn constant_value(line: &str, name: &str) -> Option<String> {
    let (_, rest) = line.split_once("const ")?;
    let rest = rest.strip_prefix(name)?.strip_prefix(':')?;
    let (_, value) = rest.split_once('=')?;
    Some(value.trim().trim_end_matches(';').into())
}

/// `max_connections: 512,` -> `512`, possibly in the middle of a line
fn field_value(line: &str, name: &str) -> Option<String> {
    let at = line.find(&format!("{name}: ")).filter(|_| !line.starts_with("pub "))?;
    let value = line.get(at..)?.split_once(": ")?.1;
    let value = value.split([',', '}']).next()?.trim();
    value.contains(|c: char| c.is_ascii_digit()).then(|| value.into())
}

/// What two spellings of a value have in common: `64 * 1024`, `64 KiB` and `65_536` are one; `10_000` and `10 000` are;
/// `Duration::from_secs(10)` and `10 s` are.
fn digits(value: &str) -> Option<u64> {
    let number: String = value.chars().filter(|c| *c != '_' && !c.is_whitespace()).collect();
    let start = number.find(|c: char| c.is_ascii_digit())?;
    let rest = number.get(start..)?;
    let first: u64 = rest.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok()?;
    let factor = if rest.contains("*1024*1024") || rest.contains("<<20") || rest.contains("MiB") {
        1024 * 1024
    } else if rest.contains("*1024") || rest.contains("<<10") || rest.contains("KiB") {
        1024
    } else if rest.contains("min") || rest.contains("*60") || number.contains("from_mins") {
        60
    } else {
        1
    };
    first.checked_mul(factor)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(page: &str) -> Vec<String> {
        let code = "/// x\npub const MAX_BODY: usize = 64 * 1024;\n    const DEPTH: usize = 32;\n";
        let limits = "impl Default for Limits { fn default() -> Self {\n    Self { header_time: Duration::from_secs(10), most: 5 }\n";
        let other = "const DEPTH: usize = 7;\n";
        let tree = Tree::of(&[
            (PAGE, page),
            ("crates/a-b/src/other.rs", other),
            ("crates/a-b/src/my_scan.rs", code),
            ("crates/c/src/lib.rs", limits),
        ]);
        check(&tree).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn values_that_the_code_has_pass() {
        let page = "| what | value | constant |\n|---|---|---|\n| body | 64 KiB | `a_b::MAX_BODY` |\n| depth | 32 | `a_b::MyScan::DEPTH` |\n\
                    | header | 10 s | `c::Limits::default().header_time` |\n| most | 5 | `c::Limits::default().most` |\n";
        assert_eq!(found(page), [""; 0]);
    }

    #[test]
    fn values_that_the_code_has_not_are_found() {
        let page = "| body | 63 KiB | `a_b::MAX_BODY` |\n| depth | 32 | `c::DEPTH` |\n";
        assert_eq!(
            found(page),
            [
                "docs/limits.md:1: a_b::MAX_BODY is 64 * 1024, not 63 KiB",
                "docs/limits.md:2: the code has no c::DEPTH"
            ]
        );
    }
}
