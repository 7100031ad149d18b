//! What each step found out, and how it is shown.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail, ensure};
use counterfoil::{
    AddedEvent, Alh, BackendKind, Completeness, Config, Cover, Edition, Error, Event, EventProof,
    EventStore, Payload, Pin, ReadOptions, RecordedEvent, Status, TrustedState, TxId, Verdict,
};
use serde::{Deserialize, Serialize};

use crate::merkle;
use crate::report::{counted, fit, hex8, stream};

#[derive(Serialize)]
pub(crate) struct Opened {
    backend: &'static str,
    place: String,
    trust: Option<PathBuf>,
    #[serde(flatten)]
    status: Status,
}

impl Opened {
    pub(crate) async fn new(store: &EventStore, config: &Config) -> Result<Self> {
        let immudb = &config.storage.immudb;
        let (backend, place) = match config.storage.backend {
            BackendKind::Embedded => {
                ("embedded", config.storage.embedded.path.display().to_string())
            }
            BackendKind::Immudb => {
                ("immudb", format!("{}:{}/{}", immudb.host, immudb.port, immudb.database))
            }
        };
        let trust = config.trust.file.clone().filter(|_| backend == "embedded");
        Ok(Self { backend, place, trust, status: store.status().await? })
    }
}

impl fmt::Display for Opened {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Pin { ledger, state, anchor, .. } = &self.status.pin;
        writeln!(f, "{:<10}{}", self.backend, self.place)?;
        if let Some(trust) = &self.trust {
            writeln!(f, "pinned in {}", trust.display())?;
        }
        writeln!(f, "ledger    {ledger}")?;
        writeln!(f, "state     {state}")?;
        writeln!(f, "anchor    {anchor}")?;
        writeln!(f, "complete  {}", complete(&self.status.completeness))
    }
}

fn complete(completeness: &Completeness) -> String {
    match completeness {
        Completeness::Complete { through } => {
            format!("every entry of every transaction through {through} is accounted for")
        }
        Completeness::Incomplete { through, gaps, first, .. } => {
            format!("through {through}, but {gaps} transactions are not, the first is {first}")
        }
        _ => "unknown".to_owned(),
    }
}

/// An event of this run, with its proof.
#[derive(Serialize)]
pub(crate) struct Written {
    pub(crate) document: String,
    #[serde(skip)]
    pub(crate) event: Event,
    pub(crate) alh: Alh,
    #[serde(skip)]
    pub(crate) added: AddedEvent,
    pub(crate) repeated: bool,
}

#[derive(Serialize)]
pub(crate) struct Appends<'a> {
    events: Vec<Line<'a>>,
    transactions: usize,
    repeated: usize,
    proof_bytes: usize,
}

#[derive(Serialize)]
struct Line<'a> {
    tx: TxId,
    sequence: u64,
    cover: &'a Cover,
    event_type: &'a str,
    #[serde(flatten)]
    written: &'a Written,
}

impl<'a> Appends<'a> {
    pub(crate) fn new(written: &'a [Written]) -> Result<Self> {
        let events: Vec<Line<'a>> = written
            .iter()
            .map(|written| Line {
                tx: written.added.id,
                sequence: written.added.sequence,
                cover: &written.event.cover,
                event_type: &written.event.event_type,
                written,
            })
            .collect();
        let transactions = events.chunk_by(|a, b| a.tx == b.tx).count();
        let repeated = written.iter().filter(|event| event.repeated).count();
        let mut proof_bytes = 0;
        for Written { added, .. } in written {
            let body = serde_json::to_vec(&added.proof.body)?.len();
            proof_bytes += serde_json::to_vec(&added.proof)?.len() - body;
        }
        proof_bytes /= written.len().max(1);
        Ok(Self { events, transactions, repeated, proof_bytes })
    }
}

impl fmt::Display for Appends<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "    tx  seq  Alh       event                              stream")?;
        let (mut document, mut tx) = ("", None);
        for Line { tx: id, sequence, cover, event_type, written } in &self.events {
            if document != written.document {
                document = &written.document;
                let already = if written.repeated { ", already in the ledger" } else { "" };
                writeln!(f, "{document}{already}")?;
            }
            let (id, first) = (Some(*id), tx != Some(*id));
            let show = |text: String| if first { text } else { String::new() };
            writeln!(
                f,
                "{:>6} {sequence:>4}  {:<8}  {:<33}  {}",
                show(id.map_or(String::new(), |id| id.to_string())),
                show(hex8(written.alh.as_bytes())),
                fit(event_type, 33),
                stream(cover, 39)
            )?;
            tx = id;
        }
        let events = counted(self.events.len(), "event");
        let transactions = counted(self.transactions, "transaction");
        write!(f, "{events} in {transactions}, each proof verified")?;
        match self.repeated {
            0 => writeln!(f, "; a proof takes {} bytes beside the event", self.proof_bytes),
            repeated => writeln!(f, "; {repeated} in the ledger before, not written again"),
        }
    }
}

