//! The server's signature over a state: what is signed, in which form, by which key.

use std::path::Path;

use counterfoil_core::*;
use serde_json::Value;
use sha2::{Digest as _, Sha256};

/// The order of P-256's group (SEC 2 §2.4.2).
const ORDER: &str = "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551";

/// A state that a server signed.
struct Signed {
    database: Vec<u8>,
    state: TxAlh,
    /// r and s, 32 bytes each.
    numbers: [[u8; 32]; 2],
    key: Vec<u8>,
    spki: Vec<u8>,
}

impl Signed {
    fn verify(&self, signature: &[u8]) -> Result<SignedState<'_>, SignatureError> {
        StateKey::from_sec1(&self.key).unwrap().verify(&self.database, &self.state, signature)
    }
}

/// The first of the vectors.
fn signed() -> Signed {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/vectors/signed_state.json");
    let file: Value = serde_json::from_str(&std::fs::read_to_string(file).unwrap()).unwrap();
    let case = &file["cases"][0];
    assert_eq!(case["expect"], true);
    let text = |field: &str| case[field].as_str().unwrap();
    let bytes = |field: &str| hex::decode(text(field)).unwrap();
    Signed {
        database: text("db").as_bytes().to_vec(),
        state: TxAlh {
            tx: TxId::new(case["tx_id"].as_u64().unwrap()),
            alh: Alh::new(bytes("tx_hash").try_into().unwrap()),
        },
        numbers: numbers(&bytes("signature")),
        key: bytes("public_key_sec1"),
        spki: bytes("public_key_spki"),
    }
}

/// The numbers of a signature whose lengths take one byte each.
fn numbers(der: &[u8]) -> [[u8; 32]; 2] {
    let r_end = 4 + usize::from(der[3]);
    [&der[4..r_end], &der[r_end + 2..]].map(|integer| {
        let mut number = [0; 32];
        let digits = integer.strip_prefix(&[0]).unwrap_or(integer);
        number[32 - digits.len()..].copy_from_slice(digits);
        number
    })
}

/// An INTEGER of exactly these bytes.
fn integer(bytes: &[u8]) -> Vec<u8> {
    [&[2, u8::try_from(bytes.len()).unwrap()], bytes].concat()
}

/// The one INTEGER of this number: no zero in front but one that keeps it positive.
fn shortest(number: &[u8; 32]) -> Vec<u8> {
    let zeros = number.iter().take_while(|byte| **byte == 0).count().min(31);
    let digits = &number[zeros..];
    let sign: &[u8] = if digits[0] & 0x80 == 0 { &[] } else { &[0] };
    integer(&[sign, digits].concat())
}

fn sequence(parts: &[&[u8]]) -> Vec<u8> {
    let content = parts.concat();
    [&[0x30, u8::try_from(content.len()).unwrap()], &content[..]].concat()
}

fn der([r, s]: &[[u8; 32]; 2]) -> Vec<u8> {
    sequence(&[&shortest(r), &shortest(s)])
}

fn order() -> [u8; 32] {
    hex::decode(ORDER).unwrap().try_into().unwrap()
}

/// a − b, or a + b, modulo 2^256.
fn combine(a: &[u8; 32], b: &[u8; 32], sign: i32) -> [u8; 32] {
    let (mut result, mut carry) = ([0; 32], 0);
    for place in (0..32).rev() {
        let digit = i32::from(a[place]) + sign * i32::from(b[place]) + carry;
        result[place] = digit.rem_euclid(256) as u8;
        carry = digit.div_euclid(256);
    }
    result
}

#[test]
fn a_signed_state_is_the_one_that_was_asked_for() {
    let signed = signed();
    let state = signed.verify(&der(&signed.numbers)).unwrap().state_of(b"defaultdb").unwrap();
    assert_eq!((state.tx, state.alh), (signed.state.tx, signed.state.alh));
}

/// One key signs for all databases of a server: two states that are alike but for the name are two.
#[test]
fn a_signed_state_keeps_its_databases_name() {
    let signed = signed();
    let state = signed.verify(&der(&signed.numbers)).unwrap();
    assert_eq!(state.database(), b"defaultdb");
    // Whose name is compared, not where it lies.
    let name = signed.database.clone();
    assert_eq!(state.state_of(&name).map(TxAlh::from), Ok(signed.state));
    for other in [&b""[..], b"defaultd", b"defaultdb\0", b"Defaultdb", b"defaultdb2"] {
        assert_eq!(state.state_of(other), Err(SignatureError::OtherDatabase));
    }
}

