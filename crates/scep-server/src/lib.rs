//! A SCEP certification authority with its OCSP responder.
