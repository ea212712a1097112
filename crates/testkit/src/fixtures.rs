//! Ready authorities and devices, valid from 2020 to 2049.

use std::sync::Arc;

use keys_software::RsaKey;
use pki_core::{Certificate, SigningKey};

use crate::keys;

/// A CA and its registration authority.
#[derive(Debug, Clone)]
pub struct Authority {
    /// The CA's certificate, signed by itself.
    pub certificate: Certificate,
    /// The CA's key.
    pub key: Arc<dyn SigningKey>,
    /// The RA's certificate, from the CA.
    pub ra_certificate: Certificate,
    /// The RA's key; signs and decrypts.
    pub ra_key: Arc<RsaKey>,
}

/// A device that has a certificate.
#[derive(Debug, Clone)]
pub struct Device {
    /// Its certificate, from [`ca`].
    pub certificate: Certificate,
    /// Its key.
    pub key: Arc<dyn SigningKey>,
}

/// `CN=Example CA,O=Example`, on P-256.
pub fn ca() -> Authority {
    Authority {
        certificate: certificate(include_str!("../pem/ca.cert.pem")),
        key: keys::ecdsa(keys::CA_PEM),
        ra_certificate: certificate(include_str!("../pem/ra.cert.pem")),
        ra_key: keys::rsa(keys::RA_PEM),
    }
}

/// `CN=Example RSA CA,O=Example`, RSA-2048.
pub fn rsa_ca() -> Authority {
    Authority {
        certificate: certificate(include_str!("../pem/ca-rsa.cert.pem")),
        key: keys::rsa(keys::RSA_CA_PEM),
        ra_certificate: certificate(include_str!("../pem/ra-of-ca-rsa.cert.pem")),
        ra_key: keys::rsa(keys::RA_PEM),
    }
}

/// `CN=laptop-1,O=Example`, RSA-2048, from [`ca`], serial number 3.
pub fn device() -> Device {
    let certificate = certificate(include_str!("../pem/device.cert.pem"));
    Device { certificate, key: keys::rsa(keys::DEVICE_PEM) }
}

/// `CN=laptop-1,O=Example`, on P-256, from [`ca`], serial number 4.
pub fn device_p256() -> Device {
    let certificate = certificate(include_str!("../pem/device-p256.cert.pem"));
    Device { certificate, key: keys::ecdsa(keys::DEVICE_P256_PEM) }
}

fn certificate(pem: &str) -> Certificate {
    Certificate::from_pem(pem).unwrap()
}

#[cfg(test)]
mod tests {
    use keys_software::AwsLc;
    use pki_core::UnixTime;

    use super::*;
    use crate::NOW;

    #[test]
    fn keys_fit_certificates_and_certificates_their_ca() {
        for authority in [ca(), rsa_ca()] {
            let ca_key = authority.certificate.public_key();
            assert_eq!(authority.key.public_key(), ca_key);
            assert_eq!(SigningKey::public_key(&*authority.ra_key), authority.ra_certificate.public_key());
            for certificate in [&authority.certificate, &authority.ra_certificate] {
                certificate.verify_signed_by(ca_key, &AwsLc).unwrap();
                assert_eq!(certificate.issuer(), authority.certificate.subject());
                assert!(certificate.validity().contains(NOW));
                assert!(certificate.validity().contains(UnixTime(2_500_000_000)));
            }
        }
        for device in [device(), device_p256()] {
            assert_eq!(device.key.public_key(), device.certificate.public_key());
            device.certificate.verify_signed_by(ca().certificate.public_key(), &AwsLc).unwrap();
            assert_eq!(device.certificate.subject().to_string(), "CN=laptop-1,O=Example");
        }
    }
}
