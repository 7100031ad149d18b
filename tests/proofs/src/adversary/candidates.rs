//! What each part of a proof could be.

use std::collections::BTreeSet;

use crate::lax::{Dual, End};
use crate::ledger::{Hash, Tangle, leaf};
use crate::proof::{OwnedAdvance, OwnedLinear, Path};

/// A tangle, asked for parts of proofs.
#[derive(Clone, Copy, Debug)]
pub struct Candidates<'a> {
    /// The tangle.
    pub tangle: &'a Tangle,
    /// Whether to add candidates that can only be refused: cut, continued, doubled.
    pub with_refused: bool,
}

impl Candidates<'_> {
    /// Paths from a leaf to a root: from every place where it really stands.
    pub fn inclusion(&self, leaf: &Hash, root: &Hash) -> Vec<Path> {
        let places = self.tangle.positions(root);
        let mut found: Vec<Path> = places
            .iter()
            .filter(|place| place.node == *leaf)
            .map(|place| place.path.clone())
            .collect();
        if self.with_refused {
            if let Some(path) = found.first().cloned() {
                found.push([&path[..], &[*root]].concat());
                found.push(path.iter().take(path.len().saturating_sub(1)).copied().collect());
                found.push(path.iter().skip(1).copied().collect());
                found.push(path.iter().rev().copied().collect());
            } else {
                found.extend(places.iter().skip(1).step_by(3).map(|place| place.path.clone()));
            }
        }
        found.push(Path::new());
        found.dedup();
        found
    }

    /// Consistency paths to a root: from every place in its tree.
    pub fn consistency(&self, new_root: &Hash) -> Vec<Path> {
        let places = self.tangle.positions(new_root);
        let mut found = vec![Path::new()];
        // The two terms that may stand between equal sizes.
        found.extend(places.get(1..3).map(|both| both.iter().rev().map(|p| p.node).collect()));
        found.extend(places.iter().map(|place| [&[place.node], &place.path[..]].concat()));
        if self.with_refused {
            let last = found.last().cloned().unwrap_or_default();
            found.push([&last[..], &[*new_root]].concat());
        }
        found
    }

    /// What could stand as `target_bl_tx_alh`.
    pub fn lasts(&self, dual: &Dual<'_>) -> Vec<Hash> {
        let mut found = BTreeSet::from([
            [0; 32],
            dual.source.alh,
            dual.target.alh,
            dual.t.prev_alh,
            dual.s.prev_alh,
        ]);
        let places = self.tangle.positions(&dual.t.bl_root);
        found.extend(places.iter().filter_map(|place| self.tangle.data(&place.node)));
        found.into_iter().collect()
    }

    /// The inner hashes of the last `steps` transactions of the chain that ends in `end`, after
    /// the hash from which they lead there.
    fn chain(&self, end: &Hash, steps: usize) -> Option<(Vec<Hash>, Vec<Hash>)> {
        let mut alhs = self.tangle.back(*end, steps + 1);
        if alhs.len() != steps + 1 {
            return None;
        }
        alhs.reverse();
        let mut terms = vec![*alhs.first()?];
        for alh in alhs.iter().skip(1) {
            terms.push(self.tangle.by_alh(alh)?.inner);
        }
        Some((alhs, terms))
    }

    /// Chains to a transaction.
    pub fn linear(&self, source: End, target: End) -> Vec<OwnedLinear> {
        let proof = |terms| OwnedLinear { source: source.id, target: target.id, terms };
        let steps = target.id.saturating_sub(source.id) as usize;
        let mut found = Vec::new();
        for steps in [Some(steps), Some(steps + 1), steps.checked_sub(1)].into_iter().flatten() {
            if let Some((_, terms)) = self.chain(&target.alh, steps) {
                let mut other_start = terms.clone();
                other_start[0] = source.alh;
                found.push(proof(terms));
                found.push(proof(other_start));
            }
        }
        // Chains to whatever else has the target's number, and one that goes nowhere.
        for other in self.tangle.variants().iter().filter(|other| other.header.id == target.id) {
            if let Some((_, mut terms)) = self.chain(&other.alh, steps) {
                terms[0] = source.alh;
                found.push(proof(terms));
            }
        }
        found.push(proof([vec![source.alh], vec![[0; 32]; steps]].concat()));
        if self.with_refused {
            let mut renamed = found[0].clone();
            renamed.source += 1;
            found.push(renamed);
            found.push(proof(Vec::new()));
        }
        found.dedup();
        found
    }

    /// Linear-advance proofs: along the chain of everything that has the number of the end, each
    /// path from the first place that the dual proof's rules take, if there is one.
    pub fn advance(&self, dual: &Dual<'_>, last: &Hash) -> Vec<Option<OwnedAdvance>> {
        let end = dual.end_of_advance(last);
        let mut found = vec![None];
        let steps = end.id.saturating_sub(dual.s.bl_tx_id) as usize;
        if steps < 2 {
            if self.with_refused {
                let terms = vec![end.alh];
                found.push(Some(OwnedAdvance { terms, inclusion: Vec::new() }));
            }
            return found;
        }
        let same = self.tangle.variants().iter().filter(|other| other.header.id == end.id);
        let ends = BTreeSet::from_iter(std::iter::once(end.alh).chain(same.map(|same| same.alh)));
        for end in ends {
            let Some((alhs, terms)) = self.chain(&end, steps - 1) else { continue };
            let mut inclusion = Vec::new();
            let mut others = Vec::new();
            for (step, (id, alh)) in (dual.s.bl_tx_id + 1..).zip(&alhs[..steps - 1]).enumerate() {
                let paths = self.inclusion(&leaf(alh), &dual.t.bl_root);
                let chosen = paths.iter().position(|path| dual.advance_path(id, alh, path));
                inclusion.push(paths[chosen.unwrap_or(0)].clone());
                others.extend(paths.into_iter().map(|path| (step, path)));
            }
            let whole = OwnedAdvance { terms, inclusion };
            if self.with_refused {
                for (step, path) in others {
                    let mut other = whole.clone();
                    other.inclusion[step] = path;
                    found.push(Some(other));
                }
                let mut longer = whole.clone();
                longer.terms.push(end);
                longer.inclusion.push(Path::new());
                found.push(Some(longer));
            }
            // Fewer paths than transactions; fewer transactions too.
            let mut without_paths = whole.clone();
            without_paths.inclusion.clear();
            let mut shorter = without_paths.clone();
            shorter.terms.truncate(1);
            found.extend([Some(whole), Some(without_paths), Some(shorter)]);
        }
        found
    }
}
