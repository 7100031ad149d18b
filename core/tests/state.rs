//! Transactions and entries under a trusted state.

mod reference;

use counterfoil_core::{
    Alh, EntryDigest, Header, HeaderError, HeaderVersion, ProofError, Root, TreeError,
    TrustedState, TxId, TxMetadata, VerifiedTx,
};
use reference::{Hash, flip, leaf, path, reshaped, root};

/// How many entries transaction `id` has.
fn count(id: u64) -> usize {
    (id % 5 + 1) as usize
}

fn digests(id: u64) -> Vec<EntryDigest> {
    (0..count(id) as u64).map(|n| EntryDigest::new(leaf(&(id * 100 + n).to_be_bytes()))).collect()
}

fn entry_leaves(id: u64) -> Vec<Hash> {
    digests(id).iter().map(|digest| leaf(digest.as_bytes())).collect()
}

/// A ledger whose tree lags `lag` transactions behind (1 in a ledger of today).
struct Ledger {
    headers: Vec<Header<'static>>,
    leaves: Vec<Hash>,
}

impl Ledger {
    fn new(size: u64, lag: u64) -> Self {
        let mut ledger = Self { headers: Vec::new(), leaves: Vec::new() };
        let mut prev_alh = Alh::BEFORE_FIRST;
        for id in 1..=size {
            let covered = id.saturating_sub(lag);
            let header = Header {
                id: TxId::new(id),
                prev_alh,
                ts: 1_700_000_000 + id as i64,
                version: HeaderVersion::V1,
                metadata: TxMetadata::default(),
                nentries: count(id) as u32,
                eh: Root::new(root(&entry_leaves(id))),
                bl_tx_id: TxId::new(covered),
                bl_root: match covered {
                    0 => Root::ZERO,
                    _ => Root::new(root(&ledger.leaves[..covered as usize])),
                },
            };
            header.check().unwrap();
            prev_alh = header.alh().unwrap();
            ledger.headers.push(header);
            ledger.leaves.push(leaf(prev_alh.as_bytes()));
        }
        ledger
    }

    fn header(&self, id: u64) -> &Header<'static> {
        &self.headers[id as usize - 1]
    }

    fn state(&self, id: u64) -> TrustedState {
        TrustedState { tx: TxId::new(id), alh: self.header(id).alh().unwrap() }
    }

    fn path(&self, id: u64, state: u64) -> Vec<Hash> {
        if id == state {
            return Vec::new();
        }
        let covered = self.header(state).bl_tx_id.get() as usize;
        path(id as usize - 1, &self.leaves[..covered])
    }

    fn verify(&self, id: u64, state: u64) -> VerifiedTx {
        let (state_header, path) = (self.header(state), self.path(id, state));
        self.state(state).verify_tx(state_header, self.header(id), &path).unwrap()
    }
}

#[test]
fn every_transaction_is_verified_under_every_later_state() {
    let ledger = Ledger::new(40, 1);
    for state in 1..=40 {
        for id in 1..=state {
            let tx = ledger.verify(id, state);
            let header = ledger.header(id);
            assert_eq!(tx.id(), header.id);
            assert_eq!(tx.alh(), header.alh().unwrap());
            assert_eq!(tx.ts(), header.ts);
            assert_eq!(tx.nentries(), header.nentries);
            assert_eq!(tx.eh(), header.eh);
            assert_eq!(tx.state(), ledger.state(state));
        }
    }
}

/// Every field of either header, changed: a state commits to all of them.
#[test]
fn no_other_header_passes() {
    let ledger = Ledger::new(20, 1);
    for (id, state) in [(1, 20), (7, 20), (19, 20), (20, 20), (1, 1), (1, 2)] {
        let (trusted, path) = (ledger.state(state), ledger.path(id, state));
        let (state_header, header) = (ledger.header(state), ledger.header(id));
        for changed in changes(header) {
            let refused = trusted.verify_tx(state_header, &changed, &path);
            assert!(refused.is_err(), "{id} under {state}: {changed:?}");
        }
        for changed in changes(state_header) {
            let refused = trusted.verify_tx(&changed, header, &path);
            assert!(refused.is_err(), "{id} under {state}: {changed:?}");
        }
    }
}

