//! `$filter`, as far as the emulator knows it: comparisons with `eq` and `in`, joined by `and` and `or`.

use serde_json::Value;

use super::{Call, Refused, resources::Resource};

/// Or of ands of comparisons.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Filter(Vec<Vec<Comparison>>);

/// A property, and the values that it may have.
#[derive(Debug, Clone, PartialEq)]
struct Comparison {
    property: String,
    values: Vec<Value>,
}

#[derive(Debug, Clone, PartialEq)]
enum Piece {
    Word(String),
    Literal(Value),
    Mark(char),
}

impl Filter {
    /// Reads one; the resource must know its properties and be able to look for them.
    pub(super) fn parse(call: &Call<'_>, resource: &Resource, text: &str) -> Result<Self, Refused> {
        let invalid = || Refused::new(400, "BadRequest", format!("Invalid filter clause: {text}"));
        let filter = read(text).ok_or_else(invalid)?;
        for comparison in filter.0.iter().flatten() {
            let property = &comparison.property;
            if !resource.knows(call.version, property) {
                let text = format!("Could not find a property named '{property}' on type '{}'.", resource.of);
                return Err(Refused::bad_request(text));
            }
            if !resource.filterable.contains(&&**property) {
                let text = format!(
                    "Unsupported or invalid query filter clause specified for property '{property}' of resource '{}'.",
                    resource.of
                );
                return Err(Refused::new(400, "Request_UnsupportedQuery", text));
            }
        }
        Ok(filter)
    }

    pub(super) fn holds(&self, thing: &Value) -> bool {
        self.0.iter().any(|all| all.iter().all(|comparison| comparison.holds(thing)))
    }

    /// The values of the only comparison, when it is one of `property`: what can be looked up instead of searched.
    pub(super) fn only(&self, property: &str) -> Option<&[Value]> {
        match &*self.0 {
            [all] => match &**all {
                [only] if only.property == property => Some(&only.values),
                _ => None,
            },
            _ => None,
        }
    }
}

impl Comparison {
    fn holds(&self, thing: &Value) -> bool {
        let Some(actual) = thing.get(&self.property) else { return false };
        self.values.iter().any(|value| match (actual, value) {
            // Text in a directory has no case.
            (Value::String(actual), Value::String(value)) => actual.eq_ignore_ascii_case(value),
            (actual, value) => actual == value,
        })
    }
}

fn read(text: &str) -> Option<Filter> {
    let pieces = pieces(text)?;
    let is = |piece: &Piece, word: &str| *piece == Piece::Word(word.to_owned());
    let alternatives = pieces.split(|piece| is(piece, "or"));
    let filter = alternatives
        .map(|all| all.split(|piece| is(piece, "and")).map(comparison).collect::<Option<Vec<_>>>());
    filter.collect::<Option<Vec<_>>>().map(Filter)
}

fn comparison(pieces: &[Piece]) -> Option<Comparison> {
    match pieces {
        [Piece::Word(property), Piece::Word(operator), Piece::Literal(value)] if operator == "eq" => {
            Some(Comparison { property: property.clone(), values: vec![value.clone()] })
        }
        [Piece::Word(property), Piece::Word(operator), Piece::Mark('('), values @ .., Piece::Mark(')')]
            if operator == "in" =>
        {
            let values = values.split(|piece| *piece == Piece::Mark(','));
            let values = values.map(|value| match value {
                [Piece::Literal(value)] => Some(value.clone()),
                _ => None,
            });
            Some(Comparison { property: property.clone(), values: values.collect::<Option<_>>()? })
        }
        _ => None,
    }
}

fn pieces(text: &str) -> Option<Vec<Piece>> {
    let mut pieces = Vec::new();
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        let (piece, after) = match first {
            '\'' => quoted(rest)?,
            '(' | ')' | ',' => (Piece::Mark(first), rest.get(1..)?),
            _ => {
                let end = rest.find(|c: char| c.is_whitespace() || "(),'".contains(c)).unwrap_or(rest.len());
                let (word, after) = rest.split_at_checked(end)?;
                let piece = match word {
                    "true" => Piece::Literal(true.into()),
                    "false" => Piece::Literal(false.into()),
                    "null" => Piece::Literal(Value::Null),
                    word => Piece::Word(word.to_owned()),
                };
                (piece, after)
            }
        };
        pieces.push(piece);
        rest = after.trim_start();
    }
    Some(pieces)
}

/// Text in quotes, in which two quotes stand for one; and what follows.
fn quoted(text: &str) -> Option<(Piece, &str)> {
    let mut content = String::new();
    let mut rest = text.strip_prefix('\'')?;
    loop {
        let (before, after) = rest.split_once('\'')?;
        content.push_str(before);
        match after.strip_prefix('\'') {
            Some(more) => {
                content.push('\'');
                rest = more;
            }
            None => return Some((Piece::Literal(content.into()), after)),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn filters_hold_for_what_they_say() {
        let ada = json!({"name": "O'Hara", "on": true, "mail": null});
        for (text, expected) in [
            ("name eq 'o''hara'", Some(true)),
            ("name eq 'Ada'", Some(false)),
            ("on eq true", Some(true)),
            ("mail eq null", Some(true)),
            ("name eq 'x' or on eq true and mail eq null", Some(true)),
            ("name eq 'x' and on eq true", Some(false)),
            ("name in ('x','O''Hara')", Some(true)),
            ("name in ('x')", Some(false)),
            ("name eq x", None),
            ("name ne 'x'", None),
            ("name eq 'x", None),
            ("name in ('x',)", None),
            ("", None),
            ("startswith(name,'x')", None),
        ] {
            assert_eq!(read(text).map(|filter| filter.holds(&ada)), expected, "{text}");
        }
    }
}
