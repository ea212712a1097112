//! Runs other programs: shown first, their output passed through.

use std::{
    env,
    ffi::OsStr,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use crate::failure::{Failure, While as _};

/// The cargo that runs this, in the workspace's folder.
pub(crate) fn cargo<I: AsRef<OsStr>>(root: &Path, arguments: impl IntoIterator<Item = I>) -> Command {
    let program = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(program);
    command.current_dir(root).args(arguments);
    command
}

/// Prints the command, runs it, and fails when it does.
pub(crate) fn run(command: &mut Command) -> Result<(), Failure> {
    println!("$ {}", line(command));
    run_unseen(command)
}

/// The same for a command whose output somebody may want to keep: nothing else is printed.
pub(crate) fn run_unseen(command: &mut Command) -> Result<(), Failure> {
    let line = line(command);
    let status = command.status().during(&line)?;
    if status.success() { Ok(()) } else { Err(Failure::new(format!("`{line}` ended with {status}"))) }
}

/// What the command prints; fails, with its complaint, when it does.
pub(crate) fn output(command: &mut Command) -> Result<String, Failure> {
    let line = line(command);
    let output = command.output().during(&line)?;
    if output.status.success() {
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    } else {
        let complaint = String::from_utf8_lossy(&output.stderr);
        Err(Failure::new(format!("`{line}` ended with {}: {}", output.status, complaint.trim())))
    }
}

/// Whether the command runs and succeeds; its output is not shown.
pub(crate) fn succeeds(command: &mut Command) -> bool {
    let quiet = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    quiet.status().is_ok_and(|status| status.success())
}

/// Where a program lies: on PATH, or where Debian puts what only administrators have on theirs.
pub(crate) fn find(program: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    let folders = env::split_paths(&path).chain(["/usr/sbin".into(), "/sbin".into()]);
    folders.map(|folder: PathBuf| folder.join(program)).find(|candidate| candidate.is_file())
}

/// The command as one would type it, without the path of the program.
fn line(command: &Command) -> String {
    let program = Path::new(command.get_program()).file_name().unwrap_or_default();
    let words = std::iter::once(program).chain(command.get_args());
    words.map(|word| word.to_string_lossy()).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failing_command_is_named_with_its_complaint() {
        let failure = output(Command::new("sh").args(["-c", "echo no such bread >&2; exit 3"])).unwrap_err();
        assert!(failure.to_string().contains("no such bread"), "{failure}");
        assert!(run(Command::new("false").arg("x")).unwrap_err().to_string().contains("`false x`"));
    }

    #[test]
    fn programs_are_found_by_name() {
        assert!(find("sh").is_some());
        assert_eq!(find("no-such-program-anywhere"), None);
    }
}
