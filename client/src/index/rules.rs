//! What counts: the rules by which a row of an accounted transaction is
//! judged, in ledger order. Whoever keeps an index, in tables or in memory,
//! asks here, so that there is one answer.

use counterfoil_core::Alh;
use counterfoil_core::receipt::Authorship;

use super::{InAppend, Position};
use crate::author::{self, Signed};
use crate::verdict::FindingKind;

/// What a row says of itself, after everything that needs nothing but the row
/// was checked.
#[derive(Clone, Copy)]
pub(crate) enum Claim<'a> {
    Event {
        ext: &'a [u8; 32],
        prev_event: &'a [u8; 32],
        seen_tx: u64,
        seen_alh: &'a [u8; 32],
        append: InAppend,
        /// If its author signed it.
        signed: Option<BySomebody<'a>>,
    },
    Genesis,
    Not(&'a str),
    /// The entry takes the row away.
    Deleted,
}

/// What an author's signature is checked with.
#[derive(Clone, Copy)]
pub(crate) enum BySomebody<'a> {
    /// The stored body.
    Stored(&'a [u8]),
    /// What was kept of it.
    Kept(&'a Signed),
}

impl BySomebody<'_> {
    /// To whoever trusts nobody.
    pub(crate) fn authorship(&self, ledger: Alh) -> Authorship {
        match self {
            Self::Stored(body) => author::authorship(body, ledger, &[]),
            Self::Kept(signed) => signed.authorship(ledger),
        }
    }
}

/// The end of a stream, as far as the index goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct StreamEnd {
    /// The number of events.
    pub(crate) next: u64,
    /// The last one's digest, zeros if there is none.
    pub(crate) head: [u8; 32],
    /// Whether any key of the stream is held by a row that is not its event.
    pub(crate) any_held: bool,
}

impl StreamEnd {
    /// Of a stream without events.
    pub(crate) const NEW: Self = Self { next: 0, head: [0; 32], any_held: false };
}

/// What was judged before a row.
pub(crate) trait Before {
    /// The row's stream, if any row stood there.
    fn stream(&self) -> Option<StreamEnd>;
    /// Whether an event has this id.
    fn has_ext(&self, ext: &[u8; 32]) -> bool;
    /// Whether a row holds this key of the row's stream without being its
    /// event.
    fn is_held(&self, number: u64) -> bool;
    /// The Alh of a transaction.
    fn saw(&self, tx: u64, alh: &[u8; 32]) -> bool;
    /// The ledger's id.
    fn ledger(&self) -> Alh;
    /// Takes note of something about the row.
    fn find(&mut self, kind: FindingKind, detail: String);
}

/// What becomes of a row.
pub(crate) enum Ruling {
    /// It is the next event of its stream; with the key whose signature holds.
    Event { signed_by: Option<[u8; 32]> },
    /// It stands on its key without being the stream's event, and why.
    Holds(String),
    /// It is the genesis row, and its key is taken from now on.
    Genesis,
    /// Nothing: its key was taken before.
    Nothing,
}

