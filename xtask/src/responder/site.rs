//! A responder of its own, with a CA that another program made.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    time::{Duration, Instant},
};

use crate::{
    compare::{material, servers::Running},
    failure::{Failure, While as _},
    shell::output,
};

/// Where objects are looked up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Directory {
    File,
    /// One over HTTP, behind the guard.
    Service,
}

impl Directory {
    pub(super) fn kind(self) -> &'static str {
        match self {
            Self::File => "device",
            Self::Service => "scim-resource",
        }
    }
}

/// Running programs, until dropped.
#[derive(Debug)]
pub(super) struct Site {
    pub(super) responder: Running,
    /// How long it took to start.
    pub(super) ready_after: Duration,
    pub(super) data: PathBuf,
    service: Option<Running>,
}

impl Site {
    /// Makes a CA with `scep-server`, and starts `ocsp-server` with a delegate of that kind of key.
    pub(super) fn new(
        programs: &Path,
        folder: &Path,
        directory: Directory,
        objects: u32,
        key: &str,
    ) -> Result<Self, Failure> {
        if folder.exists() {
            fs::remove_dir_all(folder).during(folder.display())?;
        }
        fs::create_dir_all(folder).during(folder.display())?;
        drop(Running::certbound(programs, &material::settings(programs, folder)?)?);
        let data = folder.join("data");
        let service = match directory {
            Directory::File => {
                let devices =
                    output(Command::new(programs.join("load")).args(["devices", &objects.to_string()]))?;
                material::write(&data.join("directory.toml"), &devices)?;
                None
            }
            Directory::Service => {
                material::write(&data.join("token"), "a token that the stub does not look at")?;
                Some(Running::directory_stub(programs)?)
            }
        };
        let begun = now();
        // Long enough that what was asked about once is known until the end.
        let responder = start(programs, folder, service.as_ref(), objects, key, 3600)?;
        Ok(Self { responder, ready_after: begun.elapsed(), data, service })
    }

    /// Another responder for the same, with a service asked again as soon as it usually is.
    pub(super) fn as_usual(&self, programs: &Path, folder: &Path) -> Result<Running, Failure> {
        start(programs, folder, self.service.as_ref(), 1000, "p256", 5)
    }

    /// Where `load disable` is to disable a device.
    pub(super) fn place(&self) -> (&'static str, String) {
        match &self.service {
            None => ("--file", self.data.join("directory.toml").display().to_string()),
            Some(service) => ("--service", service.url("/")),
        }
    }
}

fn start(
    programs: &Path,
    folder: &Path,
    service: Option<&Running>,
    objects: u32,
    key: &str,
    fresh: u32,
) -> Result<Running, Failure> {
    let table = match service {
        None => "file = \"directory.toml\"\n".into(),
        Some(service) => format!(
            "file = \"\"\n[[directory.service]]\nkind = \"scim\"\nurl = {:?}\ntoken = \"token\"\nfresh_seconds = {fresh}\n\
             max_stale_seconds = 3600\nremembered = {}\n",
            service.url(""),
            objects.saturating_mul(2)
        ),
    };
    let text = format!(
        "listen = \"127.0.0.1:0\"\ndata = {:?}\nledger = \"\"\n[delegate]\nkeys = [{key:?}]\n[log]\nfilter = \"warn\"\n[directory]\n{table}",
        folder.join("data").display().to_string()
    );
    let settings = folder.join("ocsp.toml");
    material::write(&settings, &text)?;
    Running::ocsp_server(programs, &settings)
}

#[expect(clippy::disallowed_methods, reason = "this measures time")]
fn now() -> Instant {
    Instant::now()
}
