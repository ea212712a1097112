//! `cargo xtask responder`: one responder, measured in parts that take less than three minutes each on a quiet machine.

mod site;

use std::{path::Path, process::Command};

use crate::{
    compare::servers::Running,
    failure::Failure,
    measure::target_folder,
    shell::{cargo, output, run},
};
use site::{Directory, Site};

const USAGE: &str = "\
usage: cargo xtask responder PART

  distinct [--seconds N]     memory while every request is about another serial number
  saturation [--seconds N]   latency at 80 % of what it can do: signed on demand, and from its cache
  rsa [--seconds N]          an RSA-2048 delegate: CPU beside one signature and an empty reply
  population [--objects N] [--directory file|service] [--seconds N]
                             a million objects known: memory, latency, time from disabled to revoked";

/// What is measured, and for how long at most.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Wanted {
    seconds: u64,
    objects: u32,
    directory: Directory,
}

pub(crate) fn responder(root: &Path, arguments: &[String]) -> Result<(), Failure> {
    let (part, options) = arguments.split_first().ok_or_else(|| Failure::new(USAGE))?;
    let measure: fn(&Bench<'_>, Wanted) -> Result<(), Failure> = match part.as_str() {
        "distinct" => distinct,
        "saturation" => saturation,
        "rsa" => rsa,
        "population" => population,
        _ => return Err(Failure::new(USAGE)),
    };
    let wanted = wanted(options)?;
    let packages = ["--package", "scep-server", "--package", "ocsp-server", "--package", "benches"];
    run(&mut cargo(root, ["build", "--release"].into_iter().chain(packages).chain(["--bins"])))?;
    let target = target_folder(root)?;
    let (programs, folder) = (target.join("release"), target.join("responder"));
    measure(&Bench { programs: &programs, folder: &folder }, wanted)
}

fn wanted(options: &[String]) -> Result<Wanted, Failure> {
    let mut wanted = Wanted { seconds: 150, objects: 1_000_000, directory: Directory::File };
    let mut words = options.iter().map(String::as_str);
    while let Some(option) = words.next() {
        let (value, usage) = (words.next().unwrap_or_default(), || Failure::new(USAGE));
        match (option, value) {
            ("--directory", "file") => wanted.directory = Directory::File,
            ("--directory", "service") => wanted.directory = Directory::Service,
            ("--seconds", number) => wanted.seconds = number.parse().map_err(|_| usage())?,
            ("--objects", number) => wanted.objects = number.parse().map_err(|_| usage())?,
            _ => return Err(usage()),
        }
    }
    Ok(wanted)
}

/// Where programs and files are.
struct Bench<'a> {
    programs: &'a Path,
    folder: &'a Path,
}

impl Bench<'_> {
    fn load(&self, arguments: &[&str]) -> Result<String, Failure> {
        output(Command::new(self.programs.join("load")).args(arguments))
    }

    /// Asks a responder in a stream, and returns what `load` says.
    fn stream(&self, site: &Site, arguments: &[&str]) -> Result<String, Failure> {
        let (url, pid) = (site.responder.url("/ocsp"), site.responder.pid().to_string());
        let mut load = Command::new(self.programs.join("load"));
        load.args(["stream", "--url", &url, "--pid", &pid, "--data"]).arg(&site.data).args(arguments);
        output(&mut load)
    }

    /// Requests a second, p50, p99, p99.9 in ms, CPU in us.
    fn brief(&self, site: &Site, arguments: &[&str]) -> Result<[f64; 5], Failure> {
        numbers(&self.stream(site, &[arguments, &["--brief"]].concat())?)
    }
}

fn numbers<const COUNT: usize>(text: &str) -> Result<[f64; COUNT], Failure> {
    let numbers: Option<Vec<f64>> = text.split_whitespace().map(|word| word.parse().ok()).collect();
    let numbers = numbers.and_then(|numbers| numbers.try_into().ok());
    numbers.ok_or_else(|| Failure::new(format!("expected {COUNT} numbers: {text}")))
}

/// Ten million, if there is time: what is kept of each must not add up.
fn distinct(bench: &Bench<'_>, wanted: Wanted) -> Result<(), Failure> {
    let site = Site::new(bench.programs, bench.folder, Directory::File, 1000, "p256")?;
    let seconds = wanted.seconds.to_string();
    let options = ["--ask", "serials", "--requests", "10000000", "--seconds", &seconds];
    print!("{}", bench.stream(&site, &options)?);
    Ok(())
}

fn saturation(bench: &Bench<'_>, wanted: Wanted) -> Result<(), Failure> {
    let site = Site::new(bench.programs, bench.folder, Directory::File, 1000, "p256")?;
    for (name, ask, objects) in [("signed on demand", "nonces", "1"), ("from cache", "objects", "1000")] {
        let ask = ["--ask", ask, "--objects", objects];
        at_four_fifths(bench, &site, name, &ask, wanted.seconds.div_euclid(4).min(30))?;
    }
    Ok(())
}

