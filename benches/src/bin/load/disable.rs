//! How long it takes until a device that is disabled in the directory is refused.

use std::{
    fmt::Write as _,
    fs, io,
    path::{Path, PathBuf},
    thread,
    time::{Duration, Instant},
};

use benches::{
    connection::{Connection, post},
    enrollment::device_id,
};
use clap::Args;
use serial_binding::ObjectKind;

use crate::{
    Failure, Target, ocsp,
    template::{self, Ask, Template},
};

#[derive(Args)]
#[group(id = "directory", required = true, multiple = false)]
struct Where {
    /// The directory's file, as `load devices` writes it.
    #[arg(long)]
    file: Option<PathBuf>,
    /// A `directory-stub`.
    #[arg(long)]
    service: Option<Target>,
}

#[derive(Args)]
pub(crate) struct Options {
    /// Where the responder is; only addresses of this machine are taken.
    #[arg(long)]
    url: Target,
    /// The folder with the CA's certificate and its keys of serial numbers.
    #[arg(long)]
    data: PathBuf,
    /// Of what kind the device is.
    #[arg(long, default_value_t = ObjectKind::DEVICE)]
    kind: ObjectKind,
    #[command(flatten)]
    directory: Where,
    /// How many times it is disabled, and enabled again.
    #[arg(long, default_value_t = 5)]
    times: usize,
}

/// Nobody waits longer for a change.
const PATIENCE: Duration = Duration::from_secs(60);

/// The device that is disabled.
const DEVICE: u32 = 1;

/// A line for each time.
pub(crate) fn disable(options: &Options) -> Result<String, Failure> {
    let serials =
        template::Options { data: options.data.clone(), objects: DEVICE, kind: options.kind, seed: 1 };
    let template = Template::new(&options.url, Ask::Objects, &serials)?;
    let mut request = template.request();
    template.fill(0, &mut request);
    let question = template.question(0).ok_or("no question")?;
    let mut connection = Connection::open(options.url.address())?;
    let mut until = |wanted: &str, since: Instant| -> Result<Duration, Failure> {
        loop {
            let verdict = ocsp::judge(&question, &connection.exchange(&request)?);
            if verdict == wanted {
                return Ok(since.elapsed());
            }
            if since.elapsed() > PATIENCE {
                return Err(format!("still {verdict} after {} s, not {wanted}", PATIENCE.as_secs()).into());
            }
            pause();
        }
    };
    let mut text = String::new();
    for _ in 0..options.times {
        until("good", now())?;
        let revoked = until("revoked", change(&options.directory, "disable")?)?;
        let good = until("good", change(&options.directory, "enable")?)?;
        let [revoked, good] = [revoked, good].map(|time| time.as_secs_f64());
        // Writing to a String cannot fail.
        let _ = writeln!(text, "disabled, revoked after {revoked:.2} s; enabled, good after {good:.2} s");
    }
    Ok(text)
}

/// Has the directory say so; when it did.
fn change(directory: &Where, what: &str) -> Result<Instant, Failure> {
    if let Some(file) = &directory.file {
        let (from, to) = match what {
            "disable" => ("enabled", "disabled"),
            _ => ("disabled", "enabled"),
        };
        return Ok(rewrite(file, from, to)?);
    }
    let service = directory.service.as_ref().ok_or("no directory")?;
    let path = format!("/Users/{}/{what}", device_id(DEVICE));
    let reply =
        Connection::open(service.address())?.exchange(&post(service.host(), &path, "text/plain", b""))?;
    if reply.status == 200 { Ok(now()) } else { Err(format!("the service: HTTP {}", reply.status).into()) }
}

/// Puts another file in the place of this one, as every careful program does.
fn rewrite(path: &Path, from: &str, to: &str) -> io::Result<Instant> {
    let text = fs::read_to_string(path)?;
    let id = device_id(DEVICE);
    let missing = || io::Error::other(format!("{} has no device {id} that is {from}", path.display()));
    let (before, rest) = text.split_once(&id).ok_or_else(missing)?;
    let (between, after) = rest.split_once(&format!("{from:?}")).ok_or_else(missing)?;
    let beside = path.with_extension("new");
    fs::write(&beside, [before, &id, between, &format!("{to:?}"), after].concat())?;
    let at = now();
    fs::rename(beside, path)?;
    Ok(at)
}

#[expect(clippy::disallowed_methods, reason = "this measures time")]
fn now() -> Instant {
    Instant::now()
}

#[expect(clippy::disallowed_methods, reason = "this is about time")]
fn pause() {
    thread::sleep(Duration::from_millis(5));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_device_is_disabled_in_place() {
        let folder = testkit::tempdir().unwrap();
        let path = folder.path().join("directory.toml");
        fs::write(&path, benches::enrollment::directory_of(2)).unwrap();
        rewrite(&path, "enabled", "disabled").unwrap();
        let text = fs::read_to_string(&path).unwrap();
        assert_eq!(text.matches("\"disabled\"").count(), 1);
        assert!(text.find("disabled") < text.find(&device_id(2)));
        rewrite(&path, "disabled", "enabled").unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), benches::enrollment::directory_of(2));
        assert!(rewrite(&path, "disabled", "enabled").is_err());
    }
}
