//! One connection to a server: many questions on their way at once, each with its number.

use std::{
    collections::HashMap,
    fmt,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, ReadHalf, WriteHalf},
    sync::mpsc,
    task::AbortHandle,
    time::{Instant, timeout},
};

use crate::{
    LdapError,
    ber::element_len,
    message::{Answer, Control, Entry, Message, Outcome, Request, Search},
};

/// Octets of one message.
const MAX_MESSAGE_LEN: usize = 4 << 20;
/// Entries of one answer that nobody has taken yet.
const MAX_WAITING_ENTRIES: usize = 4096;
/// Requests that the socket has not taken yet.
const MAX_WAITING_REQUESTS: usize = 1024;

/// What TCP and TLS have in common.
pub(crate) trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

/// Everything that came in answer to a search.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Found {
    pub(crate) entries: Vec<Entry>,
    pub(crate) references: Vec<String>,
    pub(crate) outcome: Outcome,
    pub(crate) controls: Vec<Control>,
}

/// A connection. Dropped, it ends.
pub(crate) struct Connection {
    server: String,
    requests: mpsc::Sender<Vec<u8>>,
    waiting: Arc<Waiting>,
    next: AtomicU32,
    patience: Duration,
    used: Mutex<Instant>,
    reading: AbortHandle,
}

/// Who waits for answers, by the number of the request.
#[derive(Debug, Default)]
struct Waiting(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    pending: HashMap<u32, mpsc::Sender<Message>>,
    /// Why nothing more will come.
    ended: Option<String>,
}

impl Connection {
    /// Speaks to `server` over `stream`. A question that is not answered within `patience` ends the connection: what
    /// does not answer may be gone without a word.
    pub(crate) fn over(stream: impl Stream + 'static, server: String, patience: Duration) -> Self {
        let (input, output) = tokio::io::split(stream);
        let waiting = Arc::<Waiting>::default();
        let (requests, taken) = mpsc::channel(MAX_WAITING_REQUESTS);
        let reading = tokio::spawn(read_all(input, Arc::clone(&waiting))).abort_handle();
        tokio::spawn(write_all(output, taken, Arc::clone(&waiting)));
        let (next, used) = (AtomicU32::new(1), Mutex::new(Instant::now()));
        Self { server, requests, waiting, next, patience, used, reading }
    }

    /// Presents name and password; both empty for nobody in particular.
    pub(crate) async fn bind(&self, name: &str, password: &str) -> Result<(), LdapError> {
        let password = zeroize::Zeroizing::new(String::from(password));
        let outcome = self.exchange(&Request::Bind { name: name.into(), password }).await?.outcome;
        if outcome.code == crate::message::SUCCESS {
            return Ok(());
        }
        Err(LdapError::refused(&self.server, &outcome))
    }

    /// Searches; the outcome may be anything.
    pub(crate) async fn search(&self, search: &Search) -> Result<Found, LdapError> {
        self.exchange(&Request::Search(search.clone())).await
    }

    /// Whether nothing more can be asked here.
    pub(crate) fn has_ended(&self) -> bool {
        self.waiting.state().ended.is_some()
    }

    /// For how long nobody has asked anything.
    pub(crate) fn idle(&self) -> Duration {
        self.used.lock().unwrap_or_else(PoisonError::into_inner).elapsed()
    }

    async fn exchange(&self, request: &Request) -> Result<Found, LdapError> {
        *self.used.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
        let answered = timeout(self.patience, self.ask(request)).await;
        answered.unwrap_or_else(|_| {
            self.waiting.end(format!("no answer within {} ms", self.patience.as_millis()));
            Err(self.ended())
        })
    }

