#!/bin/sh
# Makes every vector of this folder anew, with OpenSSL 3.0 and GnuTLS 3.7 or later.
set -eu
cd "$(dirname "$0")"
rm -rf pki request-* response-*
mkdir pki
cd pki

ca() { # name, subject, key options
    openssl genpkey -quiet $3 -out "$1.key.pem" 2>/dev/null || openssl genpkey $3 -out "$1.key.pem" 2>/dev/null
    openssl req -x509 -new -key "$1.key.pem" -subj "$2" -days 36500 -out "$1.pem" \
        -addext basicConstraints=critical,CA:TRUE -addext keyUsage=critical,keyCertSign,cRLSign
}
P256="-algorithm EC -pkeyopt ec_paramgen_curve:P-256"
RSA="-algorithm RSA -pkeyopt rsa_keygen_bits:2048"
ca ca "/O=Example/CN=Example CA" "$P256"
ca rsa-ca "/O=Example/CN=Example RSA CA" "$RSA"
ca impostor "/O=Example/CN=Example CA" "$P256"

certificate() { # name, key name, CA, serial, extensions, key options
    [ -e "$2.key.pem" ] || openssl genpkey ${6:-$P256} -out "$2.key.pem" 2>/dev/null
    printf '%b' "$5" > ext
    openssl req -new -key "$2.key.pem" -subj "/CN=$1" |
        openssl x509 -req ${DIGEST:-} -CA "$3.pem" -CAkey "$3.key.pem" -set_serial "$4" -days 36500 -extfile ext -out "$1.pem" 2>/dev/null
    rm ext
}
SIGN="keyUsage=critical,digitalSignature\n"
EKU="extendedKeyUsage=OCSPSigning\n"
NOCHECK="noCheck=ignored\n"
openssl genpkey $RSA -out rsa-delegate.key.pem 2>/dev/null
certificate delegate delegate ca 0x21 "$SIGN$EKU$NOCHECK"
certificate rsa-delegate rsa-delegate rsa-ca 0x22 "$SIGN$EKU$NOCHECK"
certificate delegate-without-eku delegate ca 0x23 "$SIGN$NOCHECK"
certificate delegate-of-any-eku delegate ca 0x24 "${SIGN}extendedKeyUsage=anyExtendedKeyUsage,clientAuth\n$NOCHECK"
certificate delegate-without-nocheck delegate ca 0x25 "$SIGN$EKU"
certificate delegate-for-encipherment delegate ca 0x26 "keyUsage=critical,keyEncipherment\n$EKU$NOCHECK"
certificate delegate-with-ca delegate ca 0x27 "$SIGN$EKU${NOCHECK}basicConstraints=critical,CA:TRUE\n"
certificate delegate-of-impostor delegate impostor 0x28 "$SIGN$EKU$NOCHECK"
certificate delegate-of-other-ca delegate rsa-ca 0x29 "$SIGN$EKU$NOCHECK"
# A CA below ours makes a delegate: issued by an ancestor's child, not directly.
certificate sub-ca sub-ca ca 0x2A "basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign\n"
certificate delegate-of-sub-ca delegate sub-ca 0x2B "$SIGN$EKU$NOCHECK"
certificate delegate-next delegate-next ca 0x2C "$SIGN$EKU$NOCHECK"
# The same CA's with other keys, for clients that prefer them.
certificate delegate-p384 delegate-p384 ca 0x2D "$SIGN$EKU$NOCHECK" "-algorithm EC -pkeyopt ec_paramgen_curve:P-384"
certificate delegate-rsa delegate-rsa ca 0x2E "$SIGN$EKU$NOCHECK" "$RSA"
certificate delegate-ed25519 delegate-ed25519 ca 0x2F "$SIGN$EKU$NOCHECK" "-algorithm ED25519"
certificate delegate-with-critical delegate ca 0x30 "$SIGN$EKU${NOCHECK}1.3.6.1.4.1.32473.1=critical,ASN1:NULL\n"
certificate delegate-with-critical-nocheck delegate ca 0x31 "$SIGN${EKU}noCheck=critical,ignored\n"
DIGEST=-sha1 certificate delegate-by-sha1 rsa-delegate rsa-ca 0x32 "$SIGN$EKU$NOCHECK"
certificate device device ca 0x3000112233445566778899AABBCCDDEE "$SIGN"
cd ..

