//! Errors in Graph's words.

use serde_json::{Value, json};

use crate::{
    http::{Asked, Reply},
    world::World,
};

#[derive(Debug, Clone)]
pub(super) struct Refused {
    pub(super) status: u16,
    code: &'static str,
    message: String,
    headers: Vec<(&'static str, String)>,
}

impl Refused {
    pub(super) fn new(status: u16, code: &'static str, message: impl Into<String>) -> Self {
        Self { status, code, message: message.into(), headers: Vec::new() }
    }

    pub(super) fn bad_request(message: impl Into<String>) -> Self {
        Self::new(400, "BadRequest", message)
    }

    /// There is no such object.
    pub(super) fn not_found(id: &str) -> Self {
        let message = format!(
            "Resource '{id}' does not exist or one of its queried reference-property objects are not present."
        );
        Self::new(404, "Request_ResourceNotFound", message)
    }

    /// There is no such object in Intune, whose errors come wrapped in Graph's.
    pub(super) fn not_found_by_intune(id: &str) -> Self {
        let wrapped = json!({
            "_version": 3,
            "Message": format!("An error has occurred - Operation ID (for customer support): {id}"),
            "CustomApiErrorPhrase": "",
            "RetryAfter": null,
            "ErrorSourceService": "",
            "HttpHeaders": "{}",
        });
        Self::new(404, "ResourceNotFound", wrapped.to_string())
    }

    #[must_use]
    pub(super) fn with(mut self, header: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((header, value.into()));
        self
    }

    /// The body of the answer.
    pub(super) fn body(&self, world: &World, asked: &Asked) -> Value {
        let request = world.sequence.next_uuid();
        let client = asked.header("client-request-id").unwrap_or(&request);
        let date = world.now().to_string();
        json!({
            "error": {
                "code": self.code,
                "message": self.message,
                "innerError": {
                    "date": date.trim_end_matches('Z'),
                    "request-id": request,
                    "client-request-id": client,
                },
            },
        })
    }

    pub(super) fn reply(self, world: &World, asked: &Asked) -> Reply {
        let reply = Reply::json(self.status, &self.body(world, asked));
        self.headers.into_iter().fold(reply, |reply, (name, value)| reply.with(name, value))
    }

    /// Its headers, for the part of a batch.
    pub(super) fn headers(&self) -> &[(&'static str, String)] {
        &self.headers
    }
}
