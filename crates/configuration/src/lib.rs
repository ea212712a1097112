//! One TOML file, each key overridable by an environment variable.
//!
//! A server describes its settings as a serde type whose every field has a default, and reads it with
//! [`Configuration::load`]. The variable for the key `good_seconds` of the table `ocsp` under the prefix `SCEP_SERVER`
//! is `SCEP_SERVER__OCSP__GOOD_SECONDS`; an element of an array of tables is named by its place, as in
//! `SCEP_SERVER__PROFILE__0__PATH`; the place after the last one makes another.
//!
//! ```
//! # use configuration::Configuration;
//! #[derive(serde::Serialize, serde::Deserialize, Default)]
//! #[serde(default, deny_unknown_fields)]
//! struct Settings { listen: String, ocsp: Ocsp }
//! #[derive(serde::Serialize, serde::Deserialize, Default)]
//! #[serde(default, deny_unknown_fields)]
//! struct Ocsp { good_seconds: u32 }
//!
//! let variables = [("DEMO__OCSP__GOOD_SECONDS".to_owned(), "60".to_owned())];
//! let settings: Settings = Configuration::from_text("listen = '127.0.0.1:80'")?.overridden("DEMO", variables)?.read()?;
//! assert_eq!((settings.listen.as_str(), settings.ocsp.good_seconds), ("127.0.0.1:80", 60));
//! # Ok::<(), configuration::ConfigurationError>(())
//! ```

use std::path::{Path, PathBuf};

use serde::{Serialize, de::DeserializeOwned};
use toml::{Table, Value};

/// Settings as read, not yet interpreted.
#[derive(Debug, Default)]
pub struct Configuration {
    table: Table,
    /// Where the text came from, for messages.
    origin: Option<PathBuf>,
}

impl Configuration {
    /// Reads `file`, or nothing when there is none, and lets the process's environment variables override it.
    pub fn load(file: Option<&Path>, prefix: &str) -> Result<Self, ConfigurationError> {
        // Only variables whose name and value are text can be meant for us.
        let variables =
            std::env::vars_os().filter_map(|(k, v)| Some((k.into_string().ok()?, v.into_string().ok()?)));
        let configuration = match file {
            Some(path) => Self::from_file(path)?,
            None => Self::default(),
        };
        configuration.overridden(prefix, variables)
    }

    /// Reads TOML text.
    pub fn from_text(text: &str) -> Result<Self, ConfigurationError> {
        let table = toml::from_str(text).map_err(|error| ConfigurationError::new(None, error))?;
        Ok(Self { table, origin: None })
    }

    /// The same, with each variable `PREFIX__KEY` or `PREFIX__TABLE__KEY` in the place of what the file says. A value
    /// that is TOML of another type than text is taken as that, anything else as text.
    pub fn overridden(
        mut self,
        prefix: &str,
        variables: impl IntoIterator<Item = (String, String)>,
    ) -> Result<Self, ConfigurationError> {
        let mut variables: Vec<_> = variables.into_iter().collect();
        variables.sort();
        for (name, text) in variables {
            let Some(path) = name.strip_prefix(prefix).and_then(|rest| rest.strip_prefix("__")) else {
                continue;
            };
            let keys: Vec<String> = path.split("__").map(str::to_lowercase).collect();
            let taken = place_in(&mut self.table, &keys, scalar(&text));
            if !taken {
                return Err(ConfigurationError::new(
                    None,
                    format_args!("the variable {name} names no setting"),
                ));
            }
        }
        Ok(self)
    }

    /// Interprets the settings.
    pub fn read<T: DeserializeOwned>(&self) -> Result<T, ConfigurationError> {
        T::deserialize(self.table.clone()).map_err(|error| ConfigurationError::new(self.origin(), error))
    }

    fn from_file(path: &Path) -> Result<Self, ConfigurationError> {
        let text =
            std::fs::read_to_string(path).map_err(|error| ConfigurationError::new(Some(path), error))?;
        let table = toml::from_str(&text).map_err(|error| ConfigurationError::new(Some(path), error))?;
        Ok(Self { table, origin: Some(path.to_owned()) })
    }

    fn origin(&self) -> Option<&Path> {
        self.origin.as_deref()
    }
}

/// The settings as TOML text: what `config print` shows.
pub fn to_text<T: Serialize>(settings: &T) -> Result<String, ConfigurationError> {
    toml::to_string(settings).map_err(|error| ConfigurationError::new(None, error))
}

/// The settings cannot be used as they are.
#[derive(Debug, thiserror::Error)]
#[error("{place}: {problem}")]
pub struct ConfigurationError {
    place: String,
    problem: String,
}

impl ConfigurationError {
    fn new(path: Option<&Path>, problem: impl std::fmt::Display) -> Self {
        let place = path.map_or_else(|| "the configuration".into(), |path| path.display().to_string());
        Self { place, problem: problem.to_string() }
    }
}

/// Puts `value` where `keys` lead below `table`; false when they lead nowhere.
fn place_in(table: &mut Table, keys: &[String], value: Value) -> bool {
    match keys {
        [] => false,
        [key] => {
            table.insert(key.clone(), value);
            true
        }
        [key, rest @ ..] => {
            let is_first = rest.first().is_some_and(|place| place == "0");
            let empty = || if is_first { Value::Array(Vec::new()) } else { Value::Table(Table::new()) };
            place_below(table.entry(key.clone()).or_insert_with(empty), rest, value)
        }
    }
}

