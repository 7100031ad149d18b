//! Everything in a receipt, and every hash on the way from its events to its state, computed. What is
//! shown here is no verdict: it is for people who want to see where a receipt holds, and where not.

use counterfoil_core::receipt::{
    Attached, EventBody, Flaw, Link, PlacedPath, Policy, Receipt, ReceiptError, ReceiptErrorKind,
    Verdict,
};
use counterfoil_core::{
    Alh, EntryDigest, Header, InnerHash, LeafHash, Root, StateKeyId, TrustedState, TxAlh, TxId,
    TxMetadata, node_hash,
};
use serde::Serialize;
use sha2::{Digest as _, Sha256};

use crate::bytes::Bytes;
use crate::event::Payload;

/// The bytes at a receipt's end by which damage is told from a false receipt.
const CHECK_LEN: usize = 8;

/// A receipt, with all hashes computed.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Inspection {
    /// How many bytes it has.
    pub size: usize,
    /// Whether it was damaged since it was written. All that follows then is what the bytes say
    /// regardless.
    pub damaged: bool,
    /// The ledger that it says it is about.
    pub ledger: Alh,
    /// The number of the table of events.
    pub table_id: u32,
    /// How the ledger began, where it shows that.
    pub genesis: Option<GenesisReport>,
    /// The state that everything is shown under.
    pub state: TxAlh,
    /// Its header.
    pub state_header: HeaderReport,
    /// The transactions, in ledger order.
    pub transactions: Vec<InspectedTx>,
    /// What ties it to an older state.
    pub earlier: Option<LinkReport>,
    /// What ties it to a newer state.
    pub later: Option<LinkReport>,
    /// A server's signature of the state.
    pub state_signature: Option<StateSignatureBytes>,
    /// A checkpoint of the state's tree with its signatures, as a signed note.
    pub checkpoint: Option<String>,
    /// Where it stops holding, if it does, whoever verifies it: the word and what is told of it.
    pub flaw: Option<FlawReport>,
}

/// What does not hold.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct FlawReport {
    /// In one word, that of the verdict `broken`.
    pub reason: &'static str,
    /// For people.
    pub detail: String,
}

/// How the ledger is said to have begun.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct GenesisReport {
    /// The ledger's clock, seconds since 1970.
    pub ts: i64,
    /// Random bytes.
    pub nonce: Root,
    /// The creator's clock, microseconds since 1970.
    pub created_at: i64,
}

/// A header, and the hashes that it makes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct HeaderReport {
    /// The transaction.
    pub tx: TxId,
    /// The hash of the transaction before.
    pub prev_alh: Alh,
    /// The ledger's clock, seconds since 1970.
    pub ts: i64,
    /// In hex.
    pub metadata: String,
    /// How many entries.
    pub nentries: u32,
    /// The root over them.
    pub eh: Root,
    /// How many transactions the tree has.
    pub bl_tx_id: TxId,
    /// The root over them.
    pub bl_root: Root,
    /// Computed: the hash over all but number and predecessor.
    pub inner: InnerHash,
    /// Computed: the transaction's hash.
    pub alh: Alh,
}

/// A transaction.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct InspectedTx {
    /// Its header.
    pub header: HeaderReport,
    /// From its hash to the root in the state's header. `None` for the state's own transaction.
    pub path: Option<PathReport>,
    /// Its events, by rising place.
    pub events: Vec<InspectedEvent>,
}

/// An event.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct InspectedEvent {
    /// Its place among the transaction's entries, from 0.
    pub entry: u32,
    /// What is stored of it.
    pub body: BodyReport,
    /// Computed: the digest of its row.
    pub digest: EntryDigest,
    /// From the digest to the root in the transaction's header.
    pub path: PathReport,
}

/// A path in a tree, with the hash at each of its steps.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct PathReport {
    /// The place of the leaf, from 0.
    pub index: u64,
    /// How many leaves the tree has.
    pub size: u64,
    /// Computed: the leaf.
    pub leaf: LeafHash,
    /// From the leaf upwards.
    pub steps: Vec<Step>,
    /// The root to which it has to lead, and which stands in a header.
    pub root: Root,
    /// Whether it has exactly the steps that it must have, and leads there.
    pub holds: bool,
}

/// A step of a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Step {
    /// Where the sibling is.
    pub side: Side,
    /// The sibling.
    pub sibling: Root,
    /// Computed: the node above both.
    pub node: Root,
}

/// A side of a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Side {
    /// Before.
    Left,
    /// Behind.
    Right,
}

/// What ties the receipt's state to another one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct LinkReport {
    /// The other state.
    pub state: TxAlh,
    /// Its header.
    pub header: HeaderReport,
    /// The path of the older state's transaction in the newer one's tree, the leaf's sibling first.
    pub inclusion: Vec<Root>,
    /// From the older tree to the newer one, in immudb's form.
    pub consistency: Vec<Root>,
}

