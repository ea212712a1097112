//! `cargo xtask test`: installs what is missing, runs every step, says what failed.

mod cargo_tools;
mod debian;
mod later;
mod python;
mod steps;

use std::{
    fmt::Write as _,
    path::Path,
    time::{Duration, Instant},
};

use crate::failure::Failure;
use steps::{STEPS, Step};

/// What may be done about something that is missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Missing {
    /// Install it.
    Install,
    /// Say so and fail.
    Report,
}

/// The steps and what each does, one a line.
pub(crate) fn list() -> String {
    STEPS.iter().fold(String::new(), |mut text, step| {
        // Writing to a String cannot fail.
        let _ = writeln!(text, "  {:<9} {}", step.name, step.what);
        text
    })
}

/// Runs all steps, or those named; every one of them, even after one failed.
pub(crate) fn run(root: &Path, arguments: &[String]) -> Result<(), Failure> {
    let (missing, steps) = chosen(arguments)?;
    let started = now();
    let mut results = Vec::with_capacity(steps.len());
    for step in steps {
        println!("\n=== {}: {}", step.name, step.what);
        let before = now();
        let result = (step.run)(root, missing);
        if let Err(failure) = &result {
            eprintln!("xtask: {failure}");
        }
        println!("=== {}: {}, {}", step.name, verdict(&result), seconds(before.elapsed()));
        results.push((step, result, before.elapsed()));
    }
    println!("\n=== summary");
    for (step, result, time) in &results {
        println!("{:<9} {:<6} {:>7}", step.name, verdict(result), seconds(*time));
    }
    let failed: Vec<&str> =
        results.iter().filter(|(_, result, _)| result.is_err()).map(|(step, ..)| step.name).collect();
    if failed.is_empty() {
        println!("all {} steps passed in {}", results.len(), seconds(started.elapsed()));
        Ok(())
    } else {
        let again = failed.join(" ");
        Err(Failure::new(format!("failed: {again}; to run them alone: cargo xtask test {again}")))
    }
}

/// What the arguments ask for.
fn chosen(arguments: &[String]) -> Result<(Missing, Vec<&'static Step>), Failure> {
    let (options, names): (Vec<&str>, Vec<&str>) =
        arguments.iter().map(String::as_str).partition(|argument| argument.starts_with('-'));
    let missing = match options.as_slice() {
        [] => Missing::Install,
        ["--no-install"] => Missing::Report,
        _ => return Err(Failure::new(format!("the only option is --no-install, not {}", options.join(" ")))),
    };
    if names.is_empty() {
        return Ok((missing, STEPS.iter().collect()));
    }
    let find = |name: &&str| {
        let unknown = || Failure::new(format!("no step is called {name}; the steps are:\n{}", list()));
        STEPS.iter().find(|step| step.name == *name).ok_or_else(unknown)
    };
    Ok((missing, names.iter().map(find).collect::<Result<_, _>>()?))
}

fn verdict(result: &Result<(), Failure>) -> &'static str {
    if result.is_ok() { "passed" } else { "FAILED" }
}

fn seconds(time: Duration) -> String {
    format!("{:.1} s", time.as_secs_f64())
}

#[expect(clippy::disallowed_methods, reason = "people want to know how long a step took")]
fn now() -> Instant {
    Instant::now()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(line: &str) -> Vec<String> {
        line.split_whitespace().map(String::from).collect()
    }

    #[test]
    fn no_arguments_mean_every_step_and_installing() {
        let (missing, steps) = chosen(&[]).unwrap();
        assert_eq!((missing, steps.len()), (Missing::Install, STEPS.len()));
    }

    #[test]
    fn steps_run_in_the_order_given() {
        let (missing, steps) = chosen(&words("tidy --no-install fmt")).unwrap();
        assert_eq!(missing, Missing::Report);
        assert_eq!(steps.iter().map(|step| step.name).collect::<Vec<_>>(), ["tidy", "fmt"]);
    }

    #[test]
    fn what_does_not_exist_is_refused_with_what_does() {
        assert!(chosen(&words("sing")).unwrap_err().to_string().contains("clippy"));
        assert!(chosen(&words("--quiet")).unwrap_err().to_string().contains("--no-install"));
    }

    #[test]
    fn step_names_are_distinct() {
        for (at, step) in STEPS.iter().enumerate() {
            assert!(STEPS.iter().skip(at + 1).all(|other| other.name != step.name), "{}", step.name);
        }
    }
}
