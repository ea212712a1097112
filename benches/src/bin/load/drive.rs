//! Sends requests over several connections at once, one thread each.

use std::{
    io,
    net::SocketAddr,
    sync::atomic::{AtomicUsize, Ordering},
    thread,
    time::{Duration, Instant},
};

use benches::connection::{Connection, Reply};
use clap::ValueEnum;

/// A request, and what is needed to judge its reply.
#[derive(Debug, Clone)]
pub(crate) struct Job<M> {
    /// All octets that are sent.
    pub(crate) request: Vec<u8>,
    pub(crate) memory: M,
}

/// What came of it.
#[derive(Debug)]
pub(crate) struct Driven {
    pub(crate) elapsed: Duration,
    /// In the order of the jobs.
    pub(crate) replies: Vec<Reply>,
    pub(crate) latencies: Vec<Duration>,
}

/// Where requests go, and how.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Route {
    pub(crate) address: SocketAddr,
    /// How many connections there are at a time.
    pub(crate) connections: usize,
    pub(crate) lifetime: Lifetime,
}

/// How long a connection is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Lifetime {
    /// Until the end.
    All,
    /// For one request. The time to connect counts.
    One,
}

/// Sends every request once; each connection takes the next that is left.
pub(crate) fn drive<M: Sync>(route: Route, jobs: &[Job<M>]) -> io::Result<Driven> {
    let next = AtomicUsize::new(0);
    // Before the clock starts. Not to be used is not to be opened: some servers wait for its request.
    let open = || match route.lifetime {
        Lifetime::All => Connection::open(route.address).map(Some),
        Lifetime::One => Ok(None),
    };
    let open = (0..route.connections.max(1)).map(|_| open()).collect::<io::Result<Vec<_>>>()?;
    let started = now();
    let exchanges = thread::scope(|scope| {
        let work = |connection| work(route.address, connection, &next, jobs);
        let workers: Vec<_> =
            open.into_iter().map(|connection| scope.spawn(move || work(connection))).collect();
        let joined = workers
            .into_iter()
            .map(|worker| worker.join().map_err(|_| io::Error::other("a worker panicked"))?);
        joined.collect::<io::Result<Vec<_>>>()
    })?;
    let elapsed = started.elapsed();
    let mut exchanges: Vec<Exchange> = exchanges.into_iter().flatten().collect();
    exchanges.sort_by_key(|exchange| exchange.at);
    let latencies = exchanges.iter().map(|exchange| exchange.latency).collect();
    let replies = exchanges.into_iter().map(|exchange| exchange.reply).collect();
    Ok(Driven { elapsed, replies, latencies })
}

struct Exchange {
    at: usize,
    latency: Duration,
    reply: Reply,
}

fn work<M>(
    address: SocketAddr,
    mut kept: Option<Connection>,
    next: &AtomicUsize,
    jobs: &[Job<M>],
) -> io::Result<Vec<Exchange>> {
    let mut exchanges = Vec::new();
    loop {
        let at = next.fetch_add(1, Ordering::Relaxed);
        let Some(job) = jobs.get(at) else { return Ok(exchanges) };
        let sent = now();
        let reply = match &mut kept {
            Some(connection) => connection.exchange(&job.request)?,
            None => Connection::open(address)?.exchange(&job.request)?,
        };
        exchanges.push(Exchange { at, latency: sent.elapsed(), reply });
    }
}

#[expect(clippy::disallowed_methods, reason = "this measures time")]
fn now() -> Instant {
    Instant::now()
}

#[cfg(test)]
mod tests {
    use benches::{
        connection::post,
        hyper_baseline::{empty_replies, in_background},
    };

    use super::*;

    #[test]
    fn every_request_is_sent_once() {
        let address = in_background(empty_replies);
        let job = Job { request: post("localhost", "/", "text/plain", b"x"), memory: () };
        for lifetime in [Lifetime::All, Lifetime::One] {
            let driven = drive(Route { address, connections: 3, lifetime }, &vec![job.clone(); 50]).unwrap();
            assert_eq!((driven.replies.len(), driven.latencies.len()), (50, 50));
            assert!(driven.replies.iter().all(|reply| reply.status == 200));
        }
    }
}
