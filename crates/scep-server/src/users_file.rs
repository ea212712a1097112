//! The file of those who may log in: a name, a colon and the hash of a password on each line.

use std::{collections::BTreeMap, path::Path};

use keys_software::{PasswordHash, read_private_file, replace_private_file};
use ocsp_server::ServerError;

/// Those who may log in, by name.
pub(crate) type Users = BTreeMap<String, PasswordHash>;

/// Reads the file; one that is not there has nobody in it.
pub(crate) fn read(path: &Path) -> Result<Users, ServerError> {
    let contents = match read_private_file(path) {
        Err(error) if error.is_not_found() => return Ok(Users::new()),
        contents => contents?,
    };
    let text = str::from_utf8(&contents).map_err(|error| ServerError::of_file(path, error))?;
    let lines = text.lines().map(str::trim).zip(1_u32..);
    let lines = lines.filter(|(line, _)| !line.is_empty() && !line.starts_with('#'));
    lines.map(|(line, number)| user(line).map_err(|problem| of_line(path, number, &problem))).collect()
}

/// Writes the file anew; for its owner alone.
pub(crate) fn write(path: &Path, users: &Users) -> Result<(), ServerError> {
    let lines: Vec<String> = users.iter().map(|(name, hash)| format!("{name}:{hash}\n")).collect();
    Ok(replace_private_file(path, lines.concat().as_bytes())?)
}

/// Whether somebody may be called so.
pub(crate) fn is_name(name: &str) -> bool {
    (1..=64).contains(&name.len())
        && !name.starts_with('#')
        && name.chars().all(|c| !c.is_control() && c != ':' && c != ' ')
}

fn user(line: &str) -> Result<(String, PasswordHash), String> {
    let (name, hash) = line.split_once(':').unwrap_or((line, ""));
    if !is_name(name) {
        return Err("expected a name, a colon and the hash of a password".into());
    }
    Ok((name.to_owned(), hash.parse().map_err(|error: keys_software::NotAPasswordHash| error.to_string())?))
}

fn of_line(path: &Path, number: u32, problem: &str) -> ServerError {
    ServerError::of_file(path, format_args!("line {number}: {problem}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn users_are_written_and_read_and_mistakes_have_their_line() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("users");
        assert!(read(&path).unwrap().is_empty());
        let users = Users::from([("mdm".to_owned(), PasswordHash::of("secret").unwrap())]);
        write(&path, &users).unwrap();
        assert_eq!(read(&path).unwrap(), users);
        for (text, problem) in [
            ("# a comment\n\nmdm\n", "line 3: expected $pbkdf2"),
            ("mdm:secret\n", "line 1: expected $pbkdf2"),
            ("two words:x\n", "line 1: expected a name"),
        ] {
            replace_private_file(&path, text.as_bytes()).unwrap();
            let error = read(&path).unwrap_err().to_string();
            assert!(error.contains(problem), "{error}");
        }
        for name in ["", "a b", "a:b", "#a", "a\n"] {
            assert!(!is_name(name), "{name:?}");
        }
    }
}
