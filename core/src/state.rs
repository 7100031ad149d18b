//! What is trusted, and that a transaction belongs to it.

use core::fmt;

use crate::digest::Alh;
use crate::error::{ProofError, TreeError};
use crate::header::Header;
use crate::number::{LeafIndex, TxId};
use crate::tree::{check_inclusion_len, verify_inclusion};
use crate::verified::VerifiedTx;

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
    /// # Cost
    ///
    /// Two headers, and unless it is m itself one compression of SHA-256 for the leaf and two for
    /// each term of `path`. A header takes 2 + ⌈(length of what its inner hash is over + 9) / 64⌉:
    /// four without metadata.
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
            return Err(ProofError::StateAlh { tx: self.tx });
        }

        // Only now does `bl_tx_id` say what the state covers.
        let Some(place) = covered else {
            let covered = state_header.bl_tx_id;
            return Err(ProofError::NotCovered { tx: header.id, covered });
        };
        let alh = header.alh().map_err(ProofError::TxHeader)?;
        match place {
            Place::Itself if alh != self.alh => return Err(ProofError::TxAlh { tx: self.tx }),
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