fn changes(header: &Header<'static>) -> Vec<Header<'static>> {
    let h = *header;
    let other = [0x5a; 32];
    let extra = TxMetadata { truncated_tx_id: None, extra: Some(b"") };
    vec![
        Header { id: TxId::new(h.id.get() + 1), ..h },
        Header { id: TxId::new(h.id.get() - 1), ..h },
        Header { prev_alh: Alh::new(other), ..h },
        Header { ts: h.ts + 1, ..h },
        Header { version: HeaderVersion::V0, ..h },
        Header { metadata: extra, ..h },
        Header { nentries: h.nentries + 1, ..h },
        Header { nentries: h.nentries + 65_536, ..h },
        Header { eh: Root::new(other), ..h },
        Header { bl_tx_id: TxId::new(h.bl_tx_id.get() + 1), ..h },
        Header { bl_tx_id: TxId::new(h.bl_tx_id.get().wrapping_sub(1)), ..h },
        Header { bl_root: Root::new(other), ..h },
    ]
}

#[test]
fn no_other_path_passes() {
    let ledger = Ledger::new(20, 1);
    for state in 1..=20 {
        for id in 1..=state {
            let (trusted, path) = (ledger.state(state), ledger.path(id, state));
            let verify = |path: &[Hash]| {
                trusted.verify_tx(ledger.header(state), ledger.header(id), path).is_ok()
            };
            assert!(verify(&path));
            assert!(reshaped(&path).iter().all(|other| !verify(other)));
            for i in 0..path.len() {
                let mut flipped = path.clone();
                flip(&path[i], |term| {
                    flipped[i] = term;
                    assert!(!verify(&flipped));
                });
            }
        }
    }
}

#[test]
fn a_transaction_newer_than_the_state_is_not_covered() {
    let ledger = Ledger::new(20, 1);
    for state in 1..20 {
        for id in state + 1..=20 {
            let refused = ledger.state(state).verify_tx(
                ledger.header(state),
                ledger.header(id),
                &ledger.path(state, state),
            );
            let covered = TxId::new(state - 1);
            assert_eq!(refused, Err(ProofError::NotCovered { tx: TxId::new(id), covered }));
        }
    }
}

/// Between the end of a lagging tree and the state itself lie transactions that the state binds
/// only through its chain: they are refused here.
#[test]
fn a_lagging_tree_covers_less() {
    let ledger = Ledger::new(20, 4);
    for state in 1..=20_u64 {
        let covered = state.saturating_sub(4);
        for id in 1..=state {
            if id <= covered || id == state {
                ledger.verify(id, state);
                continue;
            }
            for path in [vec![], vec![ledger.leaves[0]], ledger.path(state, state)] {
                let refused =
                    ledger.state(state).verify_tx(ledger.header(state), ledger.header(id), &path);
                let (tx, covered) = (TxId::new(id), TxId::new(covered));
                assert_eq!(refused, Err(ProofError::NotCovered { tx, covered }));
            }
        }
    }
}

#[test]
fn errors_name_the_step() {
    let ledger = Ledger::new(9, 1);
    let (state, state_header, header) = (ledger.state(9), ledger.header(9), ledger.header(4));
    let path = ledger.path(4, 9);

    let (expected, found) = (TxId::new(9), TxId::new(8));
    assert_eq!(
        state.verify_tx(ledger.header(8), header, &path),
        Err(ProofError::StateTx { expected, found })
    );
    let late = Header { ts: 0, ..*state_header };
    assert_eq!(state.verify_tx(&late, header, &path), Err(ProofError::StateAlh { tx: state.tx }));
    assert_eq!(state.verify_tx(state_header, &late, &[]), Err(ProofError::TxAlh { tx: state.tx }));
    let empty = Header { nentries: 0, ..*state_header };
    let no_entries = HeaderError::EntryCount { nentries: 0 };
    assert_eq!(state.verify_tx(&empty, header, &path), Err(ProofError::StateHeader(no_entries)));
    assert_eq!(state.verify_tx(state_header, &empty, &path), Err(ProofError::TxHeader(no_entries)));
    let other = Header { ts: 0, ..*header };
    assert_eq!(
        state.verify_tx(state_header, &other, &path),
        Err(ProofError::TxInclusion(TreeError::RootMismatch))
    );
    assert_eq!(
        state.verify_tx(state_header, header, &[]),
        Err(ProofError::TxInclusion(TreeError::PathLength { expected: 3, found: 0 }))
    );
    assert_eq!(
        state.verify_tx(state_header, state_header, &path),
        Err(ProofError::TxInclusion(TreeError::PathLength { expected: 0, found: 3 }))
    );

    // A state that is no transaction trusts nothing.
    let nothing = TrustedState { tx: TxId::new(0), alh: Alh::BEFORE_FIRST };
    let zero = Header { id: TxId::new(0), ..*header };
    assert_eq!(
        nothing.verify_tx(&zero, &zero, &[]),
        Err(ProofError::StateHeader(HeaderError::IdZero))
    );
    assert_eq!(
        state.verify_tx(state_header, &zero, &path),
        Err(ProofError::TxHeader(HeaderError::IdZero))
    );
}

#[test]
fn every_entry_is_verified_at_its_place_only() {
    let ledger = Ledger::new(9, 1);
    for id in 1..=9 {
        let tx = ledger.verify(id, 9);
        let leaves = entry_leaves(id);
        for (i, digest) in digests(id).iter().enumerate() {
            let path = path(i, &leaves);
            let entry = tx.verify_entry(tx.version(), digest, i as u32, &path).unwrap();
            assert_eq!((entry.tx(), entry.index(), entry.digest()), (tx, i as u32, *digest));

            for place in (0..10).chain([1 << 31, u32::MAX]).filter(|place| *place != i as u32) {
                assert!(
                    tx.verify_entry(tx.version(), digest, place, &path).is_err(),
                    "{i} at {place}"
                );
            }
            for other in reshaped(&path) {
                assert!(tx.verify_entry(tx.version(), digest, i as u32, &other).is_err());
            }
            flip(digest.as_bytes(), |digest| {
                let refused =
                    tx.verify_entry(tx.version(), &EntryDigest::new(digest), i as u32, &path);
                assert_eq!(refused, Err(ProofError::EntryInclusion(TreeError::RootMismatch)));
            });
        }
    }
}

#[test]
fn all_entries_are_all_and_in_order() {
    let ledger = Ledger::new(9, 1);
    for id in 1..=9 {
        let tx = ledger.verify(id, 9);
        let digests = digests(id);
        let expected = digests.len() as u32;
        assert_eq!(tx.verify_all_entries(tx.version(), digests.iter().copied()), Ok(()));

        let fewer = digests[1..].iter().copied();
        let count = |found| Err(ProofError::EntryCount { expected, found });
        let all = u64::from(expected);
        assert_eq!(tx.verify_all_entries(tx.version(), fewer), count(all - 1));
        let more = digests.iter().chain(&digests[..1]).copied();
        assert_eq!(tx.verify_all_entries(tx.version(), more), count(all + 1));
        assert_eq!(tx.verify_all_entries(tx.version(), []), count(0));
        // No more is taken than the transaction can have, and nothing where the count is known.
        assert_eq!(
            tx.verify_all_entries(tx.version(), std::iter::repeat(digests[0])),
            count(u64::MAX)
        );
        let mut taken = 0;
        let counted = std::iter::from_fn(|| {
            taken += 1;
            Some(digests[0])
        });
        assert_eq!(tx.verify_all_entries(tx.version(), counted), count(all + 1));
        assert_eq!(taken, all + 1);
        let mut taken = 0;
        let twice = [&digests[..], &digests].concat();
        let known = twice.iter().map(|digest| {
            taken += 1;
            *digest
        });
        assert_eq!(tx.verify_all_entries(tx.version(), known), count(2 * all));
        assert_eq!(taken, 0);

        if digests.len() > 1 {
            let reversed = digests.iter().rev().copied();
            assert_eq!(tx.verify_all_entries(tx.version(), reversed), Err(ProofError::EntriesRoot));
        }
        for i in 0..digests.len() {
            flip(digests[i].as_bytes(), |digest| {
                let mut flipped = digests.clone();
                flipped[i] = EntryDigest::new(digest);
                assert_eq!(
                    tx.verify_all_entries(tx.version(), flipped),
                    Err(ProofError::EntriesRoot)
                );
            });
        }
    }
}
