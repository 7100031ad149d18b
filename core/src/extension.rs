//! From a trusted state to another transaction of its ledger: back to one that it commits to, on
//! to one that commits to it, and the case where nothing was trusted before.

use crate::chain::TxAlh;
use crate::dual::{DualProof, DualProofV2, Ends, hash};
use crate::error::{DualError, Part, ProofError};
use crate::header::Header;
use crate::number::TxId;
use crate::policy::ProofPolicy;
use crate::state::TrustedState;
use crate::verified::VerifiedTx;

/// A later state that is consistent with a trusted one. Only [`TrustedState::verify_extension`]
/// and [`TrustedState::verify_extension_v2`] make one.
///
/// # What it does not prove
///
/// That the later state is *the* ledger's: whoever knows the trusted state, and that need not be
/// the server, can extend it with transactions of his own, in any number of ways that contradict
/// each other. Trust [`to`](Self::to) for a reason beside this proof: a signature, a quorum of
/// witnesses, an account of every transaction in between.
///
/// ```compile_fail
/// fn trust(extension: counterfoil_core::Extension) -> counterfoil_core::TrustedState {
///     extension.to().into()
/// }
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Extension {
    from: TrustedState,
    to: TxAlh,
    policy: ProofPolicy,
}

impl Extension {
    /// The trusted state.
    pub const fn from(&self) -> TrustedState {
        self.from
    }

    /// The later state, unconfirmed.
    pub const fn to(&self) -> TxAlh {
        self.to
    }

    /// How strictly the proof was taken: see [`ProofPolicy::legacy_untied`] for what less shows.
    pub const fn policy(&self) -> ProofPolicy {
        self.policy
    }
}

/// A first state, where nothing was trusted before. Only [`TrustedState::first_contact`] makes
/// one.
///
/// It proves nothing about the ledger but that the state is one: a number and the hash of a header
/// that states this number. What came before is unseen, and whoever shows it may show another
/// state to others.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct FirstContact {
    state: TxAlh,
}

impl FirstContact {
    /// The state.
    pub const fn state(&self) -> TxAlh {
        self.state
    }
}

impl TrustedState {
    /// Checks that transaction `tx`, the proof's source, belongs to the ledger in this state, the
    /// proof's target.
    ///
    /// For ledgers whose tree lags, and for proofs as immudb's API sends them. Under a state
    /// (m, Alh(m)) transaction k is leaf k − 1 of m's tree if that holds it, and else, being
    /// younger than the tree, the one to which the chain leads back from m.
    ///
    /// # What success proves
    ///
    /// What [`verify_tx`](Self::verify_tx) proves: the ledger in this state has exactly this
    /// transaction under this number. That holds under any policy. The strict one also refuses what
    /// would leave an [`Extension`] with less, so that one set of rules serves both directions.
    ///
    /// # Cost
    ///
    /// Two headers, as in [`verify_tx`](Self::verify_tx), and the proof's parts as far as they are
    /// there: inclusion and last inclusion as [`verify_inclusion`](crate::verify_inclusion), with
    /// one compression of SHA-256 for each of the two leaves;
    /// [`verify_consistency_immudb`](crate::verify_consistency_immudb);
    /// [`verify_linear`](crate::verify_linear);
    /// [`verify_linear_advance`](crate::verify_linear_advance). One more leaf where the strict
    /// policy compares the source's predecessor: the source's tree ends right before it and has an
    /// odd size, and the target's is larger.
    ///
    /// # Errors
    ///
    /// [`DualError`]: its variants are the steps. What numbers decide comes before anything is
    /// hashed.
    pub fn verify_tx_dual(
        &self,
        tx: TxId,
        proof: &DualProof<'_>,
        policy: ProofPolicy,
    ) -> Result<VerifiedTx, DualError> {
        proof.check_counts(tx, self.tx, policy)?;
        let ends = self.as_target(&proof.source_header, &proof.target_header)?;
        proof.check(&ends, policy)?;
        Ok(VerifiedTx::new(&proof.source_header, ends.source.alh, *self))
    }

    /// As [`verify_tx_dual`](Self::verify_tx_dual), by version 2 of the proof.
    ///
    /// # Cost
    ///
    /// Two headers; unless both are the same transaction's, one leaf and the proof's two paths.
    /// Under the strict policy one leaf more for each predecessor that the paths show: the
    /// source's where its number is even, the target's where the source's path meets that leaf
    /// alone.
    ///
    /// # Errors
    ///
    /// Likewise, and [`DualError::TreeLags`] for a ledger that needs version 1.
    pub fn verify_tx_dual_v2(
        &self,
        tx: TxId,
        proof: &DualProofV2<'_>,
        policy: ProofPolicy,
    ) -> Result<VerifiedTx, DualError> {
        let borrowed = proof.borrowed();
        borrowed.check_counts(tx, self.tx)?;
        let ends = self.as_target(&proof.source_header, &proof.target_header)?;
        borrowed.check(&ends, policy)?;
        Ok(VerifiedTx::new(&proof.source_header, ends.source.alh, *self))
    }

