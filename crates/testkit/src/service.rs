//! HTTP services elsewhere, as far as a client of theirs can tell.

use std::{
    collections::HashMap,
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::{TcpListener, TcpStream},
    sync::{Arc, Mutex},
    thread,
};

/// A request as it arrived.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Asked {
    /// GET or POST.
    pub method: String,
    /// Path and query, as sent.
    pub target: String,
    /// The header of that name.
    pub authorization: Option<String>,
    /// The body, as text.
    pub body: String,
    headers: Vec<(String, String)>,
}

impl Asked {
    /// The value of the header of that name, which is in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| &**value)
    }
}

/// Status, headers and body.
pub type Answer = (u16, Vec<(&'static str, String)>, String);

/// Answers on loopback as it is told, one request a connection, and remembers what it was asked.
#[derive(Debug)]
#[non_exhaustive]
pub struct ScriptedService {
    /// Where it listens, without a path.
    pub url: String,
    asked: Arc<Mutex<Vec<Asked>>>,
}

impl ScriptedService {
    /// Listens from now on, for as long as the process lives.
    pub fn start(script: impl Fn(&Asked) -> Answer + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let (asked, script) = (Arc::<Mutex<Vec<Asked>>>::default(), Arc::new(script));
        let seen = Arc::clone(&asked);
        thread::spawn(move || {
            for stream in listener.incoming() {
                let (seen, script) = (Arc::clone(&seen), Arc::clone(&script));
                thread::spawn(move || answer(&stream.unwrap(), &seen, &*script));
            }
        });
        Self { url, asked }
    }

    /// What it was asked, in that order.
    pub fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }
}

/// A service with pages, which change. What is not there is not found, in its own words; who does not show the
/// authorization it wants is told so with 401.
#[derive(Debug)]
#[non_exhaustive]
pub struct PagedService {
    /// Where it listens, without a path.
    pub url: String,
    pages: Arc<Mutex<HashMap<String, (u16, String)>>>,
}

impl PagedService {
    /// Without pages. `authorization` is the whole header; with `None` nobody is asked for any.
    pub fn start(not_found: &'static str, authorization: Option<String>) -> Self {
        let pages = Arc::<Mutex<HashMap<String, (u16, String)>>>::default();
        let shown = Arc::clone(&pages);
        let ScriptedService { url, .. } = ScriptedService::start(move |asked| {
            if authorization.is_some() && asked.authorization != authorization {
                return (401, Vec::new(), String::from("{}"));
            }
            let page = shown.lock().unwrap().get(&asked.target).cloned();
            let (status, body) = page.unwrap_or_else(|| (404, not_found.to_owned()));
            (status, Vec::new(), body)
        });
        Self { url, pages }
    }

    /// From now on `target` is answered so.
    pub fn page(&self, target: &str, status: u16, body: impl Into<String>) {
        self.pages.lock().unwrap().insert(target.to_owned(), (status, body.into()));
    }
}

fn answer(stream: &TcpStream, seen: &Mutex<Vec<Asked>>, script: &dyn Fn(&Asked) -> Answer) {
    let Some(asked) = read(stream) else { return };
    let (status, headers, body) = script(&asked);
    seen.lock().unwrap().push(asked);
    let headers: Vec<_> = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    let headers = headers.concat();
    let head = format!(
        "HTTP/1.1 {status} X\r\n{headers}content-length: {}\r\nconnection: close\r\n\r\n",
        body.len()
    );
    // The client may have gone.
    let _ = (&mut &*stream).write_all((head + &body).as_bytes());
}

/// `None` when the client sent nothing.
fn read(stream: &TcpStream) -> Option<Asked> {
    let mut reader = BufReader::new(stream);
    let mut lines = reader.by_ref().lines().map_while(Result::ok);
    let request = lines.next()?;
    let headers: Vec<_> = lines
        .take_while(|line| !line.is_empty())
        .map(|line| {
            line.split_once(": ").map(|(name, value)| (name.to_lowercase(), value.to_owned())).unwrap()
        })
        .collect();
    let mut words = request.split(' ').map(String::from);
    let (method, target) = (words.next()?, words.next()?);
    let mut asked = Asked { method, target, authorization: None, body: String::new(), headers };
    asked.authorization = asked.header("authorization").map(String::from);
    let length = asked.header("content-length").map_or(0, |length| length.parse().unwrap());
    reader.take(length).read_to_string(&mut asked.body).unwrap();
    Some(asked)
}
