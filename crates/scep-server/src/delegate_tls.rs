//! Certifies delegates for responders that show a certificate, over TLS.

use std::{convert::Infallible, fmt, future::ready, io, path::Path, sync::Arc};

use http_listener::Handshake;
use hyper::{Request, body::Incoming, http::Extensions, service::Service};
use keys_software::{AwsLc, load_key};
use ocsp_server::{DelegateIssuer, DelegateRefused, ServerError, Shown};
use pki_core::{BoxFuture, CertRef, Certificate, GeneralName, IssuerId};
use revocation::{RevocationSource, Standing};
use tokio::net::TcpStream;
use tokio_rustls::{
    TlsAcceptor,
    rustls::{
        RootCertStore, ServerConfig,
        crypto::aws_lc_rs,
        pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer, pem::PemObject as _},
        server::{NoServerSessionStorage, WebPkiClientVerifier},
    },
    server::TlsStream,
};

use crate::{
    delegates::{DelegateEndpoint, receive, told},
    pages::{Reply, nothing},
    settings::DelegateTlsSettings,
};

/// TLS 1.2 or 1.3, in which both sides show a certificate.
pub(crate) struct MutualTls(TlsAcceptor);

/// The certificate that the peer has shown, whose chain TLS has checked.
#[derive(Clone)]
struct Peer(Certificate);

impl MutualTls {
    /// With the files of `settings`, below `data`; `own` are believed where no file names others.
    pub(crate) fn new(
        settings: &DelegateTlsSettings,
        data: &Path,
        own: &[Certificate],
    ) -> Result<Self, ServerError> {
        let mut roots = RootCertStore::empty();
        let believed = if settings.client_ca.as_os_str().is_empty() {
            own.iter().map(|ca| CertificateDer::from(ca.as_der().to_vec())).collect()
        } else {
            certificates(&data.join(&settings.client_ca))?
        };
        for root in believed {
            roots
                .add(root)
                .map_err(|error| ServerError::new(format_args!("ocsp.delegate_tls.client_ca: {error}")))?;
        }
        let provider = Arc::new(aws_lc_rs::default_provider());
        let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider));
        let verifier = verifier.build().map_err(ServerError::new)?;
        let path = data.join(&settings.certificate);
        let chain = certificates(&path)?;
        let key = load_key(&data.join(&settings.key))?.to_pkcs8_der().map_err(ServerError::new)?;
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.to_vec()));
        let config = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
        let config = config.map_err(ServerError::new)?.with_client_cert_verifier(verifier);
        let mut config =
            config.with_single_cert(chain, key).map_err(|error| ServerError::of_file(&path, error))?;
        // A resumed session would outlive the certificate that began it.
        config.session_storage = Arc::new(NoServerSessionStorage {});
        config.send_tls13_tickets = 0;
        Ok(Self(TlsAcceptor::from(Arc::new(config))))
    }
}

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, ServerError> {
    let found = CertificateDer::pem_file_iter(path).and_then(Iterator::collect::<Result<Vec<_>, _>>);
    let found = found.map_err(|error| ServerError::of_file(path, error))?;
    if found.is_empty() { Err(ServerError::of_file(path, "expected certificates in PEM")) } else { Ok(found) }
}

impl fmt::Debug for MutualTls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MutualTls(..)")
    }
}

impl Handshake for MutualTls {
    type Stream = TlsStream<TcpStream>;

    async fn shake(&self, stream: TcpStream) -> io::Result<(Self::Stream, Extensions)> {
        let stream = self.0.accept(stream).await?;
        let mut known = Extensions::new();
        let shown = stream.get_ref().1.peer_certificates().and_then(<[_]>::first);
        if let Some(peer) = shown.and_then(|der| Certificate::from_der(der).ok()) {
            known.insert(Peer(peer));
        }
        Ok((stream, known))
    }
}

/// `POST /ocsp-delegate/FINGERPRINT`, for the responders whose names are listed. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct DelegatesByCertificate(Arc<ByCertificate>);

#[derive(Debug)]
struct ByCertificate {
    issuer: DelegateIssuer,
    responders: Vec<String>,
    /// CAs of this server.
    own: Vec<Certificate>,
    /// Says how certificates of those stand.
    status: Arc<dyn RevocationSource>,
}

impl DelegatesByCertificate {
    pub(crate) fn new(
        issuer: DelegateIssuer,
        responders: Vec<String>,
        own: Vec<Certificate>,
        status: Arc<dyn RevocationSource>,
    ) -> Result<Self, ServerError> {
        if responders.is_empty() {
            return Err(ServerError::new(
                "ocsp.delegate_tls.responders: expected the name of one responder at least",
            ));
        }
        Ok(Self(Arc::new(ByCertificate { issuer, responders, own, status })))
    }

    async fn answer(&self, ca: &str, request: Request<Incoming>) -> Reply {
        let peer = request.extensions().get::<Peer>().cloned();
        let body = match receive(request).await {
            Ok(body) => body,
            Err(reply) => return reply,
        };
        let admitted = match peer {
            Some(Peer(certificate)) => self.0.admits(&certificate).await,
            None => Err(DelegateRefused::NotAResponder("no certificate was shown".into())),
        };
        told(match admitted {
            Ok(()) => self.0.issuer.answer(ca, &body, Shown::Certificate).await,
            Err(refused) => Err(refused),
        })
    }
}

impl ByCertificate {
    async fn admits(&self, certificate: &Certificate) -> Result<(), DelegateRefused> {
        let refused = |why: &str| DelegateRefused::NotAResponder(format!("{}: {why}", certificate.subject()));
        if !names(certificate).iter().any(|name| self.responders.contains(name)) {
            return Err(refused("not one of ocsp.delegate_tls.responders"));
        }
        let is_issuer = |ca: &&Certificate| certificate.verify_signed_by(ca.public_key(), &AwsLc).is_ok();
        let Some(ca) = self.own.iter().find(is_issuer) else { return Ok(()) };
        let serial = certificate.serial_number().ok_or_else(|| refused("no serial number of RFC 5280"))?;
        let status = self.status.status(CertRef { issuer: IssuerId::of(ca), serial }).await;
        match status.map_err(|error| DelegateRefused::Ca(ServerError::new(error)))?.standing {
            Standing::Good => Ok(()),
            Standing::NotMine => Err(refused("a certificate that nobody here vouches for")),
            Standing::Hold { .. } | Standing::Revoked { .. } => Err(refused("its certificate is revoked")),
        }
    }
}

fn names(certificate: &Certificate) -> Vec<String> {
    let alternative = certificate.subject_alt_names().unwrap_or_default().into_iter();
    let dns = alternative.filter_map(|name| match name {
        GeneralName::Dns(name) => Some(name),
        _ => None,
    });
    certificate.subject().common_name().into_iter().chain(dns).collect()
}

impl Service<Request<Incoming>> for DelegatesByCertificate {
    type Response = Reply;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Reply, Infallible>>;

    fn call(&self, request: Request<Incoming>) -> Self::Future {
        let path = request.uri().path().trim_start_matches('/').to_owned();
        let endpoint = self.clone();
        match DelegateEndpoint::ca_of(&path).map(str::to_owned) {
            Some(ca) => Box::pin(async move { Ok(endpoint.answer(&ca, request).await) }),
            None => Box::pin(ready(Ok(nothing()))),
        }
    }
}
