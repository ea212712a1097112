//! Remembers what was issued, challenged and revoked, in SQLite.
