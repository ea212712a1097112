//! What the server prints when it is ready.

use std::{fmt, net::SocketAddr, path::PathBuf};

/// What an operator needs to know first.
#[derive(Debug)]
pub(crate) struct Banner {
    /// Where it listens, where that is not what the URLs say.
    pub(crate) listens: Option<SocketAddr>,
    /// The URL of each profile, by the profile's name.
    pub(crate) scep: Vec<(String, String)>,
    /// The URL of the responder.
    pub(crate) ocsp: String,
    /// The CAs, at least one.
    pub(crate) cas: Vec<BannerCa>,
    /// Where keys, certificates, ledger and directory lie.
    pub(crate) data: PathBuf,
    /// A challenge to try the server with, and the object it is for.
    pub(crate) trial: Option<Trial>,
}

/// A CA.
#[derive(Debug)]
pub(crate) struct BannerCa {
    /// Its short name.
    pub(crate) id: String,
    /// The URL of its certificate.
    pub(crate) url: String,
    /// SHA-256 over that.
    pub(crate) fingerprint: [u8; 32],
}

/// A one-time challenge made at the start of a server that was told nothing.
#[derive(Debug)]
pub(crate) struct Trial {
    /// The challenge.
    pub(crate) challenge: String,
    /// The name of the object that it enrolls.
    pub(crate) object: String,
    /// How long it lives.
    pub(crate) minutes: u64,
}

impl fmt::Display for Banner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut line = |label: &str, value: &dyn fmt::Display| writeln!(f, "  {label:<19} {value}");
        for (at, (name, url)) in self.scep.iter().enumerate() {
            let label = if at == 0 { "SCEP URL".to_owned() } else { format!("SCEP URL ({name})") };
            line(&label, url)?;
        }
        line("OCSP URL", &self.ocsp)?;
        for (at, ca) in self.cas.iter().enumerate() {
            let of = if at == 0 { String::new() } else { format!(" ({})", ca.id) };
            line(&format!("CA certificate{of}"), &ca.url)?;
            line(&format!("CA fingerprint{of}"), &format_args!("SHA-256 {}", Hex(&ca.fingerprint)))?;
        }
        if let Some(address) = &self.listens {
            line("Listening at", address)?;
        }
        line("Data", &self.data.display())?;
        if let Some(trial) = &self.trial {
            line("One-time challenge", &trial.challenge)?;
            let Trial { object, minutes, .. } = trial;
            line("", &format_args!("for the device {object}, within {minutes} minutes"))?;
            writeln!(f, "\nEnroll that device from another terminal:\n\n{}", self.command(trial))?;
        }
        writeln!(f, "Ctrl-C stops the server; what it has issued stays in the data folder.")
    }
}

impl Banner {
    fn command(&self, trial: &Trial) -> String {
        let client = client_program();
        let url = self.scep.first().map_or("", |(_, url)| url);
        let fingerprint = self.cas.first().map_or(&[][..], |ca| &ca.fingerprint);
        let (fingerprint, challenge, object) = (Hex(fingerprint), &trial.challenge, &trial.object);
        format!(
            "  {client} enroll {url} \\\n    --ca-fingerprint {fingerprint} \\\n    --challenge {challenge} \\\n    \
             --subject CN={object} --key-out {object}.key.pem --cert-out {object}.pem\n"
        )
    }
}

/// The client that lies beside this program, or the way to build and run it where cargo ran this one.
fn client_program() -> String {
    if std::env::var_os("CARGO").is_some() {
        return "cargo run --release -p scep-client --".into();
    }
    let beside = std::env::current_exe().ok().map(|program| program.with_file_name("scep-client"));
    beside
        .filter(|client| client.is_file())
        .map_or("scep-client".into(), |client| client.display().to_string())
}

/// Upper-case hexadecimal, colons between octets, as people compare fingerprints.
pub(crate) struct Hex<'a>(pub(crate) &'a [u8]);

impl fmt::Display for Hex<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().enumerate().try_for_each(|(at, octet)| {
            let colon = if at == 0 { "" } else { ":" };
            write!(f, "{colon}{octet:02X}")
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn says_what_is_needed_to_enroll() {
        let trial = Trial { challenge: "ABCD".into(), object: "demo-laptop".into(), minutes: 60 };
        let banner = Banner {
            listens: None,
            scep: vec![("default".into(), "http://h/scep".into()), ("old".into(), "http://h/old".into())],
            ocsp: "http://h/ocsp".into(),
            cas: ["one", "two"]
                .map(|id| BannerCa { id: id.into(), url: format!("http://h/{id}"), fingerprint: [0xAB; 32] })
                .into(),
            data: "data".into(),
            trial: Some(trial),
        };
        let text = banner.to_string();
        for part in [
            "SCEP URL            http://h/scep",
            "SCEP URL (old)      http://h/old",
            "CA certificate      http://h/one",
            "CA certificate (two) http://h/two",
            "SHA-256 AB:AB",
            "CN=demo-laptop",
        ] {
            assert!(text.contains(part), "{part} is missing:\n{text}");
        }
    }
}
