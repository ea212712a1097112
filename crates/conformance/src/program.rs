//! What both programs have in common: options about output, and what is done with a report.

use std::{
    fs,
    io::{IsTerminal as _, Write as _, stdout},
    path::{Path, PathBuf},
    process::ExitCode,
};

use clap::{Args, ValueEnum};

use crate::{
    Check, Exceptions, Finding, Ink, Progress, Report, hex_dump, to_json, to_junit, to_table, write_bytes,
};

/// Options about output.
#[derive(Debug, Args)]
#[non_exhaustive]
pub struct OutputArguments {
    /// Verdicts that are known, and why they are let pass (TOML)
    #[arg(long, value_name = "FILE")]
    pub exceptions: Option<PathBuf>,

    /// Run only the checks whose name starts so. May be repeated; exceptions of other checks do not count then
    #[arg(long, value_name = "PREFIX")]
    pub only: Vec<String>,

    /// Write the report as JSON; - is standard output, in the table's place
    #[arg(long, value_name = "FILE")]
    pub json: Option<PathBuf>,

    /// Write the report as JUnit XML; - is standard output, in the table's place
    #[arg(long, value_name = "FILE")]
    pub junit: Option<PathBuf>,

    /// Write every request and every response below this folder
    #[arg(long, value_name = "DIR")]
    pub bytes: Option<PathBuf>,

    /// Show the requests and responses of what failed
    #[arg(long)]
    pub show_bytes: bool,

    /// Whether the table is colored
    #[arg(long, value_enum, default_value = "auto")]
    pub color: Color,

    /// Print the checks, as rows of a Markdown table, and run none
    #[arg(long)]
    pub list: bool,
}

/// When the table is colored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
#[expect(clippy::exhaustive_enums, reason = "there is no fourth")]
pub enum Color {
    /// On a terminal, unless the environment has NO_COLOR.
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

impl Color {
    fn ink(self) -> Ink {
        let suits =
            || stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|text| text.is_empty());
        match self {
            Self::Always => Ink::Colored,
            Self::Auto if suits() => Ink::Colored,
            Self::Auto | Self::Never => Ink::Plain,
        }
    }
}

/// Whatever keeps a run from taking place.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RunError {
    /// A file, the command line, a key.
    #[error("{0}")]
    Local(String),
    /// The server is not there.
    #[error("{0}")]
    Unreachable(String),
}

impl OutputArguments {
    /// Whether a check of that name is to be run.
    pub fn wants(&self, check: &str) -> bool {
        self.only.is_empty() || self.only.iter().any(|prefix| check.starts_with(&**prefix))
    }
}

/// The body of a program: lists `checks`, or has `run` run those that are wanted, with progress, and tells what they found.
pub fn run_program<S>(
    output: &OutputArguments,
    checks: &[&Check<S>],
    run: impl FnOnce(&dyn Fn(&str) -> bool, &mut dyn FnMut(&str)) -> Result<Report, RunError>,
) -> ExitCode {
    if output.list {
        print(&list(checks));
        return ExitCode::SUCCESS;
    }
    let judged = || {
        let wanted = checks.iter().filter(|check| output.wants(check.id)).count();
        let mut progress = Progress::new(wanted);
        let report = run(&|check| output.wants(check), &mut |check| progress.step(check));
        progress.end();
        report
    };
    let outcome = exceptions(output, checks).and_then(|exceptions| {
        let report = judged()?.under(&exceptions);
        tell(&report, output)?;
        Ok(report.is_clean())
    });
    match outcome {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(1),
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::from(if matches!(error, RunError::Unreachable(_)) { 3 } else { 2 })
        }
    }
}

/// Octets in hexadecimal as people paste them: with colons and spaces, an odd digit at the front.
pub fn octets(text: &str) -> Result<Vec<u8>, String> {
    let digits: Vec<char> = text.chars().filter(|c| !matches!(c, ':' | ' ')).collect();
    if digits.is_empty() || !digits.iter().all(char::is_ascii_hexdigit) {
        return Err(format!("expected hexadecimal digits, not {text:?}"));
    }
    let padding = (digits.len() % 2 == 1).then_some('0');
    let digits: Vec<char> = padding.into_iter().chain(digits).collect();
    let pairs = digits.chunks(2).map(|pair| u8::from_str_radix(&pair.iter().collect::<String>(), 16));
    pairs.collect::<Result<_, _>>().map_err(|error| error.to_string())
}

/// The rows of a Markdown table of checks.
pub(crate) fn list<S>(checks: &[&Check<S>]) -> String {
    let row = |check: &&Check<S>| {
        let clause = &check.clause;
        format!("| `{}` | {} | {} | {} |\n", check.id, clause.section, clause.level, clause.text)
    };
    checks.iter().map(row).collect()
}

fn exceptions<S>(output: &OutputArguments, checks: &[&Check<S>]) -> Result<Exceptions, RunError> {
    let Some(path) = &output.exceptions else { return Ok(Exceptions::default()) };
    let local = |error: crate::ExceptionsError| RunError::Local(error.to_string());
    let exceptions = Exceptions::from_file(path).map_err(local)?;
    let known: Vec<&str> = checks.iter().map(|check| check.id).collect();
    exceptions.know_only(&known).map_err(local)?;
    Ok(exceptions)
}

fn tell(report: &Report, output: &OutputArguments) -> Result<(), RunError> {
    let mut table = true;
    for (path, text) in [(&output.json, to_json as fn(&Report) -> String), (&output.junit, to_junit)] {
        match path {
            Some(path) if path.as_os_str() == "-" => {
                table = false;
                print(&text(report));
            }
            Some(path) => {
                fs::write(path, text(report)).map_err(|error| of_file(path, &error))?;
            }
            None => {}
        }
    }
    if table {
        print(&to_table(report, output.color.ink()));
    }
    if output.show_bytes {
        report.findings.iter().filter(|finding| finding.is_failure()).for_each(show);
    }
    if let Some(folder) = &output.bytes {
        write_bytes(report, folder).map_err(|error| of_file(folder, &error))?;
    }
    Ok(())
}

fn show(finding: &Finding) {
    for (number, exchange) in (1..).zip(&finding.exchanges) {
        for (side, octets) in [("request", &exchange.request), ("response", &exchange.response)] {
            print(&format!("\n{}: {side} {number}, {} octets\n", finding.check, octets.len()));
            print(&hex_dump(octets));
        }
    }
}

fn of_file(path: &Path, error: &std::io::Error) -> RunError {
    RunError::Local(format!("{}: {error}", path.display()))
}

/// That the reader has gone away, as `head` does, is no reason to panic.
fn print(text: &str) {
    let _ = stdout().write_all(text.as_bytes());
}
