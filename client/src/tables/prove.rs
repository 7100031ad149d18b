//! Proving a table: among all transactions one is sought that holds exactly
//! the entries that creating it writes, under whatever id. What the server
//! says of the table is only where the search begins.

use counterfoil_core::{CatalogError, EntryMetadata, TxEntry, TxId};

use super::Shared;
use super::accounts::Accounts;
use super::answer::ProvenTable;
use super::created::{Creation, created_alone};
use super::schema::{Entry, Owner, Schema};
use super::seek::Known;
use crate::backend::immudb::Identifier;
use crate::error::{Error, Result, Unavailable};
use crate::schema::TABLE;
use crate::undecided::Undecided;

/// A table that was found in the ledger.
#[derive(Debug, Clone)]
pub(crate) struct Proven {
    pub(crate) name: Identifier,
    pub(crate) schema: Schema,
    pub(crate) id: u32,
    pub(crate) created: TxId,
}

/// A table's definition in a transaction that is accounted for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Definition {
    id: u32,
    name: String,
    tx: TxId,
}

impl Proven {
    /// Whose its rows are.
    pub(crate) fn owner(&self) -> Owner {
        Owner { table: self.id, since: self.created }
    }

    /// Whether another transaction is known to define what this one does, a
    /// later one or for the same id: then this one does not say what the table
    /// is.
    fn outdated_by(&self, known: &[Definition]) -> Option<TxId> {
        let other = known.iter().find(|definition| {
            let same_id = definition.id == self.id && definition.tx != self.created;
            same_id || definition.name == self.schema.name && definition.tx > self.created
        });
        other.map(|definition| definition.tx)
    }

    /// For the caller.
    pub(crate) fn answer(&self, accounts: &Accounts) -> ProvenTable {
        ProvenTable {
            name: self.schema.name.clone(),
            id: self.id,
            columns: self.schema.columns.iter().map(|column| column.name.clone()).collect(),
            created: self.created,
            unchanged: accounts.completeness(self.created),
        }
    }
}

impl Shared {
    /// Proves the table of this name.
    pub(crate) async fn prove(&self, known: &mut Known, name: &str) -> Result<Proven> {
        let word = Identifier::new(name).ok_or_else(|| {
            Error::Invalid(format!("{name:?} is no table's name: letters, digits and _ make one"))
        })?;
        let ours = {
            let local = self.local.lock().await;
            if local.has_table() { Some(local.table()?.id()) } else { None }
        };
        let events = || {
            Error::Invalid(format!(
                "{name:?} is the event store's own table: read and audit it with EventStore"
            ))
        };
        if ours.is_some() && name == TABLE {
            return Err(events());
        }
        let no_table = || Undecided::NoTable { table: name.into() };
        let schema = self.immudb.describe(&word).await?.ok_or_else(no_table)?;
        let through = known.accounts.through();
        let unproven = |reason: String| Undecided::TableUnproven { table: name.into(), reason };
        let sought = known.tables.get(name);
        let found = match sought.filter(|s| (&s.schema, s.through) == (&schema, through)) {
            Some(sought) => sought.found.clone(),
            None => match self.seek_creation(known, word, schema.clone(), ours).await? {
                Found::Events => return Err(events()),
                Found::Table(proven) => Ok(proven),
                Found::Nothing(reason) => Err(reason),
            },
        };
        let sought = Sought { schema, through, found: found.clone() };
        known.tables.insert(name.into(), sought);
        let proven = found.map_err(unproven)?;
        match proven.outdated_by(&known.definitions) {
            Some(tx) => Err(unproven(format!("transaction {tx} defines it otherwise")).into()),
            None => Ok(proven),
        }
    }

    /// Seeks the transaction that created the table.
    async fn seek_creation(
        &self,
        known: &mut Known,
        word: Identifier,
        schema: Schema,
        ours: Option<u32>,
    ) -> Result<Found> {
        let malformed = |error: CatalogError| Found::Nothing(format!("its definition: {error}"));
        let mut found = match created_alone(&known.accounts, &schema) {
            Ok(found) => found,
            Err(error) => return Ok(malformed(error)),
        };
        if found.is_none() {
            found = self.created_together(known, &schema).await?;
        }
        if found.is_none() {
            found = match self.created_with_rows(known, &word, &schema).await {
                // Rows that are not of this definition prove it no better.
                Err(Error::Unavailable(Unavailable::Garbled { .. })) => None,
                found => found?,
            };
        }
        let Some(creation) = found else {
            let reason = "it may have been altered since, have a DEFAULT or a CHECK, which the \
                          wire does not show, or have been created in one transaction with more \
                          than is tried";
            return Ok(Found::Nothing(reason.into()));
        };
        if ours == Some(creation.id) {
            return Ok(Found::Events);
        }
        if let Err(reason) = self.check(&schema, &creation).await? {
            return Ok(Found::Nothing(reason));
        }
        known.accounts.settle(&creation.accounted);
        for (id, name) in &creation.defines {
            let definition = Definition { id: *id, name: name.clone(), tx: creation.tx };
            if !known.definitions.contains(&definition) {
                known.definitions.push(definition);
            }
        }
        for index in 0..schema.indexes.len() {
            match schema.index_created(creation.id, index) {
                Ok(digest) => known.accounts.settle(digest.map(Entry::other).as_slice()),
                Err(error) => return Ok(malformed(error)),
            }
        }
        let Creation { id, tx: created, .. } = creation;
        Ok(Found::Table(Proven { name: word, schema, id, created }))
    }

    /// Core's own check of the creation, under the pinned state.
    async fn check(&self, schema: &Schema, creation: &Creation) -> Result<Result<(), String>> {
        let checked = self.local.lock().await.checked(creation.tx).await?;
        let columns = schema.columns();
        let table = match schema.table(creation.id, &columns) {
            Ok(table) => table,
            Err(error) => return Ok(Err(error.to_string())),
        };
        let metadata = EntryMetadata::default();
        let entries = creation.entries.iter().map(|(key, value_hash)| TxEntry {
            key,
            metadata,
            value_hash: *value_hash,
        });
        let verified = checked.tx.verify_table(&table, entries);
        Ok(verified.map(drop).map_err(|error| error.to_string()))
    }
}

/// What a search for a table's creation ends with.
enum Found {
    Table(Proven),
    /// It is the event store's own.
    Events,
    /// Why there is none.
    Nothing(String),
}

/// A search that is over: as long as nothing is new it ends so.
#[derive(Debug)]
pub(crate) struct Sought {
    schema: Schema,
    through: TxId,
    found: Result<Proven, String>,
}
