//! Formats that bytes alone decide: what is read has one encoding, the bytes that it was read from.
//! Each input is tried as all of them.
#![no_main]

use counterfoil::body::{EventBody, GenesisBody};
use counterfoil_core::{Alh, EntryMetadata, IndexEntryKey, TrustedState, TxMetadata};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    tx_metadata(bytes);
    entry_metadata(bytes);
    index_entry(bytes);
    bodies(bytes);
    text(bytes);
});

fn tx_metadata(bytes: &[u8]) {
    if let Ok(metadata) = TxMetadata::parse(bytes) {
        let written = &mut [0; TxMetadata::MAX_LEN];
        assert_eq!(metadata.encode(written), Ok(bytes));
    }
}

fn entry_metadata(bytes: &[u8]) {
    if let Ok(metadata) = EntryMetadata::parse(bytes) {
        assert_eq!(metadata.encode(&mut [0; EntryMetadata::MAX_LEN]), bytes);
    }
}

/// Exactly those parse that have a table, an index and columns.
fn index_entry(key: &[u8]) {
    let is_one =
        key.len() > 11 && key.starts_with(b"\x02M.") && key[3..7] != [0; 4] && key[7..11] != [0; 4];
    let parsed = IndexEntryKey::parse(key);
    assert_eq!(parsed.is_ok(), is_one, "{parsed:?}");
    if let Ok(parsed) = parsed {
        let table = parsed.table_id.to_be_bytes();
        let index = parsed.index_id.to_be_bytes();
        assert_eq!([b"\x02M.", &table[..], &index, parsed.columns].concat(), key);
    }
}

/// A body also decides its row's id alone.
fn bodies(bytes: &[u8]) {
    if let Ok(body) = EventBody::decode(bytes) {
        assert_eq!(body.encode(), bytes);
        assert_eq!(EventBody::decode(&body.encode()).map(|again| again.ext()), Ok(body.ext()));
    }
    if let Ok(body) = GenesisBody::decode(bytes) {
        assert_eq!(body.encode(), bytes);
    }
}

fn text(bytes: &[u8]) {
    let Ok(text) = str::from_utf8(bytes) else { return };
    let alh = text.parse::<Alh>().map(|alh| alh.to_string());
    let state = text.parse::<TrustedState>().map(|state| state.to_string());
    for written in [alh, state].into_iter().flatten() {
        assert_eq!(written, text);
    }
}
