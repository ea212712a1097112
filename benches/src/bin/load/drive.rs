//! Sends requests over several connections at once, one thread each.

use std::{
    io,
    net::SocketAddr,
    sync::atomic::{AtomicUsize, Ordering},
    thread,
    time::{Duration, Instant},
};

use benches::connection::{Connection, Reply};

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

/// Sends every request once; each connection takes the next that is left.
pub(crate) fn drive<M: Sync>(address: SocketAddr, connections: usize, jobs: &[Job<M>]) -> io::Result<Driven> {
    let next = AtomicUsize::new(0);
    let open = (0..connections.max(1)).map(|_| Connection::open(address)).collect::<io::Result<Vec<_>>>()?;
    let started = now();
    let exchanges = thread::scope(|scope| {
        let workers: Vec<_> =
            open.into_iter().map(|connection| scope.spawn(|| work(connection, &next, jobs))).collect();
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

fn work<M>(mut connection: Connection, next: &AtomicUsize, jobs: &[Job<M>]) -> io::Result<Vec<Exchange>> {
    let mut exchanges = Vec::new();
    loop {
        let at = next.fetch_add(1, Ordering::Relaxed);
        let Some(job) = jobs.get(at) else { return Ok(exchanges) };
        let sent = now();
        let reply = connection.exchange(&job.request)?;
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
        let driven = drive(address, 3, &vec![job; 50]).unwrap();
        assert_eq!((driven.replies.len(), driven.latencies.len()), (50, 50));
        assert!(driven.replies.iter().all(|reply| reply.status == 200));
    }
}
