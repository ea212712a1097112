//! Questions to Microsoft Graph: one at a time while there are few, twenty in one request when there are many.

use std::{
    collections::VecDeque,
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use rest_client::{RestClient, RestError};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Map, Value, json};
use tokio::sync::oneshot;

/// Requests on their way at once, to each version of the service.
pub(crate) const MAX_EXCHANGES: usize = 8;
/// Questions in one request: more are refused.
pub(crate) const MAX_BATCH: usize = 20;

/// The versions of the service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Version {
    V1,
    /// Where some of what Intune knows is told and nowhere else.
    Beta,
}

impl Version {
    pub(crate) fn prefix(self) -> &'static str {
        match self {
            Self::V1 => "/v1.0",
            Self::Beta => "/beta",
        }
    }
}

/// Whether a JSON object that came with status 404 is Graph's word that there is no such object, to be set as
/// [`RestSettings::not_found`](rest_client::RestSettings::not_found): the code `Request_ResourceNotFound`, or the code
/// `ResourceNotFound` with a message that Intune itself wrote. Graph says `ResourceNotFound` by itself, too, to a path
/// that it does not know, and that must delete nobody.
pub fn is_graph_not_found(said: &Map<String, Value>) -> bool {
    let text = |name: &str| said.get("error").and_then(|error| error.get(name)).and_then(Value::as_str);
    match text("code") {
        Some("Request_ResourceNotFound") => true,
        Some("ResourceNotFound") => text("message").is_some_and(is_by_intune),
        _ => false,
    }
}

/// Intune's errors come wrapped: JSON in the message, with a version.
fn is_by_intune(message: &str) -> bool {
    serde_json::from_str::<Map<String, Value>>(message).is_ok_and(|wrapped| wrapped.contains_key("_version"))
}

/// Asks Graph. Cheap to clone. Needs a tokio runtime.
#[derive(Clone)]
pub(crate) struct Graph {
    client: RestClient,
    v1: Arc<Questions>,
    beta: Arc<Questions>,
}

/// Those of one version.
#[derive(Default)]
struct Questions(Mutex<Inner>);

#[derive(Default)]
struct Inner {
    under_way: usize,
    waiting: VecDeque<Question>,
}

struct Question {
    /// Path and query, without the version.
    path: String,
    answer: oneshot::Sender<Answer>,
}

type Answer = Result<Option<Value>, RestError>;

impl Graph {
    /// Asks through `client`, whose base has no version.
    pub(crate) fn new(client: RestClient) -> Self {
        Self { client, v1: Arc::default(), beta: Arc::default() }
    }

    /// What the service is called.
    pub(crate) fn service(&self) -> &str {
        self.client.service()
    }

    /// For what cannot be one of twenty.
    pub(crate) fn client(&self) -> &RestClient {
        &self.client
    }

    /// GET of a path below the version; `None` when the service says that there is no such object.
    pub(crate) async fn get<T: DeserializeOwned>(
        &self,
        version: Version,
        path: String,
    ) -> Result<Option<T>, RestError> {
        let (answer, answered) = oneshot::channel();
        self.questions(version).lock().waiting.push_back(Question { path, answer });
        self.send_waiting(version);
        let answer = answered.await.unwrap_or_else(|_| Err(self.unavailable("the question was given up")));
        let read = |value| serde_json::from_value(value).map_err(|why| self.garbage(why));
        answer?.map(read).transpose()
    }

    /// Whatever waits when a request is sent goes with it.
    fn send_waiting(&self, version: Version) {
        let questions = self.questions(version);
        let mut inner = questions.lock();
        if inner.under_way >= MAX_EXCHANGES {
            return;
        }
        inner.under_way = inner.under_way.saturating_add(1);
        drop(inner);
        let graph = self.clone();
        tokio::spawn(async move {
            let mut under_way = UnderWay::new(graph.questions(version));
            while let Some(questions) = under_way.next() {
                graph.answer(version, questions).await;
            }
        });
    }

    async fn answer(&self, version: Version, questions: Vec<Question>) {
        match <[Question; 1]>::try_from(questions) {
            Ok([Question { path, answer }]) => {
                let told = self.client.get(&format!("{}{path}", version.prefix())).await;
                // Nobody may be waiting any more.
                let _ = answer.send(told);
            }
            Err(questions) => self.answer_together(version, questions).await,
        }
    }

