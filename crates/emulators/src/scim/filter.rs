//! Filters ([RFC 7644 §3.4.2.2](https://www.rfc-editor.org/rfc/rfc7644#section-3.4.2.2)), as far as the emulator knows
//! them: comparisons with `eq`, joined by `and`.

use serde_json::Value;

/// All of them must hold.
#[derive(Debug)]
pub(super) struct Filter(Vec<(String, Value)>);

impl Filter {
    /// `None` when it is none, or more than is known here.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let mut comparisons = Vec::new();
        let mut rest = text.trim();
        loop {
            let (path, after) = rest.split_once(' ')?;
            let (operator, after) = after.trim_start().split_once(' ')?;
            let is_path =
                path.bytes().all(|octet| octet.is_ascii_alphanumeric() || b".:_-$".contains(&octet));
            if !operator.eq_ignore_ascii_case("eq") || path.is_empty() || !is_path {
                return None;
            }
            // A value is one of JSON; what follows is not its business.
            let mut values = serde_json::Deserializer::from_str(after).into_iter::<Value>();
            let value = values.next()?.ok().filter(|value| !value.is_object() && !value.is_array())?;
            rest = after.get(values.byte_offset()..)?.trim_start();
            comparisons.push((path.to_owned(), value));
            if rest.is_empty() {
                return Some(Self(comparisons));
            }
            let (and, after) = rest.split_once(' ')?;
            if !and.eq_ignore_ascii_case("and") {
                return None;
            }
            rest = after.trim_start();
        }
    }

    pub(super) fn holds(&self, resource: &Value) -> bool {
        self.0.iter().all(|(path, value)| {
            let mut found = vec![resource];
            for name in path.split('.') {
                found = found.into_iter().flat_map(|value| members(value, name)).collect();
            }
            found.into_iter().any(|found| is_same(found, value))
        })
    }

    /// What the user name has to be, when that is all.
    pub(super) fn only_user_name(&self) -> Option<&str> {
        match &*self.0 {
            [(path, Value::String(name))] if path.eq_ignore_ascii_case("userName") => Some(name),
            _ => None,
        }
    }
}

/// Names of attributes have no case, and a list stands for its members.
fn members<'a>(value: &'a Value, name: &str) -> Vec<&'a Value> {
    match value {
        Value::Object(members) => {
            let found = members.iter().filter(|(known, _)| known.eq_ignore_ascii_case(name));
            found
                .flat_map(|(_, value)| {
                    value.as_array().map_or_else(|| vec![value], |list| list.iter().collect())
                })
                .collect()
        }
        _ => Vec::new(),
    }
}

/// No attribute that is kept here distinguishes case.
fn is_same(found: &Value, value: &Value) -> bool {
    match (found.as_str(), value.as_str()) {
        (Some(found), Some(value)) => found.eq_ignore_ascii_case(value),
        _ => found == value,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn filters_hold_for_what_they_say() {
        let user =
            json!({"userName": "Ada@x", "active": true, "emails": [{"value": "a@x"}, {"value": "b\"@x"}]});
        for (text, expected) in [
            (r#"userName eq "ada@X""#, Some(true)),
            (r#"username EQ "bob""#, Some(false)),
            (r#"emails.value eq "b\"@x""#, Some(true)),
            (r#"emails.value eq "c@x""#, Some(false)),
            (r#"active eq true and userName eq "ada@x""#, Some(true)),
            (r#"active eq false and userName eq "ada@x""#, Some(false)),
            (r#"userName sw "ada""#, None),
            ("userName eq ada", None),
            (r#"userName eq "ada" or active eq true"#, None),
            ("userName", None),
            ("", None),
        ] {
            assert_eq!(Filter::parse(text).map(|filter| filter.holds(&user)), expected, "{text}");
        }
    }
}
