"""Asks a responder about a certificate and judges the answer with the package `cryptography`.

Usage: check_response.py URL CA CERTIFICATE. Prints one line: the status, and the reason of a revocation. The package
verifies no response by itself, so the rules of RFC 6960 section 3.2 are spelled out here once more.
"""

import os
import sys
import urllib.request
from datetime import datetime, timezone

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding
from cryptography.x509 import ocsp

url, ca_path, certificate_path = sys.argv[1:]
ca = x509.load_pem_x509_certificate(open(ca_path, "rb").read())
certificate = x509.load_pem_x509_certificate(open(certificate_path, "rb").read())

builder = ocsp.OCSPRequestBuilder().add_certificate(certificate, ca, hashes.SHA256())
nonce = os.urandom(32)
request = builder.add_extension(x509.OCSPNonce(nonce), critical=False).build()
post = urllib.request.Request(
    url,
    data=request.public_bytes(serialization.Encoding.DER),
    headers={"Content-Type": "application/ocsp-request"},
)
with urllib.request.urlopen(post) as reply:
    assert reply.headers["Content-Type"] == "application/ocsp-response", reply.headers
    response = ocsp.load_der_ocsp_response(reply.read())

assert response.response_status is ocsp.OCSPResponseStatus.SUCCESSFUL, response.response_status
assert response.serial_number == certificate.serial_number
assert response.issuer_key_hash == request.issuer_key_hash
assert response.issuer_name_hash == request.issuer_name_hash
assert isinstance(response.hash_algorithm, hashes.SHA256)
assert response.extensions.get_extension_for_class(x509.OCSPNonce).value.nonce == nonce

(delegate,) = response.certificates
delegate.verify_directly_issued_by(ca)
usages = delegate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
assert list(usages) == [x509.ExtendedKeyUsageOID.OCSP_SIGNING], usages
assert delegate.extensions.get_extension_for_class(x509.OCSPNoCheck)
key_identifier = x509.SubjectKeyIdentifier.from_public_key(delegate.public_key()).digest
assert response.responder_name is None and response.responder_key_hash == key_identifier

key, signed = delegate.public_key(), response.tbs_response_bytes
digest = response.signature_hash_algorithm
if isinstance(key, ec.EllipticCurvePublicKey):
    key.verify(response.signature, signed, ec.ECDSA(digest))
else:
    key.verify(response.signature, signed, padding.PKCS1v15(), digest)

now = datetime.now(timezone.utc)
assert delegate.not_valid_before_utc <= now <= delegate.not_valid_after_utc
assert response.this_update_utc <= response.produced_at_utc <= now < response.next_update_utc

print(response.certificate_status.name.lower(), getattr(response.revocation_reason, "value", ""))
