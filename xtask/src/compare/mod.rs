//! `cargo xtask compare`: our responder beside those of others and beside what nobody can do without, in one run on one
//! machine, so that the ratios mean something though the numbers are this machine's.

pub(crate) mod material;
pub(crate) mod servers;
mod table;

use std::{fs, path::Path, process::Command};

use crate::{
    failure::{Failure, While as _},
    measure::target_folder,
    shell::{cargo, find, output, run},
};
use material::Material;
use servers::Servers;
use table::{Measurement, Table};

/// How often everything is measured, and by how many requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Extent {
    rounds: usize,
    requests: usize,
}

const DEFAULT_EXTENT: Extent = Extent { rounds: 3, requests: 20_000 };

/// Programs of others, and the Debian packages that they come with.
const OTHERS: &[(&str, &str)] = &[("openssl", "openssl"), ("cfssl", "golang-cfssl"), ("nginx", "nginx")];

/// Measures and prints a table. While it runs, `openssl ocsp` listens at every address of this machine: it takes none.
pub(crate) fn compare(root: &Path, arguments: &[String]) -> Result<(), Failure> {
    let extent = extent(arguments)?;
    check_others()?;
    let build = ["build", "--release", "--package", "scep-server", "--package", "benches", "--bins"];
    run(&mut cargo(root, build))?;
    let target = target_folder(root)?;
    let (programs, folder) = (target.join("release"), target.join("compare"));
    if folder.exists() {
        fs::remove_dir_all(&folder).during(folder.display())?;
    }
    fs::create_dir_all(&folder).during(folder.display())?;
    let ours = servers::Running::certbound(&programs, &material::settings(&programs, &folder)?)?;
    let material = Material::make(&programs, folder, &ours)?;
    let servers = Servers::start(&programs, &material, ours)?;
    println!("{} rounds of {} requests each over 8 connections", extent.rounds, extent.requests);
    let mut table = Table::default();
    measure_all(&programs, &servers, &material, extent.requests.div_euclid(10), &mut Table::default())?;
    for round in 1..=extent.rounds {
        println!("round {round}");
        measure_all(&programs, &servers, &material, extent.requests, &mut table)?;
    }
    print!("{table}");
    Ok(())
}

/// Each once, in turn.
fn measure_all(
    programs: &Path,
    servers: &Servers,
    material: &Material,
    requests: usize,
    table: &mut Table,
) -> Result<(), Failure> {
    for kind in servers::KINDS {
        let server = servers.of(kind.server);
        let url = server.url(kind.path);
        let mut load = Command::new(programs.join("load"));
        load.args([kind.operation, "--brief", "--url", &url, "--pid", &server.pid().to_string()]);
        let requests = requests.saturating_mul(kind.times);
        load.args(["--requests", &requests.to_string(), "--keep-alive", kind.keep_alive]).args(kind.options);
        if kind.operation == "ocsp" {
            load.arg("--ca").arg(material.ca()).arg("--serials").arg(material.serials());
        }
        let measured = Measurement::parse(&output(&mut load)?)
            .ok_or_else(|| Failure::new(format!("{} was not measured", kind.name)))?;
        table.add(kind.name, measured);
    }
    let signature = output(Command::new(programs.join("load")).arg("sign"))?;
    table.add_signature(signature.trim().parse().map_err(|_| Failure::new("load sign printed no number"))?);
    Ok(())
}

fn extent(arguments: &[String]) -> Result<Extent, Failure> {
    let mut extent = DEFAULT_EXTENT;
    let usage = || Failure::new("usage: cargo xtask compare [--rounds N] [--requests N]");
    let mut words = arguments.iter();
    while let Some(option) = words.next() {
        let value = words.next().and_then(|word| word.parse().ok()).filter(|value| *value > 0);
        match (option.as_str(), value) {
            ("--rounds", Some(value)) => extent.rounds = value,
            ("--requests", Some(value)) => extent.requests = value,
            _ => return Err(usage()),
        }
    }
    Ok(extent)
}

fn check_others() -> Result<(), Failure> {
    let absent = OTHERS.iter().filter(|(program, _)| find(program).is_none());
    let packages: Vec<&str> = absent.map(|(_, package)| *package).collect();
    if packages.is_empty() {
        return Ok(());
    }
    let packages = packages.join(" ");
    Err(Failure::new(format!("the others are missing; on Debian: apt-get install {packages}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rounds_and_requests_can_be_chosen() {
        let read = |line: &str| extent(&line.split_whitespace().map(String::from).collect::<Vec<_>>());
        assert_eq!(read(""), Ok(DEFAULT_EXTENT));
        assert_eq!(read("--rounds 1 --requests 500"), Ok(Extent { rounds: 1, requests: 500 }));
        for wrong in ["--rounds", "--rounds x", "--requests 0", "500"] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
    }
}
