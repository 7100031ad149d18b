//! One proof, folded hash by hash and drawn. Everything here is computed with
//! the functions of the verifier and compared with what the headers hold.

use std::collections::HashMap;
use std::fmt;
use std::ops::Range;

use anyhow::{Context as _, Result, bail, ensure};
use counterfoil::core::{
    Header, HeaderVersion, LeafHash, LeafIndex, TreeSize, TxMetadata, node_hash, verify_inclusion,
};
use counterfoil::{
    Alh, EntryDigest, EventProof, EventStore, ProvenHeader, RecordedEvent, Root, TrustedState,
    TxId, TxProof,
};
use serde::Serialize;

use crate::report::{hex8, stream};

/// Leaves drawn beside each other: 88 columns.
const WINDOW: u64 = 8;

/// The proof of one event under the ledger's state, with the trees drawn.
#[derive(Serialize)]
pub(crate) struct Drawing {
    pub(crate) event: String,
    pub(crate) tx: TxId,
    pub(crate) entry: u32,
    pub(crate) digest: EntryDigest,
    pub(crate) eh: Root,
    pub(crate) alh: Alh,
    pub(crate) tree_root: Option<Root>,
    pub(crate) state: TrustedState,
    pub(crate) entry_path: Vec<Root>,
    pub(crate) tx_path: Vec<Root>,
    #[serde(skip)]
    pub(crate) entry_tree: Vec<String>,
    #[serde(skip)]
    pub(crate) ledger_tree: Vec<String>,
}

impl Drawing {
    /// Proves `event` step by step and draws the steps.
    pub(crate) async fn new(
        store: &EventStore,
        event: &RecordedEvent,
        kept: &EventProof,
    ) -> Result<Self> {
        // What was given back at the append leads to the state of that time,
        // this one to the state of now.
        let (state, proof) = proof_at_state(store, event.tx).await?;
        let header = proof.header;
        ensure!(header == kept.header, "the ledger's header is not the kept proof's");

        // The event's row is an entry of its transaction …
        let siblings = read_transaction(store, event.tx).await?;
        let leaf = |entry: u64| siblings.get(&entry).map(EntryDigest::leaf_hash);
        let (leaf_hash, size) = (event.digest.leaf_hash(), header.nentries.into());
        let walk = Walk::new(leaf_hash, event.entry.into(), size, &kept.entry_path)?;
        walk.must_end_in(&header.eh).context("the entries' root is not the header's")?;
        let entry_tree = walk.draw(leaf, "entry", 0)?;

        // … the transaction is a leaf of the ledger's tree …
        let alh = alh(&header)?;
        let (mut ledger_tree, mut tree_root) = (Vec::new(), None);
        if header.tx != state.tx {
            let index = header.tx.get() - 1;
            let size = proof.state_header.bl_tx_id.get();
            let walk = Walk::new(alh.leaf_hash(), index, size, &proof.tx_path)?;
            walk.must_end_in(&proof.state_header.bl_root).context("the root is not the state's")?;
            let mut leaves = HashMap::new();
            for neighbour in window(index, size) {
                let tx = TxId::new(neighbour + 1);
                let header = store.get_proof_at_tx(tx).await?.header;
                leaves.insert(neighbour, self::alh(&header)?.leaf_hash());
            }
            ledger_tree = walk.draw(|leaf| leaves.get(&leaf).copied(), "tx", 1)?;
            tree_root = Some(proof.state_header.bl_root);
        }
        // … whose root is in the header of the state that is pinned.
        ensure!(self::alh(&proof.state_header)? == state.alh, "the header is not the state's");

        Ok(Self {
            event: format!("{}, event {}", stream(&event.event.cover, 60), event.sequence),
            tx: event.tx,
            entry: event.entry,
            digest: event.digest,
            eh: header.eh,
            alh,
            tree_root,
            state,
            entry_path: kept.entry_path.iter().copied().map(Root::new).collect(),
            tx_path: proof.tx_path.iter().copied().map(Root::new).collect(),
            entry_tree,
            ledger_tree,
        })
    }
}

