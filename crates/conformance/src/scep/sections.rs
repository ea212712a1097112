//! The sections of RFC 8894 that checks are about.

use crate::{Clause, Level, Section};

macro_rules! sections {
    ($($name:ident $number:literal $title:literal)*) => {
        $(pub(super) const $name: Section =
            Section { document: "RFC 8894", number: $number, title: $title };)*
    };
}

sections! {
    CA "2.1.2" "Certificate Authority"
    CA_CERTIFICATES "2.2" "CA Certificate Distribution"
    CLIENT_AUTHENTICATION "2.3" "Client Authentication"
    AUTHORIZATION "2.4" "Enrollment Authorization"
    RENEWAL "2.5" "Certificate Enrollment and Renewal"
    MANDATORY "2.9" "Mandatory-to-Implement Functionality"
    PROCESSING "3.1" "Message Object Processing"
    PKI_MESSAGE "3.2" "pkiMessage"
    ATTRIBUTES "3.2.1" "Signed Transaction Attributes"
    TRANSACTION_ID "3.2.1.1" "transactionID"
    MESSAGE_TYPE "3.2.1.2" "messageType"
    PKI_STATUS "3.2.1.3" "pkiStatus"
    FAIL_INFO "3.2.1.4" "failInfo and failInfoText"
    NONCES "3.2.1.5" "senderNonce and recipientNonce"
    ENVELOPE "3.2.2" "pkcsPKIEnvelope"
    PKCS_REQ "3.3.1" "PKCSReq and RenewalReq"
    CERT_REP "3.3.2" "CertRep"
    SUCCESS "3.3.2.1" "CertRep SUCCESS"
    FAILURE "3.3.2.2" "CertRep FAILURE"
    PENDING "3.3.2.3" "CertRep PENDING"
    QUERIES "3.3.4" "GetCert and GetCRL"
    DEGENERATE "3.4" "Degenerate certificates-only SignedData"
    CAPABILITIES "3.5" "CA Capabilities"
    CAPABILITIES_RESPONSE "3.5.2" "CA Capabilities Response Format"
    HTTP "4.1" "HTTP POST and GET"
    GET_CA_CERT "4.2" "GetCACert"
    CA_CERT_RESPONSE "4.2.1" "GetCACert Response"
    ENROLLMENT "4.3" "Enrollment and Renewal"
    ENROLLMENT_RESPONSE "4.3.1" "Enrollment and Renewal Response"
    POLLING "4.4" "Polling"
    CERTIFICATE_ACCESS "4.5.1" "GetCert Response"
    CRL_ACCESS "4.6.1" "GetCRL Response"
    NEXT_CA "4.7" "GetNextCACert"
    NEXT_CA_RESPONSE "4.7.1" "GetNextCACert Response"
    ERRORS "5.2" "Transactions with Errors"
    GENERAL_SECURITY "7.1" "General Security"
    CA_KEY "7.2" "Use of the CA Private Key"
    POSSESSION "7.6" "Proof of Possession"
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

pub(super) const fn may(section: Section, text: &'static str) -> Clause {
    Clause { section, level: Level::May, text }
}

pub(super) const fn says(section: Section, text: &'static str) -> Clause {
    Clause { section, level: Level::Says, text }
}

pub(super) const fn guard(section: Section, text: &'static str) -> Clause {
    Clause { section, level: Level::Guard, text }
}
