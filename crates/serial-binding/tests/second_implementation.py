#!/usr/bin/env python3
"""A second implementation of docs/serial-binding.md, from that page alone, with nothing but the standard library.

    second_implementation.py check VECTORS_DIRECTORY    reads every vector both ways
    second_implementation.py example                    prints the worked example of the page
    second_implementation.py answer                     answers seal/open questions, one a line, from standard input
"""

import hashlib
import pathlib
import sys
import tomllib

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


# --- FF1 for any radix (NIST SP 800-38G, algorithms 7 and 8)

def number_of(digits, radix):
    value = 0
    for digit in digits:
        value = value * radix + digit
    return value


def digits_of(value, radix, length):
    digits = []
    for _ in range(length):
        value, digit = divmod(value, radix)
        digits.append(digit)
    return digits[::-1]


def xor(one, other):
    return bytes(a ^ b for a, b in zip(one, other))


def ff1(key, tweak, radix, digits, direction, trace=None):
    trace = trace if trace is not None else {}
    schedule = aes_schedule(key)
    n, t = len(digits), len(tweak)
    u = n // 2
    v = n - u
    a, b = number_of(digits[:u], radix), number_of(digits[u:], radix)
    bits = (radix ** v - 1).bit_length()
    length_b = -(-bits // 8)
    length_d = 4 * -(-length_b // 4) + 4
    p = (bytes([1, 2, 1]) + radix.to_bytes(3, "big") + bytes([10, u % 256])
         + n.to_bytes(4, "big") + t.to_bytes(4, "big"))
    trace.update(P=p, b=length_b, d=length_d, rounds=[])
    for i in range(10) if direction > 0 else reversed(range(10)):
        q = tweak + bytes((-t - length_b - 1) % 16) + bytes([i])
        q += (b if direction > 0 else a).to_bytes(length_b, "big")
        r = bytes(16)
        states = []
        for at in range(0, 16 + len(q), 16):
            r = aes(schedule, xor(r, (p + q)[at:at + 16]))
            states.append(r)
        s = r
        for j in range(1, -(-length_d // 16)):
            s += aes(schedule, xor(r, j.to_bytes(16, "big")))
        y = int.from_bytes(s[:length_d], "big")
        modulus = radix ** (u if i % 2 == 0 else v)
        if direction > 0:
            a, b = b, (a + y) % modulus
        else:
            a, b = (b - y) % modulus, a
        trace["rounds"].append({"i": i, "Q": q, "states": states, "A": a, "B": b})
    return digits_of(a, radix, u) + digits_of(b, radix, v)


def self_check():
    assert aes(aes_schedule(bytes(range(32))), bytes.fromhex("00112233445566778899aabbccddeeff")).hex() \
        == "8ea2b7ca516745bfeafc49904b496089", "FIPS 197, appendix C.3"
    key = bytes.fromhex("2B7E151628AED2A6ABF7158809CF4F3CEF4359D8D580AA4F7F036D6F04FC6A94")
    alphabet = "0123456789abcdefghijklmnopqrstuvwxyz"
    for radix, tweak, plain, cipher in [
        (10, "", "0123456789", "6657667009"),
        (10, "39383736353433323130", "0123456789", "1001623463"),
        (36, "3737373770717273373737", "0123456789abcdefghi", "xs8a0azh2avyalyzuwd"),
    ]:
        plain_digits, cipher_digits = ([alphabet.index(c) for c in text] for text in (plain, cipher))
        tweak = bytes.fromhex(tweak)
        assert ff1(key, tweak, radix, plain_digits, 1) == cipher_digits, "NIST's samples 7 to 9 for FF1"
        assert ff1(key, tweak, radix, cipher_digits, -1) == plain_digits, "NIST's samples 7 to 9 for FF1"


# --- the layouts

def bits(value, length):
    return format(value, f"0{length}b")


def id_bits(kind, text):
    if kind < 8:
        return bits(int(text.replace("-", ""), 16), 128)
    if "/" in text:
        device, user = text.split("/")
        return bits(int(device), 32) + bits(int(user), 32)
    return bits(int(text), 64)


def id_text(kind, number):
    if kind < 8:
        digits = format(number, "032x")
        return "-".join([digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]])
    if kind in (11, 12):
        return f"{number >> 32}/{number & 0xFFFFFFFF}"
    return str(number)


def serial_of(first, string):
    return bytes([first]) + int(string, 2).to_bytes(19, "big")


def plain_serial(kind, text, random):
    length = 24 if kind < 8 else 88
    return serial_of(0x10 | kind, id_bits(kind, text) + bits(int(random, 16), length))


def open_plain(serial):
    kind, string = serial[0] & 15, bits(int.from_bytes(serial[1:], "big"), 152)
    length = 128 if kind < 8 else 64
    if kind not in NAMES:
        return None
    return kind, id_text(kind, int(string[:length], 2)), format(int(string[length:], 2), "x")


def tweak_of(first, spki):
    return bytes([first]) + hashlib.sha256(spki).digest()


def seal(key, key_id, spki, kind, text, nonce, trace=None):
    first = 0x20 | key_id
    nonce_length, check_length = (12, 8) if kind < 8 else (24, 60)
    string = bits(kind, 4) + id_bits(kind, text) + bits(int(nonce, 16), nonce_length) + "0" * check_length
    if trace is not None:
        trace["plain"] = string
    sealed = ff1(key, tweak_of(first, spki), 2, [int(bit) for bit in string], 1, trace)
    return serial_of(first, "".join(map(str, sealed)))


def open_sealed(key, spki, serial):
    string = bits(int.from_bytes(serial[1:], "big"), 152)
    opened = ff1(key, tweak_of(serial[0], spki), 2, [int(bit) for bit in string], -1)
    opened = "".join(map(str, opened))
    kind = int(opened[:4], 2)
    id_length, nonce_length = (128, 12) if kind < 8 else (64, 24)
    end_of_id, end_of_nonce = 4 + id_length, 4 + id_length + nonce_length
    if kind not in NAMES or "1" in opened[end_of_nonce:]:
        return None
    return kind, id_text(kind, int(opened[4:end_of_id], 2)), format(int(opened[end_of_id:end_of_nonce], 2), "x")


SCEPMAN = {
    0x40: "IntuneDevice", 0x41: "IntuneDevice", 0x42: "IncompliantIntuneDevice", 0x44: "JamfDevice",
    0x45: "JamfDevice", 0x50: "Static", 0x51: "Static", 0x54: "JamfComputer", 0x55: "JamfComputer",
    0x60: "IntuneUser", 0x61: "IntuneUser", 0x64: "JamfUser", 0x65: "JamfUser", 0x6C: "JamfUserOnDevice",
    0x6D: "JamfUserOnDevice", 0x70: "DomainController", 0x7C: "JamfUserOnComputer", 0x7D: "JamfUserOnComputer",
}


def open_scepman(serial):
    kind = SCEPMAN.get(serial[0])
    if kind is None or kind.startswith("Jamf"):
        return kind, None
    guid = serial[4:8][::-1] + serial[8:10][::-1] + serial[10:12][::-1] + serial[12:]
    return kind, id_text(0, int.from_bytes(guid, "big"))


# --- what the tests run

def check(directory):
    count = 0

    def expect(found, expected, what):
        nonlocal count
        count += 1
        if found != expected:
            sys.exit(f"{what}: expected {expected}, found {found}")

    def vectors(name):
        return tomllib.loads((pathlib.Path(directory) / name).read_text())

    for case in vectors("v1-plain.toml")["vector"]:
        kind, serial = KINDS[case["kind"]], bytes.fromhex(case["serial"])
        expect(plain_serial(kind, case["id"], case["random"]).hex(), case["serial"], case)
        expect(open_plain(serial)[:2], (kind, case["id"]), case)
    sealed = vectors("v2-sealed.toml")
    for case in sealed["vector"]:
        key, spki = bytes.fromhex(case["key"]), bytes.fromhex(case["issuer_spki"])
        kind, serial = KINDS[case["kind"]], bytes.fromhex(case["serial"])
        expect(seal(key, case["key_id"], spki, kind, case["id"], case["nonce"]).hex(), case["serial"], case)
        expect(open_sealed(key, spki, serial), (kind, case["id"], case["nonce"].lstrip("0") or "0"), case)
    for case in sealed["foreign"]:
        key, spki = bytes.fromhex(case["key"]), bytes.fromhex(case["issuer_spki"])
        expect(open_sealed(key, spki, bytes.fromhex(case["serial"])), None, case)
    for case in vectors("v3-opaque.toml")["vector"]:
        expect(bytes.fromhex(case["serial"])[0], 0x30, case)
    for case in vectors("scepman.toml")["vector"]:
        expect(open_scepman(bytes.fromhex(case["serial"])), (case.get("kind"), case.get("id")), case)
    print(f"{count} checks hold")


EXAMPLE = {
    "key": bytes(range(32)),
    "key_id": 5,
    "spki": bytes.fromhex(
        "3059301306072a8648ce3d020106082a8648ce3d03010703420004"
        "60fed4ba255a9d31c961eb74c6356d68c049b8923b61fa6ce669622e60f29fb6"
        "7903fe1008b8bc99a41ae9e95628bc64f2f1b20c2d7e9f5177a3c294d4462299"),
    "kind": 4,
    "text": "d6b58414-60ed-426b-b382-276a3e8d626d",
    "nonce": "5a3",
}


def example():
    trace = {}
    serial = seal(*EXAMPLE.values(), trace)
    first = 0x20 | EXAMPLE["key_id"]
    plain = int(trace["plain"], 2)

    def half(value):
        return format(value, "019x")

    print(f"key                {EXAMPLE['key'].hex()}")
    print(f"key id             {EXAMPLE['key_id']}")
    print(f"issuer SPKI        {EXAMPLE['spki'].hex()}")
    print(f"its SHA-256        {hashlib.sha256(EXAMPLE['spki']).hexdigest()}")
    print(f"object             {NAMES[EXAMPLE['kind']]}:{EXAMPLE['text']}")
    print(f"nonce              {EXAMPLE['nonce']}")
    print(f"first octet        {first:02x}")
    print(f"plain, 152 bits    {plain:038x}")
    print(f"tweak T            {tweak_of(first, EXAMPLE['spki']).hex()}")
    print(f"A before round 0   {half(plain >> 76)}")
    print(f"B before round 0   {half(plain & (1 << 76) - 1)}")
    print(f"b, d               {trace['b']}, {trace['d']}")
    print(f"P                  {trace['P'].hex()}")
    states = trace["rounds"][0]["states"]
    for name, state in zip(["P", "T[0..16]", "T[16..32]"], states):
        print(f"{'CBC-MAC after ' + name:<24} {state.hex()}")
    for step in trace["rounds"]:
        print(f"round {step['i']}: Q[32..48] {step['Q'][32:].hex()}  R {step['states'][-1].hex()}")
        print(f"         A {half(step['A'])}  B {half(step['B'])}")
    print(f"sealed, 152 bits   {serial[1:].hex()}")
    print(f"serial number      {serial.hex()}")


def answer():
    for line in sys.stdin:
        match line.split():
            case ["seal", key, key_id, spki, kind, text, nonce]:
                print(seal(bytes.fromhex(key), int(key_id), bytes.fromhex(spki), KINDS[kind], text, nonce).hex())
            case ["open", key, spki, serial]:
                opened = open_sealed(bytes.fromhex(key), bytes.fromhex(spki), bytes.fromhex(serial))
                print(f"{NAMES[opened[0]]}:{opened[1]}" if opened else "foreign")


if __name__ == "__main__":
    self_check()
    match sys.argv[1:]:
        case ["check", directory]:
            check(directory)
        case ["example"]:
            example()
        case ["answer"]:
            answer()
        case _:
            sys.exit(__doc__)
