//! Cases with one thing changed.

mod by_hash;

use arbitrary::{Result, Unstructured};

use super::{AdvanceJson, Case, Hashes, HeaderJson, Hex, MetadataJson};
use crate::ledger::Hash;

/// Numbers that no honest proof has.
const ABSURD: [u64; 5] = [0, 1, 1 << 63, u64::MAX - 1, u64::MAX];

/// Changes something: a list of hashes, a hash, a number, a header (with or without what is
/// computed from it), or whether a part is there at all. `other` is a proof of the same kind from
/// elsewhere, to take parts from.
///
/// # Errors
///
/// Those of [`Unstructured`].
pub fn mutate(case: &mut Case, other: &Case, u: &mut Unstructured<'_>) -> Result<()> {
    match case {
        Case::TxHeader(_) => return header(case, u),
        Case::EntryOfDigest(case) => return by_hash::entry(case, u),
        Case::SignedState(case) => return by_hash::signed(case, u),
        _ => {}
    }
    match u.int_in_range(0..=9)? {
        0..=3 => list(case, other, u),
        4 => hash(case, u),
        5 => number(case, u),
        6 | 7 => header(case, u),
        8 => part(case, u),
        _ => {
            list(case, other, u)?;
            list(case, other, u)
        }
    }
}

fn list(case: &mut Case, other: &Case, u: &mut Unstructured<'_>) -> Result<()> {
    let mut other = other.clone();
    let spare: Vec<Hash> = lists(&mut other).into_iter().flat_map(|list| list.0.clone()).collect();
    let mut lists = lists(case);
    if lists.is_empty() {
        return Ok(());
    }
    let which = u.choose_index(lists.len())?;
    let terms = &mut lists[which].0;
    let new = match u.choose_index(3)? {
        0 => [0; 32],
        1 if !spare.is_empty() => *u.choose(&spare)?,
        _ => u.arbitrary()?,
    };
    let at = u.int_in_range(0..=terms.len())?;
    match u.int_in_range(0..=7)? {
        0 => terms.insert(at, new),
        1 => terms.push(new),
        2 => terms.clear(),
        _ if terms.is_empty() => terms.push(new),
        3 => drop(terms.remove(at % terms.len())),
        4 => {
            let len = terms.len();
            terms.swap(at % len, u.choose_index(len)?);
        }
        5 => terms.push(terms[terms.len() - 1]),
        6 => {
            let len = terms.len();
            terms[at % len] = new;
        }
        _ => {
            let len = terms.len();
            flip(&mut terms[at % len], u)?;
        }
    }
    Ok(())
}

fn flip(hash: &mut Hash, u: &mut Unstructured<'_>) -> Result<()> {
    hash[u.choose_index(32)?] ^= 1 << u.int_in_range(0..=7)?;
    Ok(())
}

fn hash(case: &mut Case, u: &mut Unstructured<'_>) -> Result<()> {
    let mut hashes = hashes(case);
    if !hashes.is_empty() {
        let which = u.choose_index(hashes.len())?;
        flip(&mut hashes[which].0, u)?;
    }
    Ok(())
}

fn number(case: &mut Case, u: &mut Unstructured<'_>) -> Result<()> {
    let mut numbers = numbers(case);
    let which = u.choose_index(numbers.len())?;
    change(numbers[which], u)
}

fn change(number: &mut u64, u: &mut Unstructured<'_>) -> Result<()> {
    *number = match u.int_in_range(0..=3)? {
        0 => number.wrapping_add(1),
        1 => number.wrapping_sub(1),
        2 => *u.choose(&ABSURD)?,
        _ => number.wrapping_add(u.int_in_range(0..=16)?).wrapping_sub(8),
    };
    Ok(())
}

