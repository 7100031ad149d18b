//! The contents of verified transactions, asked of every acceptor that says what an entry says.

use std::collections::{BTreeMap, BTreeSet};

use counterfoil_core::{
    Binding, EntryDigest, HeaderVersion, TrustedState, TxEntry, ValueHash, VerifiedKv, VerifiedTx,
};

use super::contents::{Content, Contents, Raw, Says};
use super::seek::all_entries;
use crate::ledger::{Hash, Tangle, leaf};

const VERSIONS: [HeaderVersion; 2] = [HeaderVersion::V0, HeaderVersion::V1];
/// Up to how many readings of all entries of one transaction are tried.
const READINGS: usize = 64;

/// Number and hash of a state.
type State = (u64, Hash);
/// A state, a transaction's number, an entry's index.
type Place = (State, u64, u32);

/// What was accepted.
#[derive(Clone, Default, Debug)]
pub struct FoundContents {
    /// At each place under each state the bytes, by whichever acceptor. Those that a reference
    /// shows count under the reference's state.
    pub places: BTreeMap<Place, BTreeSet<Raw>>,
    /// For each table number that a transaction creates the tables, by their places.
    pub tables: BTreeMap<(State, u64, u32), BTreeSet<usize>>,
    /// The rows, as contents, at each place read by each table.
    rows: BTreeMap<(Place, usize), BTreeSet<usize>>,
    /// The transactions to which a reference is fixed.
    fixed: BTreeMap<Place, BTreeSet<u64>>,
    /// How often each acceptor said yes: digests, key-value entries, rows, catalog entries, tables,
    /// references.
    pub accepted: [u64; 6],
}

fn state(state: TrustedState) -> State {
    (state.tx.get(), state.alh.to_bytes())
}

/// Asks for everything of every transaction.
pub fn try_contents<'t>(
    tangle: &Tangle,
    contents: &Contents,
    verified: impl IntoIterator<Item = &'t VerifiedTx>,
) -> FoundContents {
    let mut run = Run { tangle, contents, found: FoundContents::default(), kv: Vec::new() };
    for tx in verified {
        for (number, content) in contents.all.iter().enumerate() {
            for digest in VERSIONS.iter().filter_map(|version| content.raw.digest(*version)) {
                run.entry(tx, number, content, &digest);
            }
        }
        run.tables(tx);
    }
    run.references();
    run.found
}

struct Run<'a> {
    tangle: &'a Tangle,
    contents: &'a Contents,
    found: FoundContents,
    kv: Vec<(VerifiedKv<'static>, usize)>,
}

