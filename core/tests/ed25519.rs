//! Signatures of Ed25519 keys: those of RFC 8032 hold, nothing near them does.

use counterfoil_core::{Ed25519Error, Ed25519Key};

/// RFC 8032 §7.1, tests 1 to 3: key, message, signature.
const RFC: [(&str, &str, &str); 3] = [
    (
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
        "",
        "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
    ),
    (
        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
        "72",
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
    ),
    (
        "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
        "af82",
        "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a",
    ),
];

fn bytes<const N: usize>(text: &str) -> [u8; N] {
    hex::decode(text).unwrap().try_into().unwrap()
}

/// Points of small order, and another spelling of one (y + p).
const WEAK: [&str; 4] = [
    "0100000000000000000000000000000000000000000000000000000000000000",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
    "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
];

#[test]
fn what_the_rfc_signed_holds_in_any_parts() {
    for (key, message, signature) in RFC {
        let key = Ed25519Key::from_bytes(&bytes(key)).unwrap();
        let (message, signature) = (hex::decode(message).unwrap(), bytes(signature));
        for cut in 0..=message.len() {
            let (head, tail) = message.split_at(cut);
            assert_eq!(key.verify(&[head, tail], &signature), Ok(()));
        }
        assert_eq!(key.verify(&[&message, &[]], &signature), Ok(()));
    }
}

#[test]
fn with_any_bit_flipped_nothing_holds() {
    let (key, message, signature) = RFC[2];
    let (message, signature) = (hex::decode(message).unwrap(), bytes::<64>(signature));
    let (raw, key) = (bytes::<32>(key), Ed25519Key::from_bytes(&bytes(key)).unwrap());
    for bit in 0..64 * 8 {
        let mut flipped = signature;
        flipped[bit / 8] ^= 1 << (bit % 8);
        assert_eq!(key.verify(&[&message], &flipped), Err(Ed25519Error::Signature), "bit {bit}");
    }
    for bit in 0..message.len() * 8 {
        let mut flipped = message.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        assert_eq!(key.verify(&[&flipped], &signature), Err(Ed25519Error::Signature));
    }
    for bit in 0..32 * 8 {
        let mut flipped = raw;
        flipped[bit / 8] ^= 1 << (bit % 8);
        if let Ok(key) = Ed25519Key::from_bytes(&flipped) {
            assert_eq!(key.verify(&[&message], &signature), Err(Ed25519Error::Signature));
        }
    }
    assert_eq!(key.verify(&[&message, &[0]], &signature), Err(Ed25519Error::Signature));
}

#[test]
fn a_key_has_one_spelling_and_is_not_weak() {
    for weak in WEAK {
        assert_eq!(Ed25519Key::from_bytes(&bytes(weak)), Err(Ed25519Error::Key), "{weak}");
    }
    // No point has this y, and of those with y = 3 + p there is a shorter spelling.
    for other in ["02", "f0ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"] {
        let other = format!("{other:0<64}");
        assert_eq!(Ed25519Key::from_bytes(&bytes(&other)), Err(Ed25519Error::Key), "{other}");
    }
}

/// s + the group's order gives the same equation.
#[test]
fn a_signature_has_one_spelling() {
    const ORDER: [u8; 32] = [
        0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde,
        0x14, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10,
    ];
    for (key, message, signature) in RFC {
        let key = Ed25519Key::from_bytes(&bytes(key)).unwrap();
        let mut signature = bytes::<64>(signature);
        let mut carry = 0;
        for (byte, order) in signature[32..].iter_mut().zip(ORDER) {
            let sum = u16::from(*byte) + u16::from(order) + carry;
            (*byte, carry) = (sum as u8, sum >> 8);
        }
        let message = hex::decode(message).unwrap();
        assert_eq!(key.verify(&[&message], &signature), Err(Ed25519Error::Signature));
    }
}

/// With R of small order and s chosen for it, the equation can hold: whoever has the key could make one
/// signature that verifiers disagree about.
#[test]
fn r_is_not_of_small_order() {
    use ed25519_dalek::hazmat::ExpandedSecretKey;
    use ed25519_dalek::{Signature, Signer, SigningKey, Verifier};
    let secret = SigningKey::from_bytes(&[7; 32]);
    let public = secret.verifying_key();
    let key = Ed25519Key::from_bytes(public.as_bytes()).unwrap();
    let message = b"as one signs";
    assert_eq!(key.verify(&[message], &secret.sign(message).to_bytes()), Ok(()));
    // R the neutral point: s = k a.
    let mut r = [0; 32];
    r[0] = 1;
    let k = {
        use sha2::{Digest, Sha512};
        let hash =
            Sha512::new().chain_update(r).chain_update(public.as_bytes()).chain_update(message);
        curve25519_dalek::Scalar::from_bytes_mod_order_wide(&hash.finalize().into())
    };
    let s = k * ExpandedSecretKey::from(&secret.to_bytes()).scalar;
    let signature = Signature::from_components(r, s.to_bytes());
    assert!(public.verify(message, &signature).is_ok(), "the equation holds");
    assert_eq!(key.verify(&[message], &signature.to_bytes()), Err(Ed25519Error::Signature));
}
