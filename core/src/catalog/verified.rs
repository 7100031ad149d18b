//! Tables whose definition was verified in the transaction that created them.

use super::{CatalogEntry, CatalogKey};
use crate::digest::{EntryDigest, ValueHash};
use crate::entry::{EntryMetadata, entry_digest};
use crate::error::{CatalogError, ProofError};
use crate::frontier::Frontier;
use crate::table::Table;
use crate::verified::VerifiedTx;

/// An entry of a transaction, as immudb's API gives it (`TxEntry`, where the hash is `hValue`).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct TxEntry<'a> {
    /// Its whole key, with what immudb puts before it.
    pub key: &'a [u8],
    /// Its metadata.
    pub metadata: EntryMetadata,
    /// The hash of its value.
    pub value_hash: ValueHash,
}

/// A table as a verified transaction created it. Only [`VerifiedTx::verify_table`] makes one:
///
/// ```compile_fail
/// use counterfoil_core::*;
///
/// fn make<'a>(tx: VerifiedTx, table: Table<'a>) -> VerifiedTable<'a> {
///     VerifiedTable { tx, table }
/// }
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct VerifiedTable<'a> {
    tx: VerifiedTx,
    table: Table<'a>,
}

impl<'a> VerifiedTable<'a> {
    /// The transaction that created it.
    pub const fn tx(&self) -> VerifiedTx {
        self.tx
    }

    /// The table.
    pub const fn table(&self) -> Table<'a> {
        self.table
    }
}

impl VerifiedTx {
    /// Checks that this transaction created `table`, with these columns and no others.
    ///
    /// `entries` are *all* entries of the transaction, in their order. Keys are needed, not only
    /// digests: behind a digest nobody sees whether it is a further column. Among the entries those
    /// that define this table must be exactly those that CREATE TABLE writes
    /// ([`Table::create_digests`]), in that order. Secondary indexes and CHECK constraints of the
    /// table may be there too, and whatever belongs to other tables, rows for one. Nothing else of
    /// this table may be: a transaction that creates and alters it is refused.
    ///
    /// ```
    /// use counterfoil_core::*;
    ///
    /// # fn example(tx: &VerifiedTx, entries: &[(&[u8], &[u8])])
    /// # -> Result<(), Box<dyn std::error::Error>> {
    /// // The keys and values of all entries of the transaction that created the table, as read
    /// // from the server. The index with number 0 is the primary key.
    /// let (mut id, mut name, mut columns, mut primary_key) = (0, "", vec![], vec![]);
    /// for (key, value) in entries {
    ///     match CatalogEntry::parse(key, value) {
    ///         Ok(CatalogEntry::Table { table_id, name: text }) => (id, name) = (table_id, text),
    ///         Ok(CatalogEntry::Column { column, .. }) => columns.push(column),
    ///         Ok(CatalogEntry::Index { index_id: 0, columns, .. }) => {
    ///             primary_key = columns.iter().collect();
    ///         }
    ///         _ => {} // What is passed over by mistake is an error below.
    ///     }
    /// }
    /// let table = Table::new(id, name, &columns, &primary_key)?;
    /// let all = entries.iter().map(|(key, value)| TxEntry {
    ///     key,
    ///     metadata: EntryMetadata::default(),
    ///     value_hash: ValueHash::of(value),
    /// });
    /// let table: VerifiedTable<'_> = tx.verify_table(&table, all)?;
    /// # let _ = table; Ok(()) }
    /// ```
    ///
    /// # What success proves
    ///
    /// This transaction defines the table with this number by this name, these columns and this
    /// primary key, and says nothing else about its rows. Not that no other transaction does: one
    /// that alters or drops the table is found only by an account of all transactions.
    ///
    /// # Cost
    ///
    /// That of [`verify_all_entries`](Self::verify_all_entries) and of the digests, of the entries
    /// and of the table's, one compression for 64 bytes of each.
    ///
    /// # Errors
    ///
    /// [`ProofError::EntryCount`], [`ProofError::Entry`] and [`ProofError::EntriesRoot`] unless
    /// these are the transaction's entries. Only where they are:
    /// [`ProofError::OtherTable`] for one that defines the table otherwise,
    /// [`ProofError::TableIncomplete`], and [`ProofError::Catalog`] for a key of the catalog that
    /// [`CatalogKey::parse`] refuses, whichever table's it is.
    pub fn verify_table<'a, 'e>(
        &self,
        table: &Table<'a>,
        entries: impl IntoIterator<Item = TxEntry<'e>>,
    ) -> Result<VerifiedTable<'a>, ProofError> {
        let entries = entries.into_iter();
        self.check_entry_count(entries.size_hint())?;
        let mut tree = Frontier::new();
        let mut created = table.create_entries();
        let mut definition = Ok(());
        for TxEntry { key, metadata, value_hash } in entries {
            let index = u32::try_from(tree.size().get()).unwrap_or(u32::MAX);
            let digest = entry_digest(self.version(), &metadata, key, &value_hash)
                .map_err(ProofError::Entry)?;
            self.push(&mut tree, &digest)?;
            definition = definition.and_then(|()| match defines(table.id(), key)? {
                false => Ok(()),
                // Key, metadata and value are all in the digest, so only the very entry passes.
                true => match created.next() {
                    Some(entry) if self.is_digest_of(&digest, &entry)? => Ok(()),
                    _ => Err(ProofError::OtherTable { index }),
                },
            });
        }
        self.check_entries(&tree)?;
        definition?;
        match created.fold(0_usize, |count, _| count.saturating_add(1)) {
            0 => Ok(VerifiedTable { tx: *self, table: *table }),
            missing => Err(ProofError::TableIncomplete { missing }),
        }
    }

    fn is_digest_of(
        &self,
        digest: &EntryDigest,
        entry: &CatalogEntry<'_>,
    ) -> Result<bool, ProofError> {
        let expected = entry.digest_in(self.version()).map_err(ProofError::Catalog)?;
        Ok(expected == *digest)
    }
}

/// Whether an entry with this key says what the table's rows are. A key that begins as the
/// catalog's and makes no sense is refused, for who knows what a server reads there.
fn defines(table: u32, key: &[u8]) -> Result<bool, ProofError> {
    match CatalogKey::parse(key) {
        Ok(
            CatalogKey::Table { table_id }
            | CatalogKey::Column { table_id, .. }
            | CatalogKey::Index { table_id, index_id: 0 },
        ) => Ok(table_id == table),
        Ok(CatalogKey::Index { .. } | CatalogKey::Check { .. }) | Err(CatalogError::NotCatalog) => {
            Ok(false)
        }
        Err(error) => Err(ProofError::Catalog(error)),
    }
}
