"""Reads a CRL with the library cryptography, verifies it, and prints what stands on it: a line for the list, one for each
entry. Arguments: the CRL, the certificate of its issuer."""

import sys

from cryptography import x509

with open(sys.argv[1], "rb") as file:
    crl = x509.load_der_x509_crl(file.read())
with open(sys.argv[2], "rb") as file:
    ca = x509.load_pem_x509_certificate(file.read())


def value(kind):
    try:
        return crl.extensions.get_extension_for_class(kind).value
    except x509.ExtensionNotFound:
        return None


delta = value(x509.DeltaCRLIndicator)
print(
    "signed" if crl.is_signature_valid(ca.public_key()) and crl.issuer == ca.subject else "NOT SIGNED",
    value(x509.CRLNumber).crl_number,
    f"since {delta.crl_number}" if delta else "full",
    "fresher" if value(x509.FreshestCRL) else "",
)
for entry in crl:
    reasons = [extension.value.reason.name for extension in entry.extensions if extension.oid.dotted_string == "2.5.29.21"]
    print(f"{entry.serial_number:X}", *reasons)
