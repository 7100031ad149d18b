//! Honest transactions and entries under an honest state, changed: nothing passes that the ledger
//! does not hold.
#![no_main]

use arbitrary::{Result, Unstructured};
use counterfoil_core::{Alh, EntryDigest, TrustedState, TxAlh};
use counterfoil_proof_tests::ledger::Ledger;
use counterfoil_proof_tests::prover;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let _ = check(&mut Unstructured::new(data));
});

fn check(u: &mut Unstructured<'_>) -> Result<()> {
    let ledger = Ledger::arbitrary(u, 12)?;
    let pick = |u: &mut Unstructured<'_>| u.int_in_range(1..=ledger.len());
    let (state, id) = (pick(u)?, pick(u)?);
    let trusted = ledger.state(state);
    let state_header = ledger.header(state);
    TrustedState::first_contact(&TxAlh::from(trusted), &state_header.view()).unwrap();

    let held = id == state || id <= state_header.bl_tx_id;
    let mut path = prover::tx(&ledger, id.min(state), state).unwrap_or_default();
    let mut header = ledger.header(id).clone();
    let honest = trusted.verify_tx(&state_header.view(), &header.view(), &path);
    assert_eq!(honest.is_ok(), held, "{honest:?}");

    let honest_path = path.clone();
    match u.int_in_range(0..=5)? {
        0 => path.push(u.arbitrary()?),
        1 => drop(path.pop()),
        2 if !path.is_empty() => {
            let at = u.choose_index(path.len())?;
            path[at][u.choose_index(32)?] ^= 1;
        }
        3 => header.ts ^= 1,
        4 => header.nentries ^= 1 << u.int_in_range(0..=30)?,
        _ => header.eh[u.choose_index(32)?] ^= 1,
    }
    let same = header == *ledger.header(id) && path == honest_path;
    let answer = trusted.verify_tx(&state_header.view(), &header.view(), &path);
    assert_eq!(answer.is_ok(), held && same, "{answer:?}");

    let Ok(tx) = honest else { return Ok(()) };
    let entries = ledger.entries(id);
    let index = u.choose_index(entries.len())?;
    let mut path = prover::entry(&ledger, id, index);
    tx.verify_entry(tx.version(), &EntryDigest::new(entries[index]), index as u32, &path).unwrap();
    tx.verify_all_entries(tx.version(), entries.iter().copied().map(EntryDigest::new)).unwrap();

    let mut others = entries.clone();
    match u.int_in_range(0..=3)? {
        0 => others.push(u.arbitrary()?),
        1 => drop(others.remove(index)),
        2 => others.reverse(),
        _ => others[index][u.choose_index(32)?] ^= 1,
    }
    let all = tx.verify_all_entries(tx.version(), others.iter().copied().map(EntryDigest::new));
    assert_eq!(all.is_ok(), others == *entries);

    // Whoever trusts a header that states another count learns that these are not all.
    let mut counted = ledger.header(id).clone();
    counted.nentries = u.int_in_range(1..=7)?;
    let made_up = TrustedState { alh: Alh::new(counted.alh()), ..ledger.state(id) };
    let told = made_up.verify_tx(&counted.view(), &counted.view(), &[]).unwrap();
    let all =
        told.verify_all_entries(told.version(), entries.iter().copied().map(EntryDigest::new));
    assert_eq!(all.is_ok(), counted.nentries as usize == entries.len());

    let claimed: u32 = if u.arbitrary()? { u.int_in_range(0..=5)? } else { u.arbitrary()? };
    if u.arbitrary()? {
        path.push(u.arbitrary()?);
    }
    let digest = *u.choose(entries)?;
    let answer = tx.verify_entry(tx.version(), &EntryDigest::new(digest), claimed, &path);
    let holds = entries.get(claimed as usize) == Some(&digest)
        && path == prover::entry(&ledger, id, claimed as usize);
    assert_eq!(answer.is_ok(), holds, "{answer:?}");
    Ok(())
}
