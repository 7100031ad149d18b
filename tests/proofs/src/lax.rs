//! A second verifier of the same statements in which every rule can be switched off by itself.
//!
//! With all rules on it must answer what the verifier answers. With one off, the adversary must
//! find a contradiction, or the rule is not needed for uniqueness and its entry in the test's table
//! says what else makes it superfluous. So the search is shown to be able to find something.
//!
//! It follows the words of RFC 9162 and of the vectors' README and is not meant to be fast.

mod chain;
mod dual;
mod rule;
mod tree;

use counterfoil_core::HeaderVersion;

pub use dual::{Dual, DualV2, End};
pub use rule::{Rule, Rules};

use crate::ledger::{Hash, OwnedHeader, leaf};
use crate::proof::{OwnedLinear, Path};

/// Whether a header states what headers can.
pub fn header(rules: Rules, header: &OwnedHeader) -> bool {
    let limit = match header.version {
        HeaderVersion::V0 => 0xffff,
        HeaderVersion::V1 => 0x7fff_ffff,
    };
    let metadata = header.truncated_tx_id.is_some() || header.extra.is_some();
    header.id > 0
        && (rules.off(Rule::TreeBehind) || header.bl_tx_id < header.id)
        && (rules.off(Rule::EntryCountNotZero) || header.nentries > 0)
        && (rules.off(Rule::EntryCountFits) || header.nentries <= limit)
        && (rules.off(Rule::MetadataIsHashed) || header.version == HeaderVersion::V1 || !metadata)
}

/// Whether `of` is the transaction of its number under the state `state`, by the tree alone.
pub fn verify_tx(
    rules: Rules,
    state: End,
    state_header: &OwnedHeader,
    of: &OwnedHeader,
    path: &Path,
) -> bool {
    if !(header(rules, state_header) && header(rules, of) && state.is(rules, state_header)) {
        return false;
    }
    if of.id == state.id {
        of.alh() == state.alh && (path.is_empty() || rules.off(Rule::NothingSurplus))
    } else if of.id <= state_header.bl_tx_id || rules.off(Rule::IndexInTree) {
        let (size, root) = (state_header.bl_tx_id, &state_header.bl_root);
        tree::inclusion(rules, &leaf(&of.alh()), of.id - 1, size, path, root)
    } else {
        false
    }
}

/// Whether the chain shows `of` under `state`. No acceptor of the verifier does this by itself: a
/// chain gives a `ChainLink`.
pub fn verify_tx_by_chain(rules: Rules, state: End, of: &OwnedHeader, proof: &OwnedLinear) -> bool {
    rules.off(Rule::TreeDecides)
        && header(rules, of)
        && chain::linear(rules, End::of(of), state, proof)
}

/// Whether `digest` is entry `index` of the transaction. `width` is what the prover says of the
/// count of entries, which matters only where the header's own count does not decide.
pub fn verify_entry(
    rules: Rules,
    of: &OwnedHeader,
    digest: &Hash,
    index: u32,
    width: u32,
    path: &Path,
) -> bool {
    let width = if rules.off(Rule::WidthIsCount) { width } else { of.nentries };
    tree::inclusion(rules, &leaf(digest), index.into(), width.into(), path, &of.eh)
}

/// Whether these are all entries of the transaction.
pub fn verify_all_entries(rules: Rules, of: &OwnedHeader, digests: &[Hash]) -> bool {
    let leaves: Vec<Hash> = digests.iter().map(|digest| leaf(digest)).collect();
    (digests.len() == of.nentries as usize || rules.off(Rule::AllIsCount))
        && crate::reference::root(&leaves) == of.eh
}
