//! Applications that sign instead of telling a secret.

use base64ct::{Base64UrlUnpadded, Encoding as _};
use keys_software::AwsLc;
use pki_core::{DigestAlgorithm, SignatureAlgorithm, SignatureVerifier as _};
use serde_json::Value;

use super::token::Refused;
use crate::world::World;

/// How far clocks may be apart, in seconds.
const SKEW: u64 = 300;

/// Whether `assertion` is a statement of the application about itself, for this endpoint and this time, signed with the key
/// of the certificate on file ([RFC 7523 §3](https://www.rfc-editor.org/rfc/rfc7523#section-3)).
pub(super) fn check(world: &World, base: &str, tenant: &str, assertion: &str) -> Result<(), Refused> {
    let malformed = || refused(50_027, "JWT token is invalid or malformed.");
    let mut parts = assertion.split('.');
    let parts = (parts.next(), parts.next(), parts.next(), parts.next());
    let (Some(header), Some(claims), Some(signature), None) = parts else { return Err(malformed()) };
    let [head, claimed] = [header, claims].map(decoded_json);
    let (head, claimed) = (head.ok_or_else(malformed)?, claimed.ok_or_else(malformed)?);
    let signature = Base64UrlUnpadded::decode_vec(signature).map_err(|_| malformed())?;
    verify(world, &head, &format!("{header}.{claims}"), &signature)?;
    check_claims(world, base, tenant, &claimed)
}

fn refused(code: u32, text: &str) -> Refused {
    (401, "invalid_client", code, text.to_owned())
}

fn decoded_json(part: &str) -> Option<Value> {
    let octets = Base64UrlUnpadded::decode_vec(part).ok()?;
    serde_json::from_slice(&octets).ok().filter(Value::is_object)
}

fn verify(world: &World, head: &Value, signed: &str, signature: &[u8]) -> Result<(), Refused> {
    let text = |name: &str| head.get(name).and_then(Value::as_str);
    let algorithm = match text("alg") {
        Some("RS256") => SignatureAlgorithm::RsaPkcs1Sha256,
        Some("PS256") => SignatureAlgorithm::RsaPssSha256,
        _ => return Err(refused(5_002_738, "Invalid JWT token. Unsupported algorithm in the header.")),
    };
    let unknown = || {
        refused(
            700_027,
            "The certificate with identifier used to sign the client assertion is not registered on application.",
        )
    };
    let certificate = world.options.certificate.as_ref().ok_or_else(unknown)?;
    let is = |name: &str, digest: DigestAlgorithm| {
        let digest =
            digest.digest(certificate.as_der()).map(|digest| Base64UrlUnpadded::encode_string(&digest));
        text(name).map(|named| Some(named) == digest.as_deref())
    };
    let named = [is("x5t#S256", DigestAlgorithm::Sha256), is("x5t", DigestAlgorithm::Sha1)];
    if named.contains(&Some(false)) || named == [None, None] {
        return Err(unknown());
    }
    let verified = AwsLc.verify(certificate.public_key(), algorithm, signed.as_bytes(), signature);
    verified.map_err(|_| refused(700_027, "Client assertion failed signature validation."))
}

fn check_claims(world: &World, base: &str, tenant: &str, claims: &Value) -> Result<(), Refused> {
    let text = |name: &str| claims.get(name).and_then(Value::as_str).unwrap_or_default();
    let client_id = &world.credentials.client_id;
    if text("iss") != client_id || text("sub") != client_id {
        let problem = "Client assertion application identifier doesn't match 'client_id' parameter.";
        return Err(refused(700_021, problem));
    }
    let audiences = [base, "https://login.microsoftonline.com"]
        .map(|at| [format!("{at}/{tenant}/v2.0"), format!("{at}/{tenant}/oauth2/v2.0/token")]);
    if !audiences.as_flattened().iter().any(|audience| audience == text("aud")) {
        return Err(refused(700_023, "Client assertion audience claim does not match Realm issuer."));
    }
    let time = |name: &str| claims.get(name).and_then(Value::as_u64);
    let now = world.now().0;
    let is_timely = time("exp").is_some_and(|exp| now < exp.saturating_add(SKEW))
        && time("nbf").is_none_or(|nbf| nbf <= now.saturating_add(SKEW));
    if !is_timely {
        return Err(refused(700_024, "Client assertion is not within its valid time range."));
    }
    if text("jti").is_empty() {
        return Err(refused(50_027, "JWT token is invalid or malformed: it has no 'jti'."));
    }
    Ok(())
}