#[derive(Serialize)]
pub(crate) struct ReadBack {
    domains: BTreeMap<String, usize>,
    streams: Vec<Stream>,
    state: TrustedState,
    completeness: Completeness,
    refused: Verdict,
}

#[derive(Serialize)]
struct Stream {
    cover: Cover,
    length: usize,
    last: String,
    #[serde(skip)]
    events: Vec<RecordedEvent>,
}

impl ReadBack {
    pub(crate) async fn new(store: &EventStore, written: &[Written]) -> Result<Self> {
        let edition = Edition::default();
        let mut domains = BTreeMap::new();
        for domain in store.list_domains(&edition).await? {
            let roots = store.list_roots(&domain, &edition).await?.len();
            domains.insert(domain, roots);
        }
        let mut covers: Vec<&Cover> = written.iter().map(|written| &written.event.cover).collect();
        covers.sort();
        covers.dedup();
        let mut streams = Vec::new();
        for cover in covers {
            let events = store.read(cover, ReadOptions::forward()).await?.events;
            let next = store.next_sequence(cover).await?;
            ensure!(u64::try_from(events.len())? == next, "{cover} is not whole");
            // The same question from the other end.
            let last = store.read(cover, ReadOptions::backward().limit(1)).await?.events;
            ensure!(last.last() == events.last(), "{cover} has two ends");
            let last = last.into_iter().map(|event| event.event.event_type).collect();
            streams.push(Stream { cover: cover.clone(), length: events.len(), last, events });
        }
        let Status { pin, completeness, .. } = store.status().await?;

        // A proof serves the event it was made for, and no other.
        let Written { event, added, .. } = &written[0];
        let mut other = event.clone();
        other.payload = Payload::from("another content");
        let Err(refused) = store.check_event(&other, &added.proof).await? else {
            bail!("a proof was accepted for another event");
        };

        let read = Self { domains, streams, state: pin.state, completeness, refused };
        for written in written {
            let found = read.find(written)?;
            ensure!(found.event == written.event, "the event differs from what was sent");
        }
        Ok(read)
    }

    fn find(&self, written: &Written) -> Result<&RecordedEvent> {
        let stream = self.streams.iter().find(|stream| stream.cover == written.event.cover);
        let sequence = usize::try_from(written.added.sequence)?;
        let found = stream.and_then(|stream| stream.events.get(sequence));
        found.with_context(|| format!("{} {sequence} was not read back", written.event.cover))
    }

    /// The event whose proof is drawn: in the midst of the transaction with
    /// the most entries.
    pub(crate) fn subject<'w>(
        &self,
        written: &'w [Written],
    ) -> Result<(RecordedEvent, &'w EventProof)> {
        let transactions = written.chunk_by(|a, b| a.added.id == b.added.id);
        let most = transactions.rev().max_by_key(|events| events.len());
        let most = most.context("there are no events")?;
        let written = &most[most.len() / 2];
        Ok((self.find(written)?.clone(), &written.added.proof))
    }
}

impl fmt::Display for ReadBack {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "domains   ")?;
        for (n, (domain, roots)) in self.domains.iter().enumerate() {
            write!(f, "{}{domain} ({roots})", if n > 0 { ", " } else { "" })?;
        }
        writeln!(f, "\nevents  last event                         stream")?;
        for Stream { cover, length, last, .. } in &self.streams {
            writeln!(f, "{length:>6}  {:<33}  {}", fit(last, 33), stream(cover, 54))?;
        }
        writeln!(f, "\nunder     {}", self.state)?;
        writeln!(f, "complete  {}", complete(&self.completeness))?;
        writeln!(f, "refused   a proof offered with another event: {}", self.refused)
    }
}

#[derive(Serialize)]
pub(crate) struct TimeTravel {
    cover: Cover,
    length: usize,
    before: TxId,
    last: RecordedEvent,
    later: String,
    first: RecordedEvent,
    until: i64,
    events_until: usize,
    path: usize,
    state: TrustedState,
}

