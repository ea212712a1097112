//! An OCSP responder as a hyper service.
