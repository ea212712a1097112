//! The sections that checks are about.

pub(super) use crate::clause::{guard, may, must, must_not, says, should, should_not};
use crate::{Section, clause::sections};

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
