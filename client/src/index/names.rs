//! Short names, under a key of this process, for what an index in memory
//! keeps, and sums of such names to hold two indexes against each other.

use std::hash::{BuildHasher, Hasher, RandomState};

use super::Position;
use crate::verdict::FindingKind;

/// What is kept of a stream's key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct StreamName(pub(super) u128);

/// A row of an index, but for what follows from other rows and for words.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Said<'a> {
    /// An event: under which number,
    Numbered {
        pos: Position,
        stream: StreamName,
        number: u64,
    },
    /// and by which id.
    Identified {
        pos: Position,
        ext: &'a [u8; 32],
    },
    Correlated {
        pos: Position,
        id: i64,
    },
    Held {
        pos: Position,
        stream: StreamName,
        number: i64,
    },
    Found {
        tx: u64,
        entry: Option<u32>,
        kind: FindingKind,
    },
}

/// How many rows an index has, and the sum of their names: in whatever order
/// they come, it is that of the same rows and of no others, for whoever does
/// not know the key.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Sum {
    rows: u64,
    names: u128,
}

impl Sum {
    /// Of the rows of both.
    pub(crate) fn and(self, other: Self) -> Self {
        Self { rows: self.rows + other.rows, names: self.names.wrapping_add(other.names) }
    }
}

/// A key that is made anew for each audit. Under it, SipHash of two inputs
/// that differ in a byte is a name of 128 bits: whoever does not know the key
/// cannot look for two things that have the same.
#[derive(Clone, Default)]
pub(crate) struct Names {
    secret: RandomState,
    /// The last stream's key and name, which the next row mostly stands in.
    last: (Vec<u8>, u128),
}

impl Names {
    pub(super) fn name(&self, of: &[u8]) -> u128 {
        let half = |which: u8| {
            let mut hash = self.secret.build_hasher();
            hash.write_u8(which);
            hash.write(of);
            u128::from(hash.finish())
        };
        half(0) << 64 | half(1)
    }

    /// The name of a stream, whose key is as `put_stream` writes it.
    pub(crate) fn stream(&mut self, stream: &[u8]) -> StreamName {
        if self.last.0 != stream {
            self.last.0.clear();
            self.last.0.extend_from_slice(stream);
            self.last.1 = self.name(stream);
        }
        StreamName(self.last.1)
    }

    /// Adds a row to a sum.
    pub(crate) fn add(&self, sum: &mut Sum, row: &Said<'_>) {
        sum.rows += 1;
        sum.names = sum.names.wrapping_add(self.name(&row.bytes()));
    }
}

impl Said<'_> {
    /// The kind of row, and each of its fields in a place of its own.
    fn bytes(&self) -> [u8; 72] {
        let (kind, pos, number, stream, rest) = match *self {
            Self::Numbered { pos, stream, number } => (0_u64, pos.raw(), number, stream.0, [0; 32]),
            Self::Identified { pos, ext } => (4, pos.raw(), 0, 0, *ext),
            Self::Correlated { pos, id } => (1, pos.raw(), id.cast_unsigned(), 0, [0; 32]),
            Self::Held { pos, stream, number } => {
                (2, pos.raw(), number.cast_unsigned(), stream.0, [0; 32])
            }
            Self::Found { tx, entry, kind } => {
                let entry = entry.map_or(u64::MAX, u64::from);
                (3, tx.cast_signed(), entry, kind as u128, [0; 32])
            }
        };
        let mut bytes = [0; 72];
        bytes[..8].copy_from_slice(&kind.to_be_bytes());
        bytes[8..16].copy_from_slice(&pos.to_be_bytes());
        bytes[16..24].copy_from_slice(&number.to_be_bytes());
        bytes[24..40].copy_from_slice(&stream.to_be_bytes());
        bytes[40..].copy_from_slice(&rest);
        bytes
    }
}

#[cfg(test)]
mod tests {
    use counterfoil_core::TxId;

    use super::*;

    #[test]
    fn a_sum_is_that_of_the_same_rows_in_any_order_and_of_no_others() {
        let mut names = Names::default();
        let pos = |tx| Position::new(TxId::new(tx), 0);
        let (a, b) = (names.stream(b"a"), names.stream(b"b"));
        let (kind, other) = (FindingKind::Opaque, FindingKind::Unaccounted);
        let rows = [
            Said::Numbered { pos: pos(2), stream: a, number: 0 },
            Said::Numbered { pos: pos(3), stream: a, number: 0 },
            Said::Numbered { pos: pos(2), stream: b, number: 0 },
            Said::Numbered { pos: pos(2), stream: a, number: 1 },
            Said::Identified { pos: pos(2), ext: &[1; 32] },
            Said::Identified { pos: pos(3), ext: &[1; 32] },
            Said::Identified { pos: pos(2), ext: &[2; 32] },
            Said::Correlated { pos: pos(2), id: 0 },
            Said::Correlated { pos: pos(2), id: -1 },
            Said::Correlated { pos: pos(3), id: 0 },
            Said::Held { pos: pos(2), stream: a, number: 0 },
            Said::Held { pos: pos(2), stream: a, number: -1 },
            Said::Held { pos: pos(2), stream: b, number: 0 },
            Said::Found { tx: 2, entry: None, kind },
            Said::Found { tx: 2, entry: Some(0), kind },
            Said::Found { tx: 3, entry: None, kind },
            Said::Found { tx: 2, entry: None, kind: other },
        ];
        let sum = |rows: &mut dyn Iterator<Item = &Said<'_>>| {
            let mut sum = Sum::default();
            rows.for_each(|row| names.add(&mut sum, row));
            sum
        };
        let whole = sum(&mut rows.iter());
        assert_eq!(sum(&mut rows.iter().rev()), whole);
        for at in 0..rows.len() {
            let without = |at: usize| rows.iter().enumerate().filter(move |row| row.0 != at);
            assert_ne!(sum(&mut without(at).map(|row| row.1)), whole, "{at}");
            // Another one in its place, or the same one twice.
            for other in (0..rows.len()).filter(|other| *other != at) {
                let replaced = without(at).map(|row| row.1).chain([&rows[other]]);
                assert_ne!(sum(&mut { replaced }), whole, "{at}, {other}");
            }
        }
    }
}
