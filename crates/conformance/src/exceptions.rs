//! What is known about a server, and why it is let pass.

use std::{collections::BTreeSet, fmt, path::Path};

use serde::Deserialize;

use crate::Verdict;

/// The contents of an exceptions file.
///
/// ```
/// let text = r#"
/// [[exception]]
/// check = "failure-no-envelope"
/// expected = "tolerated"
/// reason = "certmonger and pyscep read no FAILURE whose content is absent"
/// "#;
/// let exceptions = conformance::Exceptions::from_text(text)?;
/// assert_eq!(exceptions.iter().count(), 1);
/// # Ok::<(), conformance::ExceptionsError>(())
/// ```
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Exceptions {
    #[serde(default)]
    exception: Vec<Exception>,
}

/// One check that is expected to end otherwise than [`Verdict::Pass`], or to end so that it is worth saying.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Exception {
    /// The check's id.
    pub check: String,
    /// How it ends. When it ends otherwise, the exception is out of date, and that is a failure.
    pub expected: Verdict,
    /// Why that is all right.
    pub reason: String,
}

impl Exceptions {
    /// Reads TOML.
    pub fn from_text(text: &str) -> Result<Self, ExceptionsError> {
        let exceptions: Self =
            toml::from_str(text).map_err(|error| ExceptionsError(error.message().to_owned()))?;
        let mut seen = BTreeSet::new();
        for exception in &exceptions.exception {
            if exception.reason.trim().is_empty() {
                return Err(ExceptionsError(format!("expected a reason for {}: none", exception.check)));
            }
            if !seen.insert(&exception.check) {
                return Err(ExceptionsError(format!("{} has two exceptions", exception.check)));
            }
        }
        Ok(exceptions)
    }

    /// Reads a file.
    pub fn from_file(path: &Path) -> Result<Self, ExceptionsError> {
        let of_file = |problem: &dyn fmt::Display| ExceptionsError(format!("{}: {problem}", path.display()));
        let text = std::fs::read_to_string(path).map_err(|error| of_file(&error))?;
        Self::from_text(&text).map_err(|error| of_file(&error))
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = &Exception> {
        self.exception.iter()
    }

    /// The one of that check.
    pub fn find(&self, check: &str) -> Option<&Exception> {
        self.exception.iter().find(|exception| exception.check == check)
    }

    /// Refuses exceptions of checks that there are not: a misspelt one would never be missed.
    pub fn know_only(&self, checks: &[&str]) -> Result<(), ExceptionsError> {
        match self.exception.iter().find(|exception| !checks.contains(&&*exception.check)) {
            Some(stranger) => Err(ExceptionsError(format!("there is no check {:?}", stranger.check))),
            None => Ok(()),
        }
    }
}

/// An exceptions file that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("exceptions: {0}")]
pub struct ExceptionsError(String);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_meant_is_refused() {
        let of = |text: &str| Exceptions::from_text(text).map(|_| ());
        let one = "[[exception]]\ncheck = \"a\"\nexpected = \"fail\"\nreason = \"b\"\n";
        assert_eq!(of(one), Ok(()));
        assert_eq!(of(""), Ok(()));
        for text in [
            &one.repeat(2),
            &one.replace("\"b\"", "\" \""),
            &one.replace("fail", "excused"),
            &one.replace("check", "cheque"),
            "[[exceptions]]",
        ] {
            assert!(of(text).is_err(), "{text}");
        }
        let exceptions = Exceptions::from_text(one).unwrap();
        assert!(exceptions.know_only(&["a", "c"]).is_ok());
        assert!(exceptions.know_only(&["c"]).is_err());
    }
}