/// Judges a row.
pub(crate) fn judge(claim: Claim<'_>, event_number: i64, before: &mut impl Before) -> Ruling {
    let stream = before.stream();
    // Whether the row's key is an event's already.
    let is_event = || {
        let next = stream.map_or(0, |stream| stream.next);
        u64::try_from(event_number).is_ok_and(|number| number < next)
    };
    let (ext, prev_event, seen_tx, seen_alh, signed) = match claim {
        Claim::Event { ext, prev_event, seen_tx, seen_alh, signed, .. } => {
            (ext, prev_event, seen_tx, seen_alh, signed)
        }
        Claim::Deleted => {
            let detail = match is_event() {
                true => format!("event {event_number} of its stream; it stays the event"),
                false => format!("a row with number {event_number} that is no event"),
            };
            before.find(FindingKind::Deleted, detail);
            return Ruling::Nothing;
        }
        Claim::Not(reason) if is_event() => {
            let detail = format!("event {event_number} of its stream was written before; {reason}");
            before.find(FindingKind::Overwritten, detail);
            return Ruling::Nothing;
        }
        Claim::Not(reason) => {
            before.find(FindingKind::NotCanonical, reason.to_owned());
            return Ruling::Holds(reason.to_owned());
        }
        Claim::Genesis => {
            // Its key belongs to no stream of events: once taken, it is there
            // for good.
            if stream.is_some() {
                let detail = "the genesis row was written before";
                before.find(FindingKind::Overwritten, detail.to_owned());
            }
            return Ruling::Genesis;
        }
    };
    if !before.saw(seen_tx, seen_alh) {
        let detail = format!("its writer saw another transaction {seen_tx}");
        before.find(FindingKind::SawOtherHistory, detail);
    }
    let mut author = Authorship::Unsigned;
    if let Some(signed) = signed {
        author = signed.authorship(before.ledger());
        if let Authorship::Broken { key } = author {
            let detail = format!("its signature is not that of {}", hex::encode(key));
            before.find(FindingKind::AuthorSignatureBroken, detail);
        }
    }
    let stream = stream.unwrap_or(StreamEnd::NEW);
    // It was checked to equal a u64 in the body.
    let number = event_number as u64;
    if number < stream.next {
        let detail = format!("event {number} of its stream was written before");
        before.find(FindingKind::Overwritten, detail);
        return Ruling::Nothing;
    }
    if before.has_ext(ext) {
        let reason = "its id was used before".to_owned();
        before.find(FindingKind::RepeatedId, reason.clone());
        return Ruling::Holds(reason);
    }
    if number > stream.next || *prev_event != stream.head {
        let reason = if number > stream.next {
            format!("the stream has only {} events before it", stream.next)
        } else {
            "it names another event as the stream's previous one".to_owned()
        };
        before.find(FindingKind::OutOfLine, reason.clone());
        return Ruling::Holds(reason);
    }
    if stream.any_held && before.is_held(number) {
        let detail = format!("key {number} of its stream is held by an earlier row");
        before.find(FindingKind::Overwritten, detail);
        return Ruling::Nothing;
    }
    Ruling::Event { signed_by: author.signed_by().copied() }
}

/// A row that says of itself that it is an event, and whether it became one.
#[derive(Clone, Copy)]
pub(crate) struct Placed {
    pub(crate) pos: Position,
    pub(crate) append: InAppend,
    pub(crate) is_event: bool,
}

