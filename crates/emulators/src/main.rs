//! The program `emulators`.

use std::{io::Write as _, net::IpAddr, path::PathBuf, process::ExitCode};

use clap::Parser;
use emulators::{Emulators, Options, Quickstart};

/// Entra, Graph, Intune, Jamf Pro and a SCIM service on this machine, to try things without a tenant.
///
/// Everybody who can reach them is let in to their control interface: they are for trying, not for a network.
#[derive(Debug, Parser)]
#[command(name = "emulators", version, about, max_term_width = 100)]
struct Arguments {
    /// Population, credentials and tokens are the same for the same seed
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// How many devices each service has
    #[arg(long, default_value_t = 10)]
    devices: usize,
    /// How many users each service has
    #[arg(long, default_value_t = 10)]
    users: usize,
    /// Address to listen on
    #[arg(long, default_value = "127.0.0.1")]
    address: IpAddr,
    /// The first of six ports; 0 for any
    #[arg(long, default_value_t = 9000)]
    port: u16,
    /// Certificate (PEM) that Entra is to have on file for the application
    #[arg(long, value_name = "FILE")]
    certificate: Option<PathBuf>,
    /// Folder for a configuration of scep-server that works with these services, and its secrets
    #[arg(long, value_name = "FOLDER", default_value = "certbound-quickstart")]
    quickstart: PathBuf,
}

fn main() -> ExitCode {
    match run(Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Nothing can be done about a standard error that is closed.
            let _ = writeln!(std::io::stderr(), "emulators: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: Arguments) -> Result<(), Box<dyn std::error::Error>> {
    let Arguments { seed, devices, users, address, port, certificate, quickstart } = arguments;
    let certificate = certificate.map(|path| {
        let pem = std::fs::read_to_string(&path).map_err(|why| format!("{}: {why}", path.display()))?;
        pki_core::Certificate::from_pem(&pem).map_err(|why| format!("{}: {why}", path.display()))
    });
    let options = Options {
        seed,
        devices,
        users,
        address,
        port,
        certificate: certificate.transpose()?,
        ..Options::default()
    };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        let emulators = Emulators::start(options).await?;
        let tour = Quickstart::write(&emulators, &quickstart)?;
        let mut out = std::io::stdout();
        for (name, url) in [
            ("Control", emulators.control()),
            ("Entra", emulators.entra()),
            ("Graph", emulators.graph()),
            ("Intune", emulators.intune()),
            ("Jamf Pro", emulators.jamf()),
            ("SCIM", &emulators.scim()),
        ] {
            writeln!(out, "  {name:<19} {url}")?;
        }
        let folder = quickstart.display();
        writeln!(
            out,
            "{tour}\nCtrl-C stops the services, and all that was done to them is forgotten; what the server"
        )?;
        writeln!(out, "remembers is in {folder}: remove that folder to begin anew.")?;
        emulators.run(async { drop(tokio::signal::ctrl_c().await) }).await;
        Ok(())
    })
}
