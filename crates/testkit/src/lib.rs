//! Fixed clock, seeded randomness and ready keys, for tests only.