/// A server's signature of the state, unread.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct StateSignatureBytes {
    /// The name of the key that is said to have made it.
    pub key: StateKeyId,
    /// The signature, DER in hex.
    pub signature: String,
}

/// Everything that is stored of an event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[expect(missing_docs, reason = "the fields are those of docs/format.md §3, by their names there")]
#[non_exhaustive]
pub struct BodyReport {
    pub domain: String,
    pub edition: String,
    pub root: Bytes,
    pub event_number: u64,
    pub event_type: String,
    pub recorded_at: i64,
    pub correlation_id: String,
    pub causation_id: String,
    pub external_id: String,
    pub metadata: Vec<(String, Bytes)>,
    pub payload: Payload,
    pub prev_event: EntryDigest,
    pub seen_tx: u64,
    pub seen_alh: Alh,
    pub append_id: String,
    pub append_index: u32,
    pub append_count: u32,
    pub commit_id: String,
    pub commit_index: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub author: Option<AuthorBytes>,
}

/// What an author put there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct AuthorBytes {
    /// The key, in hex.
    pub key: String,
    /// The signature, in hex.
    pub signature: String,
    /// Computed: whether it is this key's over this event, for the ledger that the receipt says it is
    /// about.
    pub holds: bool,
}

impl Inspection {
    /// Looks at a receipt's bytes. A receipt that was damaged is looked at as if its check were right:
    /// what can be read then is shown.
    ///
    /// # Cost
    ///
    /// Each path is written out whole, also the terms that it shares with the one before: of a receipt
    /// with very many events many times the receipt's size.
    ///
    /// # Errors
    ///
    /// What the bytes are instead of a receipt, and from which byte on.
    pub fn of(bytes: &[u8]) -> Result<Self, ReceiptError> {
        match Receipt::parse(bytes) {
            Ok(receipt) => Ok(Self::new(&receipt, bytes.len(), None)),
            Err(damage @ ReceiptError { kind: ReceiptErrorKind::Damaged, .. }) => {
                let mended = mend(bytes);
                // Where even so it cannot be read, the damage is the reason.
                let receipt = Receipt::parse(&mended).map_err(|_| damage)?;
                Ok(Self::new(&receipt, bytes.len(), Some(damage)))
            }
            Err(error) => Err(error),
        }
    }

    fn new(receipt: &Receipt<'_>, size: usize, damage: Option<ReceiptError>) -> Self {
        // Whoever trusts nothing but this ledger and table: what is broken for him is for everybody.
        let policy = Policy::new(receipt.ledger()).with_table(receipt.table_id());
        let flaw = match (damage, receipt.verify(&policy).verdict()) {
            (Some(damage), _) => Some(Flaw::Format(damage)),
            (None, Verdict::Broken(flaw)) => Some(flaw),
            _ => None,
        };
        let Attached { earlier, later, signature, checkpoint } = receipt.attached();
        let link =
            |state: Option<TxAlh>, link: Option<Link<'_>>| Some(LinkReport::new(state?, &link?));
        Self {
            size,
            damaged: damage.is_some(),
            ledger: receipt.ledger(),
            table_id: receipt.table_id(),
            genesis: receipt.genesis().map(|genesis| GenesisReport {
                ts: genesis.ts,
                nonce: Root::new(*genesis.nonce),
                created_at: genesis.created_at,
            }),
            state: receipt.state(),
            state_header: HeaderReport::new(&receipt.state_header()),
            transactions: transactions(receipt),
            earlier: link(receipt.earlier(), earlier),
            later: link(receipt.later(), later),
            state_signature: signature.map(|signature| StateSignatureBytes {
                key: signature.key,
                signature: hex::encode(signature.der),
            }),
            checkpoint: checkpoint.map(|checkpoint| checkpoint.to_string()),
            flaw: flaw.map(|flaw| FlawReport { reason: flaw.word(), detail: flaw.to_string() }),
        }
    }

    /// Whether the state's header has the state's hash.
    pub fn state_holds(&self) -> bool {
        self.state_header.alh == self.state.alh
    }

    /// The state, for whoever wants to pin it. It is worth nothing by standing in a receipt.
    pub const fn claimed_state(&self) -> TrustedState {
        TrustedState { tx: self.state.tx, alh: self.state.alh }
    }
}

/// With the check that its content has.
fn mend(bytes: &[u8]) -> Vec<u8> {
    let content = bytes.get(..bytes.len().saturating_sub(CHECK_LEN)).unwrap_or_default();
    let check = Sha256::digest(content);
    [content, check.get(..CHECK_LEN).unwrap_or_default()].concat()
}