/// What it can do at most, and its latency at four fifths of that.
fn at_four_fifths(
    bench: &Bench<'_>,
    site: &Site,
    name: &str,
    ask: &[&str],
    seconds: u64,
) -> Result<(), Failure> {
    let part = seconds.div_euclid(3).max(1).to_string();
    bench.brief(site, &[ask, &["--seconds", "1"]].concat())?;
    let [most, p50, p99, _, cpu] = bench.brief(site, &[ask, &["--seconds", &part]].concat())?;
    println!("{name}: {most:.0}/s at most; p50 {p50:.2} ms, p99 {p99:.2} ms, CPU {cpu:.1} us each");
    let (rate, seconds) = ((most * 0.8).to_string(), seconds.to_string());
    let open = ["--rate", &rate, "--connections", "32", "--seconds", &seconds];
    let [rate, p50, p99, p999, cpu] = bench.brief(site, &[ask, &open].concat())?;
    println!(
        "{name}, at 80 %: {rate:.0}/s; p50 {p50:.2} ms, p99 {p99:.2} ms, p99.9 {p999:.2} ms, CPU {cpu:.1} us each"
    );
    Ok(())
}

fn rsa(bench: &Bench<'_>, wanted: Wanted) -> Result<(), Failure> {
    let site = Site::new(bench.programs, bench.folder, Directory::File, 1000, "rsa2048")?;
    let empty = Running::empty_reply(bench.programs, &["127.0.0.1:0"])?;
    let signing = Running::empty_reply(bench.programs, &["127.0.0.1:0", "rsa2048"])?;
    let seconds = wanted.seconds.div_euclid(12).clamp(1, 10).to_string();
    for round in 1..=3 {
        let ask = ["--ask", "nonces", "--seconds", &seconds];
        let [rate, _, p99, _, cpu] = bench.brief(&site, &ask)?;
        let replies = |server: &Running, requests| {
            let (url, pid) = (server.url("/"), server.pid().to_string());
            numbers::<4>(&bench.load(&[
                "empty",
                "--brief",
                "--url",
                &url,
                "--pid",
                &pid,
                "--requests",
                requests,
            ])?)
        };
        let [.., empty] = replies(&empty, "100000")?;
        let [.., both] = replies(&signing, "20000")?;
        let [signature] = numbers(&bench.load(&["sign", "--key", "rsa2048", "--times", "5000"])?)?;
        println!(
            "round {round}: {rate:.0}/s, p99 {p99:.2} ms, CPU {cpu:.1} us each; signature {signature:.1}, empty reply {empty:.1}, \
             both in one process {both:.1}: {:.3} times the sum, {:.3} times both in one",
            cpu / (signature + empty),
            cpu / both
        );
    }
    Ok(())
}

fn population(bench: &Bench<'_>, wanted: Wanted) -> Result<(), Failure> {
    let Wanted { objects, directory, .. } = wanted;
    let site = Site::new(bench.programs, bench.folder, directory, objects, "p256")?;
    println!(
        "ready after {:.1} s, {} MiB resident",
        site.ready_after.as_secs_f64(),
        site.responder.resident()?
    );
    let (count, seconds) = (objects.to_string(), wanted.seconds.to_string());
    let all = ["--ask", "objects", "--objects", &count, "--kind", directory.kind()];
    let once = ["--requests", &count, "--seconds", &seconds, "--connections", "16"];
    print!("each asked about once:\n{}", bench.stream(&site, &[&all[..], &once].concat())?);
    at_four_fifths(bench, &site, "warm", &all, 18)?;
    println!("{} MiB resident", site.responder.resident()?);
    let usual = match directory {
        Directory::File => None,
        Directory::Service => Some(site.as_usual(bench.programs, bench.folder)?),
    };
    let asked = usual.as_ref().unwrap_or(&site.responder);
    let (url, data) = (asked.url("/ocsp"), site.data.display().to_string());
    let place = site.place();
    let disable = ["disable", "--url", &url, "--data", &data, "--kind", directory.kind(), "--times", "3"];
    print!("{}", bench.load(&[&disable[..], &[place.0, &place.1]].concat())?);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_are_read() {
        let read = |line: &str| wanted(&line.split_whitespace().map(String::from).collect::<Vec<_>>());
        let usual = read("").unwrap();
        assert_eq!(usual, Wanted { seconds: 150, objects: 1_000_000, directory: Directory::File });
        let wanted = read("--directory service --objects 7 --seconds 3").unwrap();
        assert_eq!(wanted, Wanted { seconds: 3, objects: 7, directory: Directory::Service });
        for wrong in ["--directory", "--directory x", "--objects", "--objects x", "7"] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn numbers_are_as_many_as_expected() {
        let read = numbers::<2>("1.5 2\n").map(|numbers| format!("{numbers:?}"));
        assert_eq!(read.as_deref(), Ok("[1.5, 2.0]"));
        assert!(numbers::<3>("1 2").is_err() && numbers::<1>("x").is_err());
    }
}