impl Run<'_> {
    /// Wherever one of a content's digests really stands in the transaction's tree.
    fn entry(&mut self, tx: &VerifiedTx, number: usize, content: &Content, digest: &Hash) {
        let standing = leaf(digest);
        let places = self.tangle.positions(tx.eh().as_bytes());
        for place in places.iter().filter(|place| place.node == standing) {
            for index in 0..tx.nentries().min(12) {
                self.ask(tx, number, content, (index, &place.path), digest);
            }
        }
    }

    fn ask(
        &mut self,
        tx: &VerifiedTx,
        number: usize,
        content: &Content,
        (index, path): (u32, &[Hash]),
        digest: &Hash,
    ) {
        let at = (state(tx.state()), tx.id().get(), index);
        // Whoever has the digest computed it in one of the versions, and says in which.
        for version in VERSIONS {
            let computed = content.raw.digest(version) == Some(*digest);
            let digest = EntryDigest::new(*digest);
            if computed && tx.verify_entry(version, &digest, index, path).is_ok() {
                self.found.accepted[0] += 1;
                self.found.place(at, content);
            }
        }
        match &content.says {
            Says::Kv(kv) => {
                if let Ok(kv) = tx.verify_kv(kv, &content.metadata, index, path) {
                    self.found.accepted[1] += 1;
                    self.found.place(at, content);
                    self.kv.push((kv, number));
                }
            }
            Says::Row(table, row) => {
                let shape = &self.contents.tables[*table];
                if tx.verify_row(shape, row, index, path).is_ok() {
                    self.found.accepted[2] += 1;
                    self.found.place(at, content);
                    self.found.rows.entry((at, *table)).or_default().insert(number);
                }
            }
            Says::Catalog(entry) => {
                if tx.verify_catalog(entry, index, path).is_ok() {
                    self.found.accepted[3] += 1;
                    self.found.place(at, content);
                }
            }
            Says::Nothing => {}
        }
    }

    /// Every table, by every reading of the transaction's entries.
    fn tables(&mut self, tx: &VerifiedTx) {
        let of = self.tangle.by_alh(tx.alh().as_bytes()).expect("a transaction of the tangle");
        for digests in all_entries(self.tangle, of) {
            for reading in readings(self.contents, &digests) {
                for (number, table) in self.contents.tables.iter().enumerate() {
                    let entries = reading.iter().map(|content| TxEntry {
                        key: &content.raw.key,
                        metadata: content.metadata,
                        value_hash: ValueHash::of(&content.raw.value),
                    });
                    if tx.verify_table(table, entries).is_ok() {
                        self.found.accepted[4] += 1;
                        let created = (state(tx.state()), tx.id().get(), table.id());
                        self.found.tables.entry(created).or_default().insert(number);
                    }
                }
            }
        }
    }

    /// Every pair of key-value entries, whichever states they were verified under.
    fn references(&mut self) {
        for (from, _) in &self.kv {
            for (to, number) in &self.kv {
                let Ok(binding) = from.points_at(to) else { continue };
                self.found.accepted[5] += 1;
                let (from, to) = (from.entry(), to.entry());
                let known = state(from.tx().state());
                let target = (known, to.tx().id().get(), to.index());
                self.found.place(target, &self.contents.all[*number]);
                if binding == Binding::Fixed {
                    let reference = (known, from.tx().id().get(), from.index());
                    let fixed = self.found.fixed.entry(reference).or_default();
                    fixed.insert(to.tx().id().get());
                }
            }
        }
    }
}

/// What entries with these digests could be, each in either version.
fn readings<'c>(contents: &'c Contents, digests: &[Hash]) -> Vec<Vec<&'c Content>> {
    let mut readings = vec![Vec::new()];
    for digest in digests {
        let mut could_be: Vec<&'c Content> = Vec::new();
        for content in &contents.all {
            let is = VERSIONS.iter().any(|v| content.raw.digest(*v) == Some(*digest));
            if is && could_be.iter().all(|other| other.raw != content.raw) {
                could_be.push(content);
            }
        }
        let with = |reading: &Vec<_>, content| [&reading[..], &[content]].concat();
        readings = readings
            .iter()
            .flat_map(|reading| could_be.iter().map(move |content| with(reading, *content)))
            .take(READINGS)
            .collect();
    }
    readings
}

impl FoundContents {
    fn place(&mut self, at: Place, content: &Content) {
        self.places.entry(at).or_default().insert(content.raw.clone());
    }

    /// Each thing that has two contents.
    pub fn contradictions(&self) -> Vec<String> {
        let mut wrong = Vec::new();
        let places = self.places.iter().filter(|(_, raw)| raw.len() > 1);
        wrong.extend(places.map(|(place, raw)| format!("two entries at {place:?}: {raw:?}")));
        let tables = self.tables.iter().filter(|(_, tables)| tables.len() > 1);
        wrong.extend(tables.map(|(created, all)| format!("two tables at {created:?}: {all:?}")));
        let rows = self.rows.iter().filter(|(_, rows)| rows.len() > 1);
        wrong.extend(rows.map(|(place, rows)| format!("two rows at {place:?}: {rows:?}")));
        let fixed = self.fixed.iter().filter(|(_, targets)| targets.len() > 1);
        wrong.extend(fixed.map(|(place, all)| format!("two targets of {place:?}: {all:?}")));
        wrong
    }
}
