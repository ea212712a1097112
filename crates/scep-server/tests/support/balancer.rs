//! A balancer as plain as can be: one connection to this server, the next to that one, whoever is there.

use std::{
    io::{self, Read as _},
    net::{Shutdown, TcpListener, TcpStream},
    sync::{
        Arc, Mutex, OnceLock, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

/// Listens on a free port of this machine for as long as the test runs.
pub struct Balancer {
    /// Where clients connect to.
    pub address: String,
    shared: Arc<Shared>,
}

struct Shared {
    /// Each with the connections handed to it.
    servers: OnceLock<Vec<(String, AtomicUsize)>>,
    next: AtomicUsize,
    /// Where answers go that are to be lost on the way.
    lost: Mutex<Option<Vec<Vec<u8>>>>,
}

impl Balancer {
    /// Before servers that are not there yet.
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let shared =
            Arc::new(Shared { servers: OnceLock::new(), next: AtomicUsize::new(0), lost: Mutex::new(None) });
        let accepting = Arc::clone(&shared);
        thread::spawn(move || {
            for client in listener.incoming() {
                let shared = Arc::clone(&accepting);
                // That a server is gone, or a client, is what these tests are about.
                thread::spawn(move || client.and_then(|client| shared.hand_over(client)));
            }
        });
        Self { address, shared }
    }

    /// From now on connections go to these, one after the other.
    pub fn serve(&self, servers: &[String]) {
        let servers = servers.iter().map(|server| (server.clone(), AtomicUsize::new(0)));
        self.shared.servers.set(servers.collect()).unwrap();
    }

    /// How many connections each server got.
    pub fn served(&self) -> Vec<usize> {
        let servers = self.shared.servers.get().into_iter().flatten();
        servers.map(|(_, count)| count.load(Ordering::SeqCst)).collect()
    }

    /// From now on answers come to the balancer and go no further.
    pub fn lose_answers(&self) {
        *self.shared.lost() = Some(Vec::new());
    }

    /// From now on answers go to clients again; those that were lost.
    pub fn find_answers(&self) -> Vec<Vec<u8>> {
        self.shared.lost().take().unwrap_or_default()
    }
}

impl Shared {
    fn hand_over(&self, mut client: TcpStream) -> io::Result<()> {
        let servers = self.servers.get().unwrap();
        let (address, served) = &servers[self.next.fetch_add(1, Ordering::SeqCst) % servers.len()];
        let mut to_server = TcpStream::connect(address)?;
        served.fetch_add(1, Ordering::SeqCst);
        let (mut from_client, mut request) = (client.try_clone()?, to_server.try_clone()?);
        thread::spawn(move || {
            let copied = io::copy(&mut from_client, &mut request);
            // An end of the request is an end for the server as well.
            copied.and_then(|_| request.shutdown(Shutdown::Write))
        });
        let answered = if self.lost().is_some() {
            let mut answer = Vec::new();
            let read = to_server.read_to_end(&mut answer);
            self.lost().get_or_insert_default().push(answer);
            read.map(drop)
        } else {
            io::copy(&mut to_server, &mut client).map(drop)
        };
        // Whoever has said nothing yet is told that nothing will come.
        let _ = client.shutdown(Shutdown::Both);
        answered
    }

    fn lost(&self) -> std::sync::MutexGuard<'_, Option<Vec<Vec<u8>>>> {
        self.lost.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
