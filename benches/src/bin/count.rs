//! Repeats one operation, for `cargo xtask count` to run under valgrind: `count list`, `count OPERATION REPEATS`.

use std::{env, process::ExitCode};

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["list"] => benches::operations()
            .filter(|it| !it.name.contains("loopback"))
            .for_each(|it| println!("{}", it.name)),
        [name, repeats] => {
            let operation = benches::operations().find(|operation| operation.name == *name);
            let (Some(operation), Ok(repeats)) = (operation, repeats.parse::<u32>()) else {
                eprintln!(
                    "no operation is called {name}, or {repeats} is no number; `count list` lists them"
                );
                return ExitCode::FAILURE;
            };
            let mut run = (operation.prepare)();
            (0..repeats).for_each(|_| run());
        }
        _ => {
            eprintln!("usage: count list | count OPERATION REPEATS");
            return ExitCode::FAILURE;
        }
    }
    ExitCode::SUCCESS
}
