//! OCSP (RFC 6960, 9919, 9654) messages, responder and client: bytes in, typed messages out; no I/O, no clock, no key.
