//! More requests than fit into memory: made as they are sent, their replies looked at and forgotten.

use std::{
    fmt::Write as _,
    io,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use benches::connection::{Connection, Reply};
use clap::Args;

use crate::{
    Failure, Target,
    histogram::Histogram,
    process::{Process, Usage},
    template::{Ask, Template},
    verdicts::Verdicts,
};

#[derive(Args)]
pub(crate) struct Options {
    /// Where the server is; only addresses of this machine are taken.
    #[arg(long)]
    url: Target,
    /// What is different about each request.
    #[arg(long, value_enum)]
    ask: Ask,
    #[command(flatten)]
    template: crate::template::Options,
    /// How many requests to send; forever if left out, so give --seconds then.
    #[arg(long, default_value_t = u64::MAX)]
    requests: u64,
    /// No request is sent later than that after the first one.
    #[arg(long, default_value_t = 170)]
    seconds: u64,
    /// So many a second are sent, whatever comes back; latencies count from when a request was due, so that a server
    /// that stalls does not look well because nobody asked it meanwhile. Without it a connection sends the next request
    /// when it has the reply to the last one.
    #[arg(long)]
    rate: Option<f64>,
    /// Over how many connections at a time.
    #[arg(long, default_value_t = 8)]
    connections: usize,
    /// The server's process, whose CPU time and memory are read.
    #[arg(long)]
    pid: Option<u32>,
    /// Shows the server's memory whenever so many more requests were answered.
    #[arg(long, default_value_t = 1_000_000)]
    memory_every: u64,
    /// Prints five numbers only: requests/s, p50, p99 and p99.9 in ms, the server's CPU time a request in us.
    #[arg(long)]
    brief: bool,
}

/// What came of it.
pub(crate) struct Streamed {
    pub(crate) text: String,
    pub(crate) failed: u64,
}

/// Sends them, and says what came of it.
pub(crate) fn stream(options: &Options) -> Result<Streamed, Failure> {
    let template = Template::new(&options.url, options.ask, &options.template)?;
    let process = options.pid.map(Process::new);
    let before = process.as_ref().map(Process::usage).transpose()?;
    let shared = Shared {
        template: &template,
        next: AtomicU64::new(0),
        answered: AtomicU64::new(0),
        started: now(),
        interval: options.rate.map(|rate| Duration::from_secs_f64(1.0 / rate)),
        end: (options.requests, Duration::from_secs(options.seconds)),
        sum: Mutex::default(),
    };
    let opened = (0..options.connections.max(1)).map(|_| Connection::open(options.url.address()));
    let opened = opened.collect::<io::Result<Vec<_>>>()?;
    let shown = thread::scope(|scope| {
        let workers: Vec<_> =
            opened.into_iter().map(|connection| scope.spawn(|| shared.work(connection))).collect();
        let shown = shared
            .watch(process.as_ref(), options, || workers.iter().all(thread::ScopedJoinHandle::is_finished));
        let ended = workers
            .into_iter()
            .map(|worker| worker.join().map_err(|_| "a worker panicked")?.map_err(Failure::from));
        ended.collect::<Result<(), Failure>>().and(shown)
    })?;
    let elapsed = shared.started.elapsed();
    let after = process.as_ref().map(Process::usage).transpose()?;
    let sum = shared.sum.into_inner().unwrap_or_else(PoisonError::into_inner);
    let usage = before.zip(after);
    let text =
        if options.brief { sum.brief(elapsed, usage) } else { shown + &sum.long(elapsed, usage, &template) };
    Ok(Streamed { text, failed: sum.verdicts.failed() })
}

/// What all connections share.
struct Shared<'a> {
    template: &'a Template,
    next: AtomicU64,
    answered: AtomicU64,
    started: Instant,
    interval: Option<Duration>,
    end: (u64, Duration),
    sum: Mutex<Sum>,
}

/// What is kept of the replies.
#[derive(Default)]
struct Sum {
    latencies: Histogram,
    verdicts: Verdicts,
}