S16=0x3000112233445566778899AABBCCDDEE
S20=0x7FFEDCBA9876543210FEDCBA9876543210FEDCBA
HOLD=0x3100112233445566778899AABBCCDDEE
LOST=0x3200112233445566778899AABBCCDDEE

request() { # name, options...
    name=$1; shift
    mkdir "request-$name"
    openssl ocsp -issuer "pki/${ISSUER:-ca}.pem" "$@" -reqout "request-$name/input.der" 2>/dev/null
}
expect() { # name, lines
    printf '%b' "$2" > "request-$1/expect.toml"
}
nonce() { # of a request
    openssl ocsp -reqin "request-$1/input.der" -req_text 2>/dev/null | sed -n '/Nonce/{n;s/ //g;p}' | cut -c5-
}
request sha1 -serial $S16 -no_nonce
expect sha1 "cert_ids = [\"Sha1 ${S16#0x}\"]\n"
request sha1-nonce -serial $S20 -nonce
expect sha1-nonce "cert_ids = [\"Sha1 ${S20#0x}\"]\nnonce = \"$(nonce sha1-nonce)\"\n"
request sha256 -sha256 -serial $S20 -no_nonce
expect sha256 "cert_ids = [\"Sha256 ${S20#0x}\"]\n"
request sha256-nonce -sha256 -serial $S16 -nonce
expect sha256-nonce "cert_ids = [\"Sha256 ${S16#0x}\"]\nnonce = \"$(nonce sha256-nonce)\"\n"
request sha384-sha512 -sha384 -serial $S16 -sha512 -serial $S16 -no_nonce
expect sha384-sha512 "cert_ids = [\"Sha384 ${S16#0x}\", \"Sha512 ${S16#0x}\"]\n"
ISSUER=rsa-ca request rsa -sha256 -serial $S16 -nonce
expect rsa "issuer = \"rsa-ca\"\ncert_ids = [\"Sha256 ${S16#0x}\"]\nnonce = \"$(nonce rsa)\"\n"
request three -serial $S16 -sha256 -serial $HOLD -serial $LOST -no_nonce
expect three "cert_ids = [\"Sha1 ${S16#0x}\", \"Sha256 ${HOLD#0x}\", \"Sha256 ${LOST#0x}\"]\n"
request nine -no_nonce $(for n in 1 2 3 4 5 6 7 8 9; do echo "-serial 0x300$n"; done)
expect nine 'error = "unauthorized"\n'
request unknown-digest -sha3-256 -serial $S16 -no_nonce
expect unknown-digest "cert_ids = [\"other ${S16#0x}\"]\n"
request long-serial -serial 0x30AABBCCDDEEFF00112233445566778899AABBCCDDEEFF -no_nonce
expect long-serial 'cert_ids = ["Sha1 30AABBCCDDEEFF00112233445566778899AABBCCDDEEFF"]\n'
request negative-serial -serial -0x05 -no_nonce
expect negative-serial 'cert_ids = ["Sha1 FB"]\n'
# About a certificate of the CA below, whose parent must not answer for it.
ISSUER=sub-ca request sub -sha256 -serial $S16 -no_nonce
expect sub "issuer = \"sub-ca\"\ncert_ids = [\"Sha256 ${S16#0x}\"]\n"
# Signed, and with a requestorName.
request signed -serial $S16 -no_nonce -signer pki/device.pem -signkey pki/device.key.pem
expect signed "cert_ids = [\"Sha1 ${S16#0x}\"]\n"
mkdir request-gnutls
ocsptool --generate-request --load-issuer pki/ca.pem --load-cert pki/device.pem --outder --outfile request-gnutls/input.der >/dev/null

