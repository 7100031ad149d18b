use arbitrary::Arbitrary;
use counterfoil_core::{Column, ColumnType, Table, Value};

const fn column(id: u32, name: &str, ty: ColumnType, max_length: u32) -> Column<'_> {
    Column { id, name, ty, max_length, not_null: id == 9, auto_increment: false }
}

const COLUMNS: [Column<'_>; 9] = [
    column(1, "integer", ColumnType::Integer, 8),
    column(2, "boolean", ColumnType::Boolean, 1),
    column(3, "varchar", ColumnType::Varchar, 6),
    column(4, "blob", ColumnType::Blob, 5),
    column(5, "uuid", ColumnType::Uuid, 16),
    column(7, "timestamp", ColumnType::Timestamp, 8),
    column(8, "float", ColumnType::Float, 8),
    column(9, "free", ColumnType::Varchar, 0),
    column(10, "json", ColumnType::Json, 0),
];

/// How many columns [`table`] has.
pub const WIDTH: usize = COLUMNS.len();

/// A table with a column of every type, keyed by these columns (ids below 9).
pub fn table(primary_key: &[u32]) -> Table<'_> {
    Table::new(1, "fuzzed", &COLUMNS, primary_key).expect("a table that makes sense")
}

/// A row of [`table`], though its values may be too long.
#[derive(Arbitrary, Debug)]
pub struct Row<'a> {
    integer: Option<i64>,
    boolean: Option<bool>,
    varchar: Option<&'a str>,
    blob: Option<&'a [u8]>,
    uuid: Option<[u8; 16]>,
    timestamp: Option<i64>,
    float: Option<u64>,
    free: Option<&'a str>,
    json: Option<&'a str>,
}

impl<'a> Row<'a> {
    pub fn cells(&self) -> [Option<Value<'a>>; WIDTH] {
        [
            self.integer.map(Value::Integer),
            self.boolean.map(Value::Boolean),
            self.varchar.map(Value::Varchar),
            self.blob.map(Value::Blob),
            self.uuid.map(Value::Uuid),
            self.timestamp.map(Value::Timestamp),
            self.float.map(Value::Float),
            self.free.map(Value::Varchar),
            self.json.map(Value::Json),
        ]
    }
}
