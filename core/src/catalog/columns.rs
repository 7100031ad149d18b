//! The columns of an index.

use crate::error::CatalogError;
use crate::table::MAX_INDEX_COLUMNS;

/// The columns of an index, read from its value or given as ids.
#[derive(Clone, Copy)]
pub struct IndexColumns<'a>(Columns<'a>);

#[derive(Clone, Copy)]
enum Columns<'a> {
    Encoded(&'a [[u8; 5]]),
    Ids(&'a [u32]),
}

impl<'a> IndexColumns<'a> {
    pub(super) fn parse(bytes: &'a [u8]) -> Result<Self, CatalogError> {
        match bytes.as_chunks::<5>() {
            (columns, []) if columns.iter().all(|[.., last]| *last == 0) => {
                let columns = Self(Columns::Encoded(columns));
                columns.check().map(|()| columns)
            }
            _ => Err(CatalogError::Value),
        }
    }

    /// Whether an index can be over these columns.
    pub(super) fn check(&self) -> Result<(), CatalogError> {
        if self.iter().next().is_none() {
            return Err(CatalogError::Value);
        }
        for (count, column) in self.iter().enumerate() {
            if count >= MAX_INDEX_COLUMNS {
                return Err(CatalogError::IndexTooWide);
            }
            if column == 0 || self.iter().take(count).any(|earlier| earlier == column) {
                return Err(CatalogError::IndexColumn { column });
            }
        }
        Ok(())
    }

    /// The ids of the columns, in the order of the index.
    pub fn iter(&self) -> impl Iterator<Item = u32> + use<'a> {
        let (encoded, ids): (&[[u8; 5]], &[u32]) = match self.0 {
            Columns::Encoded(columns) => (columns, &[]),
            Columns::Ids(ids) => (&[], ids),
        };
        let encoded = encoded.iter().map(|&[a, b, c, d, _]| u32::from_be_bytes([a, b, c, d]));
        encoded.chain(ids.iter().copied())
    }
}

impl<'a> From<&'a [u32]> for IndexColumns<'a> {
    fn from(ids: &'a [u32]) -> Self {
        Self(Columns::Ids(ids))
    }
}

impl PartialEq for IndexColumns<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.iter().eq(other.iter())
    }
}

impl Eq for IndexColumns<'_> {}

impl core::fmt::Debug for IndexColumns<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}
