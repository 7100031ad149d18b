//! Tables of any shape: exactly those are accepted that make sense, and a row that can be written is
//! read back, and its key and digest hold.
#![no_main]

use arbitrary::{Result, Unstructured};
use counterfoil_core::{
    Column, ColumnType, EntryMetadata, HeaderVersion, MAX_KEY_LEN, Table, Value, ValueHash,
    entry_digest,
};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let _ = check(&mut Unstructured::new(data));
});

fn column<'u>(id: u32, u: &mut Unstructured<'u>) -> Result<Column<'u>> {
    let ty = *u.choose(&ColumnType::ALL)?;
    Ok(Column {
        id: if u.ratio(1, 10)? { u.int_in_range(0..=7)? } else { id },
        name: if u.ratio(1, 10)? { u.arbitrary()? } else { ["a", "b", "c", "d"][id as usize - 1] },
        ty,
        max_length: match (ty.fixed_len(), u.int_in_range(0..=9)?) {
            (_, 0) => u.arbitrary()?,
            (Some(len), _) => len,
            (None, _) => u.int_in_range(0..=300)?,
        },
        not_null: u.arbitrary()?,
        auto_increment: u.ratio(1, 6)?,
    })
}

fn value<'u>(ty: ColumnType, u: &mut Unstructured<'u>) -> Result<Value<'u>> {
    Ok(match ty {
        ColumnType::Integer => Value::Integer(u.arbitrary()?),
        ColumnType::Boolean => Value::Boolean(u.arbitrary()?),
        ColumnType::Varchar => Value::Varchar(u.arbitrary()?),
        ColumnType::Blob => Value::Blob(u.arbitrary()?),
        ColumnType::Uuid => Value::Uuid(u.arbitrary()?),
        ColumnType::Timestamp => Value::Timestamp(u.arbitrary()?),
        ColumnType::Float => Value::Float(u.arbitrary()?),
        ColumnType::Json => Value::Json(u.arbitrary()?),
    })
}

/// The length of a row's key, if the definition makes sense.
fn makes_sense(id: u32, name: &str, columns: &[Column<'_>], key: &[u32]) -> Option<u64> {
    let mut names: Vec<_> = columns.iter().map(|column| column.name).chain([""]).collect();
    names.sort_unstable();
    let mut ids = key.to_vec();
    ids.sort_unstable();
    let part = |id: &u32| {
        let column = columns.iter().find(|column| column.id == *id)?;
        let of_any_length = matches!(column.ty, ColumnType::Varchar | ColumnType::Blob);
        let len = u64::from(column.max_length) + if of_any_length { 5 } else { 1 };
        (column.ty != ColumnType::Json && column.max_length > 0).then_some(len)
    };
    let len = key.iter().map(part).sum::<Option<u64>>()? + 15;
    let counts_up = |c: &Column<'_>| key == [c.id] && c.ty == ColumnType::Integer;
    let sense = id > 0
        && !name.is_empty()
        && !key.is_empty()
        && len <= MAX_KEY_LEN as u64
        && names.windows(2).all(|pair| pair[0] != pair[1])
        && ids.windows(2).all(|pair| pair[0] != pair[1])
        && columns.windows(2).all(|pair| pair[0].id < pair[1].id)
        && columns.iter().all(|column| column.id > 0)
        && columns.iter().all(|column| !column.auto_increment || counts_up(column))
        && columns.iter().all(|c| c.ty.fixed_len().is_none_or(|len| len == c.max_length));
    sense.then_some(len)
}

fn check(u: &mut Unstructured<'_>) -> Result<()> {
    let name = if u.ratio(1, 10)? { u.arbitrary()? } else { "t" };
    let columns: Vec<_> =
        (1..=u.int_in_range(0..=4)?).map(|id| column(id, u)).collect::<Result<_>>()?;
    let key: Vec<u32> =
        (0..u.int_in_range(0..=3)?).map(|_| u.int_in_range(0..=5)).collect::<Result<_>>()?;
    let id = u.arbitrary()?;
    let table = Table::new(id, name, &columns, &key);
    let key_len = table.as_ref().ok().map(|table| table.key_len() as u64);
    assert_eq!(key_len, makes_sense(id, name, &columns, &key), "{table:?}");
    let Ok(table) = table else { return Ok(()) };
    assert_eq!(table.create_digests().filter(|digest| digest.is_ok()).count(), columns.len() + 2);

    let mut row = Vec::new();
    for column in &columns {
        let ty = if u.ratio(1, 20)? { *u.choose(&ColumnType::ALL)? } else { column.ty };
        row.push(if u.ratio(1, 5)? { None } else { Some(value(ty, u)?) });
    }
    let mut buffer = vec![0; table.key_len()];
    let key = table.encode_key(&row, &mut buffer).ok();
    assert_eq!(key.map(|key| table.check_key(key, &row)), key.map(|_| Ok(())));
    let Ok(len) = table.value_len(&row) else {
        assert!(table.entry_digest(&row).is_err());
        return Ok(());
    };
    let mut buffer = vec![0; len];
    assert!(table.encode_value(&row, &mut buffer[..len - 1]).is_err(), "too small");
    let value = table.encode_value(&row, &mut buffer).expect("a buffer of the stated length");
    let mut read = vec![None; columns.len()];
    assert_eq!(table.decode_value(value, &mut read), Ok(()));
    assert_eq!(read, row);
    let by_bytes = key.and_then(|key| {
        let none = EntryMetadata::default();
        entry_digest(HeaderVersion::V1, &none, key, &ValueHash::of(value)).ok()
    });
    assert_eq!(table.entry_digest(&row).ok(), by_bytes);
    Ok(())
}
