//! Tables of any shape: a row that can be written is read back, and its key and digest hold.
#![no_main]

use arbitrary::{Result, Unstructured};
use counterfoil_core::{Column, ColumnType, Table, Value};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let _ = check(&mut Unstructured::new(data));
});

const TYPES: [ColumnType; 8] = [
    ColumnType::Integer,
    ColumnType::Boolean,
    ColumnType::Varchar,
    ColumnType::Blob,
    ColumnType::Uuid,
    ColumnType::Timestamp,
    ColumnType::Float,
    ColumnType::Json,
];

fn value<'u>(ty: ColumnType, u: &mut Unstructured<'u>) -> Result<Value<'u>> {
    Ok(match ty {
        ColumnType::Integer => Value::Integer(u.arbitrary()?),
        ColumnType::Boolean => Value::Boolean(u.arbitrary()?),
        ColumnType::Varchar => Value::Varchar(u.arbitrary()?),
        ColumnType::Blob => Value::Blob(u.arbitrary()?),
        ColumnType::Uuid => Value::Uuid(u.arbitrary()?),
        ColumnType::Timestamp => Value::Timestamp(u.arbitrary()?),
        ColumnType::Float => Value::Float(u.arbitrary()?),
        _ => Value::Json(u.arbitrary()?),
    })
}

fn check(u: &mut Unstructured<'_>) -> Result<()> {
    let names = ["a", "b", "c", "d", "e", "f"];
    let count = u.int_in_range(1..=names.len())?;
    let mut columns = Vec::new();
    for (id, name) in (1..).zip(&names[..count]) {
        let ty = *u.choose(&TYPES)?;
        let max_length = u.int_in_range(0..=300)?;
        let (not_null, auto_increment) = (u.arbitrary()?, u.arbitrary()?);
        columns.push(Column { id, name, ty, max_length, not_null, auto_increment });
    }
    let key: Vec<u32> =
        (0..u.int_in_range(0..=3)?).map(|_| u.int_in_range(0..=7)).collect::<Result<_>>()?;
    let Ok(table) = Table::new(u.arbitrary()?, "t", &columns, &key) else { return Ok(()) };
    let mut row = Vec::new();
    for column in &columns {
        row.push(if u.ratio(1, 5)? { None } else { Some(value(column.ty, u)?) });
    }

    let mut key = vec![0; table.key_len()];
    let written = table.encode_key(&row, &mut key).is_ok();
    if written {
        table.check_key(&key, &row).expect("the key is the row's");
    }
    let Ok(len) = table.value_len(&row) else {
        assert!(table.entry_digest(&row).is_err());
        return Ok(());
    };
    let mut value = vec![0; len];
    assert_eq!(table.encode_value(&row, &mut value).map(<[u8]>::len), Ok(len));
    let mut read = vec![None; columns.len()];
    assert_eq!(table.decode_value(&value, &mut read), Ok(()));
    assert_eq!(read, row);
    assert_eq!(table.entry_digest(&row).is_ok(), written);
    for digest in table.create_digests() {
        digest.expect("a table that is one can be created");
    }
    Ok(())
}
