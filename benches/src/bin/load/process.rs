//! What the system knows of another process.

use std::{fs, time::Duration};

use crate::Failure;

/// A process, by its number, and those that it started, which serve for it.
#[derive(Debug)]
pub(crate) struct Process(u32);

/// CPU time spent, and memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Usage {
    pub(crate) user: Duration,
    pub(crate) system: Duration,
    /// In memory now, in KiB.
    pub(crate) resident: u64,
    /// The most that ever was, in KiB.
    pub(crate) peak: u64,
}

/// The unit of `stat`: Linux shows programs 100 ticks a second, whatever its own are.
const TICK: Duration = Duration::from_millis(10);

impl Process {
    pub(crate) fn new(pid: u32) -> Self {
        Self(pid)
    }

    pub(crate) fn usage(&self) -> Result<Usage, Failure> {
        let mut sum = usage_of(self.0)?;
        for child in self.children()? {
            // One that has ended meanwhile uses nothing any more.
            let usage = usage_of(child).unwrap_or_default();
            sum.user = sum.user.saturating_add(usage.user);
            sum.system = sum.system.saturating_add(usage.system);
            sum.resident = sum.resident.saturating_add(usage.resident);
            sum.peak = sum.peak.saturating_add(usage.peak);
        }
        Ok(sum)
    }

    fn children(&self) -> Result<Vec<u32>, Failure> {
        let number = |name: std::ffi::OsString| name.to_str()?.parse().ok();
        let processes = fs::read_dir("/proc").map_err(|error| format!("/proc: {error}"))?;
        let processes = processes.filter_map(|entry| number(entry.ok()?.file_name()));
        let is_child = |pid: &u32| {
            fs::read_to_string(format!("/proc/{pid}/stat")).is_ok_and(|stat| parent(&stat) == Some(self.0))
        };
        Ok(processes.filter(is_child).collect())
    }
}

fn usage_of(pid: u32) -> Result<Usage, Failure> {
    let read = |file: &str| {
        let path = format!("/proc/{pid}/{file}");
        fs::read_to_string(&path).map_err(|error| format!("{path}: {error}"))
    };
    usage(&read("stat")?, &read("status")?).ok_or_else(|| "the system tells its usage in another form".into())
}

/// Who started the process that `stat` is about.
fn parent(stat: &str) -> Option<u32> {
    let (_, fields) = stat.rsplit_once(')')?;
    fields.split_whitespace().nth(1)?.parse().ok()
}

fn usage(stat: &str, status: &str) -> Option<Usage> {
    // The name of the program, in parentheses, may hold anything.
    let (_, fields) = stat.rsplit_once(')')?;
    let ticks =
        |at| fields.split_whitespace().nth(at)?.parse::<u32>().ok().and_then(|ticks| TICK.checked_mul(ticks));
    let size = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name))?;
        line.split_whitespace().next()?.parse().ok()
    };
    Some(Usage { user: ticks(11)?, system: ticks(12)?, resident: size("VmRSS:")?, peak: size("VmHWM:")? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_files_of_the_system_are_read() {
        let stat = "7 (a ) b) S 1 7 7 0 -1 4194560 160 0 0 0 250 30 0 0 20 0 4 0 100 1000 200";
        let status = "Name:\tx\nVmHWM:\t   30000 kB\nVmRSS:\t   20000 kB\n";
        let (user, system) = (Duration::from_millis(2500), Duration::from_millis(300));
        assert_eq!(usage(stat, status), Some(Usage { user, system, resident: 20_000, peak: 30_000 }));
        assert_eq!(parent(stat), Some(1));
        assert!(Process::new(std::process::id()).usage().is_ok_and(|usage| usage.peak > 0));
    }

    #[test]
    fn what_a_process_started_counts_with_it() {
        let mut child = std::process::Command::new("sleep").arg("60").spawn().unwrap();
        let children = Process::new(std::process::id()).children();
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(children.unwrap().contains(&child.id()));
    }
}