/// Events whose append is not whole in its transaction: of each part the first
/// event, and what there is of the append. The rows are those of whole
/// transactions, in ledger order.
pub(crate) fn split(rows: &[Placed]) -> Vec<(Position, String)> {
    let hang_together = |one: &Placed, next: &Placed| {
        let (a, b) = (one.append, next.append);
        (one.pos.tx(), Some(one.pos.entry())) == (next.pos.tx(), next.pos.entry().checked_sub(1))
            && (a.id, a.count, Some(a.index)) == (b.id, b.count, b.index.checked_sub(1))
    };
    let mut split = Vec::new();
    for part in rows.chunk_by(hang_together) {
        let InAppend { index, count, .. } = part[0].append;
        if index == 0 && part.len() == count as usize {
            continue;
        }
        if let Some(first) = part.iter().find(|placed| placed.is_event) {
            let (from, last) = (u64::from(index) + 1, u64::from(index) + part.len() as u64);
            let detail = format!(
                "an append of {count} events was split: of them its transaction has only {from} to {last}"
            );
            split.push((first.pos, detail));
        }
    }
    split
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: [u8; 32] = [5; 32];
    const OTHER: [u8; 32] = [6; 32];
    const APPEND: InAppend = InAppend { id: [0; 16], index: 0, count: 1 };

    /// A stream of two events, under whose key 2 another row may stand.
    #[derive(Default)]
    struct Two {
        held: bool,
        has_ext: bool,
        saw_another: bool,
        found: Vec<FindingKind>,
    }

    impl Before for Two {
        fn stream(&self) -> Option<StreamEnd> {
            Some(StreamEnd { next: 2, head: HEAD, any_held: self.held })
        }

        fn has_ext(&self, _: &[u8; 32]) -> bool {
            self.has_ext
        }

        fn is_held(&self, number: u64) -> bool {
            self.held && number == 2
        }

        fn saw(&self, _: u64, _: &[u8; 32]) -> bool {
            !self.saw_another
        }

        fn ledger(&self) -> Alh {
            Alh::ZERO
        }

        fn find(&mut self, kind: FindingKind, _: String) {
            self.found.push(kind);
        }
    }

    /// What becomes of a row, in one letter, and what is found.
    fn ruled(number: i64, prev_event: &[u8; 32], mut before: Two) -> (char, Vec<FindingKind>) {
        let claim = Claim::Event {
            ext: &OTHER,
            prev_event,
            seen_tx: 1,
            seen_alh: &OTHER,
            append: APPEND,
            signed: None,
        };
        let ruling = match judge(claim, number, &mut before) {
            Ruling::Event { signed_by: None } => 'e',
            Ruling::Holds(_) => 'h',
            Ruling::Nothing => 'n',
            _ => '?',
        };
        (ruling, before.found)
    }

    #[test]
    fn only_the_next_event_that_names_the_last_one_counts() {
        use FindingKind::{OutOfLine, Overwritten, RepeatedId, SawOtherHistory};
        assert_eq!(ruled(2, &HEAD, Two::default()), ('e', vec![]));
        // Another previous event, a hole before it, or both.
        assert_eq!(ruled(2, &OTHER, Two::default()), ('h', vec![OutOfLine]));
        assert_eq!(ruled(2, &[0; 32], Two::default()), ('h', vec![OutOfLine]));
        assert_eq!(ruled(3, &HEAD, Two::default()), ('h', vec![OutOfLine]));
        assert_eq!(ruled(3, &OTHER, Two::default()), ('h', vec![OutOfLine]));
        // A key that is an event's, whatever it names.
        for (number, prev_event) in [(0, &HEAD), (1, &HEAD), (1, &OTHER)] {
            assert_eq!(ruled(number, prev_event, Two::default()), ('n', vec![Overwritten]));
        }
        // A key that an earlier row holds without being an event.
        let held = || Two { held: true, ..Two::default() };
        assert_eq!(ruled(2, &HEAD, held()), ('n', vec![Overwritten]));
        assert_eq!(ruled(2, &OTHER, held()), ('h', vec![OutOfLine]));
        let repeats = Two { has_ext: true, ..Two::default() };
        assert_eq!(ruled(2, &HEAD, repeats), ('h', vec![RepeatedId]));
        // What its writer saw is told, and changes nothing.
        let misled = Two { saw_another: true, ..Two::default() };
        assert_eq!(ruled(2, &HEAD, misled), ('e', vec![SawOtherHistory]));
    }

    #[test]
    fn an_append_that_is_not_whole_is_told_once_a_part() {
        let id = |n: u8| [n; 16];
        let placed = |tx: u64, entry, append: u8, index, count, is_event| Placed {
            pos: Position::new(counterfoil_core::TxId::new(tx), entry),
            append: InAppend { id: id(append), index, count },
            is_event,
        };
        let places = |rows: &[Placed]| -> Vec<(u64, u32)> {
            let split = split(rows).into_iter();
            split.map(|(pos, _)| (pos.tx().get(), pos.entry())).collect()
        };
        let whole = [placed(2, 0, 1, 0, 2, true), placed(2, 1, 1, 1, 2, true)];
        assert_eq!(places(&whole), []);
        // Its end or its beginning is missing, or another append's row is between.
        assert_eq!(places(&whole[..1]), [(2, 0)]);
        assert_eq!(places(&whole[1..]), [(2, 1)]);
        let apart =
            [placed(2, 0, 1, 0, 2, true), placed(2, 1, 2, 0, 1, true), placed(2, 2, 1, 1, 2, true)];
        assert_eq!(places(&apart), [(2, 0), (2, 2)]);
        // In two transactions; twice; of another length; and none that is an event.
        assert_eq!(
            places(&[placed(2, 0, 1, 0, 2, true), placed(3, 0, 1, 1, 2, true)]),
            [(2, 0), (3, 0)]
        );
        assert_eq!(places(&[whole[0], placed(2, 1, 1, 0, 2, true)]), [(2, 0), (2, 1)]);
        assert_eq!(
            places(&[placed(2, 0, 1, 0, 2, true), placed(2, 1, 1, 1, 3, true)]),
            [(2, 0), (2, 1)]
        );
        assert_eq!(places(&[placed(2, 0, 1, 0, 2, false)]), []);
        assert_eq!(places(&[placed(2, 0, 1, 1, 3, false), placed(2, 1, 1, 2, 3, true)]), [(2, 1)]);
    }
}