    async fn answer_together(&self, version: Version, questions: Vec<Question>) {
        let requests: Vec<_> = questions
            .iter()
            .enumerate()
            .map(|(at, question)| json!({"id": at.to_string(), "method": "GET", "url": question.path}))
            .collect();
        let path = format!("{}/$batch", version.prefix());
        let told = self.client.post::<Batch>(&path, &json!({ "requests": requests })).await;
        let told = told.and_then(|told| told.ok_or_else(|| self.garbage("there is no $batch")));
        for (at, question) in questions.into_iter().enumerate() {
            let answer = match &told {
                Ok(batch) => self.part(batch, &at.to_string()),
                Err(error) => Err(error.clone()),
            };
            // Nobody may be waiting any more.
            let _ = question.answer.send(answer);
        }
    }

    fn part(&self, batch: &Batch, id: &str) -> Answer {
        let part = batch.responses.iter().find(|part| part.id == id);
        let part = part.ok_or_else(|| self.garbage("it has left out an answer of several"))?;
        let named = |(name, _): &(&String, &Value)| name.eq_ignore_ascii_case("retry-after");
        let retry_after = part.headers.iter().flatten().find(named).map(|(_, value)| match value {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        });
        self.client.read(part.status, retry_after.as_deref(), part.body.to_string().as_bytes())
    }

    fn questions(&self, version: Version) -> &Arc<Questions> {
        match version {
            Version::V1 => &self.v1,
            Version::Beta => &self.beta,
        }
    }

    pub(crate) fn garbage(&self, why: impl fmt::Display) -> RestError {
        RestError::Garbage { service: self.service().to_owned(), why: why.to_string() }
    }

    fn unavailable(&self, why: &str) -> RestError {
        RestError::Unavailable { service: self.service().to_owned(), why: why.to_owned() }
    }
}

impl fmt::Debug for Graph {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Graph").field(&self.client).finish()
    }
}

impl Questions {
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One of the requests on their way.
struct UnderWay {
    questions: Arc<Questions>,
    is_over: bool,
}

impl UnderWay {
    fn new(questions: &Arc<Questions>) -> Self {
        Self { questions: Arc::clone(questions), is_over: false }
    }

    /// What goes into the next request; with nothing waiting this one is over, under the same lock that showed it.
    fn next(&mut self) -> Option<Vec<Question>> {
        let mut inner = self.questions.lock();
        let taken = inner.waiting.len().min(MAX_BATCH);
        if taken == 0 {
            inner.under_way = inner.under_way.saturating_sub(1);
            self.is_over = true;
            return None;
        }
        Some(inner.waiting.drain(..taken).collect())
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        if !self.is_over {
            let mut inner = self.questions.lock();
            inner.under_way = inner.under_way.saturating_sub(1);
        }
    }
}

#[derive(Deserialize)]
struct Batch {
    responses: Vec<Part>,
}

#[derive(Deserialize)]
struct Part {
    id: String,
    status: u16,
    headers: Option<Map<String, Value>>,
    #[serde(default)]
    body: Value,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_services_own_words_say_that_there_is_nobody() {
        let cases = [
            (
                json!({"error": {"code": "Request_ResourceNotFound", "message": "Resource 'x' does not exist"}}),
                true,
            ),
            (
                json!({"error": {"code": "ResourceNotFound", "message": "{\r\n \"_version\": 3,\r\n \"Message\": \"An error has occurred - Operation ID\"}"}}),
                true,
            ),
            (
                json!({"error": {"code": "ResourceNotFound", "message": "Invalid version: devicemanagement"}}),
                false,
            ),
            (json!({"error": {"code": "UnknownError", "message": ""}}), false),
            (json!({"error": {"code": "itemNotFound"}}), false),
            (json!({"error": "Request_ResourceNotFound"}), false),
            (json!({}), false),
        ];
        for (said, expected) in cases {
            assert_eq!(is_graph_not_found(said.as_object().unwrap()), expected, "{said}");
        }
    }
}