fn header(case: &mut Case, u: &mut Unstructured<'_>) -> Result<()> {
    let fitting = u.ratio(2, 3)?;
    let mut fields = headers(case);
    if fields.is_empty() {
        return number(case, u);
    }
    let which = u.choose_index(fields.len())?;
    let (header, alh) = &mut fields[which];
    match u.int_in_range(0..=9)? {
        0 => change(&mut header.id, u)?,
        1 => change(&mut header.bl_tx_id, u)?,
        2 => header.ts = header.ts.wrapping_add(1),
        3 => header.version = u.int_in_range(-1..=2)?,
        4 => header.nentries = header.nentries.wrapping_add(1),
        5 => header.nentries = *u.choose(&[-1, 0, 65_535, 65_536, 1 << 31, 1 << 32])?,
        6 => {
            let id = u.int_in_range(0..=9_u64)?;
            header.metadata_hex = format!("00{id:016x}");
            header.metadata = Some(MetadataJson { truncated_tx_id: Some(id), extra: None });
        }
        7 => flip(&mut header.prev_alh.0, u)?,
        8 => flip(&mut header.bl_root.0, u)?,
        _ => flip(&mut header.eh.0, u)?,
    }
    if fitting && let Some(computed) = header.alh_by_format() {
        **alh = Hex(computed);
    }
    Ok(())
}

fn part(case: &mut Case, u: &mut Unstructured<'_>) -> Result<()> {
    let advance = AdvanceJson {
        linear_proof_terms: Hashes(vec![u.arbitrary()?]),
        inclusion_proofs: Vec::new(),
    };
    let toggle = |part: &mut Option<AdvanceJson>| *part = part.take().xor(Some(advance));
    match case {
        Case::Linear(case) => case.proof = None,
        Case::LinearAdvance(case) => toggle(&mut case.proof),
        Case::Dual(case) => match (u.int_in_range(0..=5)?, &mut case.proof) {
            (0, proof) => *proof = None,
            (1, Some(proof)) => proof.source_tx_header = None,
            (2, Some(proof)) => proof.linear_proof = None,
            (_, Some(proof)) => toggle(&mut proof.linear_advance_proof),
            (_, None) => {}
        },
        Case::DualV2(case) => match (u.int_in_range(0..=2)?, &mut case.proof) {
            (1, Some(proof)) => proof.source_tx_header = None,
            (2, Some(proof)) => proof.target_tx_header = None,
            (_, proof) => *proof = None,
        },
        _ => {}
    }
    Ok(())
}

fn lists(case: &mut Case) -> Vec<&mut Hashes> {
    fn advance(proof: &mut Option<AdvanceJson>) -> impl Iterator<Item = &mut Hashes> {
        proof.iter_mut().flat_map(|proof| {
            std::iter::once(&mut proof.linear_proof_terms).chain(&mut proof.inclusion_proofs)
        })
    }
    match case {
        Case::EntryTreeInclusion(case) => vec![&mut case.terms],
        Case::TxTreeInclusion(case) => vec![&mut case.terms],
        Case::TxTreeLastInclusion(case) => vec![&mut case.terms],
        Case::TxTreeConsistency(case) => vec![&mut case.terms],
        Case::Linear(case) => case.proof.iter_mut().map(|proof| &mut proof.terms).collect(),
        Case::LinearAdvance(case) => advance(&mut case.proof).collect(),
        Case::Dual(case) => {
            let Some(proof) = &mut case.proof else { return Vec::new() };
            let linear = proof.linear_proof.iter_mut().map(|linear| &mut linear.terms);
            [
                &mut proof.inclusion_proof,
                &mut proof.consistency_proof,
                &mut proof.last_inclusion_proof,
            ]
            .into_iter()
            .chain(linear)
            .chain(advance(&mut proof.linear_advance_proof))
            .collect()
        }
        Case::DualV2(case) => {
            let Some(proof) = &mut case.proof else { return Vec::new() };
            vec![&mut proof.inclusion_proof, &mut proof.consistency_proof]
        }
        Case::TxHeader(_) | Case::EntryOfDigest(_) | Case::SignedState(_) => Vec::new(),
    }
}