fn transactions(receipt: &Receipt<'_>) -> Vec<InspectedTx> {
    let state = receipt.state_header();
    let mut before = Vec::new();
    let transactions = receipt.transactions().map(|tx| {
        let terms = assemble(&mut before, tx.path);
        let header = HeaderReport::new(&tx.header);
        let own = tx.header.id == state.id;
        let path = (!own).then(|| {
            let (index, size) = (tx.header.id.get().saturating_sub(1), state.bl_tx_id.get());
            PathReport::new(header.alh.leaf_hash(), index, size, &terms, state.bl_root)
        });
        let mut before = Vec::new();
        let events = tx.events().map(|event| {
            let terms = assemble(&mut before, event.path);
            let digest = event.digest(receipt.table_id());
            let (index, size) = (event.entry.into(), tx.header.nentries.into());
            let path = PathReport::new(digest.leaf_hash(), index, size, &terms, tx.header.eh);
            let body = BodyReport::new(&event.body, receipt.ledger());
            InspectedEvent { entry: event.entry, body, digest, path }
        });
        InspectedTx { events: events.collect(), header, path }
    });
    transactions.collect()
}

/// A whole path: its own terms and the last ones of the path before.
fn assemble(before: &mut Vec<[u8; 32]>, placed: PlacedPath<'_>) -> Vec<[u8; 32]> {
    let shared = before.get(before.len().saturating_sub(placed.shared)..).unwrap_or_default();
    *before = [placed.own, shared].concat();
    before.clone()
}

impl HeaderReport {
    fn new(header: &Header<'_>) -> Self {
        let mut buffer = [0; TxMetadata::MAX_LEN];
        // It was read from a receipt, which has only headers that can be.
        let metadata = header.metadata.encode(&mut buffer).map(hex::encode);
        Self {
            tx: header.id,
            prev_alh: header.prev_alh,
            ts: header.ts,
            metadata: metadata.unwrap_or_default(),
            nentries: header.nentries,
            eh: header.eh,
            bl_tx_id: header.bl_tx_id,
            bl_root: header.bl_root,
            inner: header.inner_hash().unwrap_or(InnerHash::new([0; 32])),
            alh: header.alh().unwrap_or(Alh::ZERO),
        }
    }
}

impl PathReport {
    /// RFC 9162 §2.1.3.2, shown step by step. A path that is too long is shown as far as the tree goes.
    fn new(leaf: LeafHash, index: u64, size: u64, terms: &[[u8; 32]], root: Root) -> Self {
        let mut node = leaf.to_bytes();
        let (mut place, mut last) = (index, size.saturating_sub(1));
        let mut steps = Vec::new();
        for sibling in terms.iter().take_while(|_| index < size) {
            if last == 0 {
                break;
            }
            let left = place % 2 == 1 || place == last;
            node = if left { node_hash(sibling, &node) } else { node_hash(&node, sibling) };
            if left {
                // Up to where it is a right child: above, nothing stands behind it.
                while place % 2 == 0 && place != 0 {
                    (place, last) = (place / 2, last / 2);
                }
            }
            (place, last) = (place / 2, last / 2);
            let side = if left { Side::Left } else { Side::Right };
            steps.push(Step { side, sibling: Root::new(*sibling), node: Root::new(node) });
        }
        let whole = last == 0 && steps.len() == terms.len() && index < size;
        Self { index, size, leaf, holds: whole && Root::new(node) == root, steps, root }
    }

    /// Computed: where it leads.
    pub fn leads_to(&self) -> Root {
        self.steps.last().map_or(Root::new(self.leaf.to_bytes()), |step| step.node)
    }
}

impl LinkReport {
    fn new(state: TxAlh, link: &Link<'_>) -> Self {
        let roots = |terms: &[[u8; 32]]| terms.iter().copied().map(Root::new).collect();
        Self {
            state,
            header: HeaderReport::new(&link.header),
            inclusion: roots(link.inclusion),
            consistency: roots(link.consistency),
        }
    }
}

impl BodyReport {
    fn new(body: &EventBody<'_>, ledger: Alh) -> Self {
        let metadata = body.metadata.iter();
        let author = body.author.map(|bytes| {
            let (key, signature) = bytes.split_at(32);
            let holds = body.authorship(ledger, &[]).signed_by().is_some();
            AuthorBytes { key: hex::encode(key), signature: hex::encode(signature), holds }
        });
        Self {
            domain: body.domain.into(),
            edition: body.edition.into(),
            root: body.root.to_vec().into(),
            event_number: body.event_number,
            event_type: body.event_type.into(),
            recorded_at: body.recorded_at,
            correlation_id: body.correlation_id.into(),
            causation_id: body.causation_id.into(),
            external_id: body.external_id.into(),
            metadata: metadata.map(|(name, value)| (name.into(), value.to_vec().into())).collect(),
            payload: (&body.payload).into(),
            prev_event: EntryDigest::new(*body.prev_event),
            seen_tx: body.seen_tx,
            seen_alh: Alh::new(*body.seen_alh),
            append_id: hex::encode(body.append_id),
            append_index: body.append_index,
            append_count: body.append_count,
            commit_id: hex::encode(body.commit_id),
            commit_index: body.commit_index,
            author,
        }
    }
}
