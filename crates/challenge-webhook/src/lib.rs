//! Enrollment that a web service of the site has the say of, asked in the shape that users of step-ca know.
//!
//! A [`WebhookChallenge`] posts each first enrollment to a [`Webhook`], signed with a secret that both have, and does what
//! the answer says. [`WebhookNotices`] tell another one what became of it. `docs/mdm/webhook.md` has the JSON.

mod body;
mod notices;
mod validator;
mod webhook;

pub use notices::WebhookNotices;
pub use validator::{WebhookChallenge, WebhookChallengeParts};
pub use webhook::{InvalidWebhook, Webhook, WebhookSecret, WebhookSettings};
