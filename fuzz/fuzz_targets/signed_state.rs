//! Signatures of states: no bytes make a key or a signature panic, and of a signature changed only
//! its twin with n − s still verifies, for the one database, state and key.
#![no_main]

use std::sync::LazyLock;

use arbitrary::Arbitrary;
use counterfoil_core::{Alh, StateKey, TxAlh, TxId};
use counterfoil_fuzz::Change;
use libfuzzer_sys::fuzz_target;
use p256::ecdsa::signature::Signer;
use p256::ecdsa::{Signature, SigningKey};

#[derive(Arbitrary, Debug)]
enum Attack<'a> {
    Signature(Vec<Change>),
    /// Bits of r or s, which leave the encoding what it is.
    Number(bool, u8, u8),
    Twin,
    OtherKey,
    Database(Vec<Change>),
    Tx(u64),
    Alh(u8),
    Key(Vec<Change>),
    /// Nothing of it honest.
    Bytes {
        key: &'a [u8],
        database: &'a [u8],
        signature: &'a [u8],
    },
}

struct Honest {
    sec1: Vec<u8>,
    database: &'static [u8],
    state: TxAlh,
    signature: Signature,
}

/// Signing takes longer than all the rest.
static HONEST: LazyLock<[Honest; 4]> = LazyLock::new(|| {
    let database: [&[u8]; 4] = [b"defaultdb", b"", b"db", b"a longer name than usual"];
    [0, 1, 2, 3].map(|n| {
        let signer = SigningKey::from_slice(&[n as u8 + 1; 32]).expect("a scalar");
        let state = TxAlh { tx: TxId::new(n << 40 | 7), alh: Alh::new([n as u8; 32]) };
        let database = database[n as usize];
        let length = (database.len() as u32).to_be_bytes();
        let tx = state.tx.get().to_be_bytes();
        let message = [&length[..], database, &tx, state.alh.as_bytes()].concat();
        let sec1 = signer.verifying_key().to_sec1_point(false).as_bytes().to_vec();
        Honest { sec1, database, state, signature: signer.sign(&message) }
    })
});

const SPKI: &[u8] = b"\x30\x59\x30\x13\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x08\x2a\x86\x48\xce\
    \x3d\x03\x01\x07\x03\x42\x00";

fuzz_target!(|input: (u8, Attack<'_>)| {
    let (which, attack) = input;
    let which = usize::from(which) % HONEST.len();
    let Honest { sec1, database, state, signature } = &HONEST[which];
    let honest = signature.to_der().as_bytes().to_vec();
    let key = StateKey::from_sec1(sec1).expect("an honest key");
    let holds = |key: &StateKey, database: &[u8], state: &TxAlh, signature: &[u8]| {
        let signed = key.verify(database, state, signature);
        if let Ok(signed) = signed {
            assert_eq!(signed.state_of(database).map(TxAlh::from), Ok(*state));
            assert!(signed.state_of(&[database, b"0"].concat()).is_err());
        }
        signed.is_ok()
    };
    match attack {
        Attack::Signature(changes) => {
            let mut changed = honest.clone();
            changes.iter().for_each(|change| change.apply(&mut changed));
            assert_eq!(holds(&key, database, state, &changed), changed == honest);
        }
        Attack::Number(s, at, bit) => {
            let mut bytes = signature.to_bytes();
            bytes[usize::from(s) * 32 + usize::from(at % 32)] ^= 1 << (bit % 8);
            if let Ok(changed) = Signature::from_slice(&bytes) {
                assert!(!holds(&key, database, state, changed.to_der().as_bytes()));
            }
        }
        Attack::Twin => {
            let twin = Signature::from_scalars(*signature.r(), -*signature.s()).expect("the twin");
            assert!(twin != *signature && holds(&key, database, state, twin.to_der().as_bytes()));
        }
        Attack::OtherKey => {
            let other = StateKey::from_sec1(&HONEST[(which + 1) % HONEST.len()].sec1).unwrap();
            assert!(!holds(&other, database, state, &honest));
        }
        Attack::Database(changes) => {
            let mut changed = database.to_vec();
            changes.iter().for_each(|change| change.apply(&mut changed));
            assert_eq!(holds(&key, &changed, state, &honest), changed == *database);
        }
        Attack::Tx(tx) => {
            let other = TxAlh { tx: TxId::new(tx), ..*state };
            assert_eq!(holds(&key, database, &other, &honest), other == *state);
        }
        Attack::Alh(bit) => {
            let mut alh = state.alh.to_bytes();
            alh[usize::from(bit / 8)] ^= 1 << (bit % 8);
            assert!(!holds(&key, database, &TxAlh { alh: Alh::new(alh), ..*state }, &honest));
        }
        Attack::Key(changes) => {
            let mut changed = [SPKI, sec1].concat();
            changes.iter().for_each(|change| change.apply(&mut changed));
            let spki = StateKey::from_spki(&changed).ok();
            let inner = changed.strip_prefix(SPKI).and_then(|sec1| StateKey::from_sec1(sec1).ok());
            assert_eq!(spki, inner);
            assert!(spki.is_none() || changed.len() == 91);
            assert_eq!(spki == Some(key), changed == [SPKI, sec1].concat());
        }
        Attack::Bytes { key: bytes, database, signature } => {
            let any = StateKey::from_sec1(bytes).or_else(|_| StateKey::from_spki(bytes));
            assert!(!holds(&any.unwrap_or(key), database, state, signature));
        }
    }
});
