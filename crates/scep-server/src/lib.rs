//! A SCEP certification authority with its OCSP responder: configuration and wiring, nothing else.
//!
//! [`server::Server`] is what the program `scep-server` runs; tests and measurements start it in their own process.

pub mod arguments;
mod authorities;
mod banner;
mod ca_folder;
mod chain;
mod challenge_pages;
pub mod commands;
mod crl_candidates;
mod crl_pages;
mod crl_publisher;
mod data_folder;
mod delegate_tls;
mod delegates;
mod deliveries;
mod demonstration;
mod gauges;
pub mod handler;
mod intune;
mod intune_revocations;
mod jamf_hook;
mod logins;
mod ndes_page;
mod ndes_passwords;
mod outside;
mod pages;
mod profiles;
mod routes;
pub mod server;
pub mod settings;
mod state;
mod told_at_once;
mod users_file;
mod wiring;