expect gnutls "cert_ids = [\"Sha1 ${S16#0x}\"]\n"

# Responses: OpenSSL's index knows one certificate of each kind.
{
    printf 'V\t991231235959Z\t\t%s\tunknown\t/CN=good\n' ${S16#0x}
    printf 'R\t991231235959Z\t260102030405Z,certificateHold\t%s\tunknown\t/CN=hold\n' ${HOLD#0x}
    printf 'R\t991231235959Z\t260102030405Z\t%s\tunknown\t/CN=lost\n' ${LOST#0x}
} > index.txt
echo unique_subject=no > index.txt.attr
response() { # name, request, expected, CA, responder certificate, options
    name=$1; from=$2; expected=$3; ca=$4; signer=$5; key=$6; shift 6
    mkdir "response-$name"
    cp "request-$from/input.der" "response-$name/request.der"
    openssl ocsp -index index.txt -CA "pki/$ca.pem" -rsigner "pki/$signer.pem" -rkey "pki/$key.key.pem" \
        -reqin "request-$from/input.der" -respout "response-$name/input.der" "$@" 2>/dev/null
    printf '%b' "$expected" > "response-$name/expect.toml"
}
response good sha1 'statuses = ["good"]\n' ca delegate delegate -ndays 1
response good-nonce sha256-nonce 'statuses = ["good"]\nnonce = "matched"\n' ca delegate delegate -ndays 1
response by-key sha256-nonce 'statuses = ["good"]\nnonce = "matched"\n' ca delegate delegate -ndays 1 -resp_key_id
response by-issuer sha1 'statuses = ["good"]\n' ca ca ca -ndays 1
response three three 'statuses = ["good", "certificateHold at 2026-01-02T03:04:05Z", "revoked at 2026-01-02T03:04:05Z"]\n' ca delegate delegate -ndays 1
response unknown sha256 'statuses = ["unknown"]\n' ca delegate delegate -ndays 1
response no-next-update sha1 'error = "NoNextUpdate"\n' ca delegate delegate
response no-certs sha1 'error = "SignerMissing"\n' ca delegate delegate -ndays 1 -resp_no_certs
response rsa rsa 'issuer = "rsa-ca"\nstatuses = ["good"]\nnonce = "matched"\n' rsa-ca rsa-delegate rsa-delegate -ndays 1
response weak rsa 'issuer = "rsa-ca"\nerror = "WeakSignature"\n' rsa-ca rsa-delegate rsa-delegate -ndays 1 -rmd sha1
response p384 sha256-nonce 'statuses = ["good"]\nnonce = "matched"\n' ca delegate-p384 delegate-p384 -ndays 1 -rmd sha384
response pss sha256-nonce 'statuses = ["good"]\nnonce = "matched"\n' ca delegate-rsa delegate-rsa -ndays 1 -rsigopt rsa_padding_mode:pss -rsigopt rsa_pss_saltlen:digest
response ed25519 sha256-nonce 'statuses = ["good"]\nnonce = "matched"\n' ca delegate-ed25519 delegate-ed25519 -ndays 1
response delegate-without-nocheck sha1 'statuses = ["good"]\nentitlement = "DelegateToBeChecked"\n' ca delegate-without-nocheck delegate -ndays 1
response delegate-of-ancestor sub 'issuer = "sub-ca"\nerror = "SignerNotEntitled"\n' sub-ca delegate delegate -ndays 1
response by-ancestor sub 'issuer = "sub-ca"\nerror = "SignerNotEntitled"\n' sub-ca ca ca -ndays 1
response by-device sha1 'error = "SignerNotEntitled"\n' ca device device -ndays 1
for bad in without-eku of-any-eku for-encipherment with-ca of-impostor of-other-ca of-sub-ca with-critical; do
    response "delegate-$bad" sha1 'error = "SignerNotEntitled"\n' ca "delegate-$bad" delegate -ndays 1
done
rm index.txt index.txt.attr
