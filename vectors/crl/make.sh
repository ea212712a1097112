#!/bin/sh
# Makes every vector of this folder anew, with OpenSSL 3.0 or later.
set -eu
cd "$(dirname "$0")"
rm -rf pki full* delta* refused*
mkdir pki
P256="-algorithm EC -pkeyopt ec_paramgen_curve:P-256"
openssl genpkey $P256 -out pki/ca.key.pem 2>/dev/null
openssl req -x509 -new -key pki/ca.key.pem -subj "/O=Example/CN=Example CA" -days 36500 -out pki/ca.pem \
    -addext basicConstraints=critical,CA:TRUE -addext keyUsage=critical,keyCertSign,cRLSign

work=$(mktemp -d)
trap 'rm -r "$work"' EXIT
cat > "$work/config" <<'END'
[ca]
default_ca = this
[this]
database = $ENV::WORK/index
crlnumber = $ENV::WORK/number
certificate = pki/ca.pem
private_key = pki/ca.key.pem
default_md = sha256
[old]
database = $ENV::WORK/index
certificate = pki/ca.pem
private_key = pki/ca.key.pem
default_md = sha256
[plain]
authorityKeyIdentifier = keyid
[delta]
authorityKeyIdentifier = keyid
2.5.29.27 = critical,DER:02:01:05
[point]
authorityKeyIdentifier = keyid
issuingDistributionPoint = critical,@point_of
freshestCRL = URI:http://ca.example.com/crl/delta
[point_of]
fullname = URI:http://ca.example.com/crl
[users]
issuingDistributionPoint = critical,@users_of
[users_of]
onlyuser = TRUE
[cas]
issuingDistributionPoint = critical,@cas_of
[cas_of]
onlyCA = TRUE
[reasons]
issuingDistributionPoint = critical,@reasons_of
[reasons_of]
onlysomereasons = keyCompromise,CACompromise
[indirect]
issuingDistributionPoint = critical,@indirect_of
[indirect_of]
indirectCRL = TRUE
[critical]
1.2.3.4.5 = critical,DER:05:00
END

crl() { # name, number, section of extensions (none for version 1), nextUpdate, entries as "SERIAL DATE[,REASON[,MORE]]"
    name=$1 number=$2 section=$3 next=$4
    shift 4
    : > "$work/index"
    for entry; do
        printf 'R\t491231235959Z\t%s\t%s\tunknown\t/CN=x\n' "${entry#* }" "${entry%% *}" >> "$work/index"
    done
    echo "$number" > "$work/number"
    mkdir "$name"
    [ "$section" ] && options="-name this -crlexts $section" || options="-name old"
    WORK=$work openssl ca -config "$work/config" $options -gencrl -crl_lastupdate 20261121120000Z \
        -crl_nextupdate "$next" 2>/dev/null | openssl crl -outform DER -out "$name/input.der"
}
expect() { # name, lines
    printf "$2" > "$1/expect.toml"
}
LATER=20361121120000Z
LONG=7FFEDCBA9876543210FEDCBA9876543210FEDCBA

crl full 05 plain $LATER "01 261001000000Z" "02 261002000000Z,keyCompromise" "03 261003000000Z,certificateHold" \
    "$LONG 261004000000Z,superseded"
expect full "number = \"5\"\nentries = [\"01\", \"02 keyCompromise\", \"03 certificateHold\", \"$LONG superseded\"]\n"
crl full-empty 06 plain $LATER
expect full-empty 'number = "6"\nentries = []\n'
crl full-version-1 07 "" $LATER "01 261001000000Z"
expect full-version-1 'entries = ["01"]\n'
crl full-after-2049 0100000000000000000001 plain 20511121120000Z "01 261001000000Z,keyTime,20260901000000Z"
expect full-after-2049 'number = "0x0100000000000000000001"\nentries = ["01 keyCompromise 2026-09-01T00:00:00Z"]\n'
crl full-of-users 08 users $LATER "01 261001000000Z"
expect full-of-users 'number = "8"\nentries = ["01"]\n'
crl delta 08 delta $LATER "03 261101000000Z,removeFromCRL" "04 261101000000Z,affiliationChanged"
expect delta 'number = "8"\nbase = "5"\nentries = ["03 removeFromCRL", "04 affiliationChanged"]\n'
crl full-of-a-point 09 point $LATER "01 261001000000Z"
expect full-of-a-point 'number = "9"\npoint = "http://ca.example.com/crl"\nentries = ["01"]\nrefused = "one of several"\n'
crl refused-cas 0A cas $LATER "01 261001000000Z"
expect refused-cas 'number = "10"\nentries = ["01"]\nrefused = "onlyContainsCACerts"\n'
crl refused-some-reasons 0B reasons $LATER "01 261001000000Z"
expect refused-some-reasons 'number = "11"\nentries = ["01"]\nrefused = "onlySomeReasons"\n'
crl refused-indirect 0C indirect $LATER "01 261001000000Z"
expect refused-indirect 'number = "12"\nentries = ["01"]\nrefused = "indirectCRL"\n'
crl refused-critical 0D critical $LATER "01 261001000000Z"
expect refused-critical 'number = "13"\nentries = ["01"]\nrefused = "1.2.3.4.5"\n'
crl refused-run-out 0E plain 20261121120001Z
expect refused-run-out 'number = "14"\nentries = []\nrefused = "was good until"\n'
