//! The parts of the Rust toolchain and the cargo commands that the steps use.

use std::{path::Path, process::Command};

use super::Missing;
use crate::{
    failure::Failure,
    shell::{cargo, find, output, run, succeeds},
};

/// A target without std, to prove that the protocol crates need none.
pub(super) const BARE_METAL: &str = "thumbv7em-none-eabi";

/// cargo commands: name, and the version that the project is known to pass with.
const COMMANDS: &[(&str, &str)] = &[("deny", "0.20"), ("fuzz", "0.13")];

/// Components of the toolchain: the cargo command that each brings, and its name for rustup.
const COMPONENTS: &[(&str, &str)] = &[("fmt", "rustfmt"), ("clippy", "clippy")];

/// Sees to it that every tool is there.
pub(super) fn ensure(root: &Path, missing: Missing) -> Result<(), Failure> {
    let absent = |command: &str| !succeeds(&mut cargo(root, [command, "--version"]));
    let components: Vec<&str> =
        COMPONENTS.iter().filter(|(command, _)| absent(command)).map(|(_, component)| *component).collect();
    let commands: Vec<_> = COMMANDS.iter().filter(|(command, _)| absent(command)).collect();
    if components.is_empty() && commands.is_empty() {
        println!("all there");
    }
    if missing == Missing::Report {
        return report(&components, &commands);
    }
    if !components.is_empty() {
        run(Command::new("rustup").args(["component", "add"]).args(&components))?;
    }
    for (command, version) in commands {
        println!("cargo-{command} is missing; building it once takes some minutes");
        run(&mut cargo(root, ["install", "--locked", &format!("cargo-{command}@^{version}")]))?;
    }
    if find("rustup").is_some() && !bare_metal_target() {
        // Its absence is made up for in the step that wants it.
        let _ = run(Command::new("rustup").args(["target", "add", BARE_METAL]));
    }
    Ok(())
}

/// Whether the standard libraries of [`BARE_METAL`] are installed.
pub(super) fn bare_metal_target() -> bool {
    let folder = output(Command::new("rustc").args(["--print", "target-libdir", "--target", BARE_METAL]));
    folder.is_ok_and(|folder| Path::new(folder.trim()).is_dir())
}

fn report(components: &[&str], commands: &[&(&str, &str)]) -> Result<(), Failure> {
    if components.is_empty() && commands.is_empty() {
        return Ok(());
    }
    let mut remedies = Vec::new();
    if !components.is_empty() {
        remedies.push(format!("rustup component add {}", components.join(" ")));
    }
    remedies.extend(
        commands
            .iter()
            .map(|(command, version)| format!("cargo install --locked cargo-{command}@^{version}")),
    );
    Err(Failure::new(format!("tools are missing; install them with:\n  {}", remedies.join("\n  "))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_says_how_to_get_what_is_missing() {
        let text = report(&["clippy"], &[&("deny", "0.20")]).unwrap_err().to_string();
        assert!(text.contains("rustup component add clippy"), "{text}");
        assert!(text.contains("cargo install --locked cargo-deny@^0.20"), "{text}");
        assert_eq!(report(&[], &[]), Ok(()));
    }
}
