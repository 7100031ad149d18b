//! The rules, by name.

/// A rule of the strict verifier. What follows is what holds while it is on.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Rule {
    /// A tree that a header states is over fewer transactions than its own number.
    TreeBehind,
    /// A header states at least one entry.
    EntryCountNotZero,
    /// A header's count of entries fits its field.
    EntryCountFits,
    /// Version 0, which hashes no metadata, has none.
    MetadataIsHashed,
    /// A header's number is the number asked for.
    NumberIsAsked,
    /// The header of a state or an end has its hash.
    HeaderIsEnd,
    /// The source is not after the target.
    InOrder,
    /// A leaf's index is below the tree's size.
    IndexInTree,
    /// An inclusion path has as many terms as index and size demand.
    InclusionLength,
    /// A consistency path has as many terms as the sizes demand.
    ConsistencyLength,
    /// The source is in the target's tree where that reaches it.
    Inclusion,
    /// The source's tree is a prefix of the target's.
    Consistency,
    /// The source's tree is not larger than the target's.
    TreesInOrder,
    /// `target_bl_tx_alh` is the last leaf of the target's tree.
    LastInclusion,
    /// Where the source is the last in the target's tree, `target_bl_tx_alh` is its hash.
    LastIsSource,
    /// Where the target follows its tree's last leaf, that is the target's predecessor: in version
    /// 2 wherever the source's path shows that leaf.
    LastIsTargetsPredecessor,
    /// Where the target's tree ends before the source with leaves that the source's did not have,
    /// it ends right before the source.
    NothingUntied,
    /// Where the source follows the last leaf of the target's tree, that is the source's predecessor.
    LastIsSourcesPredecessor,
    /// Where the source follows its own tree's last leaf, and the consistency path begins with that
    /// leaf, it is the source's predecessor.
    OwnLastIsSourcesPredecessor,
    /// The chain begins with the hash of where it begins.
    LinearStart,
    /// The chain ends in the target.
    LinearEnd,
    /// The chain's own numbers are those asked for.
    LinearNumbers,
    /// The chain has as many steps as there are transactions.
    LinearLength,
    /// A linear-advance proof is there where something lies in between.
    AdvanceThere,
    /// It has as many terms as there are transactions.
    AdvanceLength,
    /// It has a path for each transaction in between.
    AdvancePaths,
    /// Each path holds.
    AdvanceInclusion,
    /// Its chain ends in the transaction that it is for.
    AdvanceEnd,
    /// What a tree holds, the chain does not decide.
    TreeDecides,
    /// Version 2: equal numbers have equal hashes.
    EqualNumbersEqualHashes,
    /// Version 2: both trees reach to the number before.
    NoLag,
    /// What proves nothing is not there.
    NothingSurplus,
    /// The entries' tree has as many leaves as the header states entries.
    WidthIsCount,
    /// All entries are as many as the header states.
    AllIsCount,
}

impl Rule {
    /// Every rule.
    pub const ALL: [Self; 34] = [
        Self::TreeBehind,
        Self::EntryCountNotZero,
        Self::EntryCountFits,
        Self::MetadataIsHashed,
        Self::NumberIsAsked,
        Self::HeaderIsEnd,
        Self::InOrder,
        Self::IndexInTree,
        Self::InclusionLength,
        Self::ConsistencyLength,
        Self::Inclusion,
        Self::Consistency,
        Self::TreesInOrder,
        Self::LastInclusion,
        Self::LastIsSource,
        Self::LastIsTargetsPredecessor,
        Self::NothingUntied,
        Self::LastIsSourcesPredecessor,
        Self::OwnLastIsSourcesPredecessor,
        Self::LinearStart,
        Self::LinearEnd,
        Self::LinearNumbers,
        Self::LinearLength,
        Self::AdvanceThere,
        Self::AdvanceLength,
        Self::AdvancePaths,
        Self::AdvanceInclusion,
        Self::AdvanceEnd,
        Self::TreeDecides,
        Self::EqualNumbersEqualHashes,
        Self::NoLag,
        Self::NothingSurplus,
        Self::WidthIsCount,
        Self::AllIsCount,
    ];
}

/// Which rules are on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Rules {
    off: u64,
}

impl Rules {
    /// All of them, as [`ProofPolicy::STRICT`](counterfoil_core::ProofPolicy::STRICT).
    pub const STRICT: Self = Self { off: 0 };

    /// As [`ProofPolicy::legacy_untied`](counterfoil_core::ProofPolicy::legacy_untied).
    pub const LEGACY: Self = Self::STRICT
        .without(Rule::LastIsTargetsPredecessor)
        .without(Rule::NothingUntied)
        .without(Rule::LastIsSourcesPredecessor)
        .without(Rule::OwnLastIsSourcesPredecessor);

    /// These but one.
    pub const fn without(self, rule: Rule) -> Self {
        Self { off: self.off | 1 << rule as u64 }
    }

    /// Whether a rule is off.
    pub const fn off(self, rule: Rule) -> bool {
        self.off & 1 << rule as u64 != 0
    }
}
