//! The sections that checks are about.

use crate::{Clause, Level, Section};

macro_rules! sections {
    ($document:literal $($name:ident $number:literal $title:literal)*) => {
        $(pub(super) const $name: Section =
            Section { document: $document, number: $number, title: $title };)*
    };
}

sections! { "RFC 6960"
    RESPONSE "2.2" "Response"
    EXCEPTIONS "2.3" "Exception Cases"
    TIMES "2.4" "Semantics of the Times"
    DELEGATION "2.6" "Delegation of Signature Authority"
    REQUEST "4.1.1" "Request Syntax"
    REQUEST_NOTES "4.1.2" "Notes on Request Syntax"
    RESPONSE_SYNTAX "4.2.1" "Response Syntax"
    RESPONSE_TIMES "4.2.2.1" "Times of a Response"
    RESPONDERS "4.2.2.2" "Authorized Responders"
    NOCHECK "4.2.2.2.1" "Revocation of Responders"
    BASIC "4.2.2.3" "Basic Response"
    NONCE "4.4.1" "Nonce"
    PREFERENCES "4.4.7" "Preferred Signature Algorithms"
    EXTENDED_REVOKE "4.4.8" "Extended Revoked Definition"
    SECURITY "5" "Security Considerations"
    ALGORITHMS "5.1" "Preferred Signature Algorithms, Security"
    HTTP_REQUEST "A.1" "OCSP over HTTP: Request"
    HTTP_RESPONSE "A.2" "OCSP over HTTP: Response"
}

sections! { "RFC 9919"
    LIGHT_REQUEST "3.1.1" "OCSPRequest Structure"
    LIGHT_SIGNED_REQUEST "3.1.2" "Signed OCSPRequests"
    LIGHT_RESPONSE "3.2.1" "OCSPResponse Structure"
    LIGHT_SIGNED_RESPONSE "3.2.2" "Signed OCSPResponses"
    LIGHT_STATUS "3.2.3" "OCSPResponseStatus Values"
    LIGHT_TIMES "3.2.4" "thisUpdate, nextUpdate and producedAt"
    TRANSPORT "6" "Transport Profile"
    PROXIES "7.2" "HTTP Proxies"
}

sections! { "RFC 9654"
    NONCE_SYNTAX "2.1" "Nonce Extension"
}

pub(super) const fn must(section: Section, text: &'static str) -> Clause {
    Clause { section, level: Level::Must, text }
}

pub(super) const fn must_not(section: Section, text: &'static str) -> Clause {
    Clause { section, level: Level::MustNot, text }
}

pub(super) const fn should(section: Section, text: &'static str) -> Clause {
    Clause { section, level: Level::Should, text }
}

pub(super) const fn should_not(section: Section, text: &'static str) -> Clause {
    Clause { section, level: Level::ShouldNot, text }
}

pub(super) const fn may(section: Section, text: &'static str) -> Clause {
    Clause { section, level: Level::May, text }
}

pub(super) const fn says(section: Section, text: &'static str) -> Clause {
    Clause { section, level: Level::Says, text }
}

pub(super) const fn guard(section: Section, text: &'static str) -> Clause {
    Clause { section, level: Level::Guard, text }
}