impl TimeTravel {
    /// In the stream that took longest to come about.
    pub(crate) async fn new(store: &EventStore, read: &ReadBack) -> Result<Self> {
        let span = |stream: &&Stream| match &stream.events[..] {
            [first, .., last] => (last.committed_at - first.committed_at, stream.events.len()),
            _ => (0, 1),
        };
        let stream = read.streams.iter().max_by_key(span).context("there are no streams")?;
        let (Some(first), Some(last)) = (stream.events.first(), stream.events.last()) else {
            bail!("the stream is empty");
        };
        let (cover, before) = (&stream.cover, TxId::new(last.tx.get() - 1));
        let later = match store.get_event_at_tx(cover, last.sequence, before).await {
            Err(error @ Error::WrittenLater { .. }) => error.to_string(),
            other => bail!("an event was found before it was written: {other:?}"),
        };
        let as_of = store.get_event_at_tx(cover, first.sequence, first.tx).await?;
        ensure!(as_of == *first, "the same event reads differently at another state");
        let until = last.committed_at - 1;
        let events_until = store.get_until(cover, until).await?.events.len();
        let (state, proof) = merkle::proof_at_state(store, before).await?;
        Ok(Self {
            cover: cover.clone(),
            length: stream.events.len(),
            before,
            last: last.clone(),
            later,
            first: as_of,
            until,
            events_until,
            path: proof.tx_path.len(),
            state,
        })
    }
}

impl fmt::Display for TimeTravel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { cover, length, before, first, last, later, until, state, .. } = self;
        writeln!(f, "{}: {} in state {}", stream(cover, 60), counted(*length, "event"), state.tx)?;
        let label = |name: &str, at: &dyn fmt::Display| format!("{name} {at}");
        writeln!(f, "{:<20}{later}", label("at transaction", before))?;
        writeln!(
            f,
            "{:<20}event {} reads {}, verified",
            label("at transaction", &first.tx),
            first.sequence,
            first.event.event_type
        )?;
        writeln!(
            f,
            "{:<20}{}, one second before event {} was committed",
            label("until", until),
            counted(self.events_until, "event"),
            last.sequence
        )?;
        writeln!(
            f,
            "{:<20}belongs to state {}: proved with {}",
            label("transaction", before),
            state.tx,
            counted(self.path, "sibling")
        )
    }
}

/// What a proof is worth nothing without: the event it is about.
#[derive(Serialize, Deserialize)]
struct Proved {
    event: Event,
    proof: EventProof,
}

#[derive(Serialize)]
pub(crate) struct Kept {
    file: PathBuf,
    bytes: usize,
    state: TrustedState,
}

impl Kept {
    pub(crate) async fn new(
        store: &EventStore,
        recorded: &RecordedEvent,
        proof: &EventProof,
        folder: &Path,
    ) -> Result<Self> {
        std::fs::create_dir_all(folder).with_context(|| folder.display().to_string())?;
        let file = folder.join("proof.json");
        let kept = Proved { event: recorded.event.clone(), proof: proof.clone() };
        std::fs::write(&file, serde_json::to_vec_pretty(&kept)?)?;
        // As somebody would who has nothing but the file and a store.
        let bytes = std::fs::read(&file)?;
        let Proved { event, proof } = serde_json::from_slice(&bytes)?;
        ensure!(store.verify_event(&event, &proof).await?, "the kept proof does not hold");
        Ok(Self { file, bytes: bytes.len(), state: store.state().await? })
    }
}

impl fmt::Display for Kept {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { file, bytes, state } = self;
        writeln!(
            f,
            "kept      {}, {bytes} bytes: event and proof, verified from there",
            file.display()
        )?;
        writeln!(f, "pin       {state}")?;
        writeln!(f, "          to be noted where the ledger's keeper cannot write")
    }
}

#[derive(Serialize)]
pub(crate) struct Summary {
    state: TrustedState,
    completeness: Completeness,
    tampered: bool,
    hint: bool,
}

impl Summary {
    pub(crate) async fn new(store: &EventStore, tampered: bool, hint: bool) -> Result<Self> {
        let Status { pin, completeness, .. } = store.status().await?;
        Ok(Self { state: pin.state, completeness, tampered, hint })
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let left_out = match self.completeness.is_complete() {
            true => ", and nothing before this state was left out",
            false => "; whether something was left out before this state is not",
        };
        writeln!(
            f,
            "proved    Every event shown is in the ledger as it was sent, in its place of its \
             stream{left_out}. Whoever keeps the state notices any other history, whoever wrote it:"
        )?;
        writeln!(f, "          {}", self.state)?;
        writeln!(
            f,
            "unproved  That the events are true; who wrote them, for they are not signed; when they \
             happened, for times are the writers' and the ledger's claims; that no newer state is \
             withheld."
        )?;
        if !self.tampered {
            writeln!(
                f,
                "not shown What tampering with the stored bytes does: that takes a ledger file, as the \
                 embedded ledger has one."
            )?;
        }
        if self.hint {
            writeln!(
                f,
                "keep      a proof with --keep FOLDER: the event, the proof, the state to note."
            )?;
        }
        Ok(())
    }
}