/// A server's signature has either s, and whoever has one has the other.
#[test]
fn both_forms_of_s_are_accepted() {
    let signed = signed();
    let [r, s] = signed.numbers;
    let other = combine(&order(), &s, -1);
    assert_ne!(s, other);
    for s in [s, other] {
        assert!(signed.verify(&der(&[r, s])).is_ok());
    }
    // r has only one form.
    let negated = combine(&order(), &r, -1);
    assert_eq!(signed.verify(&der(&[negated, s])), Err(SignatureError::Signature));
}

#[test]
fn whatever_is_signed_is_bound() {
    let signed = signed();
    let signature = der(&signed.numbers);
    let key = StateKey::from_sec1(&signed.key).unwrap();
    let verify = |database: &[u8], state| key.verify(database, &state, &signature).map(|_| ());
    let refused = Err(SignatureError::Signature);
    let state = signed.state;
    for bit in [0, 1, 31, 32, 63] {
        let tx = TxId::new(state.tx.get() ^ 1 << bit);
        assert_eq!(verify(&signed.database, TxAlh { tx, ..state }), refused);
    }
    for byte in [0, 15, 31] {
        let mut alh = state.alh.to_bytes();
        alh[byte] ^= 1;
        let alh = Alh::new(alh);
        assert_eq!(verify(&signed.database, TxAlh { alh, ..state }), refused);
    }
    assert_eq!(signed.database, b"defaultdb");
    for database in [&b""[..], b"defaultd", b"defaultdb\0", b"Defaultdb", b"defaultdb2"] {
        assert_eq!(verify(database, state), refused);
    }
}

/// A name's end could pass for the number's beginning, were not its length signed too.
#[test]
fn the_databases_name_is_signed_with_its_length() {
    let signed = signed();
    let tx = signed.state.tx.get().to_be_bytes();
    let longer = [&signed.database[..], &tx[..1]].concat();
    let state = TxAlh { tx: TxId::new(signed.state.tx.get() << 8), ..signed.state };
    let key = StateKey::from_sec1(&signed.key).unwrap();
    let answer = key.verify(&longer, &state, &der(&signed.numbers));
    assert_eq!(answer, Err(SignatureError::Signature));
}

/// 4 GiB of which no byte is ever touched, so that it takes no memory where pages come when used.
#[cfg(all(target_os = "linux", target_pointer_width = "64"))]
#[test]
fn a_name_whose_length_does_not_fit_its_field_is_refused() {
    let signed = signed();
    let name = vec![0; 1 << 32];
    let key = StateKey::from_sec1(&signed.key).unwrap();
    let answer = key.verify(&name, &signed.state, &der(&signed.numbers));
    assert_eq!(answer, Err(SignatureError::Database));
}

#[test]
fn no_other_numbers_are_the_signature() {
    let signed = signed();
    for number in 0..2 {
        for byte in 0..32 {
            let mut numbers = signed.numbers;
            numbers[number][byte] ^= 1 << (byte % 8);
            let answer = signed.verify(&der(&numbers));
            assert_eq!(answer, Err(SignatureError::Signature), "{number} {byte}");
        }
    }
    let [r, s] = signed.numbers;
    assert_eq!(signed.verify(&der(&[s, r])), Err(SignatureError::Signature));
}

#[test]
fn numbers_lie_between_0_and_the_groups_order() {
    let signed = signed();
    let [r, s] = signed.numbers;
    let (zero, order) = ([0; 32], order());
    let one = {
        let mut number = zero;
        number[31] = 1;
        number
    };
    assert_eq!(signed.verify(&der(&[r, one])), Err(SignatureError::Signature));
    assert_eq!(signed.verify(&der(&[one, s])), Err(SignatureError::Signature));
    let largest = {
        let mut number = order;
        number[31] -= 1;
        number
    };
    assert_eq!(signed.verify(&der(&[r, largest])), Err(SignatureError::Signature));
    for wrong in [zero, order, [0xff; 32]] {
        assert_eq!(signed.verify(&der(&[wrong, s])), Err(SignatureError::Encoding));
        assert_eq!(signed.verify(&der(&[r, wrong])), Err(SignatureError::Encoding));
    }
    // The same number modulo the order, in 33 bytes.
    let wrapped = [&[1][..], &combine(&s, &order, 1)].concat();
    let answer = signed.verify(&sequence(&[&shortest(&r), &integer(&wrapped)]));
    assert_eq!(answer, Err(SignatureError::Encoding));
}

