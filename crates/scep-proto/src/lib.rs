//! SCEP (RFC 8894) messages, client and CA: bytes in, typed messages out; no I/O, no clock, no key.
