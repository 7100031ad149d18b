//! Digests and states as text and in serde formats.
#![cfg(feature = "serde")]

use counterfoil_core::{
    Alh, EntryDigest, InnerHash, LeafHash, LeafIndex, ParseError, Root, TreeSize, TrustedState,
    TxAlh, TxId, ValueHash,
};

const HEX: &str = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1eff";

fn bytes() -> [u8; 32] {
    let mut bytes = std::array::from_fn(|i| i as u8);
    bytes[31] = 0xff;
    bytes
}

macro_rules! digests {
    ($($digest:ident)*) => {$(
        let digest = $digest::new(bytes());
        assert_eq!(digest.to_string(), HEX);
        assert_eq!(format!("{digest:x}"), HEX);
        assert_eq!(format!("{digest:?}"), format!("{}({HEX})", stringify!($digest)));
        assert_eq!(HEX.parse(), Ok(digest));
        assert_eq!(serde_json::to_string(&digest).unwrap(), format!("\"{HEX}\""));
        assert_eq!(serde_json::from_str::<$digest>(&format!("\"{HEX}\"")).unwrap(), digest);
        assert!(serde_json::from_str::<$digest>("\"00\"").is_err());
        assert!(serde_json::from_str::<$digest>("[0]").is_err());
        // In a binary format the 32 bytes and nothing else.
        assert_eq!(postcard::to_slice(&digest, &mut [0; 40]).unwrap(), bytes());
        assert_eq!(postcard::from_bytes::<$digest>(&bytes()).unwrap(), digest);
        assert!(postcard::from_bytes::<$digest>(&bytes()[1..]).is_err());
    )*};
}

#[test]
fn a_digest_is_64_lower_case_digits() {
    digests!(Alh Root EntryDigest LeafHash InnerHash ValueHash);
    let upper = HEX.to_uppercase();
    for (text, error) in [
        ("", ParseError::Length),
        (&HEX[1..], ParseError::Length),
        (&HEX[2..], ParseError::Length),
        (&format!("{HEX}0"), ParseError::Length),
        (&format!("{HEX}00"), ParseError::Length),
        (&format!(" {HEX}"), ParseError::Length),
        (&format!("{HEX}\n"), ParseError::Length),
        (upper.as_str(), ParseError::Digit),
        (&HEX.replace("ff", "fg"), ParseError::Digit),
        (&HEX.replace("ff", " f"), ParseError::Digit),
        (&HEX.replace("00", "0x"), ParseError::Digit),
        (&HEX.replace("00", "é"), ParseError::Digit),
    ] {
        assert_eq!(text.parse::<Alh>(), Err(error), "{text:?}");
    }
}

#[test]
fn a_state_is_number_colon_hash() {
    for tx in [0, 7, 10, 1 << 63, u64::MAX] {
        let state = TrustedState { tx: TxId::new(tx), alh: Alh::new(bytes()) };
        let text = format!("{tx}:{HEX}");
        assert_eq!(state.to_string(), text);
        assert_eq!(text.parse(), Ok(state));
        let json = format!("\"{text}\"");
        assert_eq!(serde_json::to_string(&state).unwrap(), json);
        assert_eq!(serde_json::from_str::<TrustedState>(&json).unwrap(), state);
        let mut buffer = [0; 48];
        let pair = postcard::to_slice(&(tx, bytes()), &mut buffer).unwrap();
        assert_eq!(postcard::to_slice(&state, &mut [0; 48]).unwrap(), pair);
        assert_eq!(postcard::from_bytes::<TrustedState>(pair).unwrap(), state);
        // A claim is written and read in the same way.
        let claim = TxAlh::from(state);
        assert_eq!((claim.to_string(), text.parse()), (text, Ok(claim)));
        assert_eq!(serde_json::to_string(&claim).unwrap(), json);
        assert_eq!(serde_json::from_str::<TxAlh>(&json).unwrap(), claim);
        assert_eq!(postcard::to_slice(&claim, &mut [0; 48]).unwrap(), pair);
        assert_eq!(postcard::from_bytes::<TxAlh>(pair).unwrap(), claim);
    }
    for (text, error) in [
        (String::new(), ParseError::Separator),
        (HEX.to_owned(), ParseError::Separator),
        (format!("7;{HEX}"), ParseError::Separator),
        (format!(":{HEX}"), ParseError::Number),
        (format!("07:{HEX}"), ParseError::Number),
        (format!("00:{HEX}"), ParseError::Number),
        (format!("+7:{HEX}"), ParseError::Number),
        (format!("-7:{HEX}"), ParseError::Number),
        (format!(" 7:{HEX}"), ParseError::Number),
        (format!("7 :{HEX}"), ParseError::Number),
        (format!("0x7:{HEX}"), ParseError::Number),
        (format!("٧:{HEX}"), ParseError::Number),
        (format!("18446744073709551616:{HEX}"), ParseError::Number),
        ("7:".to_owned(), ParseError::Length),
        (format!("7::{HEX}"), ParseError::Length),
        (format!("7: {HEX}"), ParseError::Length),
        (format!("7:{HEX} "), ParseError::Length),
        (format!("7:{HEX}:"), ParseError::Length),
        (format!("7:{}", HEX.to_uppercase()), ParseError::Digit),
    ] {
        assert_eq!(text.parse::<TrustedState>(), Err(error), "{text:?}");
    }
}

#[test]
fn a_number_is_an_integer() {
    assert_eq!(serde_json::to_string(&TxId::new(u64::MAX)).unwrap(), u64::MAX.to_string());
    assert_eq!(serde_json::from_str::<TreeSize>("7").unwrap(), TreeSize::new(7));
    assert!(serde_json::from_str::<LeafIndex>("-1").is_err());
    assert!(serde_json::from_str::<LeafIndex>("1.0").is_err());
    assert!(serde_json::from_str::<LeafIndex>("\"1\"").is_err());
}

#[test]
fn transaction_k_is_leaf_k_minus_1() {
    assert_eq!(TxId::new(0).leaf_index(), None);
    assert_eq!(TxId::new(1).leaf_index(), Some(LeafIndex::new(0)));
    assert_eq!(TxId::new(u64::MAX).leaf_index(), Some(LeafIndex::new(u64::MAX - 1)));
    assert_eq!(TxId::new(7).tree_size(), TreeSize::new(7));
}
