//! Gets certificates over SCEP from the command line.

mod arguments;
mod failure;
mod files;

fn main() {}
