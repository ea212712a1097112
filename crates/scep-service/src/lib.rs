//! A SCEP server as a hyper service.
