//! The project's own commands. `cargo xtask help` lists them.

mod compare;
mod failure;
mod measure;
mod responder;
mod seeds;
mod shell;
mod suite;
mod tidy;

use std::{env, path::PathBuf, process::ExitCode};

use failure::Failure;

const HELP: &str = "\
cargo xtask COMMAND

  test [--no-install] [STEP...]  every check and test of the project, or only the steps named;
                                 installs what they need first (by apt-get, cargo and pip)
  tidy [--fix]                   the rules that no compiler checks (also a step of `test`); or rewrites what
                                 documents repeat of the code: tests of threats and clauses, arrows between crates
  seeds                          copies vectors/ into fuzz/seeds/, where the fuzz targets start from
  load ocsp|scep OPTION...       drives a running server over loopback and measures it (`load --help`)
  count                          instructions per operation, under valgrind
  compare [--rounds N] [--requests N]
                                 our OCSP responder beside OpenSSL's, cfssl's, nginx and hyper alone; for a quiet machine
  responder PART                 one responder: memory, latency, a million objects (`responder` lists the parts)
  scale                          simulates fleets of up to 100 million devices; writes the tables and plots of docs/scale.md
  help                           this text

Steps of `test`, in order:
";

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    match run(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("xtask: {failure}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &[String]) -> Result<(), Failure> {
    let root = root()?;
    match arguments.split_first().map(|(first, rest)| (first.as_str(), rest)) {
        Some(("test", rest)) => suite::run(&root, rest),
        Some(("tidy", [])) => tidy::run(&root),
        Some(("tidy", [option])) if option == "--fix" => tidy::fix(&root),
        Some(("seeds", [])) => seeds::run(&root),
        Some(("load", rest)) => measure::load(&root, rest),
        Some(("count", [])) => measure::count(&root),
        Some(("responder", rest)) => responder::responder(&root, rest),
        Some(("scale", [])) => measure::scale(&root),
        Some(("compare", rest)) => compare::compare(&root, rest),
        None | Some(("help" | "--help" | "-h", _)) => {
            print!("{HELP}{}", suite::list());
            Ok(())
        }
        Some((other, _)) => Err(Failure::new(format!(
            "no such command, or too many arguments: {other}\n\n{HELP}{}",
            suite::list()
        ))),
    }
}

/// The folder of the workspace: the one above this package's.
fn root() -> Result<PathBuf, Failure> {
    let here = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    here.parent().map(PathBuf::from).ok_or_else(|| Failure::new("xtask must lie inside the workspace"))
}
