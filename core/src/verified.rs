//! What was verified under a trusted state: transactions, and their entries.

use crate::catalog::CatalogEntry;
use crate::digest::{Alh, EntryDigest, Root};
use crate::error::ProofError;
use crate::frontier::Frontier;
use crate::header::{Header, HeaderVersion};
use crate::number::{LeafIndex, TreeSize, TxId};
use crate::row::Value;
use crate::state::TrustedState;
use crate::table::Table;
use crate::tree::{check_inclusion_len, verify_inclusion};

/// A transaction of the ledger in a trusted state. Only [`TrustedState::verify_tx`],
/// [`TrustedState::verify_tx_dual`] and [`TrustedState::verify_tx_dual_v2`] make one:
///
/// ```compile_fail
/// use counterfoil_core::*;
///
/// fn make(header: &Header<'_>, alh: Alh, state: TrustedState) -> VerifiedTx {
///     VerifiedTx::new(header, alh, state)
/// }
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct VerifiedTx {
    id: TxId,
    alh: Alh,
    ts: i64,
    version: HeaderVersion,
    nentries: u32,
    eh: Root,
    state: TrustedState,
}

impl VerifiedTx {
    /// The caller has checked that the header, whose hash is `alh`, belongs to the state's ledger.
    pub(crate) const fn new(header: &Header<'_>, alh: Alh, state: TrustedState) -> Self {
        Self {
            id: header.id,
            alh,
            ts: header.ts,
            version: header.version,
            nentries: header.nentries,
            eh: header.eh,
            state,
        }
    }

    /// The transaction's number.
    pub const fn id(&self) -> TxId {
        self.id
    }

    /// Its hash.
    pub const fn alh(&self) -> Alh {
        self.alh
    }

    /// When the server says it committed: Unix time in seconds.
    pub const fn ts(&self) -> i64 {
        self.ts
    }

    /// The format of its header, and so of its entries' digests.
    pub const fn version(&self) -> HeaderVersion {
        self.version
    }

    /// How many entries it has.
    pub const fn nentries(&self) -> u32 {
        self.nentries
    }

    /// The root of the tree over its entries.
    pub const fn eh(&self) -> Root {
        self.eh
    }

    /// The state under which it was verified.
    pub const fn state(&self) -> TrustedState {
        self.state
    }

    /// Checks that `digest` is entry number `index`, from 0, of this transaction.
    ///
    /// `version` is the one in which the digest was computed, which its bytes do not tell: in
    /// another version they can be another entry's. ([`Table::entry_digest`] and
    /// [`CatalogEntry::digest`] compute in version 1.) Better give the entry itself, where there is
    /// a call that takes it: [`verify_row`](Self::verify_row), [`verify_kv`](Self::verify_kv),
    /// [`verify_catalog`](Self::verify_catalog). `path` leads from the digest's leaf to `eh`, in a
    /// tree of exactly `nentries` leaves.
    ///
    /// # What success proves
    ///
    /// The transaction has exactly this entry at this place. Not that the entry is the first or
    /// the last written under its key.
    ///
    /// # Cost
    ///
    /// One compression of SHA-256 for the leaf and two for each term of `path`.
    ///
    /// # Errors
    ///
    /// [`ProofError::DigestVersion`], [`ProofError::EntryInclusion`].
    pub fn verify_entry(
        &self,
        version: HeaderVersion,
        digest: &EntryDigest,
        index: u32,
        path: &[[u8; 32]],
    ) -> Result<VerifiedEntry, ProofError> {
        self.check_version(version)?;
        self.find(digest, index, path)
    }

    /// As [`verify_entry`](Self::verify_entry), for a digest of this transaction's version.
    pub(crate) fn find(
        &self,
        digest: &EntryDigest,
        index: u32,
        path: &[[u8; 32]],
    ) -> Result<VerifiedEntry, ProofError> {
        self.check_path_len(index, path)?;
        let (leaf_index, size) = self.place(index);
        verify_inclusion(&digest.leaf_hash(), leaf_index, size, path, &self.eh)
            .map_err(ProofError::EntryInclusion)?;
        Ok(VerifiedEntry { tx: *self, index, digest: *digest })
    }

    fn check_version(&self, found: HeaderVersion) -> Result<(), ProofError> {
        let expected = self.version;
        if found == expected { Ok(()) } else { Err(ProofError::DigestVersion { expected, found }) }
    }

