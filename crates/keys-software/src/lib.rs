//! Private keys in files and memory, by aws-lc-rs.
