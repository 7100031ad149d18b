//! A row's value has one encoding.
#![no_main]

use counterfoil_fuzz::{Change, Row, WIDTH, table};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: (Row<'_>, Vec<Change>, &[u8])| {
    let (row, changes, tail) = input;
    let table = table(&[1]);
    let honest = row.cells();
    let mut bytes = Vec::new();
    if let Ok(len) = table.value_len(&honest) {
        bytes.resize(len, 0);
        table.encode_value(&honest, &mut bytes).expect("a buffer of the stated length");
    }
    let unchanged = !bytes.is_empty() && changes.is_empty() && tail.is_empty();
    bytes.extend(tail);
    changes.iter().for_each(|change| change.apply(&mut bytes));

    let mut row = [None; WIDTH];
    if table.decode_value(&bytes, &mut row).is_ok() {
        assert_eq!(table.value_len(&row), Ok(bytes.len()));
        let mut written = vec![0; bytes.len()];
        assert_eq!(table.encode_value(&row, &mut written), Ok(&bytes[..]));
        // The key is an INTEGER, so every row has one.
        table.entry_digest(&row).expect("a row that was read has a digest");
        assert!(!unchanged || row == honest);
    } else {
        assert!(!unchanged, "an honest value is read");
        assert_eq!(row, [None; WIDTH]);
    }
});
