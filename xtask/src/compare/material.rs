//! What the servers serve: the same thousand certificates of one P-256 CA.

use std::{
    fmt::Write as _,
    fs,
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
    process::Command,
};

use base64ct::{Base64, Encoding as _};

use super::servers::Running;
use crate::{
    failure::{Failure, While as _},
    shell::output,
};

/// How many certificates there are.
const CERTIFICATES: usize = 1000;

/// What every device enrolls with. It protects nothing: the server lives for a minute, on loopback.
const CHALLENGE: &str = "a challenge that is long enough";

/// A folder with everything in it.
#[derive(Debug)]
pub(super) struct Material {
    folder: PathBuf,
}

/// Writes the settings and the directory of our server; returns the settings' file.
pub(crate) fn settings(programs: &Path, folder: &Path) -> Result<PathBuf, Failure> {
    let (settings, data) = (folder.join("settings.toml"), folder.join("data"));
    fs::create_dir_all(&data).during(data.display())?;
    let devices = output(Command::new(programs.join("load")).args(["devices", &CERTIFICATES.to_string()]))?;
    write(&data.join("directory.toml"), &devices)?;
    write(&data.join("challenge"), CHALLENGE)?;
    let text = format!(
        "listen = \"127.0.0.1:0\"\ndata = {:?}\n[ca]\nkey = \"p256\"\n[throttle]\nsource_per_minute = 0\n[log]\nfilter = \"warn\"\n\
         [[profile]]\nchallenge = \"static\"\nchallenge_file = \"challenge\"\n",
        data.display().to_string()
    );
    write(&settings, &text)?;
    Ok(settings)
}

impl Material {
    /// Enrolls the certificates with our server, and prepares what the others need.
    pub(super) fn make(programs: &Path, folder: PathBuf, ours: &Running) -> Result<Self, Failure> {
        let material = Self { folder };
        let count = CERTIFICATES.to_string();
        let mut enroll = Command::new(programs.join("load"));
        enroll.args([
            "scep",
            "--brief",
            "--url",
            &ours.url("/scep"),
            "--requests",
            &count,
            "--connections",
            "4",
        ]);
        output(enroll.args(["--subject", "CN=laptop-{n}", "--challenge", CHALLENGE]))?;
        let mut list = Command::new(programs.join("scep-server"));
        let list = output(list.args(["cert", "list", "--limit", &count, "--data"]).arg(material.data()))?;
        let serials: Vec<&str> =
            list.lines().skip(1).filter_map(|line| line.split_whitespace().next()).collect();
        write(&material.serials(), &(serials.join("\n") + "\n"))?;
        write(&material.index(), &index(&serials))?;

        let mut ask = Command::new(programs.join("load"));
        ask.args(["ocsp", "--brief", "--url", &ours.url("/ocsp"), "--requests", &count, "--ca"])
            .arg(material.ca());
        output(ask.arg("--serials").arg(material.serials()).arg("--keep").arg(material.responses()))?;
        let responses = fs::read_to_string(material.responses()).during("responses")?;
        let first = responses.lines().next().and_then(|line| Base64::decode_vec(line).ok());
        let first = first.ok_or_else(|| Failure::new("no responses were kept"))?;
        fs::write(material.folder.join("response.der"), first).during("response.der")?;
        Ok(material)
    }

    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    fn data(&self) -> PathBuf {
        self.folder.join("data")
    }

    /// The CA's certificate.
    pub(super) fn ca(&self) -> PathBuf {
        self.data().join("ca.pem")
    }

    /// The CA's key, which OpenSSL's responder signs with.
    pub(super) fn ca_key(&self) -> PathBuf {
        self.data().join("ca.key.pem")
    }

    /// One serial number a line.
    pub(super) fn serials(&self) -> PathBuf {
        self.folder.join("serials.txt")
    }

    /// The same for OpenSSL.
    pub(super) fn index(&self) -> PathBuf {
        self.folder.join("index.txt")
    }

    /// A response for each, for cfssl.
    pub(super) fn responses(&self) -> PathBuf {
        self.folder.join("responses.txt")
    }
}

/// Valid until 2040, each under a name of its own.
fn index(serials: &[&str]) -> String {
    serials.iter().enumerate().fold(String::new(), |mut text, (at, serial)| {
        // Writing to a String cannot fail.
        let _ = writeln!(text, "V\t400101000000Z\t\t{serial}\tunknown\t/CN={at}");
        text
    })
}

/// For its owner alone: our server takes no other secrets.
pub(crate) fn write(path: &Path, text: &str) -> Result<(), Failure> {
    let mut options = fs::OpenOptions::new();
    let mut file =
        options.write(true).create(true).truncate(true).mode(0o600).open(path).during(path.display())?;
    std::io::Write::write_all(&mut file, text.as_bytes()).during(path.display())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn openssl_gets_one_line_a_certificate() {
        let text = index(&["20AB", "20AC"]);
        assert_eq!(
            text,
            "V\t400101000000Z\t\t20AB\tunknown\t/CN=0\nV\t400101000000Z\t\t20AC\tunknown\t/CN=1\n"
        );
    }
}
