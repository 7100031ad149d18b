//! What is trusted, and what a check under it proves.

use core::fmt;

use crate::digest::{Alh, EntryDigest, Root};
use crate::error::{ProofError, TreeError};
use crate::frontier::Frontier;
use crate::header::{Header, HeaderVersion};
use crate::number::{LeafIndex, TreeSize, TxId};
use crate::row::Value;
use crate::table::Table;
use crate::tree::{check_inclusion_len, verify_inclusion};

/// A ledger's state: its last transaction and that transaction's hash.
///
/// Why it is trusted is the caller's business: pinned earlier, signed, witnessed. Everything
/// proved under a state is worth as much as the state.
///
/// Written as `tx:alh`, in decimal and 64 lower-case hex digits.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct TrustedState {
    /// The last transaction.
    pub tx: TxId,
    /// Its hash.
    pub alh: Alh,
}

impl TrustedState {
    /// Checks that `header` is the header of a transaction of the ledger in this state.
    ///
    /// A state (m, Alh(m)) commits to its ledger through the header of m, `state_header`: for
    /// every k up to its `bl_tx_id`, transaction k *is* leaf k − 1 of the tree under its
    /// `bl_root`, and m is the state itself. `path` leads from the `Alh` of `header` to that root;
    /// for m itself it is empty.
    ///
    /// # What success proves
    ///
    /// The ledger in this state has exactly this transaction under this number: no second header
    /// passes under the same state. It does not prove that `prev_alh` and `bl_root` of `header`
    /// agree with the rest of the ledger, which takes following it header by header, nor that its
    /// time is right.
    ///
    /// # Errors
    ///
    /// [`ProofError::StateHeader`], [`ProofError::StateTx`] and [`ProofError::StateAlh`] if
    /// `state_header` is not this state's; [`ProofError::TxHeader`]; [`ProofError::NotCovered`] for
    /// a transaction that is newer than the state or that a lagging tree does not hold yet;
    /// [`ProofError::TxAlh`] for another header of the state's own transaction;
    /// [`ProofError::TxInclusion`].
    pub fn verify_tx(
        &self,
        state_header: &Header<'_>,
        header: &Header<'_>,
        path: &[[u8; 32]],
    ) -> Result<VerifiedTx, ProofError> {
        let covered = self.check_numbers(state_header, header, path)?;
        if state_header.alh().map_err(ProofError::StateHeader)? != self.alh {
            return Err(ProofError::StateAlh);
        }

        // Only now does `bl_tx_id` say what the state covers.
        let Some(place) = covered else {
            let covered = state_header.bl_tx_id;
            return Err(ProofError::NotCovered { tx: header.id, covered });
        };
        let alh = header.alh().map_err(ProofError::TxHeader)?;
        match place {
            Place::Itself if alh != self.alh => return Err(ProofError::TxAlh),
            Place::Itself => {}
            Place::Leaf(index) => {
                let size = state_header.bl_tx_id.tree_size();
                verify_inclusion(&alh.leaf_hash(), index, size, path, &state_header.bl_root)
                    .map_err(ProofError::TxInclusion)?;
            }
        }
        Ok(VerifiedTx::new(header, alh, *self))
    }

    /// What numbers decide, before anything is hashed: where the transaction stands, if
    /// `state_header` is this state's. `None` where that covers no such transaction.
    fn check_numbers(
        &self,
        state_header: &Header<'_>,
        header: &Header<'_>,
        path: &[[u8; 32]],
    ) -> Result<Option<Place>, ProofError> {
        if state_header.id != self.tx {
            return Err(ProofError::StateTx { expected: self.tx, found: state_header.id });
        }
        state_header.check_numbers().map_err(ProofError::StateHeader)?;
        header.check_numbers().map_err(ProofError::TxHeader)?;
        if header.id == self.tx {
            return match path.len() {
                0 => Ok(Some(Place::Itself)),
                found => Err(ProofError::TxInclusion(TreeError::PathLength { expected: 0, found })),
            };
        }
        match header.id.leaf_index() {
            Some(index) if header.id <= state_header.bl_tx_id => {
                check_inclusion_len(index, state_header.bl_tx_id.tree_size(), path)
                    .map_err(ProofError::TxInclusion)?;
                Ok(Some(Place::Leaf(index)))
            }
            _ => Ok(None),
        }
    }
}

