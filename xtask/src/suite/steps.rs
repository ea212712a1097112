//! The steps, cheapest first.

use std::{fs, path::Path};

use super::{Missing, cargo_tools, debian, later, python};
use crate::{
    failure::{Failure, While as _},
    shell::{cargo, run, succeeds},
    tidy,
};

/// One part of the test command.
#[derive(Debug)]
pub(super) struct Step {
    pub(super) name: &'static str,
    pub(super) what: &'static str,
    pub(super) run: fn(&Path, Missing) -> Result<(), Failure>,
}

/// Crates that must build with neither std nor an operating system.
const NO_STD: &[&str] = &["pki-core", "scep-proto", "ocsp-proto", "serial-binding"];

/// How long each fuzz target runs.
const FUZZ_SECONDS: u32 = 10;

pub(super) const STEPS: &[Step] = &[
    Step {
        name: "packages",
        what: "the Debian packages that tests use",
        run: |_, missing| debian::ensure(missing),
    },
    Step { name: "tools", what: "rustfmt, clippy, cargo-deny, cargo-fuzz", run: cargo_tools::ensure },
    Step {
        name: "python",
        what: "Python packages that tests use, in the target folder",
        run: python::ensure,
    },
    Step {
        name: "later",
        what: "programs of later Debian releases that tests use, in the target folder",
        run: later::ensure,
    },
    Step { name: "fmt", what: "formatting", run: fmt },
    Step { name: "tidy", what: "the rules that no compiler checks", run: |root, _| tidy::run(root) },
    Step { name: "deny", what: "dependencies: bans, licenses, sources, advisories", run: deny },
    Step { name: "clippy", what: "lints, warnings refused", run: clippy },
    Step { name: "no-std", what: "protocol crates without an operating system", run: no_std },
    Step { name: "build", what: "every library, program and example", run: build },
    Step { name: "test", what: "unit and integration tests, with real clients and checkers", run: test },
    Step { name: "doctest", what: "the examples in the documentation", run: doctest },
    Step { name: "doc", what: "the documentation, warnings refused", run: doc },
    Step { name: "bench", what: "each benchmark, once", run: bench },
    Step { name: "fuzz", what: "each fuzz target from its seeds, for a short while", run: fuzz },
];

fn fmt(root: &Path, _: Missing) -> Result<(), Failure> {
    run(&mut cargo(root, ["fmt", "--all", "--check"]))?;
    run(&mut cargo(&root.join("fuzz"), ["fmt", "--check"]))
}

fn clippy(root: &Path, _: Missing) -> Result<(), Failure> {
    run(&mut cargo(root, ["clippy", "--workspace", "--all-targets", "--locked", "--", "--deny", "warnings"]))
}

fn build(root: &Path, _: Missing) -> Result<(), Failure> {
    run(&mut cargo(root, ["build", "--workspace", "--locked"]))
}

/// cargo-nextest is used where it is; building it would take longer than the tests.
fn test(root: &Path, _: Missing) -> Result<(), Failure> {
    let targets = ["--workspace", "--lib", "--bins", "--tests", "--locked", "--no-fail-fast"];
    let runner: &[&str] =
        if succeeds(&mut cargo(root, ["nextest", "--version"])) { &["nextest", "run"] } else { &["test"] };
    run(&mut cargo(root, runner.iter().chain(&targets)))
}

fn doctest(root: &Path, _: Missing) -> Result<(), Failure> {
    run(&mut cargo(root, ["test", "--workspace", "--doc", "--locked", "--no-fail-fast"]))
}

fn doc(root: &Path, _: Missing) -> Result<(), Failure> {
    let mut command = cargo(root, ["doc", "--workspace", "--no-deps", "--locked"]);
    run(command.env("RUSTDOCFLAGS", "--deny warnings"))
}

fn bench(root: &Path, _: Missing) -> Result<(), Failure> {
    run(&mut cargo(root, ["test", "--workspace", "--bench", "operations", "--locked"]))
}

/// On a target that has no std; where that target cannot be had, on this machine, which proves less: then it is the
/// crates' own `no_std` attributes (which tidy checks) that keep std out.
fn no_std(root: &Path, _: Missing) -> Result<(), Failure> {
    let packages = NO_STD.iter().flat_map(|package| ["--package", package]);
    let mut command = cargo(root, ["check", "--locked", "--no-default-features"].into_iter().chain(packages));
    if cargo_tools::bare_metal_target() {
        command.args(["--target", cargo_tools::BARE_METAL]);
    } else {
        println!(
            "the target {} cannot be had here; checking on this machine instead",
            cargo_tools::BARE_METAL
        );
    }
    run(&mut command)
}

/// Advisories come and go without any change here, so they are reported and fail nothing.
fn deny(root: &Path, _: Missing) -> Result<(), Failure> {
    run(&mut cargo(root, ["deny", "--locked", "check", "bans", "licenses", "sources"]))?;
    if succeeds(&mut cargo(root, ["deny", "--locked", "fetch", "db"])) {
        if let Err(found) = run(&mut cargo(root, ["deny", "--locked", "check", "advisories"])) {
            println!("advisories to look at: {found}");
        }
    } else {
        println!("the advisory database cannot be reached; advisories are not checked");
    }
    Ok(())
}

/// cargo-fuzz wants compiler flags that stable compilers keep behind RUSTC_BOOTSTRAP.
fn fuzz(root: &Path, _: Missing) -> Result<(), Failure> {
    let targets = fuzz_targets(root)?;
    if targets.is_empty() {
        return Err(Failure::new("fuzz/fuzz_targets holds no targets"));
    }
    let limit = format!("-max_total_time={FUZZ_SECONDS}");
    for target in targets {
        let (found, seeds) = (format!("fuzz/corpus/{target}"), format!("fuzz/seeds/{target}"));
        fs::create_dir_all(root.join(&found)).during(&found)?;
        let mut command = cargo(
            root,
            ["fuzz", "run", &target, &found, &seeds, "--", &limit, "-print_final_stats=1", "-verbosity=0"],
        );
        run(command.env("RUSTC_BOOTSTRAP", "1"))?;
    }
    Ok(())
}

/// One target a file.
fn fuzz_targets(root: &Path) -> Result<Vec<String>, Failure> {
    let folder = root.join("fuzz/fuzz_targets");
    let mut targets = Vec::new();
    for entry in fs::read_dir(&folder).during(folder.display())? {
        let path = entry.during(folder.display())?.path();
        if path.extension().is_some_and(|extension| extension == "rs") {
            targets.extend(path.file_stem().map(|stem| stem.to_string_lossy().into_owned()));
        }
    }
    targets.sort();
    Ok(targets)
}
