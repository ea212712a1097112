//! Repeats one operation, for `cargo xtask count` to run under valgrind: `count list`, `count OPERATION TIMES`. What is
//! to be counted happens within the function `measured`.

use std::{env, process::ExitCode};

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        // What happens on several threads cannot be counted on one.
        ["list"] => benches::operations()
            .filter(|operation| !operation.name.contains("loopback"))
            .for_each(|operation| println!("{}", operation.name)),
        [name, times] => {
            let operation = benches::operations().find(|operation| operation.name == *name);
            let (Some(operation), Ok(times)) = (operation, times.parse()) else {
                eprintln!(
                    "no operation is called {name}, or {times} is no number; `count list` lists operations"
                );
                return ExitCode::FAILURE;
            };
            (operation.prepare)().repeat(times, measured);
        }
        _ => {
            eprintln!("usage: count list | count OPERATION TIMES");
            return ExitCode::FAILURE;
        }
    }
    ExitCode::SUCCESS
}

/// Valgrind finds it by its name.
#[inline(never)]
fn measured(run: &mut dyn FnMut()) {
    run();
}
