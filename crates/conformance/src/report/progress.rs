//! What a person sees while the checks run.

use std::io::{IsTerminal as _, Write as _, stderr};

/// One line on standard error that is written over, while that is a terminal.
#[derive(Debug)]
pub struct Progress {
    shown: bool,
    done: usize,
    of: usize,
}

impl Progress {
    /// For that many checks.
    pub fn new(of: usize) -> Self {
        Self { shown: stderr().is_terminal(), done: 0, of }
    }

    /// That check is next.
    pub fn step(&mut self, check: &str) {
        self.done = self.done.saturating_add(1);
        if self.shown {
            let _ = write!(stderr(), "\r\x1b[K[{}/{}] {check}", self.done, self.of);
            let _ = stderr().flush();
        }
    }

    /// All is done: the line is taken away.
    pub fn end(self) {
        if self.shown {
            let _ = write!(stderr(), "\r\x1b[K");
        }
    }
}