#[test]
fn a_signature_has_one_encoding() {
    let signed = signed();
    let honest = der(&signed.numbers);
    let [r, s] = signed.numbers.map(|number| shortest(&number));
    assert_eq!(signed.verify(&honest).map(|_| ()), Ok(()));
    let content = [&r[..], &s].concat();
    let len = content.len() as u8;
    let padded = |number: &[u8]| integer(&[&[0], &number[2..]].concat());
    // Without the zero that keeps it positive, where there is none yet.
    let negative = {
        let mut s = signed.numbers[1];
        s[0] |= 0x80;
        integer(&s)
    };
    let raw = signed.numbers.concat();
    let others: [(&str, Vec<u8>); 15] = [
        ("nothing", Vec::new()),
        ("64 bytes", raw),
        ("a byte more", [&honest[..], &[0]].concat()),
        ("a byte less", honest[..honest.len() - 1].to_vec()),
        ("a length in two bytes", [&[0x30, 0x81, len], &content[..]].concat()),
        ("an indefinite length", [&[0x30, 0x80], &content[..], &[0, 0]].concat()),
        ("a length that is too long", [&[0x30, len + 1], &content[..]].concat()),
        ("a length that is too short", [&[0x30, len - 1], &content[..]].concat()),
        ("a zero before r", sequence(&[&padded(&r), &s])),
        ("a zero before s", sequence(&[&r, &padded(&s)])),
        ("a negative number", sequence(&[&r, &negative])),
        ("an empty number", sequence(&[&r, &integer(&[])])),
        ("one number", sequence(&[&r])),
        ("three numbers", sequence(&[&r, &s, &integer(&[1])])),
        ("a SET", [&[0x31, len], &content[..]].concat()),
    ];
    for (what, signature) in others {
        assert_eq!(signed.verify(&signature), Err(SignatureError::Encoding), "{what}");
    }
}

#[test]
fn another_key_signed_nothing() {
    let signed = signed();
    // The group's generator: the key of the secret 1.
    let generator = hex::decode(
        "046b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296\
         4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5",
    );
    let other = StateKey::from_sec1(&generator.unwrap()).unwrap();
    let signature = der(&signed.numbers);
    let answer = other.verify(&signed.database, &signed.state, &signature);
    assert_eq!(answer, Err(SignatureError::Signature));
}

#[test]
fn a_key_has_one_spelling_in_each_form() {
    let signed = signed();
    let key = StateKey::from_sec1(&signed.key).unwrap();
    assert_eq!(StateKey::from_spki(&signed.spki), Ok(key));
    assert_eq!((signed.key.len(), signed.spki.len()), (65, 91));

    let (x, y) = signed.key[1..].split_at(32);
    let odd = y[31] & 1;
    for other in [
        [&[2 + odd], x].concat(),
        [&[2 + odd], x, y].concat(),
        [&[6 + odd], x, y].concat(),
        [&[4], x].concat(),
        [&[0], x, y].concat(),
        [x, y].concat(),
        [&signed.key[..], &[0]].concat(),
        vec![0],
        Vec::new(),
    ] {
        assert_eq!(StateKey::from_sec1(&other), Err(SignatureError::Key), "{other:?}");
        let spki = [&signed.spki[..26], &other].concat();
        assert_eq!(StateKey::from_spki(&spki), Err(SignatureError::Key), "{other:?}");
    }
    // Neither form passes for the other.
    assert_eq!(StateKey::from_sec1(&signed.spki), Err(SignatureError::Key));
    assert_eq!(StateKey::from_spki(&signed.key), Err(SignatureError::Key));
}

/// Whoever has its file can compute a key's name with any tool.
#[test]
fn a_key_is_named_by_the_hash_of_its_standard_form() {
    let signed = signed();
    let id = StateKeyId::new(Sha256::digest(&signed.spki).into());
    assert_eq!(StateKey::from_sec1(&signed.key).unwrap().id(), id);
    assert_eq!(StateKey::from_spki(&signed.spki).unwrap().id(), id);
}

#[test]
fn no_bit_of_a_key_can_differ() {
    let signed = signed();
    // With either coordinate changed alone the point leaves the curve: to each x belong y and −y.
    for bit in 8..65 * 8 {
        let mut key = signed.key.clone();
        key[bit / 8] ^= 1 << (bit % 8);
        assert_eq!(StateKey::from_sec1(&key), Err(SignatureError::Key), "{bit}");
    }
    for bit in 0..27 * 8 {
        let mut spki = signed.spki.clone();
        spki[bit / 8] ^= 1 << (bit % 8);
        assert_eq!(StateKey::from_spki(&spki), Err(SignatureError::Key), "{bit}");
    }
}