fn hashes(case: &mut Case) -> Vec<&mut Hex> {
    match case {
        Case::EntryTreeInclusion(case) => vec![&mut case.entry_digest, &mut case.root],
        Case::TxTreeInclusion(case) => vec![&mut case.leaf_hash, &mut case.root_j],
        Case::TxTreeLastInclusion(case) => vec![&mut case.leaf_hash, &mut case.root],
        Case::TxTreeConsistency(case) => vec![&mut case.root_i, &mut case.root_j],
        Case::Linear(case) => vec![&mut case.source_alh, &mut case.target_alh],
        Case::LinearAdvance(case) => vec![&mut case.end_alh, &mut case.tree_root],
        Case::Dual(case) => {
            let last = case.proof.iter_mut().map(|proof| &mut proof.target_bl_tx_alh);
            [&mut case.source_alh, &mut case.target_alh].into_iter().chain(last).collect()
        }
        Case::DualV2(case) => vec![&mut case.source_alh, &mut case.target_alh],
        Case::TxHeader(_) | Case::EntryOfDigest(_) | Case::SignedState(_) => Vec::new(),
    }
}

fn numbers(case: &mut Case) -> Vec<&mut u64> {
    match case {
        Case::EntryTreeInclusion(case) => vec![&mut case.leaf_index, &mut case.width],
        Case::TxTreeInclusion(case) => vec![&mut case.i, &mut case.j],
        Case::TxTreeLastInclusion(case) => vec![&mut case.i],
        Case::TxTreeConsistency(case) => vec![&mut case.i, &mut case.j],
        Case::Linear(case) => {
            let inner = case.proof.iter_mut();
            let inner = inner.flat_map(|proof| [&mut proof.source_tx_id, &mut proof.target_tx_id]);
            [&mut case.source_tx_id, &mut case.target_tx_id].into_iter().chain(inner).collect()
        }
        Case::LinearAdvance(case) => {
            vec![&mut case.start_tx_id, &mut case.end_tx_id, &mut case.tree_size]
        }
        Case::Dual(case) => {
            let linear = case.proof.iter_mut().filter_map(|proof| proof.linear_proof.as_mut());
            let inner = linear.flat_map(|proof| [&mut proof.source_tx_id, &mut proof.target_tx_id]);
            [&mut case.source_tx_id, &mut case.target_tx_id].into_iter().chain(inner).collect()
        }
        Case::DualV2(case) => vec![&mut case.source_tx_id, &mut case.target_tx_id],
        Case::TxHeader(case) => vec![&mut case.header.id, &mut case.header.bl_tx_id],
        Case::EntryOfDigest(_) => Vec::new(),
        Case::SignedState(case) => vec![&mut case.tx_id],
    }
}

/// The headers of a case, each with the hash that the question states for it.
fn headers(case: &mut Case) -> Vec<(&mut HeaderJson, &mut Hex)> {
    fn pairs<'c>(
        source: &'c mut Option<HeaderJson>,
        target: &'c mut Option<HeaderJson>,
        alhs: [&'c mut Hex; 2],
    ) -> Vec<(&'c mut HeaderJson, &'c mut Hex)> {
        let headers = [source, target].into_iter().zip(alhs);
        headers.filter_map(|(header, alh)| Some((header.as_mut()?, alh))).collect()
    }
    match case {
        Case::Dual(case) => {
            let alhs = [&mut case.source_alh, &mut case.target_alh];
            let Some(proof) = &mut case.proof else { return Vec::new() };
            pairs(&mut proof.source_tx_header, &mut proof.target_tx_header, alhs)
        }
        Case::DualV2(case) => {
            let alhs = [&mut case.source_alh, &mut case.target_alh];
            let Some(proof) = &mut case.proof else { return Vec::new() };
            pairs(&mut proof.source_tx_header, &mut proof.target_tx_header, alhs)
        }
        Case::TxHeader(case) => vec![(&mut case.header, &mut case.alh)],
        _ => Vec::new(),
    }
}
