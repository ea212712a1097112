#!/bin/sh
# Makes every key and certificate of this folder anew, with OpenSSL 3; ORIGIN.md says what they are.
set -eu
cd "$(dirname "$0")"

for name in ca-rsa ra device stranger; do
    openssl genpkey -quiet -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out "$name.key.pem"
done
openssl genpkey -quiet -algorithm RSA -pkeyopt rsa_keygen_bits:3072 -out rsa-3072.key.pem
for name in ca device-p256; do
    openssl genpkey -quiet -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$name.key.pem"
done
openssl genpkey -quiet -algorithm EC -pkeyopt ec_paramgen_curve:P-384 -out p384.key.pem

work=$(mktemp -d)
trap 'rm -r "$work"' EXIT
cat > "$work/ca.cnf" <<END
[ ca ]
default_ca = own
[ own ]
database = $work/index.txt
serial = $work/serial
new_certs_dir = $work
policy = any
default_md = sha256
unique_subject = no
email_in_dn = no
[ any ]
organizationName = supplied
commonName = supplied
[ root ]
basicConstraints = critical, CA:TRUE
keyUsage = critical, keyCertSign, cRLSign
subjectKeyIdentifier = hash
[ registration ]
basicConstraints = critical, CA:FALSE
keyUsage = critical, digitalSignature, keyEncipherment
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
[ leaf ]
basicConstraints = critical, CA:FALSE
keyUsage = critical, digitalSignature, keyEncipherment
extendedKeyUsage = clientAuth
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
END

# certify CA SUBJECT-KEY NAME SERIAL EXTENSIONS OUT
certify() {
    : > "$work/index.txt"
    echo "$4" > "$work/serial"
    openssl req -new -key "$2.key.pem" -subj "$3" -out "$work/request.pem"
    if [ "$1" = "$2" ]; then
        signer="-selfsign -keyfile $1.key.pem"
    else
        signer="-cert $1.cert.pem -keyfile $1.key.pem"
    fi
    # shellcheck disable=SC2086
    openssl ca -batch -notext -config "$work/ca.cnf" $signer -extensions "$5" -in "$work/request.pem" \
        -startdate 20200101000000Z -enddate 20491231235959Z -out "$6.cert.pem" 2> "$work/log" || cat "$work/log"
}

certify ca ca "/O=Example/CN=Example CA" 01 root ca
certify ca-rsa ca-rsa "/O=Example/CN=Example RSA CA" 01 root ca-rsa
certify ca ra "/O=Example/CN=Example RA" 02 registration ra
certify ca-rsa ra "/O=Example/CN=Example RA" 02 registration ra-of-ca-rsa
certify ca device "/O=Example/CN=laptop-1" 03 leaf device
certify ca device-p256 "/O=Example/CN=laptop-1" 04 leaf device-p256
