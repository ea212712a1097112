//! From an address to a connection that may be asked: TCP, TLS, bind.

use std::{sync::Arc, time::Duration};

use rustls::{
    ClientConfig, RootCertStore,
    crypto::aws_lc_rs,
    pki_types::{CertificateDer, ServerName, pem::PemObject as _},
};
use rustls_platform_verifier::BuilderVerifierExt as _;
use tokio::{io::AsyncWriteExt as _, net::TcpStream, time::timeout};
use tokio_rustls::{TlsConnector, client::TlsStream};

use crate::{
    LdapError,
    address::{Address, Opening},
    connection::{Connection, next_message},
    message::{Answer, Request, START_TLS, SUCCESS},
};

/// Whom TLS trusts: only the certification authorities in `trusted_cas`, as PEM; where that is empty, those of the
/// system.
pub(crate) fn tls(trusted_cas: &[u8]) -> Result<Arc<ClientConfig>, LdapError> {
    let wrong = |why: String| LdapError::Settings { what: "trusted_cas", why };
    let provider = Arc::new(aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let config = config.map_err(|why| wrong(why.to_string()))?;
    let config = if trusted_cas.is_empty() {
        config.with_platform_verifier().map_err(|why| wrong(why.to_string()))?.with_no_client_auth()
    } else {
        let mut roots = RootCertStore::empty();
        for ca in CertificateDer::pem_slice_iter(trusted_cas) {
            let ca = ca.map_err(|why| wrong(why.to_string()))?;
            roots.add(ca).map_err(|why| wrong(why.to_string()))?;
        }
        if roots.is_empty() {
            return Err(wrong("expected certificates as PEM: there are none".into()));
        }
        config.with_root_certificates(roots).with_no_client_auth()
    };
    Ok(Arc::new(config))
}

/// A connection on which nothing has been asked yet.
pub(crate) async fn open(
    address: &Address,
    tls: &Arc<ClientConfig>,
    patience: Duration,
) -> Result<Connection, LdapError> {
    let server = address.to_string();
    let opened = timeout(patience, async {
        let tcp = TcpStream::connect((&*address.host, address.port)).await;
        let mut tcp = tcp.map_err(|why| LdapError::unavailable(&server, why))?;
        tcp.set_nodelay(true).map_err(|why| LdapError::unavailable(&server, why))?;
        let over = |tls: TlsStream<TcpStream>| Connection::over(tls, server.clone(), patience);
        Ok(match address.opening {
            Opening::Plain => Connection::over(tcp, server.clone(), patience),
            Opening::Tls => over(handshake(address, tls, tcp).await?),
            Opening::StartTls => {
                start_tls(&server, &mut tcp).await?;
                over(handshake(address, tls, tcp).await?)
            }
        })
    });
    let too_late =
        |_| LdapError::unavailable(&server, format_args!("no connection within {} ms", patience.as_millis()));
    opened.await.map_err(too_late)?
}

async fn handshake(
    address: &Address,
    tls: &Arc<ClientConfig>,
    tcp: TcpStream,
) -> Result<TlsStream<TcpStream>, LdapError> {
    let server = address.to_string();
    let name = ServerName::try_from(address.host.clone());
    let name = name.map_err(|why| LdapError::unavailable(&server, why))?;
    let connected = TlsConnector::from(Arc::clone(tls)).connect(name, tcp).await;
    connected.map_err(|why| LdapError::unavailable(&server, format_args!("TLS: {why}")))
}

/// ([RFC 4511 §4.14](https://www.rfc-editor.org/rfc/rfc4511#section-4.14)). What came in the clear beyond the answer was
/// put there by somebody else.
async fn start_tls(server: &str, tcp: &mut TcpStream) -> Result<(), LdapError> {
    let request = Request::Extended { name: START_TLS }.encode(1);
    tcp.write_all(&request).await.map_err(|why| LdapError::unavailable(server, why))?;
    let mut buffer = Vec::new();
    let message = next_message(tcp, &mut buffer).await;
    let message = message.map_err(|why| LdapError::unavailable(server, why))?;
    match message.answer {
        Answer::Done(outcome) if outcome.code == SUCCESS && message.id == 1 && buffer.is_empty() => Ok(()),
        Answer::Done(outcome) if outcome.code != SUCCESS => Err(LdapError::refused(server, &outcome)),
        _ => Err(LdapError::garbage(server, "expected the answer to StartTLS and nothing else")),
    }
}
