//! `cargo xtask seeds`: fuzz targets start from the messages in vectors/, each in the form that its target reads.

use std::{
    fs,
    io::Write as _,
    path::{Path, PathBuf},
    process::{Command, Stdio},
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
    form: fn(&Path) -> Result<Vec<Vec<u8>>, Failure>,
}

const SOURCES: &[Source] = &[
    Source { target: "ocsp_request", folder: "ocsp", begins: "request", ends: "input.der", form: as_it_is },
    Source { target: "ocsp_response", folder: "ocsp", begins: "response", ends: "input.der", form: as_it_is },
    Source { target: "ocsp_get", folder: "ocsp", begins: "request", ends: "input.der", form: get_target },
    Source { target: "certificate", folder: "", begins: "", ends: ".pem", form: from_pem },
    Source { target: "certificate", folder: "scep", begins: "apple", ends: "input.der", form: opened },
    Source { target: "certificate", folder: "scep", begins: "windows", ends: "input.der", form: opened },
    Source { target: "crl", folder: "crl", begins: "", ends: "input.der", form: as_it_is },
    Source { target: "scep_message", folder: "scep", begins: "", ends: "input.der", form: as_it_is },
    Source { target: "scep_differential", folder: "scep", begins: "", ends: "input.der", form: as_it_is },
    Source { target: "scep_inner", folder: "scep", begins: "apple", ends: "input.der", form: typed },
    Source { target: "scep_inner", folder: "scep", begins: "windows", ends: "input.der", form: typed },
    Source { target: "ber_normalize", folder: "scep", begins: "", ends: "input.der", form: as_it_is },
    Source {
        target: "sealed_challenge",
        folder: "sealed-challenges",
        begins: "",
        ends: ".toml",
        form: challenges,
    },
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
            for (at, seed) in (source.form)(file)?.into_iter().enumerate() {
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

fn as_it_is(file: &Path) -> Result<Vec<Vec<u8>>, Failure> {
    Ok(vec![fs::read(file).during(file.display())?])
}

fn get_target(file: &Path) -> Result<Vec<Vec<u8>>, Failure> {
    let text = Base64::encode_string(&fs::read(file).during(file.display())?);
    let escaped = text.replace('+', "%2B").replace('/', "%2F").replace('=', "%3D");
    Ok([text, escaped].into_iter().map(|text| format!("/ocsp/{text}").into_bytes()).collect())
}

/// The certification request in a pkiMessage for the RA of vectors/scep/pki.
fn opened(file: &Path) -> Result<Vec<Vec<u8>>, Failure> {
    let key = file.with_file_name("../pki/ra.key.pem");
    let envelope = filter(
        Command::new("openssl").args(["cms", "-verify", "-noverify", "-inform", "DER", "-in"]).arg(file),
        &[],
    )?;
    let mut decrypt = Command::new("openssl");
    decrypt.args(["cms", "-decrypt", "-inform", "DER", "-inkey"]).arg(key);
    Ok(vec![filter(&mut decrypt, &envelope)?])
}

/// The same for each messageType that carries one: 19 and 17, which the target calls 0 and 1.
fn typed(file: &Path) -> Result<Vec<Vec<u8>>, Failure> {
    let requests = opened(file)?;
    let typed = requests.iter().flat_map(|request| [0, 1].map(|kind| [&[kind], request.as_slice()].concat()));
    Ok(typed.collect())
}

/// What a program makes of its input.
fn filter(command: &mut Command, input: &[u8]) -> Result<Vec<u8>, Failure> {
    let piped = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut child = piped.spawn().during("openssl")?;
    if let Some(mut stdin) = child.stdin.take() {
        stdin.write_all(input).during("openssl")?;
    }
    let output = child.wait_with_output().during("openssl")?;
    if output.status.success() {
        Ok(output.stdout)
    } else {
        Err(Failure::new("openssl could not open a message"))
    }
}

fn from_pem(file: &Path) -> Result<Vec<Vec<u8>>, Failure> {
    fs::read_to_string(file).map(|text| certificates(&text)).during(file.display())
}

/// The DER of every certificate in a PEM file; keys are none of the target's business.
fn certificates(text: &str) -> Vec<Vec<u8>> {
    let blocks = text.split("-----BEGIN ").skip(1);
    let wanted = blocks.filter(|block| block.starts_with("CERTIFICATE"));
    let bodies = wanted.filter_map(|block| block.split("-----").nth(1));
    bodies.filter_map(|body| Base64::decode_vec(&body.split_whitespace().collect::<String>()).ok()).collect()
}

fn serials(file: &Path) -> Result<Vec<Vec<u8>>, Failure> {
    fs::read_to_string(file).map(|text| serial_octets(&text)).during(file.display())
}

/// Sealed challenges, and what is sealed in them.
fn challenges(file: &Path) -> Result<Vec<Vec<u8>>, Failure> {
    let text = fs::read_to_string(file).during(file.display())?;
    let texts = values(&text, "challenge").map(|text| text.as_bytes().to_vec());
    Ok(texts.chain(values(&text, "terms").filter_map(hex)).collect())
}

/// The octets of every `serial = "..."`.
fn serial_octets(text: &str) -> Vec<Vec<u8>> {
    values(text, "serial").filter_map(hex).collect()
}

/// Every `key = "..."`.
fn values<'a>(text: &'a str, key: &'a str) -> impl Iterator<Item = &'a str> {
    let value = move |line: &'a str| line.trim().strip_prefix(key)?.strip_prefix(" = \"")?.strip_suffix('"');
    text.lines().filter_map(value)
}

fn hex(digits: &str) -> Option<Vec<u8>> {
    let starts = (0..digits.len()).step_by(2);
    starts.map(|at| u8::from_str_radix(digits.get(at..at.checked_add(2)?)?, 16).ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_read_what_they_are_made_for() {
        assert_eq!(
            serial_octets("a = 1\nserial = \"40ff\"\n  serial = \"01\"\n"),
            [vec![0x40, 0xFF], vec![1]]
        );
        let pem = "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n\
                   -----BEGIN CERTIFICATE-----\nAQ\nID\n-----END CERTIFICATE-----\n";
        assert_eq!(certificates(pem), [vec![1, 2, 3]]);
    }

    #[test]
    fn the_vectors_give_each_target_something_to_start_from() {
        let root = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."));
        let vectors = root.join("vectors");
        let mut files = Vec::new();
        collect(&vectors, &mut files).unwrap();
        for source in SOURCES {
            let file = files.iter().find(|file| is_of(source, &vectors, file));
            let file = file.unwrap_or_else(|| panic!("nothing for {}", source.target));
            let seeds = (source.form)(file).unwrap();
            assert!(seeds.iter().all(|seed| !seed.is_empty()) && !seeds.is_empty(), "{}", file.display());
        }
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