    async fn ask(&self, request: &Request) -> Result<Found, LdapError> {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        if i32::try_from(number).is_err() {
            self.waiting.end("all numbers of requests are used up".into());
        }
        let mut pending = self.waiting.enter(number).ok_or_else(|| self.ended())?;
        self.requests.send(request.encode(number)).await.map_err(|_| self.ended())?;
        let (mut entries, mut references) = (Vec::new(), Vec::new());
        while let Some(message) = pending.answers.recv().await {
            match message.answer {
                Answer::Entry(entry) => entries.push(entry),
                Answer::Reference(urls) => references.extend(urls),
                Answer::Intermediate => {}
                Answer::Done(outcome) => {
                    return Ok(Found { entries, references, outcome, controls: message.controls });
                }
            }
        }
        Err(self.ended())
    }

    fn ended(&self) -> LdapError {
        let why = self.waiting.state().ended.clone();
        LdapError::unavailable(&self.server, why.unwrap_or_else(|| "more came than was asked for".into()))
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.reading.abort();
    }
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Connection({})", self.server)
    }
}

/// A place in the list of those who wait, given up when dropped.
struct Pending<'a> {
    waiting: &'a Waiting,
    number: u32,
    answers: mpsc::Receiver<Message>,
}

impl Drop for Pending<'_> {
    fn drop(&mut self) {
        self.waiting.state().pending.remove(&self.number);
    }
}

impl Waiting {
    /// `None` when nothing more will come.
    fn enter(&self, number: u32) -> Option<Pending<'_>> {
        let (landing, answers) = mpsc::channel(MAX_WAITING_ENTRIES);
        let mut state = self.state();
        if state.ended.is_some() {
            return None;
        }
        state.pending.insert(number, landing);
        drop(state);
        Some(Pending { waiting: self, number, answers })
    }

    /// Nobody may wait for it any more, or too slowly: then that question has failed, and no other.
    fn deliver(&self, message: Message) {
        let mut state = self.state();
        let number = message.id;
        let is_taken = state.pending.get(&number).is_none_or(|landing| landing.try_send(message).is_ok());
        if !is_taken {
            state.pending.remove(&number);
        }
    }

    /// The first reason is the true one.
    fn end(&self, why: String) {
        let mut state = self.state();
        state.ended.get_or_insert(why);
        state.pending.clear();
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn read_all<S: Stream>(mut input: ReadHalf<S>, waiting: Arc<Waiting>) {
    let mut buffer = Vec::new();
    loop {
        match next_message(&mut input, &mut buffer).await {
            Ok(Message { id: 0, answer, .. }) => {
                let said = if let Answer::Done(outcome) = answer { outcome.text } else { String::new() };
                return waiting.end(format!("it took its leave: {said:?}"));
            }
            Ok(message) => waiting.deliver(message),
            Err(why) => return waiting.end(why),
        }
    }
}

/// The next message of `input`, of which `buffer` holds what was read and not used yet.
pub(crate) async fn next_message(
    input: &mut (impl AsyncRead + Unpin),
    buffer: &mut Vec<u8>,
) -> Result<Message, String> {
    loop {
        match element_len(buffer).map_err(|why| why.to_string())? {
            Some(len) if len > MAX_MESSAGE_LEN => return Err(format!("a message of {len} octets")),
            Some(len) if len <= buffer.len() => {
                let message = Message::read(buffer.get(..len).unwrap_or_default());
                buffer.drain(..len);
                return message.map_err(|why| why.to_string());
            }
            _ => {}
        }
        match input.read_buf(buffer).await {
            Ok(0) => return Err(String::from("it closed the connection")),
            Ok(_) => {}
            Err(error) => return Err(error.to_string()),
        }
    }
}

async fn write_all<S: Stream>(
    mut output: WriteHalf<S>,
    mut requests: mpsc::Receiver<Vec<u8>>,
    waiting: Arc<Waiting>,
) {
    while let Some(request) = requests.recv().await {
        if let Err(error) = write(&mut output, &request).await {
            return waiting.end(error.to_string());
        }
    }
    // It may be gone already; then there is nobody to take leave of.
    let _ = write(&mut output, &Request::Unbind.encode(1)).await;
    let _ = output.shutdown().await;
}

async fn write<S: Stream>(output: &mut WriteHalf<S>, request: &[u8]) -> std::io::Result<()> {
    output.write_all(request).await?;
    output.flush().await
}