impl Shared<'_> {
    fn work(&self, mut connection: Connection) -> io::Result<()> {
        let (mut request, mut sum) = (self.template.request(), Sum::default());
        loop {
            let at = self.next.fetch_add(1, Ordering::Relaxed);
            let due = self.due(at);
            if at >= self.end.0 || due.saturating_duration_since(self.started) >= self.end.1 {
                break;
            }
            self.template.fill(at, &mut request);
            wait_until(due);
            let sent = if self.interval.is_some() { due } else { now() };
            let reply: Reply = connection.exchange(&request)?;
            sum.latencies.note(sent.elapsed());
            sum.verdicts.note(at, reply);
            self.answered.fetch_add(1, Ordering::Relaxed);
        }
        let mut all = self.sum.lock().unwrap_or_else(PoisonError::into_inner);
        all.latencies.merge(&sum.latencies);
        all.verdicts.merge(sum.verdicts);
        Ok(())
    }

    /// When the request with that number is to be sent: now, where there is no rate.
    fn due(&self, at: u64) -> Instant {
        let Some(interval) = self.interval else { return now() };
        // A rate is at most a few million a second, and a run takes minutes.
        let after = u128::from(at).saturating_mul(interval.as_nanos());
        let after = Duration::from_nanos(u64::try_from(after).unwrap_or(u64::MAX));
        self.started.checked_add(after).unwrap_or(self.started)
    }

    /// Notes the server's memory as requests are answered, until everything is.
    fn watch(
        &self,
        process: Option<&Process>,
        options: &Options,
        is_over: impl Fn() -> bool,
    ) -> Result<String, Failure> {
        let (mut text, mut next) = (String::new(), 0);
        while !is_over() {
            let answered = self.answered.load(Ordering::Relaxed);
            if let Some(process) = process.filter(|_| answered >= next) {
                let line =
                    format!("{answered:>10} answered: {} MiB\n", process.usage()?.resident.div_euclid(1024));
                if !options.brief {
                    eprint!("{line}");
                }
                text += &line;
                next = next.saturating_add(options.memory_every);
            }
            pause(Duration::from_millis(50));
        }
        Ok(text)
    }
}

impl Sum {
    fn brief(&self, elapsed: Duration, usage: Option<(Usage, Usage)>) -> String {
        let [p50, p99, p999, _] = self.latencies.quantiles();
        let cpu = usage.map_or(0.0, |usage| self.cpu(usage));
        format!("{:.1} {p50:.4} {p99:.4} {p999:.4} {cpu:.3}\n", self.count() / elapsed.as_secs_f64())
    }

    fn long(&self, elapsed: Duration, usage: Option<(Usage, Usage)>, template: &Template) -> String {
        let (count, seconds) = (self.count(), elapsed.as_secs_f64());
        let [p50, p99, p999, most] = self.latencies.quantiles();
        let mut text = format!("{count} requests in {seconds:.2} s: {:.0}/s\n", count / seconds);
        text += &self.verdicts.report(template);
        // Writing to a String cannot fail.
        let _ = writeln!(
            text,
            "latency: p50 {p50:.2} ms, p99 {p99:.2} ms, p99.9 {p999:.2} ms, longest {most:.2} ms"
        );
        if let Some((before, after)) = usage {
            let _ = writeln!(text, "server CPU a request: {:.1} us", self.cpu((before, after)));
            let [from, to, peak] =
                [before.resident, after.resident, after.peak].map(|size| size.div_euclid(1024));
            let _ = writeln!(text, "server memory: {from} MiB before, {to} MiB after, {peak} MiB at most");
        }
        text
    }

    fn cpu(&self, (before, after): (Usage, Usage)) -> f64 {
        let spent = |usage: Usage| usage.user.saturating_add(usage.system);
        spent(after).saturating_sub(spent(before)).as_secs_f64() * 1e6 / self.count()
    }

    #[expect(clippy::cast_precision_loss, reason = "nobody sends 2^52 requests")]
    fn count(&self) -> f64 {
        self.latencies.count().max(1) as f64
    }
}

#[expect(clippy::disallowed_methods, reason = "this measures time")]
fn now() -> Instant {
    Instant::now()
}

/// A scheduler wakes a sleeper late by some 50 us; being early by less than that is better than being late.
fn wait_until(due: Instant) {
    let left = due.saturating_duration_since(now());
    if left > Duration::from_micros(60) {
        pause(left.saturating_sub(Duration::from_micros(50)));
    }
}

#[expect(clippy::disallowed_methods, reason = "this is about time")]
fn pause(duration: Duration) {
    thread::sleep(duration);
}
