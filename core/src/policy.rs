//! How strictly a proof between transactions is taken.

/// What a proof must tie, and how long it may be.
///
/// immudb commits to its transactions twice: by the chain ([`prev_alh`](crate::Header::prev_alh))
/// and by the tree ([`bl_root`](crate::Header::bl_root)). Where a ledger's tree lags, its proofs do
/// not always show that new leaves of the tree are the transactions of the chain.
/// [`STRICT`](Self::STRICT), the default, refuses such a proof.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct ProofPolicy {
    legacy_untied: bool,
    max_chain: usize,
}

impl ProofPolicy {
    /// Everything that a proof can tie must be tied, and what it cannot tie is refused. At most
    /// 4,096 terms of a chain.
    ///
    /// Today's immudb, whose tree never lags (`bl_tx_id` is `id − 1`), loses nothing by it.
    pub const STRICT: Self = Self { legacy_untied: false, max_chain: 4096 };

    /// For old ledgers whose tree lagged behind their chain: accepts what the proof's format cannot
    /// tie, and compares nothing beyond the format's own rules.
    ///
    /// An [`Extension`](crate::Extension) under this policy no longer shows that the transactions
    /// after the older state's tree are the same in both, where the later tree took them in but
    /// does not reach the older state. A [`VerifiedTx`](crate::VerifiedTx) is unique all the same:
    /// the state alone decides it.
    pub const fn legacy_untied(self) -> Self {
        Self { legacy_untied: true, ..self }
    }

    /// Sets how many terms one linear or linear-advance proof may have: one more than the chain has
    /// steps. A step costs two compressions of SHA-256, and in a linear-advance proof a leaf and a
    /// path of up to 64 terms too.
    pub const fn with_max_chain(self, terms: usize) -> Self {
        Self { max_chain: terms, ..self }
    }

    pub(crate) const fn ties(self) -> bool {
        !self.legacy_untied
    }

    pub(crate) const fn max_chain(self) -> usize {
        self.max_chain
    }
}

impl Default for ProofPolicy {
    fn default() -> Self {
        Self::STRICT
    }
}
