//! An operator's word that what a directory takes away is true, left in the data folder for the running servers.

use std::{
    fmt::Write as _,
    io::ErrorKind,
    path::{Path, PathBuf},
    time::Duration,
};

use directory::GuardedDirectory;
use pki_core::{Clock as _, SystemClock, UnixTime};

use crate::ServerError;

/// The file: a line for each directory, `2026-11-21T12:00:00Z Okta`.
pub const CONFIRMED_CHANGES: &str = "confirmed-changes";
/// How often servers look.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// Nobody looks at a directory and knows for longer what it will take away.
const LONGEST: Duration = Duration::from_secs(86_400);
/// What stands for all directories.
const ALL: &str = "*";

/// Leaves word in the folder `data` that what the directory called `name` (empty: all of them) takes away from `now` on
/// is true for so `long`. Returns until when.
pub fn confirm_changes(
    data: &Path,
    name: &str,
    now: UnixTime,
    long: Duration,
) -> Result<UnixTime, ServerError> {
    if long > LONGEST {
        let most = LONGEST.as_secs().wrapping_div(3600);
        return Err(ServerError::new(format_args!("expected at most {most} h: afterwards, look again")));
    }
    let name = if name.is_empty() { ALL } else { name };
    let until = now.saturating_add(long);
    let path = data.join(CONFIRMED_CHANGES);
    let before = read(&path).map_err(|error| ServerError::of_file(&path, error))?;
    let kept = before.into_iter().filter(|(end, known)| *end > now && known != name);
    let mut text = String::new();
    for (until, name) in kept.chain([(until, String::from(name))]) {
        // Text in memory takes everything.
        let _ = writeln!(text, "{until} {name}");
    }
    // Aside, then in place at once: servers never read half of it.
    let aside = path.with_extension("new");
    std::fs::write(&aside, text).map_err(|error| ServerError::of_file(&aside, error))?;
    std::fs::rename(&aside, &path).map_err(|error| ServerError::of_file(&path, error))?;
    Ok(until)
}

/// Tells the guard of what was confirmed of it, again and again.
pub(crate) async fn follow(guarded: GuardedDirectory, path: PathBuf) {
    let mut told = UnixTime(0);
    let mut ticks = tokio::time::interval(LOOK_EVERY);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        let looking = path.clone();
        let Ok(found) = tokio::task::spawn_blocking(move || read(&looking)).await else { continue };
        let of_this = |(_, name): &(UnixTime, String)| name == ALL || name == guarded.name();
        let until = found.unwrap_or_default().into_iter().filter(of_this).map(|(until, _)| until).max();
        // A clock set back, or a line by hand, confirms nothing for ever.
        let now = SystemClock.now();
        let until = until.filter(|until| now < *until && *until <= now.saturating_add(LONGEST));
        if let Some(until) = until.filter(|until| *until != told) {
            told = until;
            guarded.confirm_changes(until);
            tracing::warn!(target: "directory", directory = guarded.name(), %until, "an operator confirms what it takes away");
        }
    }
}

/// No file is no word. A line that cannot be read is none either.
fn read(path: &Path) -> std::io::Result<Vec<(UnixTime, String)>> {
    let text = match std::fs::read_to_string(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        text => text?,
    };
    let line = |line: &str| {
        let (until, name) = line.split_once(' ')?;
        Some((until.parse().ok()?, String::from(name.trim())))
    };
    Ok(text.lines().filter_map(line).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_latest_word_on_each_directory_is_kept_while_it_holds() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(CONFIRMED_CHANGES);
        let confirm = |name: &str, now, seconds| {
            confirm_changes(folder.path(), name, UnixTime(now), Duration::from_secs(seconds)).unwrap()
        };
        assert_eq!(confirm("Okta", 1000, 60), UnixTime(1060));
        assert_eq!(confirm("", 1000, 30), UnixTime(1030));
        assert_eq!(confirm("Okta", 1010, 600), UnixTime(1610));
        let line = |until, name: &str| (UnixTime(until), String::from(name));
        assert_eq!(read(&path).unwrap(), [line(1030, "*"), line(1610, "Okta")]);
        confirm("Jamf Pro", 1040, 60);
        assert_eq!(read(&path).unwrap(), [line(1610, "Okta"), line(1100, "Jamf Pro")]);
        std::fs::write(&path, "for ever Okta\n\n1970-01-01T00:00:01Z a b \n").unwrap();
        assert_eq!(read(&path).unwrap(), [line(1, "a b")]);
        let for_ever = Duration::from_secs(86_401);
        assert!(confirm_changes(folder.path(), "", UnixTime(0), for_ever).is_err());
    }
}
