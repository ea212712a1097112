//! `scep-server explain`: captured bytes, taken apart.

use std::{
    io::{Read as _, Write as _},
    path::Path,
};

use keys_software::{AwsLc, SoftwareKey, load_key, read_private_file};
use ocsp_server::ServerError;
use pki_core::{ChallengePassword, ContentKey, DecryptionKey as _, WrappedKey};
use scep_proto::{
    explain::{Aids, explain},
    limits::MAX_REPLY_LEN,
};

/// Prints what is in `file`, opened by `key` or `challenge` where they are given.
pub(super) fn run(file: &Path, key: Option<&Path>, challenge: Option<&Path>) -> Result<(), ServerError> {
    let input = read(file)?;
    let key = key.map(load_key).transpose().map_err(ServerError::new)?;
    let challenge = challenge.map(read_challenge).transpose()?;
    let runtime = tokio::runtime::Builder::new_current_thread().build().map_err(ServerError::new)?;
    let unwrap = |wrapped: &WrappedKey| -> Option<ContentKey> {
        let Some(SoftwareKey::Rsa(key)) = &key else { return None };
        runtime.block_on(key.unwrap_key(wrapped)).ok()
    };
    let mut aids = Aids::default().with_verifier(&AwsLc);
    if key.is_some() {
        aids = aids.with_unwrap(&unwrap);
    }
    if let Some(challenge) = &challenge {
        aids = aids.with_challenge(challenge);
    }
    // The text ends its last line itself.
    write!(std::io::stdout(), "{}", explain(&input, &aids)).map_err(ServerError::new)
}

/// No more than the longest reply, in base64 and with a header around it.
fn read(file: &Path) -> Result<Vec<u8>, ServerError> {
    let limit = u64::try_from(MAX_REPLY_LEN.saturating_mul(2)).unwrap_or(u64::MAX);
    let mut input = Vec::new();
    let read = if file == Path::new("-") {
        std::io::stdin().take(limit).read_to_end(&mut input)
    } else {
        std::fs::File::open(file).and_then(|file| file.take(limit).read_to_end(&mut input))
    };
    read.map_err(|error| ServerError::new(format!("cannot read {}: {error}", file.display())))?;
    Ok(input)
}

fn read_challenge(file: &Path) -> Result<ChallengePassword, ServerError> {
    let octets = read_private_file(file).map_err(ServerError::new)?;
    let text = str::from_utf8(&octets).map_err(ServerError::new)?;
    Ok(ChallengePassword::new(text.trim_end_matches(['\r', '\n']).to_owned()))
}
