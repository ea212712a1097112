//! `cargo xtask seeds`: fuzz targets start from the messages in vectors/, each in the form that its target reads.

use std::{
    fs,
    path::{Path, PathBuf},
};

use base64ct::{Base64, Encoding as _};

use crate::failure::{Failure, While as _};

/// Where the seeds of a target come from.
struct Source {
    target: &'static str,
    /// A folder below vectors/, and what the names of the files taken begin and end with, folder by folder.
    folder: &'static str,
    begins: &'static str,
    ends: &'static str,
    form: fn(&[u8]) -> Vec<Vec<u8>>,
}

const SOURCES: &[Source] = &[
    Source { target: "ocsp_request", folder: "ocsp", begins: "request", ends: "input.der", form: as_it_is },
    Source { target: "ocsp_response", folder: "ocsp", begins: "response", ends: "input.der", form: as_it_is },
    Source { target: "ocsp_get", folder: "ocsp", begins: "request", ends: "input.der", form: get_target },
    Source { target: "certificate", folder: "", begins: "", ends: ".pem", form: from_pem },
    Source { target: "certificate", folder: "", begins: "", ends: "csr.der", form: as_it_is },
    Source { target: "certificate", folder: "scep", begins: "ca-cert", ends: ".der", form: as_it_is },
    Source { target: "scep_message", folder: "scep", begins: "", ends: "input.der", form: as_it_is },
    Source { target: "scep_inner", folder: "", begins: "", ends: "csr.der", form: typed },
    Source { target: "ber_normalize", folder: "scep", begins: "", ends: "input.der", form: as_it_is },
    Source { target: "serial_codec", folder: "serial-binding", begins: "", ends: ".toml", form: serials },
];

pub(crate) fn run(root: &Path) -> Result<(), Failure> {
    let vectors = root.join("vectors");
    let mut files = Vec::new();
    collect(&vectors, &mut files)?;
    files.sort();
    for source in SOURCES {
        let folder = root.join("fuzz/seeds").join(source.target);
        fs::create_dir_all(&folder).during(folder.display())?;
        let mut count = 0_usize;
        for file in files.iter().filter(|file| is_of(source, &vectors, file)) {
            let content = fs::read(file).during(file.display())?;
            for (at, seed) in (source.form)(&content).into_iter().enumerate() {
                let path = folder.join(name(&vectors, file, at));
                fs::write(&path, seed).during(path.display())?;
                count = count.saturating_add(1);
            }
        }
        println!("{:<14} {count:>4} from vectors/{}", source.target, source.folder);
    }
    Ok(())
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) -> Result<(), Failure> {
    for entry in fs::read_dir(folder).during(folder.display())? {
        let path = entry.during(folder.display())?.path();
        if path.is_dir() { collect(&path, files)? } else { files.push(path) }
    }
    Ok(())
}

fn is_of(source: &Source, vectors: &Path, file: &Path) -> bool {
    let Ok(path) = file.strip_prefix(vectors.join(source.folder)) else { return false };
    let path = path.to_string_lossy();
    path.starts_with(source.begins) && path.ends_with(source.ends)
}

/// `ocsp/request-one/input.der` -> `ocsp-request-one-input.der`, with a number when a file holds several.
fn name(vectors: &Path, file: &Path, at: usize) -> String {
    let path = file.strip_prefix(vectors).unwrap_or(file).to_string_lossy().replace(['/', '\\'], "-");
    if at == 0 { path } else { format!("{path}-{at}") }
}

fn as_it_is(content: &[u8]) -> Vec<Vec<u8>> {
    vec![content.to_vec()]
}

fn get_target(content: &[u8]) -> Vec<Vec<u8>> {
    let text = Base64::encode_string(content);
    let escaped = text.replace('+', "%2B").replace('/', "%2F").replace('=', "%3D");
    vec![format!("/ocsp/{text}").into_bytes(), format!("/ocsp/{escaped}").into_bytes()]
}

/// For each messageType that carries a certification request: 19 and 17, which the target calls 0 and 1.
fn typed(content: &[u8]) -> Vec<Vec<u8>> {
    [0, 1].into_iter().map(|kind| [&[kind], content].concat()).collect()
}

/// The DER of every certificate and certification request in a PEM file; keys are none of the target's business.
fn from_pem(content: &[u8]) -> Vec<Vec<u8>> {
    let text = String::from_utf8_lossy(content);
    let blocks = text.split("-----BEGIN ").skip(1);
    let wanted = blocks.filter(|block| block.starts_with("CERTIFICATE"));
    let bodies = wanted.filter_map(|block| block.split("-----").nth(1));
    bodies.filter_map(|body| Base64::decode_vec(&body.split_whitespace().collect::<String>()).ok()).collect()
}

/// The octets of every `serial = "..."`.
fn serials(content: &[u8]) -> Vec<Vec<u8>> {
    let text = String::from_utf8_lossy(content);
    text.lines()
        .filter_map(|line| line.trim().strip_prefix("serial = \"")?.strip_suffix('"'))
        .filter_map(hex)
        .collect()
}

fn hex(digits: &str) -> Option<Vec<u8>> {
    let starts = (0..digits.len()).step_by(2);
    starts.map(|at| u8::from_str_radix(digits.get(at..at.checked_add(2)?)?, 16).ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_reads_what_it_is_made_for() {
        assert_eq!(serials(b"a = 1\nserial = \"40ff\"\n  serial = \"01\"\n"), [vec![0x40, 0xFF], vec![1]]);
        assert_eq!(get_target(&[0xFB, 0xFF])[1], b"/ocsp/%2B%2F8%3D");
        let pem = "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n\
                   -----BEGIN CERTIFICATE-----\nAQ\nID\n-----END CERTIFICATE-----\n";
        assert_eq!(from_pem(pem.as_bytes()), [vec![1, 2, 3]]);
        assert_eq!(typed(&[5]), [vec![0, 5], vec![1, 5]]);
    }

    #[test]
    fn a_source_takes_files_by_folder_beginning_and_end() {
        let vectors = Path::new("v");
        let requests = &SOURCES[0];
        assert!(is_of(requests, vectors, Path::new("v/ocsp/request-one/input.der")));
        for other in
            ["v/ocsp/response-one/input.der", "v/ocsp/request-one/expect.toml", "v/scep/request/input.der"]
        {
            assert!(!is_of(requests, vectors, Path::new(other)), "{other}");
        }
    }
}
