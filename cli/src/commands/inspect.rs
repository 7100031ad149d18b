//! `inspect`: a receipt drawn, from its events to its state.

use std::fmt;

use counterfoil::core::receipt::Verdict;
use counterfoil::{
    HeaderReport, InspectedEvent, InspectedTx, Inspection, LinkReport, PathReport, Side,
    StateSignatureBytes, Step, TrustPolicy, VerdictReport,
};
use serde::Serialize;

use super::verify::{Head, read};
use crate::args::InspectArgs;
use crate::exit::{Exit, Result};
use crate::output::{Author, Output, Plain, bold, red};

pub(super) fn run(args: &InspectArgs, output: Output) -> Result<Exit> {
    let bytes = read(&args.file)?;
    let policy = args.policy.as_ref().map(TrustPolicy::load).transpose()?;
    let report = policy.map(|policy| policy.verify(&bytes, &[]));
    let (receipt, broken) = match Inspection::of(&bytes) {
        Ok(receipt) => (Some(receipt), None),
        Err(error) => (None, Some(Verdict::from(error))),
    };
    let exit = match (&report, &broken, &receipt) {
        (Some(report), ..) => report.of.into(),
        (None, Some(verdict), _) => (*verdict).into(),
        (None, None, Some(receipt)) if receipt.flaw.is_some() => Exit::Broken,
        _ => Exit::Done,
    };
    let shown = Shown {
        file: args.file.display().to_string(),
        unreadable: broken.map(|verdict| verdict.to_string()),
        receipt,
        report,
        full: args.full,
    };
    output.judged(exit, &shown, &shown)
}

#[derive(Serialize)]
struct Shown {
    file: String,
    /// What the file is instead of a receipt.
    #[serde(skip_serializing_if = "Option::is_none")]
    unreadable: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    receipt: Option<Inspection>,
    /// What it shows under a policy.
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    report: Option<VerdictReport>,
    #[serde(skip)]
    full: bool,
}

impl fmt::Display for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let file = Plain(&self.file);
        match (&self.receipt, &self.unreadable) {
            (Some(receipt), _) => {
                writeln!(f, "{}: {} bytes", bold(file), receipt.size)?;
                write!(f, "{}", Drawing { receipt, full: self.full })?;
            }
            (None, Some(why)) => {
                write!(f, "{}: {}", bold(file), red(&Plain(why).to_string()))?;
            }
            (None, None) => {}
        }
        match &self.report {
            Some(report) => {
                write!(f, "\n\n{}", Head { file: self.file.as_ref(), report })?;
                report.events.iter().try_for_each(|event| {
                    let (cover, author) =
                        (Plain(&event.event.cover), Author::of_report(&event.author));
                    write!(f, "\n  {cover} {}: {}, author: {author}", event.sequence, event.verdict)
                })
            }
            None => Ok(()),
        }
    }
}

/// A receipt, drawn.
pub(super) struct Drawing<'a> {
    pub(super) receipt: &'a Inspection,
    pub(super) full: bool,
}

impl fmt::Display for Drawing<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { receipt, full } = *self;
        if receipt.damaged {
            writeln!(f, "{}", red("damaged: what follows is what is left to read"))?;
        }
        writeln!(f, "ledger {}, as it says", receipt.ledger)?;
        match receipt.genesis {
            Some(_) => writeln!(f, "table  {}, by how the ledger began", receipt.table_id)?,
            None => {
                writeln!(f, "table  {}, as it says: the policy must name it", receipt.table_id)?
            }
        }
        for tx in &receipt.transactions {
            for event in &tx.events {
                self.event(f, tx, event)?;
            }
            self.transaction(f, tx)?;
        }
        self.state(f)?;
        for (name, link) in [("earlier", &receipt.earlier), ("later", &receipt.later)] {
            if let Some(link) = link {
                write!(f, "\n\n{}", LinkText { name, link, full })?;
            }
        }
        if let Some(signature) = &receipt.state_signature {
            let StateSignatureBytes { key, signature, .. } = signature;
            let signature = if full || signature.len() < 32 {
                signature.clone()
            } else {
                format!("{}…", &signature[..16])
            };
            let title = format!("signature of state {} by a server's key", receipt.state.tx);
            write!(f, "\n\n{}", bold(title))?;
            write!(f, "\n  key {}", self.hash(key))?;
            write!(f, "\n  {signature}")?;
        }
        if let Some(note) = &receipt.checkpoint {
            write!(f, "\n\n{}", bold("checkpoint of the tree, as a note"))?;
            note.lines().try_for_each(|line| write!(f, "\n  | {}", Plain(line)))?;
        }
        match &receipt.flaw {
            Some(flaw) => {
                let what = format!("it does not hold: {}: {}", flaw.reason, Plain(&flaw.detail));
                write!(f, "\n\n{}", red(&what))
            }
            None => write!(
                f,
                "\n\nit holds in itself; what vouches for the state is for a policy to say"
            ),
        }
    }
}

