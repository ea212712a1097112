//! Sockets, with or without TLS.

use std::{
    io::{self, ErrorKind, Read, Write},
    net::{TcpStream, ToSocketAddrs as _},
    sync::Arc,
    time::Duration,
};

use rustls::{ClientConfig, ClientConnection, StreamOwned, pki_types::ServerName};

use super::{Endpoint, HttpResponse, response::Ended};

/// More than this is not read of any answer, in octets.
const MAX_RESPONSE_LEN: usize = 4 * 1024 * 1024;

/// Sends `request` and reads until the response is whole or the other end stops. What came is returned even if the
/// connection then failed: a server that answers before it has read everything may cut it.
pub(super) fn exchange(endpoint: &Endpoint, timeout: Duration, request: &[u8]) -> (Vec<u8>, io::Result<()>) {
    let mut response = Vec::new();
    let end = connect(endpoint, timeout).and_then(|mut stream| {
        let sent = stream.write_all(request).and_then(|()| stream.flush());
        let received = receive(&mut *stream, &mut response);
        if response.is_empty() { sent.and(received) } else { received }
    });
    (response, end)
}

trait Stream: Read + Write {}

impl<T: Read + Write> Stream for T {}

fn connect(endpoint: &Endpoint, timeout: Duration) -> io::Result<Box<dyn Stream>> {
    let mut addresses = (&*endpoint.host, endpoint.port).to_socket_addrs()?;
    let address = addresses.next().ok_or_else(|| io::Error::other("the host has no address"))?;
    let stream = TcpStream::connect_timeout(&address, timeout)?;
    stream.set_read_timeout(Some(timeout))?;
    stream.set_write_timeout(Some(timeout))?;
    stream.set_nodelay(true)?;
    if !endpoint.secure {
        return Ok(Box::new(stream));
    }
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .and_then(rustls_platform_verifier::BuilderVerifierExt::with_platform_verifier)
        .map_err(io::Error::other)?
        .with_no_client_auth();
    let name = ServerName::try_from(endpoint.host.clone()).map_err(io::Error::other)?;
    let connection = ClientConnection::new(Arc::new(config), name).map_err(io::Error::other)?;
    Ok(Box::new(StreamOwned::new(connection, stream)))
}

fn receive(stream: &mut dyn Stream, response: &mut Vec<u8>) -> io::Result<()> {
    let mut buffer = [0; 16 * 1024];
    while response.len() <= MAX_RESPONSE_LEN {
        match stream.read(&mut buffer) {
            Ok(0) => return Ok(()),
            Ok(length) => response.extend_from_slice(buffer.get(..length).unwrap_or_default()),
            // TLS without a goodbye.
            Err(error) if error.kind() == ErrorKind::UnexpectedEof => return Ok(()),
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                return Err(io::Error::new(ErrorKind::TimedOut, "no answer in time"));
            }
            Err(error) => return Err(error),
        }
        if matches!(HttpResponse::parse(response, Ended::Open), Ok(Some(_))) {
            return Ok(());
        }
    }
    Err(io::Error::other(format!("an answer of more than {MAX_RESPONSE_LEN} octets")))
}
