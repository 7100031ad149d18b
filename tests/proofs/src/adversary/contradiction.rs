//! What must not be among the things that were accepted.

use std::collections::{BTreeMap, BTreeSet};

use super::Found;
use crate::ledger::{Hash, Tangle};

/// Two accepted things of which one cannot be true. Variants by their places in the tangle.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Contradiction {
    /// Two contents of one number under one state.
    Transactions {
        /// The state.
        state: usize,
        /// The contents.
        contents: [usize; 2],
    },
    /// A transaction under an older state.
    Newer {
        /// The state.
        state: usize,
        /// The transaction.
        content: usize,
    },
    /// A content under a state and another one of the same number under a later state that extends
    /// the first, in one step or in several.
    Extended {
        /// The states.
        states: [usize; 2],
        /// The contents.
        contents: [usize; 2],
    },
    /// Two digests of one index of one transaction, or one of an index that it has not.
    Entries {
        /// The transaction.
        of: usize,
        /// The index.
        index: u32,
        /// The digests; twice the same for an index that there is not.
        digests: [Hash; 2],
    },
}

/// Every contradiction in what was found.
pub fn contradictions(tangle: &Tangle, found: &Found) -> BTreeSet<Contradiction> {
    let variants = tangle.variants();
    let id = |variant: usize| variants[variant].header.id;
    let mut all = BTreeSet::new();

    let mut under: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for (state, content) in &found.transactions {
        under.entry(*state).or_default().push(*content);
    }
    let under = |state: usize| under.get(&state).map_or(&[][..], Vec::as_slice);
    let pairs = |a: usize, b: usize| {
        let of_b = move |x: usize| under(b).iter().map(move |y| [x, *y]);
        let two = under(a).iter().flat_map(move |x| of_b(*x));
        two.filter(|[x, y]| x != y && id(*x) == id(*y)).collect::<Vec<_>>()
    };
    for state in 0..variants.len() {
        let two = pairs(state, state).into_iter().filter(|[x, y]| x < y);
        all.extend(two.map(|contents| Contradiction::Transactions { state, contents }));
    }
    let newer = found.transactions.iter().filter(|(state, content)| id(*content) > id(*state));
    all.extend(
        newer.map(|(state, content)| Contradiction::Newer { state: *state, content: *content }),
    );
    for (from, to) in extended(found) {
        let known = pairs(from, to).into_iter().filter(|[x, _]| id(*x) <= id(from));
        all.extend(known.map(|contents| Contradiction::Extended { states: [from, to], contents }));
    }

    let mut entries: BTreeMap<(usize, u32), Hash> = BTreeMap::new();
    for (of, index, digest) in &found.entries {
        let (of, index, digest) = (*of, *index, *digest);
        let first = *entries.entry((of, index)).or_insert(digest);
        if first != digest || index >= variants[of].header.nentries {
            all.insert(Contradiction::Entries { of, index, digests: [first, digest] });
        }
    }
    all
}

/// Which state is reached from which by any number of extensions.
fn extended(found: &Found) -> BTreeSet<(usize, usize)> {
    let mut reached = found.extensions.clone();
    loop {
        let further: Vec<_> = reached
            .iter()
            .flat_map(|(a, b)| {
                let on = found.extensions.range((*b, 0)..=(*b, usize::MAX));
                on.map(move |(_, c)| (*a, *c))
            })
            .filter(|pair| !reached.contains(pair))
            .collect();
        if further.is_empty() {
            return reached;
        }
        reached.extend(further);
    }
}
