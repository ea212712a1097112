//! Runs the measuring programs of `benches/`, built as they would be shipped.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use serde_json::Value;

use crate::{
    failure::Failure,
    shell::{cargo, find, output, run, run_unseen},
};

/// `cargo xtask load`: everything after it goes to the program `load`.
pub(crate) fn load(root: &Path, arguments: &[String]) -> Result<(), Failure> {
    let build = ["run", "--quiet", "--release", "--package", "benches", "--bin", "load", "--"];
    run_unseen(&mut cargo(root, build.into_iter().chain(arguments.iter().map(String::as_str))))
}

/// `cargo xtask scale`: the same figures on every machine.
pub(crate) fn scale(root: &Path) -> Result<(), Failure> {
    run(&mut cargo(root, ["run", "--quiet", "--release", "--package", "simulation"]))
}

/// `cargo xtask count`: instructions per operation, which do not depend on the machine's mood.
pub(crate) fn count(root: &Path) -> Result<(), Failure> {
    let valgrind = find("valgrind")
        .ok_or_else(|| Failure::new("valgrind is missing; on Debian: apt-get install valgrind"))?;
    run(&mut cargo(root, ["build", "--release", "--package", "benches", "--bin", "count"]))?;
    let program = target_folder(root)?.join("release/count");
    let operations = output(Command::new(&program).arg("list"))?;
    println!("{:<45} {:>14}", "operation", "instructions");
    for operation in operations.lines() {
        let instructions = instructions(&valgrind, &program, operation)?;
        println!("{operation:<45} {:>14}", instructions.div_euclid(u64::from(TIMES)));
    }
    Ok(())
}

/// Where cargo puts what it builds, which the environment may have moved.
pub(crate) fn target_folder(root: &Path) -> Result<PathBuf, Failure> {
    let json = output(&mut cargo(root, ["metadata", "--format-version=1", "--no-deps", "--locked"]))?;
    let metadata: Value = serde_json::from_str(&json).map_err(|error| Failure::new(error.to_string()))?;
    let folder = metadata.get("target_directory").and_then(Value::as_str);
    folder.map(PathBuf::from).ok_or_else(|| Failure::new("cargo metadata names no target_directory"))
}

/// How often an operation is repeated.
const TIMES: u32 = 10;

/// Instructions that all repetitions of an operation execute within the function `measured` of the program.
fn instructions(valgrind: &Path, program: &Path, operation: &str) -> Result<u64, Failure> {
    let mut command = Command::new(valgrind);
    command.args(["--tool=callgrind", "--callgrind-out-file=/dev/null", "--collect-atstart=no"]);
    command.arg("--toggle-collect=*measured*").arg(program).args([operation, &TIMES.to_string()]);
    let run = command.output();
    let run = run.map_err(|error| Failure::new(format!("valgrind: {error}")))?;
    let report = String::from_utf8_lossy(&run.stderr);
    if !run.status.success() {
        return Err(Failure::new(format!("valgrind on {operation}: {report}")));
    }
    collected(&report).ok_or_else(|| Failure::new(format!("valgrind reported no instructions: {report}")))
}

/// The number after `Collected :` in callgrind's report.
fn collected(report: &str) -> Option<u64> {
    let (_, after) = report.split_once("Collected :")?;
    after.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn callgrinds_report_is_read() {
        assert_eq!(collected("==1== Events    : Ir\n==1== Collected : 123456\n==1==\n"), Some(123_456));
        assert_eq!(collected("==1== nothing here"), None);
    }
}
