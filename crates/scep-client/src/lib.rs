//! SCEP client: library and command line.
