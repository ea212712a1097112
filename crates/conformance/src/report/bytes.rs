//! What went over the wire, for whoever has to find out why.

use std::{fmt::Write as _, fs, io, path::Path};

use super::Report;

/// Writes every exchange of every check below `folder`: `<check>/01-request.http`, `<check>/01-response.http`, and what
/// their bodies hold as `….der`, if it is DER.
pub fn write_bytes(report: &Report, folder: &Path) -> io::Result<()> {
    for finding in &report.findings {
        let place = folder.join(finding.check);
        fs::create_dir_all(&place)?;
        for (number, exchange) in (1..).zip(&finding.exchanges) {
            for (side, octets) in [("request", &exchange.request), ("response", &exchange.response)] {
                fs::write(place.join(format!("{number:02}-{side}.http")), octets)?;
                if let Some(body) = body(octets).filter(|body| body.first() == Some(&0x30)) {
                    fs::write(place.join(format!("{number:02}-{side}.der")), body)?;
                }
            }
        }
    }
    Ok(())
}

/// What follows the header.
fn body(message: &[u8]) -> Option<&[u8]> {
    let end = message.windows(4).position(|window| window == b"\r\n\r\n")?;
    message.get(end.saturating_add(4)..)
}

/// Sixteen octets a line, in hexadecimal and as text.
pub fn hex_dump(octets: &[u8]) -> String {
    let mut out = String::new();
    for (line, row) in octets.chunks(16).enumerate() {
        let hex: String = row.iter().fold(String::new(), |mut text, octet| {
            let _ = write!(text, "{octet:02x} ");
            text
        });
        let text: String =
            row.iter().map(|&octet| if octet.is_ascii_graphic() { char::from(octet) } else { '.' }).collect();
        let _ = writeln!(out, "{:06x}  {hex:<48} {text}", line.saturating_mul(16));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::{super::sample, *};

    #[test]
    fn each_exchange_has_its_files() {
        let folder = testkit::tempdir().unwrap();
        let mut report = sample();
        report.findings[0].exchanges[0].response = b"HTTP/1.1 200 OK\r\n\r\n\x30\x00".to_vec();
        write_bytes(&report, folder.path()).unwrap();
        let place = folder.path().join("a-pass");
        assert_eq!(fs::read(place.join("01-request.http")).unwrap(), b"GET /");
        assert_eq!(fs::read(place.join("01-response.der")).unwrap(), b"\x30\x00");
        assert!(!place.join("01-request.der").exists());
    }

    #[test]
    fn a_dump_has_offsets_octets_and_text() {
        let dump = hex_dump(b"0123456789abcdef\x00z");
        assert_eq!(dump.lines().count(), 2);
        assert!(dump.ends_with("000010  00 7a                                            .z\n"), "{dump}");
    }
}
