//! Repeats one operation, for `cargo xtask count` to run under valgrind: `count list`, `count OPERATION MADE RUNS`, where
//! input for MADE runs is made and RUNS of them are run.

use std::{env, process::ExitCode};

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["list"] => benches::operations()
            .filter(|it| !it.name.contains("loopback"))
            .for_each(|it| println!("{}", it.name)),
        [name, made, runs] => {
            let operation = benches::operations().find(|operation| operation.name == *name);
            let (Some(operation), Ok(made), Ok(runs)) = (operation, made.parse(), runs.parse()) else {
                eprintln!(
                    "no operation is called {name}, or these are no numbers; `count list` lists operations"
                );
                return ExitCode::FAILURE;
            };
            (operation.prepare)().repeat(made, runs);
        }
        _ => {
            eprintln!("usage: count list | count OPERATION MADE RUNS");
            return ExitCode::FAILURE;
        }
    }
    ExitCode::SUCCESS
}