    /// Checks that this row, as an INSERT writes it, is entry number `index`, from 0, of this
    /// transaction.
    ///
    /// The digest is computed here, in the version of the transaction's own header: between two
    /// versions the same digest can stand for different keys. `row` is as in
    /// [`Table::encode_value`], `path` as in [`verify_entry`](Self::verify_entry), and so is what
    /// success proves; that `table` is the ledger's takes
    /// [`verify_table`](Self::verify_table).
    ///
    /// UPDATE and UPSERT write the whole row as INSERT does. DELETE writes it again with metadata
    /// that says `deleted`: for that give [`verify_entry`](Self::verify_entry) the
    /// [`entry_digest`](crate::entry_digest), in this transaction's version, of [`Table::encode_key`] and [`Table::encode_value`].
    ///
    /// # Cost
    ///
    /// That of [`verify_entry`](Self::verify_entry) and of the digest, one compression for 64 bytes
    /// of key and value.
    ///
    /// # Errors
    ///
    /// [`ProofError::Row`], [`ProofError::EntryInclusion`].
    pub fn verify_row(
        &self,
        table: &Table<'_>,
        row: &[Option<Value<'_>>],
        index: u32,
        path: &[[u8; 32]],
    ) -> Result<VerifiedEntry, ProofError> {
        self.check_path_len(index, path)?;
        let digest = table.entry_digest_in(self.version, row).map_err(ProofError::Row)?;
        self.find(&digest, index, path)
    }

    /// Checks that this catalog entry, as a CREATE statement writes it, is entry number `index`,
    /// from 0, of this transaction.
    ///
    /// The digest is computed here, in the version of the transaction's own header, for the reason
    /// that [`verify_row`](Self::verify_row) names. `path` is as in
    /// [`verify_entry`](Self::verify_entry), and so is what success proves; that no other entry
    /// defines the same thing takes an account of all.
    ///
    /// # Cost
    ///
    /// That of [`verify_row`](Self::verify_row).
    ///
    /// # Errors
    ///
    /// [`ProofError::Catalog`], [`ProofError::EntryInclusion`].
    pub fn verify_catalog(
        &self,
        entry: &CatalogEntry<'_>,
        index: u32,
        path: &[[u8; 32]],
    ) -> Result<VerifiedEntry, ProofError> {
        self.check_path_len(index, path)?;
        let digest = entry.digest_in(self.version).map_err(ProofError::Catalog)?;
        self.find(&digest, index, path)
    }

    /// [`verify_entry`](Self::verify_entry)'s part that needs no digest, for whoever is to compute
    /// one first.
    pub(crate) fn check_path_len(&self, index: u32, path: &[[u8; 32]]) -> Result<(), ProofError> {
        let (leaf_index, size) = self.place(index);
        check_inclusion_len(leaf_index, size, path).map_err(ProofError::EntryInclusion)
    }

    /// Entry number `index` as a leaf, and the size of the tree.
    fn place(&self, index: u32) -> (LeafIndex, TreeSize) {
        (LeafIndex::new(index.into()), TreeSize::new(self.nentries.into()))
    }

    /// Checks that these are the digests of *all* entries of this transaction, in their order, as
    /// computed in this version: see [`verify_entry`](Self::verify_entry).
    ///
    /// Takes at most `nentries` + 1 digests, and none where the iterator knows that their number is
    /// another one ([`Iterator::size_hint`]).
    ///
    /// # What success proves
    ///
    /// The transaction has these entries and no others.
    ///
    /// # Cost
    ///
    /// For n entries 3n − 2 compressions of SHA-256: n leaves and n − 1 nodes.
    ///
    /// # Errors
    ///
    /// [`ProofError::DigestVersion`]; [`ProofError::EntryCount`] unless there are exactly `nentries`;
    /// [`ProofError::EntriesRoot`].
    pub fn verify_all_entries(
        &self,
        version: HeaderVersion,
        digests: impl IntoIterator<Item = EntryDigest>,
    ) -> Result<(), ProofError> {
        self.check_version(version)?;
        let digests = digests.into_iter();
        self.check_entry_count(digests.size_hint())?;
        let mut tree = Frontier::new();
        for digest in digests {
            self.push(&mut tree, &digest)?;
        }
        self.check_entries(&tree)
    }

    /// What can be said of the number of entries before any is looked at: `hint` is the least and
    /// the greatest number that there can be.
    pub(crate) fn check_entry_count(
        &self,
        (least, most): (usize, Option<usize>),
    ) -> Result<(), ProofError> {
        let entries = u64::from(self.nentries);
        let number = |count| u64::try_from(count).unwrap_or(u64::MAX);
        match (number(least), most.map(number)) {
            (found, _) if found > entries => Err(self.entry_count(found)),
            (_, Some(found)) if found < entries => Err(self.entry_count(found)),
            _ => Ok(()),
        }
    }

    /// Adds an entry to the tree of all entries: one too many is refused before it is hashed.
    pub(crate) fn push(&self, tree: &mut Frontier, digest: &EntryDigest) -> Result<(), ProofError> {
        let size = tree.size().get();
        let too_many = self.entry_count(size.saturating_add(1));
        if size >= self.nentries.into() {
            return Err(too_many);
        }
        tree.push(digest.leaf_hash()).map_err(|_| too_many)
    }

    /// Checks that the tree is that of this transaction's entries, all of them.
    pub(crate) fn check_entries(&self, tree: &Frontier) -> Result<(), ProofError> {
        let found = tree.size().get();
        if found != self.nentries.into() {
            return Err(self.entry_count(found));
        }
        if tree.root() == self.eh { Ok(()) } else { Err(ProofError::EntriesRoot) }
    }

    const fn entry_count(&self, found: u64) -> ProofError {
        ProofError::EntryCount { expected: self.nentries, found }
    }
}

/// An entry of a verified transaction. Only [`VerifiedTx::verify_entry`],
/// [`VerifiedTx::verify_row`] and [`VerifiedTx::verify_kv`] make one.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct VerifiedEntry {
    tx: VerifiedTx,
    index: u32,
    digest: EntryDigest,
}

impl VerifiedEntry {
    /// The transaction.
    pub const fn tx(&self) -> VerifiedTx {
        self.tx
    }

    /// The entry's place in the transaction, from 0.
    pub const fn index(&self) -> u32 {
        self.index
    }

    /// The entry's digest.
    pub const fn digest(&self) -> EntryDigest {
        self.digest
    }
}
