//! Fetching what the CA has: certificates and CRLs.

use pki_core::{Certificate, Crl, SerialNumber};
use scep_proto::{Issued, RequestMessage, TransactionId};

use crate::{
    ClientError, Identity, ScepClient, TrustedCa, client::unexpected, exchange::Opener, transaction::sign,
};

impl ScepClient {
    /// A certificate that the CA issued, by its number
    /// ([RFC 8894 §2.6](https://www.rfc-editor.org/rfc/rfc8894#section-2.6): GetCert). `identity` signs the question,
    /// and must be able to decrypt the answer.
    pub async fn find_certificate(
        &self,
        ca: &TrustedCa,
        serial: &SerialNumber,
        identity: &Identity,
    ) -> Result<Certificate, ClientError> {
        let asked = RequestMessage::GetCert { issuer: ca.issuer().subject().clone(), serial: *serial };
        let issued = self.ask(ca, &asked, identity).await?;
        let found = issued
            .certificates
            .iter()
            .find(|certificate| certificate.serial_number().as_ref() == Some(serial));
        let found = found.filter(|certificate| ca.issued(certificate, &*self.parts().verifier));
        found.cloned().ok_or_else(|| ClientError::NotAsked {
            expected: format!("the certificate {serial}, signed by this CA"),
            found: format!("{} other certificates", issued.certificates.len()),
        })
    }

    /// The CRL on which `about` would be ([RFC 8894 §2.7](https://www.rfc-editor.org/rfc/rfc8894#section-2.7): GetCRL).
    /// To be asked for only where `about` names no [distribution point](crate::distribution_points).
    pub async fn crl(
        &self,
        ca: &TrustedCa,
        about: &Certificate,
        identity: &Identity,
    ) -> Result<Crl, ClientError> {
        let serial = about.serial_number().ok_or_else(|| {
            ClientError::Request("expected a serial number of 1 to 20 octets in the certificate".into())
        })?;
        let asked = RequestMessage::GetCrl { issuer: about.issuer().clone(), serial };
        let issued = self.ask(ca, &asked, identity).await?;
        let [der] = issued.crls.as_slice() else {
            let found = format!("{} CRLs", issued.crls.len());
            return Err(ClientError::NotAsked { expected: "one CRL".into(), found });
        };
        self.judged(ca, der)
    }

    /// The CRL at a distribution point, which is an `http://` or `https://` URL.
    pub async fn crl_at(&self, ca: &TrustedCa, url: &str) -> Result<Crl, ClientError> {
        let reply = self.parts().transport.send(url, None).await?;
        if reply.status != 200 {
            return Err(unexpected("the CRL distribution point", &reply));
        }
        self.judged(ca, &reply.body)
    }

    fn judged(&self, ca: &TrustedCa, der: &[u8]) -> Result<Crl, ClientError> {
        let not_asked = |found| ClientError::NotAsked { expected: "a CRL signed by this CA".into(), found };
        let crl = Crl::from_der(der).map_err(|error| not_asked(error.to_string()))?;
        let verifier = &*self.parts().verifier;
        let signed_by = |issuer: &&Certificate| {
            crl.issuer().matches(issuer.subject())
                && crl.verify_signed_by(issuer.public_key(), verifier).is_ok()
        };
        if !ca.issuers().iter().any(|issuer| signed_by(&issuer)) {
            return Err(not_asked(format!("one of {}, or its signature does not hold", crl.issuer())));
        }
        // RFC 5280 §5.2 and §5.3: such a list says of no certificate whether it is on it.
        match crl.unknown_critical() {
            Some(id) => Err(not_asked(format!("one with a critical extension that is not read here: {id}"))),
            None if crl.names_issuers() => Err(not_asked("one for the certificates of several CAs".into())),
            None => Ok(crl),
        }
    }

    async fn ask(
        &self,
        ca: &TrustedCa,
        asked: &RequestMessage,
        identity: &Identity,
    ) -> Result<Issued, ClientError> {
        let opener = Opener { key: identity.key(), challenge: None };
        opener.check()?;
        let capabilities = self.effective_capabilities().await?;
        let id = TransactionId::generate(identity.certificate().public_key(), &*self.parts().random)?;
        let sent = sign(self, ca, identity, capabilities, (asked, &id)).await?;
        let answer = self.exchange(&sent.message, &sent.awaited, (ca, capabilities), opener).await?;
        // RFC 8894 §4.5.1: such questions are answered at once or not at all.
        answer.ok_or_else(|| ClientError::NotAsked {
            expected: "SUCCESS or FAILURE".into(),
            found: "PENDING, which only enrollments are answered with".into(),
        })
    }
}
