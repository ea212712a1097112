//! Programs that nobody here wrote.

use std::{
    io::Write as _,
    path::Path,
    process::{Command, Output, Stdio},
};

/// Programs that tests run, and the Debian packages that they come with.
const PACKAGES: [(&str, &str); 18] = [
    ("openssl", "openssl"),
    ("ocsptool", "gnutls-bin"),
    ("certtool", "gnutls-bin"),
    ("pki", "strongswan-pki"),
    ("getcert", "certmonger"),
    ("certmonger", "certmonger"),
    ("scep-submit", "certmonger"),
    ("sscep", "sscep"),
    ("curl", "curl"),
    ("sqlite3", "sqlite3"),
    ("valgrind", "valgrind"),
    ("python3", "python3"),
    ("slapd", "slapd"),
    ("slapadd", "slapd"),
    ("ldapmodify", "ldap-utils"),
    ("ldapsearch", "ldap-utils"),
    ("samba", "samba-ad-dc"),
    ("samba-tool", "samba-ad-dc samba-ad-provision"),
];

/// Runs `program` and returns what it wrote to its standard output. Panics with everything that it said when it fails,
/// and with the Debian package to install when it is not there: a test without its program fails, it is not skipped.
pub fn run<S: AsRef<str>>(program: &str, arguments: impl IntoIterator<Item = S>) -> Vec<u8> {
    run_in(Path::new("."), program, arguments)
}

/// [`run`] in `folder`.
pub fn run_in<S: AsRef<str>>(
    folder: &Path,
    program: &str,
    arguments: impl IntoIterator<Item = S>,
) -> Vec<u8> {
    run_with_input(folder, program, arguments, b"")
}

/// [`run`] in `folder`, with `input` as standard input.
pub fn run_with_input<S: AsRef<str>>(
    folder: &Path,
    program: &str,
    arguments: impl IntoIterator<Item = S>,
    input: &[u8],
) -> Vec<u8> {
    let arguments: Vec<String> = arguments.into_iter().map(|argument| argument.as_ref().to_owned()).collect();
    let output = start(folder, program, &arguments, input);
    assert!(
        output.status.success(),
        "{program} {}\n{}\n{}{}",
        arguments.join(" "),
        output.status,
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr),
    );
    output.stdout
}

/// Runs `program` in `folder`, whether it succeeds or not. Panics only when it is not there.
pub fn try_run_in<S: AsRef<str>>(
    folder: &Path,
    program: &str,
    arguments: impl IntoIterator<Item = S>,
) -> Output {
    let arguments: Vec<String> = arguments.into_iter().map(|argument| argument.as_ref().to_owned()).collect();
    start(folder, program, &arguments, b"")
}

fn start(folder: &Path, program: &str, arguments: &[String], input: &[u8]) -> Output {
    let mut command = Command::new(program);
    command.current_dir(folder).args(arguments);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child =
        command.spawn().unwrap_or_else(|error| panic!("cannot run {program}: {error}; {}", advice(program)));
    let mut stdin = child.stdin.take().expect("piped");
    std::thread::scope(|scope| {
        // Beside the reading of its output, or both would wait for each other. A program that reads nothing is well.
        scope.spawn(move || stdin.write_all(input));
        child.wait_with_output().unwrap_or_else(|error| panic!("cannot wait for {program}: {error}"))
    })
}

pub(crate) fn advice(program: &str) -> String {
    let name = Path::new(program).file_name().and_then(|name| name.to_str()).unwrap_or(program);
    match PACKAGES.iter().find(|(known, _)| *known == name) {
        Some((_, package)) => format!("install it: apt-get install {package}"),
        None => "this test needs it".into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn input_goes_in_and_output_comes_out() {
        let text = vec![b'x'; 1 << 20];
        let digest = run_with_input(Path::new("."), "openssl", ["dgst", "-r", "-sha256"], &text);
        assert!(digest.starts_with(b"8f990ba0"), "{}", String::from_utf8_lossy(&digest));
    }

    #[test]
    #[should_panic(expected = "x509 -in no-such-file")]
    fn failures_show_what_was_run() {
        run("openssl", ["x509", "-in", "no-such-file"]);
    }

    #[test]
    #[should_panic(expected = "this test needs it")]
    fn a_missing_program_is_a_failure() {
        run("no-such-program", ["--version"]);
    }
}