fn place_below(slot: &mut Value, keys: &[String], value: Value) -> bool {
    match (slot, keys) {
        (slot, []) => {
            *slot = value;
            true
        }
        (Value::Table(table), keys) => place_in(table, keys, value),
        (Value::Array(array), [place, rest @ ..]) => {
            let place = place.parse::<usize>().ok();
            if place == Some(array.len()) {
                array.push(Value::Table(Table::new()));
            }
            let element = place.and_then(|place| array.get_mut(place));
            element.is_some_and(|element| place_below(element, rest, value))
        }
        _ => false,
    }
}

/// Text as TOML would read it; `7` is a number, `[1]` an array, `a b` text.
fn scalar(text: &str) -> Value {
    let parsed = toml::from_str::<Table>(&format!("value = {text}")).ok();
    parsed.and_then(|mut table| table.remove("value")).unwrap_or_else(|| Value::String(text.to_owned()))
}

/// A time as people write it: `45s`, `60m`, `12h`, `30d`.
///
/// ```
/// assert_eq!(configuration::duration("90m"), Ok(std::time::Duration::from_secs(5400)));
/// ```
pub fn duration(text: &str) -> Result<std::time::Duration, String> {
    let expected = || format!("expected a time such as 45s, 60m, 12h or 30d, not {text:?}");
    let unit = text.chars().last().ok_or_else(expected)?;
    let seconds: u64 = match unit {
        's' => 1,
        'm' => 60,
        'h' => 3600,
        'd' => 86_400,
        _ => return Err(expected()),
    };
    let number: u64 = text.trim_end_matches(unit).parse().map_err(|_| expected())?;
    number.checked_mul(seconds).map(std::time::Duration::from_secs).ok_or_else(expected)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, serde::Deserialize, serde::Serialize, PartialEq, Default)]
    #[serde(default, deny_unknown_fields)]
    struct Settings {
        name: String,
        count: u32,
        on: bool,
        profile: Vec<Profile>,
    }

    #[derive(Debug, serde::Deserialize, serde::Serialize, PartialEq, Default)]
    #[serde(default, deny_unknown_fields)]
    struct Profile {
        path: String,
    }

    fn variables(of: &[(&str, &str)]) -> Vec<(String, String)> {
        of.iter().map(|&(name, value)| (name.into(), value.into())).collect()
    }

    #[test]
    fn variables_override_the_file() {
        let file = "name = 'file'\ncount = 1\n[[profile]]\npath = '/a'\n[[profile]]\npath = '/b'\n";
        let read: Settings = Configuration::from_text(file)
            .and_then(|file| {
                file.overridden(
                    "X",
                    variables(&[
                        ("X__NAME", "7 dwarfs"),
                        ("X__COUNT", "7"),
                        ("X__PROFILE__1__PATH", "/c"),
                        ("Y__ON", "1"),
                    ]),
                )
            })
            .and_then(|configuration| configuration.read())
            .unwrap();
        let profile = vec![Profile { path: "/a".into() }, Profile { path: "/c".into() }];
        assert_eq!(read, Settings { name: "7 dwarfs".into(), count: 7, on: false, profile });
    }

    #[test]
    fn variables_make_elements_one_after_the_other() {
        let made = [("X__PROFILE__0__PATH", "/a"), ("X__PROFILE__1__PATH", "/b")];
        let read = Configuration::default().overridden("X", variables(&made)).unwrap().read::<Settings>();
        let paths: Vec<_> = read.unwrap().profile.into_iter().map(|profile| profile.path).collect();
        assert_eq!(paths, ["/a", "/b"]);
    }

    #[test]
    fn a_mistake_names_its_place() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "name = 'x'\ncuont = 7\n").unwrap();
        let error = Configuration::load(Some(file.path()), "NONE").unwrap().read::<Settings>().unwrap_err();
        let error = error.to_string();
        assert!(error.contains(&file.path().display().to_string()) && error.contains("cuont"), "{error}");
        std::fs::write(file.path(), "name = ").unwrap();
        let error = Configuration::load(Some(file.path()), "NONE").unwrap_err().to_string();
        assert!(error.contains("line 1"), "{error}");
        let error = Configuration::load(Some(Path::new("/nowhere/x.toml")), "NONE").unwrap_err().to_string();
        assert!(error.contains("/nowhere/x.toml"), "{error}");
    }

    #[test]
    fn a_variable_that_names_nothing_is_an_error() {
        for name in ["X__NAME__MORE", "X__PROFILE__5__PATH", "X__PROFILE__one__PATH"] {
            let file = Configuration::from_text("name = 'x'\n[[profile]]\npath = '/a'").unwrap();
            let error = file.overridden("X", variables(&[(name, "1")])).unwrap_err();
            assert!(error.to_string().contains(name), "{error}");
        }
        let unknown = Configuration::default().overridden("X", variables(&[("X__NOPE", "1")])).unwrap();
        assert!(unknown.read::<Settings>().is_err());
    }

    #[test]
    fn what_is_printed_reads_back() {
        let settings =
            Settings { name: "a".into(), count: 2, on: true, profile: vec![Profile { path: "/".into() }] };
        let text = to_text(&settings).unwrap();
        assert_eq!(Configuration::from_text(&text).unwrap().read::<Settings>().unwrap(), settings);
    }

    #[test]
    fn times_are_read() {
        assert_eq!(duration("30d").unwrap().as_secs(), 30 * 86_400);
        assert_eq!(duration("60m").unwrap().as_secs(), 3600);
        for text in ["", "d", "30", "-1d", "1w", "99999999999999999999d", "184467440737095516d"] {
            assert!(duration(text).is_err(), "{text}");
        }
    }
}
