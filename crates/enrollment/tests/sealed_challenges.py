#!/usr/bin/env python3
"""A second implementation of docs/sealed-challenges.md, from that page alone, with nothing but the standard library.

    sealed_challenges.py check VECTORS      reads every vector both ways
    sealed_challenges.py seal LINE          seals: key, key id, nonce, profile, expires, object or -, key hash or -, names
    sealed_challenges.py open LINE          opens: key, profile, text
"""

import pathlib
import sys
import tomllib

# AES and the numbers of kinds are those of the other second implementation.
sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).parents[2] / "serial-binding" / "tests"))
from second_implementation import KINDS, aes, aes_schedule

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


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
