//! Users of a SCIM 2.0 service ([RFC 7644](https://www.rfc-editor.org/rfc/rfc7644)), and of services that answer much
//! alike.
//!
//! Such a service tells a resource by its id, and in JSON: whether it is active, and what it is called. Where in the
//! JSON is a matter of [`Dialect`]; there are some ready-made. Put a [`GuardedDirectory`](directory::GuardedDirectory)
//! before a [`ScimDirectory`].

mod dialect;
mod id_form;
mod scim_directory;

pub use dialect::{Dialect, Standing};
pub use id_form::IdForm;
pub use scim_directory::ScimDirectory;
