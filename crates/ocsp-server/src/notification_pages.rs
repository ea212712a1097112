//! Where services tell of changes of their own accord.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use directory_entra::{MAX_NOTIFICATION, NotificationAnswer, Notifications};
use http_body_util::Full;
use http_listener::{BodyError, read_body};
use hyper::{
    Method, Request, Response, StatusCode,
    body::Incoming,
    header::{ALLOW, CACHE_CONTROL, CONTENT_TYPE, HeaderValue, X_CONTENT_TYPE_OPTIONS},
};
use pki_core::BoxFuture;

type Reply = Response<Full<Bytes>>;

/// How long a service may take to send its notification.
const BODY_TIMEOUT: Duration = Duration::from_secs(10);

/// Notifications of Microsoft Graph by the path of the URL that they are subscribed for. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct NotificationPages(Arc<[(String, Arc<Notifications>)]>);

impl NotificationPages {
    /// Each with its path, which begins with a slash.
    pub(crate) fn new(pages: Vec<(String, Arc<Notifications>)>) -> Self {
        Self(pages.into())
    }

    /// Whether a path, as it was sent, is one of them.
    pub fn owns(&self, path: &str) -> bool {
        self.at(path).is_some()
    }

    /// Answers a request to one of the paths.
    pub fn answer(&self, request: Request<Incoming>) -> BoxFuture<'static, Reply> {
        let notifications = self.at(request.uri().path()).cloned();
        Box::pin(async move {
            match notifications {
                Some(notifications) => answer(&notifications, request).await,
                None => reply(StatusCode::NOT_FOUND, String::from("there is nothing here\n")),
            }
        })
    }

    fn at(&self, path: &str) -> Option<&Arc<Notifications>> {
        self.0.iter().find(|(known, _)| known == path).map(|(_, notifications)| notifications)
    }
}

impl FromIterator<Self> for NotificationPages {
    fn from_iter<I: IntoIterator<Item = Self>>(pages: I) -> Self {
        Self(pages.into_iter().flat_map(|pages| pages.0.to_vec()).collect())
    }
}

async fn answer(notifications: &Notifications, request: Request<Incoming>) -> Reply {
    if *request.method() != Method::POST {
        let mut refusal =
            reply(StatusCode::METHOD_NOT_ALLOWED, String::from("a notification is sent by POST\n"));
        refusal.headers_mut().insert(ALLOW, HeaderValue::from_static("POST"));
        return refusal;
    }
    let query = request.uri().query().unwrap_or_default().to_owned();
    let body = match read_body(request.into_body(), MAX_NOTIFICATION, BODY_TIMEOUT).await {
        Ok(body) => body,
        Err(BodyError::TooLarge { .. }) => {
            return reply(StatusCode::PAYLOAD_TOO_LARGE, String::from("too long a notification\n"));
        }
        Err(_) => return reply(StatusCode::BAD_REQUEST, String::from("the body ends before it should\n")),
    };
    match notifications.answer(&query, &body) {
        NotificationAnswer::Echo(token) => reply(StatusCode::OK, token),
        NotificationAnswer::Taken => reply(StatusCode::ACCEPTED, String::new()),
        NotificationAnswer::Refused => {
            reply(StatusCode::BAD_REQUEST, String::from("this is no notification of Microsoft Graph\n"))
        }
    }
}

/// What is sent back was made by who asked: no browser may take it for anything but text.
fn reply(status: StatusCode, text: String) -> Reply {
    let mut reply = Response::new(Full::new(Bytes::from(text)));
    *reply.status_mut() = status;
    let headers = reply.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    reply
}