    /// Checks that a claimed later state, the proof's target, extends this one, its source.
    ///
    /// # What success proves
    ///
    /// Every transaction that this state commits to is the same in the later one. What comes
    /// after it, and that the later state is the ledger's at all, it does not prove: see
    /// [`Extension`]. Under [`ProofPolicy::legacy_untied`] it proves less.
    ///
    /// # Cost
    ///
    /// As [`verify_tx_dual`](Self::verify_tx_dual).
    ///
    /// # Errors
    ///
    /// As [`verify_tx_dual`](Self::verify_tx_dual).
    pub fn verify_extension(
        &self,
        target: &TxAlh,
        proof: &DualProof<'_>,
        policy: ProofPolicy,
    ) -> Result<Extension, DualError> {
        proof.check_counts(self.tx, target.tx, policy)?;
        let ends = ends(&(*self).into(), target, &proof.source_header, &proof.target_header)?;
        proof.check(&ends, policy)?;
        Ok(Extension { from: *self, to: *target, policy })
    }

    /// As [`verify_extension`](Self::verify_extension), by version 2 of the proof.
    ///
    /// # Cost
    ///
    /// As [`verify_tx_dual_v2`](Self::verify_tx_dual_v2).
    ///
    /// # Errors
    ///
    /// As [`verify_tx_dual_v2`](Self::verify_tx_dual_v2).
    pub fn verify_extension_v2(
        &self,
        target: &TxAlh,
        proof: &DualProofV2<'_>,
        policy: ProofPolicy,
    ) -> Result<Extension, DualError> {
        let borrowed = proof.borrowed();
        borrowed.check_counts(self.tx, target.tx)?;
        let ends = ends(&(*self).into(), target, &proof.source_header, &proof.target_header)?;
        borrowed.check(&ends, policy)?;
        Ok(Extension { from: *self, to: *target, policy })
    }

    /// From the empty tree: checks what can be checked of a claimed state when nothing was trusted
    /// before.
    ///
    /// A call of its own, so that "there is no older state" can never be mistaken for a proof that
    /// happened to be empty. `header` is the header of the state's transaction.
    ///
    /// # Cost
    ///
    /// One header, as in [`verify_tx`](Self::verify_tx).
    ///
    /// # Errors
    ///
    /// [`ProofError::StateHeader`], also for a beginning that no ledger has (see
    /// [`Header::check`]); [`ProofError::StateTx`], [`ProofError::StateAlh`].
    pub fn first_contact(claimed: &TxAlh, header: &Header<'_>) -> Result<FirstContact, ProofError> {
        if header.id != claimed.tx {
            return Err(ProofError::StateTx { expected: claimed.tx, found: header.id });
        }
        header.check().map_err(ProofError::StateHeader)?;
        if header.alh().map_err(ProofError::StateHeader)? != claimed.alh {
            return Err(ProofError::StateAlh { tx: claimed.tx });
        }
        Ok(FirstContact { state: *claimed })
    }

    fn as_target(&self, source: &Header<'_>, target: &Header<'_>) -> Result<Ends, DualError> {
        let ends = Ends {
            source: hash(source, Part::SourceHeader)?,
            target: hash(target, Part::TargetHeader)?,
        };
        if ends.target.alh != self.alh {
            return Err(DualError::HeaderAlh { part: Part::TargetHeader, tx: self.tx });
        }
        Ok(ends)
    }
}

/// The headers are those of the states `from` and `to`.
fn ends(
    from: &TxAlh,
    to: &TxAlh,
    source: &Header<'_>,
    target: &Header<'_>,
) -> Result<Ends, DualError> {
    let ends = Ends {
        source: hash(source, Part::SourceHeader)?,
        target: hash(target, Part::TargetHeader)?,
    };
    if ends.source.alh != from.alh {
        return Err(DualError::HeaderAlh { part: Part::SourceHeader, tx: from.tx });
    }
    if ends.target.alh != to.alh {
        return Err(DualError::HeaderAlh { part: Part::TargetHeader, tx: to.tx });
    }
    Ok(ends)
}
