//! Whoever knows every header and every node of a [`Tangle`] and looks for proofs.
//!
//! A hash can only be met by what is known to have it. So a path that leads to a root is a place
//! in the tree that is really under this root, whatever size a header claims; the terms of a chain
//! are the inner hashes that are met on the way back from its end; and a consistency path is a place
//! in the new tree too. Seeking these places finds every proof that holds, and those beside them
//! that should not. The parts of a dual proof depend on each other only through the two headers
//! and `target_bl_tx_alh`, so each is sought by itself: that is what makes the search both cheap and
//! near exhaustive.

mod candidates;
mod contents;
mod contradiction;
mod seek;
mod try_contents;
mod try_core;

pub use candidates::Candidates;
pub use contents::{Content, Contents, Raw, Says};
pub use contradiction::{Contradiction, contradictions};
pub use seek::seek;
pub use try_contents::{FoundContents, try_contents};
pub use try_core::{Effort, Strictness, Tried, try_core};

use std::collections::BTreeSet;

use crate::ledger::{Hash, Tangle};

/// What was accepted. A state is the place of the first variant that has its hash, a content the
/// place of its variant.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Found {
    /// Under which state which transaction.
    pub transactions: BTreeSet<(usize, usize)>,
    /// From which state which other extends it.
    pub extensions: BTreeSet<(usize, usize)>,
    /// In which transaction at which index which digest.
    pub entries: BTreeSet<(usize, u32, Hash)>,
}

impl Found {
    fn add_dual(&mut self, tangle: &Tangle, source: usize, target: usize) {
        let (from, to) = (state(tangle, source), state(tangle, target));
        self.transactions.insert((to, source));
        self.extensions.insert((from, to));
    }
}

/// The state that a variant is.
fn state(tangle: &Tangle, variant: usize) -> usize {
    tangle.variants().get(variant).and_then(|known| tangle.index_of(&known.alh)).unwrap_or(variant)
}
