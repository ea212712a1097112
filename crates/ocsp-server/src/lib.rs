//! A stand-alone OCSP responder.
