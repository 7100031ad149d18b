//! A row has one key: `encode_key` writes the format's, and `check_key` accepts that and nothing
//! else.
#![no_main]

use counterfoil_core::Value;
use counterfoil_fuzz::{Change, Row, table};
use libfuzzer_sys::fuzz_target;

const ORDERS: [&[u32]; 4] = [&[1, 2, 3, 4, 5, 7, 8], &[8, 7, 5, 4, 3, 2, 1], &[3], &[4, 3]];

/// The part of a key by the format's words.
fn part(value: &Value<'_>, max_length: usize) -> Vec<u8> {
    let padded = |bytes: &[u8]| {
        let padding = vec![0; max_length - bytes.len()];
        [bytes, &padding, &(bytes.len() as u32).to_be_bytes()].concat()
    };
    let signed = |number: i64| (i128::from(number) + (1 << 63)) as u64;
    let bytes = match *value {
        Value::Integer(number) => signed(number).to_be_bytes().to_vec(),
        Value::Timestamp(micros) => signed(micros * 1000).to_be_bytes().to_vec(),
        Value::Boolean(boolean) => vec![u8::from(boolean)],
        Value::Uuid(uuid) => uuid.to_vec(),
        Value::Float(bits) if bits >> 63 == 1 => (!bits).to_be_bytes().to_vec(),
        Value::Float(bits) => (bits | 1 << 63).to_be_bytes().to_vec(),
        Value::Varchar(text) | Value::Json(text) => padded(text.as_bytes()),
        Value::Blob(bytes) => padded(bytes),
    };
    [&[0x80], &bytes[..]].concat()
}

fuzz_target!(|input: (u8, Row<'_>, Vec<Change>)| {
    let (order, row, changes) = input;
    let order = ORDERS[usize::from(order) % ORDERS.len()];
    let table = table(order);
    let row = row.cells();
    let mut key = vec![0; table.key_len()];
    let mut changed = match table.encode_key(&row, &mut key) {
        Ok(key) => key.to_vec(),
        Err(error) => {
            assert_eq!(table.check_key(&key, &row), Err(error));
            return;
        }
    };
    let parts = order.iter().flat_map(|id| {
        let at = table.columns().iter().position(|column| column.id == *id).expect("a column");
        part(&row[at].expect("a value"), table.columns()[at].max_length as usize)
    });
    assert!(b"\x02R.\0\0\0\x01\0\0\0\x01\0\0\0\0".iter().copied().chain(parts).eq(changed.clone()));
    changes.iter().for_each(|change| change.apply(&mut changed));
    assert_eq!(table.check_key(&changed, &row).is_ok(), changed == key);
});
