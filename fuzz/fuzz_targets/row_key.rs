//! A row has one key: `check_key` accepts what `encode_key` writes and nothing else.
#![no_main]

use counterfoil_fuzz::{Change, Row, table};
use libfuzzer_sys::fuzz_target;

const ORDERS: [&[u32]; 4] = [&[1, 2, 3, 4, 5, 7, 8], &[8, 7, 5, 4, 3, 2, 1], &[3], &[4, 3]];

fuzz_target!(|input: (u8, Row<'_>, Vec<Change>)| {
    let (order, row, changes) = input;
    let table = table(ORDERS[usize::from(order) % ORDERS.len()]);
    let row = row.cells();
    let mut key = vec![0; table.key_len()];
    let mut changed = match table.encode_key(&row, &mut key) {
        Ok(key) => key.to_vec(),
        Err(error) => {
            assert_eq!(table.check_key(&key, &row), Err(error));
            return;
        }
    };
    assert_eq!(changed.len(), table.key_len());
    changes.iter().for_each(|change| change.apply(&mut changed));
    assert_eq!(table.check_key(&changed, &row).is_ok(), changed == key);
});