impl fmt::Display for Drawing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (tx, m) = (self.tx, self.state.tx);
        let line = |f: &mut fmt::Formatter<'_>, name: &str, hash: &[u8; 32], what: &str| {
            writeln!(f, "{name:<10}{}   {what}", hex8(hash))
        };
        writeln!(
            f,
            "[ ] computed on the way up, ( ) given by the proof; 8 of 64 hex digits shown"
        )?;
        writeln!(f, "leaf = H(00 ‖ digest), node = H(01 ‖ left ‖ right), H = SHA-256")?;
        writeln!(f, "\n{}", self.event)?;
        let of = format!("digest of the row: entry {} of transaction {tx}", self.entry);
        line(f, "entry", self.digest.as_bytes(), &of)?;
        writeln!(f)?;
        self.entry_tree.iter().try_for_each(|line| writeln!(f, "{line}"))?;
        writeln!(f)?;
        line(f, "eh", self.eh.as_bytes(), &format!("the entries' root: equal in header {tx}"))?;
        let over = format!("SHA-256 over header {tx} and the Alh before it");
        line(f, &format!("Alh {tx}"), self.alh.as_bytes(), &over)?;
        if let Some(root) = &self.tree_root {
            writeln!(f)?;
            self.ledger_tree.iter().try_for_each(|line| writeln!(f, "{line}"))?;
            writeln!(f)?;
            let equal = format!("root over transactions 1 to {}: equal in header {m}", m.get() - 1);
            line(f, "bl_root", root.as_bytes(), &equal)?;
        }
        line(f, &format!("Alh {m}"), self.state.alh.as_bytes(), "equal to the pinned state")
    }
}

/// A proof and the state it leads to, which is the pinned one.
pub(crate) async fn proof_at_state(
    store: &EventStore,
    tx: TxId,
) -> Result<(TrustedState, TxProof)> {
    // Others may write to the ledger between the two questions.
    for _ in 0..8 {
        let state = store.state().await?;
        let proof = store.get_proof_at_tx(tx).await?;
        if proof.state_header.tx == state.tx {
            proof.verify(&state)?;
            return Ok((state, proof));
        }
    }
    bail!("the ledger grows too fast to be drawn")
}

/// A header's Alh.
pub(crate) fn alh(header: &ProvenHeader) -> Result<Alh> {
    let version = match header.version {
        0 => HeaderVersion::V0,
        1 => HeaderVersion::V1,
        other => bail!("unknown header version {other}"),
    };
    let header = Header {
        id: header.tx,
        prev_alh: header.prev_alh,
        ts: header.ts,
        version,
        metadata: TxMetadata::default(),
        nentries: header.nentries,
        eh: header.eh,
        bl_tx_id: header.bl_tx_id,
        bl_root: header.bl_root,
    };
    Ok(header.alh()?)
}

/// The digests of the events in a transaction, by their entry.
async fn read_transaction(store: &EventStore, tx: TxId) -> Result<HashMap<u64, EntryDigest>> {
    let read = store.read_all(Some(TxId::new(tx.get() - 1)), Some(WINDOW * WINDOW)).await?;
    let events = read.events.into_iter().filter(|event| event.tx == tx);
    Ok(events.map(|event| (event.entry.into(), event.digest)).collect())
}

/// The leaves drawn for `index` in a tree of `size` leaves.
fn window(index: u64, size: u64) -> Range<u64> {
    let first = index - index % WINDOW;
    first..size.min(first + WINDOW)
}

/// An inclusion path, walked from the leaf to the root (RFC 9162, 2.1.3.2).
struct Walk {
    index: u64,
    size: u64,
    leaf: LeafHash,
    steps: Vec<Step>,
    path: Vec<[u8; 32]>,
}

struct Step {
    sibling: [u8; 32],
    on_the_left: bool,
    /// The leaves under the sibling.
    under: Range<u64>,
    node: [u8; 32],
}

impl Walk {
    fn new(leaf: LeafHash, index: u64, size: u64, path: &[[u8; 32]]) -> Result<Self> {
        let (mut place, mut last, mut level) = (index, size - 1, 0);
        let mut node = leaf.to_bytes();
        let mut steps = Vec::new();
        for sibling in path {
            ensure!(last > 0, "the path is too long");
            let on_the_left = place % 2 == 1 || place == last;
            if on_the_left {
                node = node_hash(sibling, &node);
                while place % 2 == 0 && place > 0 {
                    (place, last, level) = (place / 2, last / 2, level + 1);
                }
            } else {
                node = node_hash(&node, sibling);
            }
            let first = (place ^ 1) << level;
            let under = first..size.min(first + (1 << level));
            steps.push(Step { sibling: *sibling, on_the_left, under, node });
            (place, last, level) = (place / 2, last / 2, level + 1);
        }
        ensure!(last == 0, "the path is too short");
        Ok(Self { index, size, leaf, steps, path: path.to_vec() })
    }

    /// The hash that the walk ends in is `root`; so says the verifier, too.
    fn must_end_in(&self, root: &Root) -> Result<()> {
        let end = self.steps.last().map_or(self.leaf.to_bytes(), |step| step.node);
        ensure!(end == *root.as_bytes(), "it is {}, not {root}", hex::encode(end));
        let (index, size) = (LeafIndex::new(self.index), TreeSize::new(self.size));
        Ok(verify_inclusion(&self.leaf, index, size, &self.path, root)?)
    }

