//! GetCACaps.

use scep_proto::Capability;

use crate::{
    Check, Judgement,
    scep::{
        Session,
        sections::{CAPABILITIES, CAPABILITIES_RESPONSE, MANDATORY, must, must_not, says, should},
    },
};

pub(super) const CHECKS: &[Check<Session>] = &[
    Check {
        id: "caps-answered",
        clause: must(CAPABILITIES, "GetCACaps is answered"),
        run: |session| {
            let response = session.capabilities_response()?;
            match response.status {
                200 => Ok(Judgement::pass(response.summary())),
                _ => Err(Judgement::fail(response.summary())),
            }
        },
    },
    Check {
        id: "caps-keywords",
        clause: must(CAPABILITIES_RESPONSE, "keywords are in the case that the RFC gives them"),
        run: |session| {
            let lines = lines(session)?;
            let wrong = lines.iter().find(|line| registered(line).is_some_and(|keyword| keyword != **line));
            match wrong {
                Some(line) => Err(Judgement::fail(format!("{line:?}"))),
                None => Ok(Judgement::pass(lines.join(" "))),
            }
        },
    },
    Check {
        id: "caps-lines",
        clause: says(CAPABILITIES_RESPONSE, "the body is keywords, a line each, and nothing else"),
        run: |session| {
            let lines = lines(session)?;
            let odd =
                |line: &&String| !line.bytes().all(|octet| octet.is_ascii_graphic()) || line.contains('<');
            match lines.iter().find(odd) {
                Some(line) => Err(Judgement::fail(format!("a line {line:?}"))),
                None => Ok(Judgement::pass(format!("{} keywords", lines.len()))),
            }
        },
    },
    Check {
        id: "caps-media-type",
        clause: should(CAPABILITIES_RESPONSE, "the media type is text/plain"),
        run: |session| {
            let response = session.capabilities_response()?;
            let header = response.header("content-type").unwrap_or("none").to_owned();
            match response.media_type().as_deref() {
                Some("text/plain") if header.contains(';') => {
                    Ok(Judgement::tolerated(format!("{header}: old clients stumble over the parameter")))
                }
                Some("text/plain") => Ok(Judgement::pass(header)),
                _ => Err(Judgement::fail(header)),
            }
        },
    },
    Check {
        id: "caps-mandatory",
        clause: must(MANDATORY, "AES, POST and SHA-256 are there, and GetCACaps says so"),
        run: |session| {
            let capabilities = session.capabilities()?;
            let mandatory = [Capability::Aes, Capability::PostPkiOperation, Capability::Sha256];
            let missing: Vec<_> = mandatory
                .into_iter()
                .filter(|&one| !capabilities.has(one))
                .map(Capability::keyword)
                .collect();
            if missing.is_empty() {
                Ok(Judgement::pass(lines(session)?.join(" ")))
            } else {
                Err(Judgement::fail(format!("without {}", missing.join(", "))))
            }
        },
    },
    Check {
        id: "caps-standard",
        clause: says(CAPABILITIES_RESPONSE, "what keeps to the RFC says SCEPStandard"),
        run: |session| {
            if session.capabilities()?.iter().any(|one| one == Capability::ScepStandard) {
                Ok(Judgement::pass("SCEPStandard"))
            } else {
                Err(Judgement::fail("no SCEPStandard"))
            }
        },
    },
    Check {
        id: "caps-nothing-broken",
        clause: must_not(MANDATORY, "single DES and MD5 are not advertised"),
        run: |session| {
            let lines = lines(session)?;
            let broken = |line: &&String| matches!(&*line.to_ascii_uppercase(), "DES" | "MD5" | "DES-CBC");
            match lines.iter().find(broken) {
                Some(line) => Err(Judgement::fail(line)),
                None => Ok(Judgement::pass("neither is")),
            }
        },
    },
];

fn lines(session: &mut Session) -> Result<Vec<String>, Judgement> {
    let response = session.capabilities_response()?;
    if response.status != 200 {
        return Err(Judgement::not_judged(format!("GetCACaps: {}", response.summary())));
    }
    let text = String::from_utf8_lossy(&response.body).into_owned();
    Ok(text.lines().map(str::trim).filter(|line| !line.is_empty()).map(str::to_owned).collect())
}

/// The keyword that this is but for its case.
fn registered(line: &str) -> Option<&'static str> {
    const KEYWORDS: [&str; 9] = [
        "AES",
        "DES3",
        "GetNextCACert",
        "POSTPKIOperation",
        "Renewal",
        "SHA-1",
        "SHA-256",
        "SHA-512",
        "SCEPStandard",
    ];
    KEYWORDS.into_iter().find(|keyword| line.eq_ignore_ascii_case(keyword))
}
