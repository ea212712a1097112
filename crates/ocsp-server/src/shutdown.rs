//! Being asked to stop.

use tokio::signal::unix::{Signal, SignalKind, signal};

/// Resolves at Ctrl-C (SIGINT) and at SIGTERM, from the moment of the call on: a signal that comes before the future is
/// polled is not lost. Runs within tokio.
pub fn asked_to_stop() -> std::io::Result<impl Future<Output = ()>> {
    let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    let next =
        |signal: &mut Signal, context: &mut std::task::Context<'_>| signal.poll_recv(context).is_ready();
    Ok(std::future::poll_fn(move |context| {
        let asked = next(&mut interrupt, context) | next(&mut terminate, context);
        if asked { std::task::Poll::Ready(()) } else { std::task::Poll::Pending }
    }))
}
