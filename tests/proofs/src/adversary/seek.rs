//! The search under the rules of [`lax`](crate::lax).

use super::{Candidates, Found, state};
use crate::lax::{self, Dual, DualV2, End, Rule, Rules};
use crate::ledger::{Hash, Tangle, Variant, leaf};
use crate::proof::{OwnedDual, OwnedDualV2};

/// Everything that can be accepted under these rules.
pub fn seek(tangle: &Tangle, rules: Rules) -> Found {
    let candidates = Candidates { tangle, with_refused: false };
    let mut found = Found::default();
    for (target, t) in tangle.variants().iter().enumerate() {
        for (source, s) in tangle.variants().iter().enumerate() {
            let mut asked = vec![s.header.id];
            if rules.off(Rule::NumberIsAsked) {
                asked.extend([s.header.id + 1, s.header.id - 1]);
            }
            for id in asked {
                let dual = dual(rules, id, s, t);
                if seek_dual(candidates, &dual).is_some()
                    || seek_dual_v2(candidates, dual).is_some()
                {
                    found.add_dual(tangle, source, target);
                }
            }
            let states = tangle.variants().iter().enumerate().filter(|(other, known)| {
                *other == target || rules.off(Rule::HeaderIsEnd) && known.header.id == t.header.id
            });
            for (other, known) in states {
                if seek_tx(candidates, rules, known, t, s) {
                    found.transactions.insert((state(tangle, other), source));
                }
            }
        }
    }
    for (place, of) in tangle.variants().iter().enumerate() {
        found.entries.extend(
            seek_entries(candidates, rules, of).into_iter().map(|(i, digest)| (place, i, digest)),
        );
    }
    found
}

/// The statement that `s`, asked for under the number `id`, is in the ledger in the state `t`.
pub(super) fn dual<'a>(rules: Rules, id: u64, s: &'a Variant, t: &'a Variant) -> Dual<'a> {
    Dual {
        rules,
        source: End { id, alh: s.alh },
        target: End { id: t.header.id, alh: t.alh },
        s: &s.header,
        t: &t.header,
    }
}

fn seek_dual(candidates: Candidates<'_>, dual: &Dual<'_>) -> Option<OwnedDual> {
    if !dual.headers() {
        return None;
    }
    let root = &dual.t.bl_root;
    let paths = candidates.inclusion(&leaf(&dual.source.alh), root);
    let inclusion = paths.into_iter().find(|path| dual.inclusion(path))?;
    let paths = candidates.consistency(root);
    let consistency = paths.into_iter().find(|path| dual.consistency(path))?;
    candidates.lasts(dual).into_iter().filter(|last| dual.ties(last)).find_map(|last| {
        let linear = candidates.linear(dual.start_of_chain(&last), dual.target);
        let advance = candidates.advance(dual, &last);
        let proof = OwnedDual {
            source: dual.s.clone(),
            target: dual.t.clone(),
            inclusion: inclusion.clone(),
            consistency: consistency.clone(),
            target_bl_tx_alh: last,
            linear: linear.into_iter().find(|linear| dual.linear(&last, linear))?,
            advance: advance.into_iter().find(|proof| dual.advance(&last, proof.as_ref()))?,
            last_inclusion: candidates
                .inclusion(&leaf(&last), root)
                .into_iter()
                .find(|path| dual.last_inclusion(&last, path))?,
        };
        assert!(Dual::check(dual.rules, dual.source, dual.target, &proof), "parts of {proof:?}");
        Some(proof)
    })
}

fn seek_dual_v2(candidates: Candidates<'_>, dual: Dual<'_>) -> Option<OwnedDualV2> {
    let v2 = DualV2(dual);
    if !v2.headers() {
        return None;
    }
    let root = &dual.t.bl_root;
    let paths = candidates.inclusion(&leaf(&dual.source.alh), root);
    let inclusion = paths.into_iter().find(|path| v2.inclusion(path))?;
    let paths = candidates.consistency(root);
    let consistency = paths.into_iter().find(|path| v2.consistency(path))?;
    let (source, target) = (dual.s.clone(), dual.t.clone());
    Some(OwnedDualV2 { source, target, inclusion, consistency })
}

/// Whether `of` is accepted under the state `known`, for which `t` is shown as its header.
fn seek_tx(
    candidates: Candidates<'_>,
    rules: Rules,
    known: &Variant,
    t: &Variant,
    of: &Variant,
) -> bool {
    let state = End { id: known.header.id, alh: known.alh };
    let chains = candidates.linear(End { id: of.header.id, alh: of.alh }, state);
    candidates
        .inclusion(&leaf(&of.alh), &t.header.bl_root)
        .iter()
        .any(|path| lax::verify_tx(rules, state, &t.header, &of.header, path))
        || chains.iter().any(|chain| lax::verify_tx_by_chain(rules, state, &of.header, chain))
}

/// The digests that are accepted as entries of a transaction, with their indices.
fn seek_entries(candidates: Candidates<'_>, rules: Rules, of: &Variant) -> Vec<(u32, Hash)> {
    let mut found = Vec::new();
    if !lax::header(rules, &of.header) {
        return found;
    }
    for (digest, index, width) in entries(candidates.tangle, of) {
        let paths = candidates.inclusion(&leaf(&digest), &of.header.eh);
        if paths
            .iter()
            .any(|path| lax::verify_entry(rules, &of.header, &digest, index, width, path))
        {
            found.push((index, digest));
        }
    }
    for all in all_entries(candidates.tangle, of) {
        if lax::verify_all_entries(rules, &of.header, &all) {
            found.extend((0..).zip(all));
        }
    }
    found
}

/// Every digest in a transaction's tree, every index and every width worth a try.
pub(super) fn entries(tangle: &Tangle, of: &Variant) -> Vec<(Hash, u32, u32)> {
    let places = tangle.positions(&of.header.eh);
    let digests = places.iter().filter_map(|place| tangle.data(&place.node));
    let count = places.len() as u32;
    digests
        .flat_map(|digest| {
            let widths = move |index| (1..=count).map(move |width| (digest, index, width));
            (0..=count).flat_map(widths)
        })
        .collect()
}

/// The digests of a transaction's tree from left to right, all and the first few.
pub(super) fn all_entries(tangle: &Tangle, of: &Variant) -> Vec<Vec<Hash>> {
    let mut places: Vec<Hash> = Vec::new();
    let mut todo = vec![of.header.eh];
    while let Some(node) = todo.pop() {
        match tangle.children(&node) {
            Some((left, right)) => todo.extend([right, left]),
            None => places.extend(tangle.data(&node)),
        }
    }
    (0..=places.len()).map(|count| places[..count].to_vec()).collect()
}