/// Where a state has a transaction.
enum Place {
    /// It is the state's own.
    Itself,
    /// A leaf of the state's tree.
    Leaf(LeafIndex),
}

impl fmt::Display for TrustedState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.tx, self.alh)
    }
}

/// Exactly what `Display` writes: no sign, no leading zero, no space.
#[cfg(feature = "hex")]
impl core::str::FromStr for TrustedState {
    type Err = crate::error::ParseError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        use crate::error::ParseError;

        let (tx, alh) = text.split_once(':').ok_or(ParseError::Separator)?;
        if !tx.bytes().all(|digit| digit.is_ascii_digit()) || tx.len() > 1 && tx.starts_with('0') {
            return Err(ParseError::Number);
        }
        let tx: u64 = tx.parse().map_err(|_| ParseError::Number)?;
        Ok(Self { tx: TxId::new(tx), alh: alh.parse()? })
    }
}

/// The text in human-readable formats, else the pair of number and hash.
#[cfg(feature = "serde")]
impl serde::Serialize for TrustedState {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() {
            serializer.collect_str(self)
        } else {
            (self.tx, self.alh).serialize(serializer)
        }
    }
}

#[cfg(feature = "serde")]
impl<'de> serde::Deserialize<'de> for TrustedState {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        if deserializer.is_human_readable() {
            let expecting = "a transaction number, a colon and 64 lower-case hex digits";
            deserializer.deserialize_str(crate::error::FromStrVisitor::new(expecting))
        } else {
            <(TxId, Alh)>::deserialize(deserializer).map(|(tx, alh)| Self { tx, alh })
        }
    }
}

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
    /// `path` leads from the digest's leaf to `eh`, in a tree of exactly `nentries` leaves.
    ///
    /// # What success proves
    ///
    /// The transaction has exactly this entry at this place. Not that the entry is the first or
    /// the last written under its key. Compute the digest for this transaction's
    /// [`version`](Self::version); [`verify_row`](Self::verify_row) and
    /// [`verify_kv`](Self::verify_kv) do.
    ///
    /// # Errors
    ///
    /// [`ProofError::EntryInclusion`].
    pub fn verify_entry(
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

    /// Checks that this row, as an INSERT writes it, is entry number `index`, from 0, of this
    /// transaction.
    ///
    /// The digest is computed here, in the version of the transaction's own header: between two
    /// versions the same digest can stand for different keys. `row` is as in
    /// [`Table::encode_value`], `path` as in [`verify_entry`](Self::verify_entry), and so is what
    /// success proves; that `table` is the ledger's takes a proof of its own.
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
        self.verify_entry(&digest, index, path)
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

    /// Checks that these are the digests of *all* entries of this transaction, in their order.
    ///
    /// Takes at most `nentries` + 1 digests.
    ///
    /// # What success proves
    ///
    /// The transaction has these entries and no others.
    ///
    /// # Errors
    ///
    /// [`ProofError::EntryCount`] unless there are exactly `nentries`; [`ProofError::EntriesRoot`].
    pub fn verify_all_entries(
        &self,
        digests: impl IntoIterator<Item = EntryDigest>,
    ) -> Result<(), ProofError> {
        let count = ProofError::EntryCount { expected: self.nentries };
        let mut left = self.nentries;
        let mut tree = Frontier::new();
        for digest in digests {
            left = left.checked_sub(1).ok_or(count)?;
            tree.push(digest.leaf_hash()).map_err(|_| count)?;
        }
        if left != 0 {
            return Err(count);
        }
        if tree.root() == self.eh { Ok(()) } else { Err(ProofError::EntriesRoot) }
    }
}

/// An entry of a verified transaction. Only [`VerifiedTx::verify_entry`] makes one.
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