    /// Draws the tree around the leaf, then the steps above it.
    fn draw(
        &self,
        leaf: impl Fn(u64) -> Option<LeafHash>,
        name: &str,
        first: u64,
    ) -> Result<Vec<String>> {
        let computed: Vec<[u8; 32]> = std::iter::once(self.leaf.to_bytes())
            .chain(self.steps.iter().map(|s| s.node))
            .collect();
        let mark = |hash: &[u8; 32]| {
            if computed.contains(hash) {
                format!("[{}]", hex8(hash))
            } else if self.path.contains(hash) {
                format!("({})", hex8(hash))
            } else {
                hex8(hash)
            }
        };
        let leaves = window(self.index, self.size)
            .map(|index| Some((index, leaf(index)?)))
            .collect::<Option<Vec<_>>>();
        let caption = |leaf| format!("{name} {}", leaf + first);
        let (tree, drawn) = match leaves {
            Some(leaves) => {
                let tree = Block::tree(&leaves, &mark, &caption);
                let at = computed.iter().position(|hash| *hash == tree.root);
                (tree, at.context("the tree that was drawn is not part of the proof's")?)
            }
            // Entries that are not ours to read: the path alone.
            None => (Block::tree(&[(self.index, self.leaf)], &mark, &caption), 0),
        };
        // Above it one trunk, the siblings to its left and right.
        let mut lines = Vec::new();
        for step in self.steps[drawn..].iter().rev() {
            let sibling = mark(&step.sibling);
            let under = match step.under.end - step.under.start {
                1 => caption(step.under.start),
                _ => format!("{} to {}", caption(step.under.start), step.under.end - 1 + first),
            };
            lines.push(tree.at_centre(&mark(&step.node)));
            lines.push(match step.on_the_left {
                true => format!("{:>1$}", format!("{under} {sibling} ──┤"), tree.centre + 1),
                false => format!("{:1$}├── {sibling} {under}", "", tree.centre),
            });
        }
        lines.extend(tree.lines);
        Ok(lines.iter().map(|line| line.trim_end().to_owned()).collect())
    }
}

/// A drawn tree: lines of equal width, the root in the middle of the first.
struct Block {
    root: [u8; 32],
    lines: Vec<String>,
    width: usize,
    centre: usize,
}

impl Block {
    const LEAF_WIDTH: usize = 11;

    /// The tree over these leaves, as RFC 9162 (2.1.1) builds it.
    fn tree(
        leaves: &[(u64, LeafHash)],
        mark: &impl Fn(&[u8; 32]) -> String,
        caption: &impl Fn(u64) -> String,
    ) -> Self {
        if let [(index, leaf)] = leaves {
            let (root, width) = (leaf.to_bytes(), Self::LEAF_WIDTH);
            let lines = [mark(&root), caption(*index)].map(|text| format!("{text:^width$}"));
            return Self { root, lines: lines.into(), width, centre: width / 2 };
        }
        let (left, right) = leaves.split_at(leaves.len().next_power_of_two() / 2);
        let left = Self::tree(left, mark, caption);
        let right = Self::tree(right, mark, caption);
        let root = node_hash(&left.root, &right.root);
        let width = left.width + right.width;
        let (from, to) = (left.centre, left.width + right.centre);
        let centre = (from + to) / 2;
        let mut lines = vec![
            format!("{:width$}", at(centre, &mark(&root))),
            (0..width)
                .map(|column| match column {
                    _ if column == centre => '┴',
                    _ if column == from => '┌',
                    _ if column == to => '┐',
                    _ if (from..to).contains(&column) => '─',
                    _ => ' ',
                })
                .collect(),
        ];
        let height = left.lines.len().max(right.lines.len());
        let (left, right) = (left.grown(height), right.grown(height));
        lines.extend(left.zip(right).map(|(left, right)| left + &right));
        Self { root, lines, width, centre }
    }

    fn at_centre(&self, label: &str) -> String {
        at(self.centre, label)
    }

    /// Its lines, with a stem so that there are `height`.
    fn grown(self, height: usize) -> impl Iterator<Item = String> {
        let stem =
            format!("{:width$}", format!("{}│", " ".repeat(self.centre)), width = self.width);
        std::iter::repeat_n(stem, height - self.lines.len()).chain(self.lines)
    }
}

/// `label` with its middle in `column`.
fn at(column: usize, label: &str) -> String {
    format!("{:1$}{label}", "", column - label.chars().count() / 2)
}