impl Drawing<'_> {
    fn event(
        &self,
        f: &mut fmt::Formatter<'_>,
        tx: &InspectedTx,
        event: &InspectedEvent,
    ) -> fmt::Result {
        let body = &event.body;
        let edition = if body.edition.is_empty() { "" } else { "@" };
        let root = Plain(&body.root);
        let (domain, name) = (Plain(&body.domain), Plain(&body.edition));
        let title = format!("{domain}/{root}{edition}{name} {}", body.event_number);
        writeln!(f, "\n{}  {}", bold(title), Plain(&body.event_type))?;
        match &body.author {
            None => writeln!(f, "  author   nobody signed it")?,
            Some(author) if author.holds => self.line(f, "author", &author.key, "signed it")?,
            Some(author) => {
                let key = self.hash(&author.key);
                let what = "is named, and the signature is not this key's over this event";
                writeln!(f, "  author   {key}  {}", red(what))?;
            }
        }
        self.line(f, "digest", event.digest, "of the event's row, key and value")?;
        let of =
            format!("entry {} of {} in transaction {}", event.entry, event.path.size, tx.header.tx);
        let place = format!("in the header of transaction {}", tx.header.tx);
        self.path(f, &event.path, &of, "eh", &place)
    }

    fn transaction(&self, f: &mut fmt::Formatter<'_>, tx: &InspectedTx) -> fmt::Result {
        let HeaderReport { tx: id, inner, alh, .. } = &tx.header;
        writeln!(f, "\n{}", bold(format_args!("transaction {id}")))?;
        self.line(f, "inner", inner, "of the header: time, metadata, entries, eh, tree")?;
        self.line(f, "alh", alh, "of number, predecessor and inner")?;
        match &tx.path {
            Some(path) => {
                let of = format!("transaction {id} of {}", path.size);
                let state = self.receipt.state_header.tx;
                self.path(f, path, &of, "bl_root", &format!("in the header of transaction {state}"))
            }
            None => writeln!(f, "  it is the state's own"),
        }
    }

    fn path(
        &self,
        f: &mut fmt::Formatter<'_>,
        path: &PathReport,
        of: &str,
        root: &str,
        place: &str,
    ) -> fmt::Result {
        self.line(f, "leaf", path.leaf, of)?;
        for Step { side, sibling, node, .. } in &path.steps {
            let side = match side {
                Side::Left => "left",
                Side::Right => "right",
            };
            let with = format!("with {} on the {side}", self.hash(sibling));
            self.line(f, "node", node, &with)?;
        }
        self.line(f, root, path.root, place)?;
        match path.holds {
            true => writeln!(f, "  the path leads there"),
            false => {
                let to = self.hash(&path.leads_to());
                writeln!(f, "  {}", red(&format!("the path does not lead there, but to {to}")))
            }
        }
    }

    fn state(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Inspection { state, state_header, .. } = self.receipt;
        writeln!(f, "\n{}", bold(format_args!("state {}", state.tx)))?;
        let tree = format!("of the tree over transactions 1 to {}", state_header.bl_tx_id);
        self.line(f, "bl_root", state_header.bl_root, &tree)?;
        self.line(f, "inner", state_header.inner, "of the header")?;
        self.line(f, "alh", state_header.alh, "of number, predecessor and inner")?;
        match self.receipt.state_holds() {
            true => write!(f, "  it is the state's: {state}"),
            false => write!(f, "  {}", red(&format!("the state is another: {state}"))),
        }
    }

    fn line(
        &self,
        f: &mut fmt::Formatter<'_>,
        name: &str,
        hash: impl fmt::Display,
        what: &str,
    ) -> fmt::Result {
        writeln!(f, "  {name:<8} {}  {what}", self.hash(&hash))
    }

    fn hash(&self, hash: &impl fmt::Display) -> String {
        short(hash, self.full)
    }
}

struct LinkText<'a> {
    name: &'static str,
    link: &'a LinkReport,
    full: bool,
}

impl fmt::Display for LinkText<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, link, full } = *self;
        write!(f, "{}", bold(format_args!("link to the {name} state {}", link.state.tx)))?;
        write!(f, "\n  {:<8} {}", "alh", short(&link.state.alh, full))?;
        write!(f, "  and its header makes {}", short(&link.header.alh, full))?;
        let terms = [("inclusion", &link.inclusion), ("consistency", &link.consistency)];
        for (what, terms) in terms {
            write!(f, "\n  {what}: {} hashes", terms.len())?;
            for term in terms {
                write!(f, "\n           {}", short(term, full))?;
            }
        }
        Ok(())
    }
}

/// The first digits of a hash, or all.
fn short(hash: &impl fmt::Display, full: bool) -> String {
    let mut text = hash.to_string();
    if !full {
        text.truncate(12);
        text.push('…');
    }
    text
}
