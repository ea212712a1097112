//! The pages of Microsoft's NDES that management systems read: a challenge and the CA's thumbprint in the phrases that they
//! look for.

use std::{fmt::Write as _, sync::Arc};

use bytes::Bytes;
use http_body_util::Full;
use hyper::{
    Response, StatusCode,
    header::{CACHE_CONTROL, CONTENT_TYPE, HeaderValue},
};
use keys_software::AwsLc;
use md5::{Digest as _, Md5};
use pki_core::{Certificate, Clock};

use crate::{
    ndes_passwords::{NdesPasswords, NoPassword},
    pages::Reply,
    settings::PageEncoding,
};

/// `mscep_admin` of one profile.
#[derive(Debug, Clone)]
pub(crate) struct NdesPage {
    /// In small letters, without slashes around it.
    pub(crate) path: String,
    pub(crate) passwords: Arc<NdesPasswords>,
    /// MD5 of the CA's certificate, in four groups of eight digits.
    pub(crate) thumbprint: String,
    pub(crate) encoding: PageEncoding,
    /// Who may have challenges; nobody in it: all who can log in.
    pub(crate) users: Vec<String>,
    pub(crate) minutes: u64,
}

impl NdesPage {
    /// What `user` sees.
    pub(crate) fn show(&self, user: &str, clock: &dyn Clock) -> Reply {
        if !self.users.is_empty() && !self.users.iter().any(|known| known == user) {
            return self.page("<P> You do not have sufficient permission to enroll with SCEP. </P>");
        }
        match self.passwords.hand_out(&AwsLc, clock.now()) {
            Ok(password) => {
                tracing::info!(user, "a challenge was handed out");
                self.page(&self.challenge(password.expose()))
            }
            Err(NoPassword::Full) => self.page(
                "<P> The password cache is full. </P><P> Challenges that were handed out wait to be used: use them, or \
                 wait until they have expired. </P>",
            ),
            Err(NoPassword::Random) => {
                let mut reply = self.page("<P> There is no challenge now. </P>");
                *reply.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
                reply
            }
        }
    }

    fn challenge(&self, password: &str) -> String {
        let Self { thumbprint, minutes, .. } = self;
        format!(
            "<P> The thumbprint (hash value) for the CA certificate is: <B> {thumbprint} </B> </P>\r\n\
             <P> The enrollment challenge password is: <B> {password} </B> </P>\r\n\
             <P> This password can be used only once and will expire within {minutes} minutes. </P>\r\n\
             <P> Each enrollment needs a new one: load this page again. </P>"
        )
    }

    fn page(&self, body: &str) -> Reply {
        html(self.encoding, body)
    }
}

/// What somebody sees who opens the URL that devices use.
pub(crate) fn for_devices(admin: &str, encoding: PageEncoding) -> Reply {
    let body = format!(
        "<P> This URL is used by network devices to submit certificate requests. </P>\r\n\
         <P> For a challenge, and the thumbprint of the CA certificate, administrators go to <B> {admin} </B>. </P>"
    );
    html(encoding, &body)
}

/// As NDES writes a thumbprint.
pub(crate) fn thumbprint(ca: &Certificate) -> String {
    let mut text = String::new();
    for (at, octet) in Md5::digest(ca.as_der()).iter().enumerate() {
        let space = if at > 0 && at % 4 == 0 { " " } else { "" };
        // Writing to a string does not fail.
        let _ = write!(text, "{space}{octet:02X}");
    }
    text
}

/// In UTF-16 it is as NDES sends it: without a mark at its start, and without saying so.
fn html(encoding: PageEncoding, body: &str) -> Reply {
    let page = format!(
        "<HTML><Head><Meta HTTP-Equiv=\"Content-Type\" Content=\"text/html; charset=UTF-8\">\
         <Title>Network Device Enrollment Service</Title></Head><Body>\r\n{body}\r\n</Body></HTML>\r\n"
    );
    let (octets, media_type) = match encoding {
        PageEncoding::Utf8 => (page.into_bytes(), "text/html; charset=utf-8"),
        PageEncoding::Utf16 => (page.encode_utf16().flat_map(u16::to_le_bytes).collect(), "text/html"),
    };
    let mut reply = Response::new(Full::new(Bytes::from(octets)));
    reply.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(media_type));
    reply.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    reply
}
