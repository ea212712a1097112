//! The target of an OCSP GET: a request that it holds is found again in the URL that we would send.
#![no_main]

use libfuzzer_sys::fuzz_target;
use ocsp_proto::{BasePath, Request, decode_get, get_url};

fuzz_target!(|target: &str| {
    let base: BasePath = "/ocsp".parse().expect("a path");
    let Some(rest) = base.rest_of(target) else { return };
    let Ok(der) = decode_get(rest) else { return };
    if Request::parse(&der).is_err() {
        return; // what is no request may begin with a slash of its own, which a path may lose
    }
    let url = get_url("/ocsp", &der);
    let rest = base.rest_of(&url).expect("our own URL lies below the path");
    assert_eq!(decode_get(rest).expect("our own URL decodes"), der);
});
