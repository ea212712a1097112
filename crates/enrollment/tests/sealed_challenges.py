#!/usr/bin/env python3
"""A second implementation of docs/sealed-challenges.md, from that page alone, with nothing but the standard library.

    sealed_challenges.py check VECTORS      reads every vector both ways
    sealed_challenges.py seal LINE          seals: key, key id, nonce, profile, expires, object or -, key hash or -, names
    sealed_challenges.py open LINE          opens: key, profile, text
"""

import pathlib
import sys
import tomllib

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
KINDS = {
    "device": 0, "user": 1, "entra-device": 2, "entra-user": 3, "intune-device": 4, "ldap-entry": 5,
    "scim-resource": 6, "jamf-computer": 8, "jamf-mobile-device": 9, "jamf-user": 10,
    "jamf-user-on-computer": 11, "jamf-user-on-mobile-device": 12, "numbered": 13,
}
NAMES = {number: name for name, number in KINDS.items()}


# --- AES-256, encryption only (FIPS 197)

def double(octet):
    return (octet << 1) ^ (0x11B if octet & 0x80 else 0)


def make_sbox():
    power, powers = 1, []
    for _ in range(255):
        powers.append(power)
        power = double(power) ^ power
    box = [0x63] * 256
    for exponent, octet in enumerate(powers):
        inverse = powers[-exponent % 255]
        bits = inverse | inverse << 8
        box[octet] = 0x63 ^ inverse
        for shift in (4, 5, 6, 7):
            box[octet] ^= bits >> shift & 0xFF
    return box


SBOX = make_sbox()


def aes_schedule(key):
    words = [list(key[at:at + 4]) for at in range(0, 32, 4)]
    constant = 1
    for at in range(8, 60):
        word = words[-1]
        if at % 8 == 0:
            word = [SBOX[octet] for octet in word[1:] + word[:1]]
            word[0] ^= constant
            constant = double(constant)
        elif at % 8 == 4:
            word = [SBOX[octet] for octet in word]
        words.append([one ^ other for one, other in zip(words[-8], word)])
    return [sum(words[at:at + 4], []) for at in range(0, 60, 4)]


def mix(column):
    whole = column[0] ^ column[1] ^ column[2] ^ column[3]
    return [octet ^ whole ^ double(octet ^ column[(at + 1) % 4]) for at, octet in enumerate(column)]


def aes(schedule, block):
    state = [octet ^ key for octet, key in zip(block, schedule[0])]
    for number, key in enumerate(schedule[1:], 1):
        state = [SBOX[state[(5 * at) % 16]] for at in range(16)]
        if number < 14:
            state = sum((mix(state[at:at + 4]) for at in range(0, 16, 4)), [])
        state = [octet ^ part for octet, part in zip(state, key)]
    return bytes(state)


# --- GCM (NIST SP 800-38D) with a nonce of 96 bits

def times(x, y):
    product = 0
    for at in range(127, -1, -1):
        if x >> at & 1:
            product ^= y
        y = y >> 1 ^ (0xE1 << 120 if y & 1 else 0)
    return product


def padded(octets):
    return octets + bytes(-len(octets) % 16)


def gcm_tag(schedule, nonce, associated, ciphertext):
    h = int.from_bytes(aes(schedule, bytes(16)), "big")
    lengths = (8 * len(associated)).to_bytes(8, "big") + (8 * len(ciphertext)).to_bytes(8, "big")
    blocks, y = padded(associated) + padded(ciphertext) + lengths, 0
    for at in range(0, len(blocks), 16):
        y = times(y ^ int.from_bytes(blocks[at:at + 16], "big"), h)
    mask = aes(schedule, nonce + (1).to_bytes(4, "big"))
    return bytes(one ^ other for one, other in zip(y.to_bytes(16, "big"), mask))


def counter(schedule, nonce, octets):
    stream = b"".join(
        aes(schedule, nonce + (2 + at).to_bytes(4, "big")) for at in range(-(-len(octets) // 16)))
    return bytes(one ^ other for one, other in zip(octets, stream))


def gcm_seal(key, nonce, associated, plain):
    schedule = aes_schedule(key)
    ciphertext = counter(schedule, nonce, plain)
    return ciphertext + gcm_tag(schedule, nonce, associated, ciphertext)


def gcm_open(key, nonce, associated, sealed):
    schedule = aes_schedule(key)
    ciphertext, tag = sealed[:-16], sealed[-16:]
    if tag != gcm_tag(schedule, nonce, associated, ciphertext):
        raise ValueError("not authentic")
    return counter(schedule, nonce, ciphertext)


assert gcm_seal(bytes(32), bytes(12), b"", b"").hex() == "530f8afbc74536b9a963b4f1c4cb738b"
assert gcm_seal(bytes(32), bytes(12), b"", bytes(16)).hex() == (
    "cea7403d4d606b6e074ec5d3baf39d18d0d1c8a799996bf0265b98b5d48ab919")


# --- the page

def to_text(octets):
    bits = "".join(f"{octet:08b}" for octet in octets)
    bits += "0" * (-len(bits) % 5)
    return "CBS1-" + "".join(ALPHABET[int(bits[at:at + 5], 2)] for at in range(0, len(bits), 5))


def from_text(text):
    text = text.upper().replace("-", "").replace("O", "0").replace("I", "1").replace("L", "1")
    assert text.startswith("CBS1")
    bits = "".join(f"{ALPHABET.index(symbol):05b}" for symbol in text[4:])
    used = len(bits) // 8 * 8
    assert "1" not in bits[used:]
    return bytes(int(bits[at:at + 8], 2) for at in range(0, used, 8))


def object_octets(text):
    kind, _, id = text.partition(":")
    number = KINDS[kind]
    if number < 8:
        return bytes([number]) + bytes.fromhex(id.replace("-", ""))
    device, slash, user = id.partition("/")
    id = int(device) << 32 | int(user) if slash else int(device)
    return bytes([number]) + id.to_bytes(8, "big")


def terms_octets(expires, object, key_hash, names):
    flags = (1 if object else 0) | (2 if key_hash else 0) | (4 if names else 0)
    octets = bytes([flags]) + expires.to_bytes(5, "big")
    octets += object_octets(object) if object else b""
    octets += bytes.fromhex(key_hash or "")
    return octets + b"".join(bytes([len(name.encode())]) + name.encode() for name in names)


def associated(key_id, profile):
    return b"CBS1" + bytes([key_id]) + profile.encode()


def seal(vector):
    terms = terms_octets(vector["expires"], vector.get("object"), vector.get("key_hash"), vector.get("names", []))
    key, nonce = bytes.fromhex(vector["key"]), bytes.fromhex(vector["nonce"])
    sealed = gcm_seal(key, nonce, associated(vector["key_id"], vector["profile"]), terms)
    return to_text(bytes([vector["key_id"]]) + nonce + sealed)


def open_terms(vector):
    octets = from_text(vector["challenge"])
    key = bytes.fromhex(vector["key"])
    return gcm_open(key, octets[1:13], associated(octets[0], vector["profile"]), octets[13:])


def main():
    vectors = tomllib.loads(pathlib.Path(sys.argv[2]).read_text())["vector"]
    if sys.argv[1] == "check":
        for vector in vectors:
            assert seal(vector) == vector["challenge"], vector
            assert open_terms(vector).hex() == vector["terms"], vector
        print(len(vectors))
    else:
        for vector in vectors:
            print(f"terms = \"{terms_octets(vector['expires'], vector.get('object'), vector.get('key_hash'), vector.get('names', [])).hex()}\"")
            print(f"challenge = \"{seal(vector)}\"")


main()
