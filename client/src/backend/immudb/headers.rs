//! Checks that a run of headers continues the log: each recomputed, each
//! linked to its neighbours, each tree root compared with the log's own.

use counterfoil_core::{Alh, Frontier, Header, HeaderVersion, Root, TxMetadata};

use crate::verdict::Verdict;

/// A header that continues the log.
#[derive(Debug, Clone)]
pub(super) struct Linked {
    pub(super) header: Header<'static>,
    pub(super) alh: Alh,
    /// It does not recompute: metadata that was not shown. Its Alh is bound
    /// by a later header, its fields are not.
    pub(super) opaque: bool,
}

/// A run of linked headers.
pub(super) struct Run {
    /// Those that a header which recomputes covers.
    pub(super) linked: Vec<Linked>,
    /// Roots of sizes that lie before the run, to be compared with the log.
    pub(super) older: Vec<(Header<'static>, u64)>,
}

/// Numbers that a truncation may have named which are tried for the headers
/// of a run, all together: a server may show any number that do not recompute.
const MOST_TRIES: u64 = 1 << 18;

/// Where the log ends.
pub(super) struct Tail {
    pub(super) last_alh: Alh,
    pub(super) frontier: Frontier,
}

/// Links `headers`, which stand directly behind the log's end. `last` is the
/// Alh of the last one, as its successor or the server's state claims it.
///
/// Headers that do not recompute are taken only as far as a later one that
/// does recompute commits to them.
pub(super) fn link(tail: Tail, headers: &[Header<'static>], last: Alh) -> Result<Run, Verdict> {
    let base = tail.frontier.size().get();
    let mut frontier = tail.frontier;
    // Roots of sizes base, base + 1, …
    let mut roots = vec![root(&frontier)];
    let mut linked: Vec<Linked> = Vec::with_capacity(headers.len());
    let mut older = Vec::new();
    let mut covered = 0;
    let mut prev_alh = tail.last_alh;
    let mut tries = MOST_TRIES;
    for (i, shown) in headers.iter().enumerate() {
        let header = shown;
        let tx = header.id;
        if i == 0 && header.prev_alh != prev_alh {
            return Err(Verdict::BrokenChain { tx, expected: prev_alh, found: header.prev_alh });
        }
        let bad =
            |error: &dyn std::fmt::Display| Verdict::BadHeader { tx, reason: error.to_string() };
        let alh = headers.get(i + 1).map_or(last, |next| next.prev_alh);
        let truncation = match header.alh() == Ok(alh) {
            true => None,
            false => truncation(header, alh, &mut tries),
        };
        let header = truncation.as_ref().unwrap_or(shown);
        // What does not recompute may hold anything, impossible values too.
        let opaque = header.alh() != Ok(alh);
        if !opaque {
            header.check().map_err(|error| bad(&error))?;
            let size = header.bl_tx_id.get();
            match size.checked_sub(base).and_then(|n| roots.get(usize::try_from(n).ok()?)) {
                Some(expected) if *expected == header.bl_root => {}
                Some(&expected) => {
                    return Err(Verdict::OtherHistory { tx, expected, found: header.bl_root });
                }
                None if size < base => older.push((*header, size)),
                None => return Err(bad(&"it commits to transactions after it")),
            }
        }
        linked.push(Linked { header: *header, alh, opaque });
        frontier.push(alh.leaf_hash()).map_err(|error| bad(&error))?;
        roots.push(root(&frontier));
        prev_alh = alh;
        // Transactions between bl_tx_id and this one hang on the chain alone,
        // which binds only what recomputes.
        let from =
            usize::try_from(header.bl_tx_id.get().saturating_sub(base)).unwrap_or(usize::MAX);
        if !opaque && linked.get(from..).unwrap_or_default().iter().all(|between| !between.opaque) {
            covered = linked.len();
        }
    }
    linked.truncate(covered);
    older.retain(|(header, _)| header.id.get() - base <= covered as u64);
    Ok(Run { linked, older })
}

/// The header as [`truncation`] finds it, if it makes a state.
pub(crate) fn of_truncation(header: &Header<'static>, alh: Alh) -> Option<Header<'static>> {
    truncation(header, alh, &mut { MOST_TRIES })
}

/// The header as a truncation of the database wrote it, if that makes its Alh:
/// with metadata that the wire does not show, but which hold nothing than the
/// number of an earlier transaction.
fn truncation(header: &Header<'static>, alh: Alh, tries: &mut u64) -> Option<Header<'static>> {
    if header.version != HeaderVersion::V1 {
        return None;
    }
    let first = header.id.get().saturating_sub(*tries).max(1);
    (first..header.id.get()).rev().find_map(|until| {
        *tries -= 1;
        let metadata = TxMetadata { truncated_tx_id: Some(until), extra: None };
        let header = Header { metadata, ..*header };
        (header.alh() == Ok(alh)).then_some(header)
    })
}

fn root(frontier: &Frontier) -> Root {
    if frontier.size().get() == 0 { Root::ZERO } else { frontier.root() }
}

#[cfg(test)]
mod tests {
    use counterfoil_core::{HeaderVersion, TxId, TxMetadata};

    use super::*;

    /// A ledger of `n` transactions; those in `opaque` have an Alh that does
    /// not follow from what is shown.
    fn ledger(n: u64, opaque: &[u64]) -> (Vec<Header<'static>>, Alh) {
        lagging(n, opaque, |id| id - 1)
    }

    /// The same with trees of these sizes.
    fn lagging(n: u64, opaque: &[u64], tree: impl Fn(u64) -> u64) -> (Vec<Header<'static>>, Alh) {
        let mut frontier = Frontier::new();
        let mut prev_alh = Alh::BEFORE_FIRST;
        let mut headers = Vec::new();
        let mut roots = vec![Root::ZERO];
        for id in 1..=n {
            let bl_tx_id = TxId::new(tree(id));
            let mut header = Header {
                id: TxId::new(id),
                prev_alh,
                ts: 1_700_000_000,
                version: HeaderVersion::V1,
                metadata: TxMetadata::default(),
                nentries: 1,
                eh: Root::new([id as u8; 32]),
                bl_tx_id,
                bl_root: roots[bl_tx_id.get() as usize],
            };
            if opaque.contains(&id) {
                header.metadata.extra = Some(b"hidden");
            }
            prev_alh = header.alh().unwrap();
            header.metadata = TxMetadata::default();
            frontier.push(prev_alh.leaf_hash()).unwrap();
            roots.push(frontier.root());
            headers.push(header);
        }
        (headers, prev_alh)
    }

    fn start() -> Tail {
        Tail { last_alh: Alh::BEFORE_FIRST, frontier: Frontier::new() }
    }

    #[test]
    fn an_honest_run_is_linked_whole() {
        let (headers, last) = ledger(40, &[]);
        let run = link(start(), &headers, last).unwrap();
        assert_eq!(run.linked.len(), 40);
        assert!(run.linked.iter().all(|linked| !linked.opaque));
    }

    #[test]
    fn opaque_headers_are_kept_when_covered_and_left_when_not() {
        let (headers, last) = ledger(10, &[4, 5, 9, 10]);
        let run = link(start(), &headers, last).unwrap();
        let opaque: Vec<u64> =
            run.linked.iter().filter(|l| l.opaque).map(|l| l.header.id.get()).collect();
        assert_eq!((run.linked.len(), opaque), (8, vec![4, 5]));
    }

    /// The end of a log of these.
    fn behind(headers: &[Header<'static>], last_alh: Alh) -> Tail {
        let mut tail = start();
        for next in headers.iter().skip(1).map(|next| next.prev_alh).chain([last_alh]) {
            tail.frontier.push(next.leaf_hash()).unwrap();
        }
        Tail { last_alh, ..tail }
    }

    /// Between a header and its tree only the chain binds, and an opaque header
    /// breaks it: what comes before that could be anything.
    #[test]
    fn what_hangs_on_an_opaque_header_alone_is_not_taken() {
        let tree = |id: u64| if id < 9 { 2.min(id - 1) } else { id - 1 };
        let (headers, last) = lagging(8, &[5], tree);
        let run = link(start(), &headers, last).unwrap();
        assert_eq!(run.linked.len(), 4);
        // With nothing opaque among them all are,
        let (plain, last) = lagging(8, &[], tree);
        assert_eq!(link(start(), &plain, last).unwrap().linked.len(), 8);
        // as when a later tree holds them.
        let (headers, last) = lagging(9, &[5], tree);
        assert_eq!(link(start(), &headers, last).unwrap().linked.len(), 9);
    }

    /// Where the tree lags behind the log's end, its root is there to be compared.
    #[test]
    fn a_root_of_a_size_before_the_run_is_not_passed_over() {
        let (headers, last) = lagging(8, &[], |id| 3.min(id - 1));
        let (known, new) = headers.split_at(5);
        let run = link(behind(known, new[0].prev_alh), new, last).unwrap();
        assert_eq!(run.linked.len(), 3);
        let expected: Vec<_> = new.iter().map(|header| (*header, 3)).collect();
        assert_eq!(run.older, expected);
    }

    /// The tree of the log's past, and a chain from elsewhere: two histories.
    #[test]
    fn a_run_must_go_on_from_the_logs_last_transaction() {
        let (headers, _) = ledger(6, &[]);
        let (known, new) = headers.split_at(5);
        let expected = new[0].prev_alh;
        for tree in 0..=5 {
            let tail = behind(known, expected);
            let found = Alh::new([9; 32]);
            let forged = Header {
                prev_alh: found,
                bl_tx_id: TxId::new(tree),
                bl_root: headers[tree as usize].bl_root,
                ..new[0]
            };
            let refused = link(tail, &[forged], forged.alh().unwrap());
            let broken = Verdict::BrokenChain { tx: TxId::new(6), expected, found };
            assert_eq!(refused.err(), Some(broken), "over {tree}");
        }
    }

    /// What a truncation adds to a header is found, at the end too.
    #[test]
    fn a_truncation_is_no_opaque_header() {
        for until in [1, 7] {
            let (mut headers, _) = ledger(8, &[]);
            let last = headers.last_mut().unwrap();
            last.metadata.truncated_tx_id = Some(until);
            let end = last.alh().unwrap();
            last.metadata = TxMetadata::default();
            let run = link(start(), &headers, end).unwrap();
            let last = run.linked.last().unwrap();
            assert_eq!((run.linked.len(), last.opaque), (8, false));
            assert_eq!(last.header.metadata.truncated_tx_id, Some(until));
            let mut none_left = 0;
            assert_eq!(truncation(&headers[7], end, &mut none_left), None);
        }
    }

    /// Whatever field of whatever header is altered: never linked as it
    /// stands, and nothing behind it gets another Alh than it has.
    #[test]
    fn an_altered_field_is_never_linked() {
        let (honest, last) = ledger(12, &[]);
        let truth = link(start(), &honest, last).unwrap().linked;
        for i in 0..honest.len() {
            for field in 0..6 {
                let mut headers = honest.clone();
                let h = &mut headers[i];
                match field {
                    0 => h.prev_alh = Alh::new([9; 32]),
                    1 => h.ts += 1,
                    2 => h.nentries += 1,
                    3 => h.eh = Root::new([9; 32]),
                    4 => h.bl_root = Root::new([9; 32]),
                    _ => h.version = HeaderVersion::V0,
                }
                let Ok(run) = link(start(), &headers, last) else { continue };
                for linked in &run.linked {
                    let true_one = &truth[linked.header.id.get() as usize - 1];
                    assert_eq!(linked.alh, true_one.alh, "header {i}, field {field}");
                    assert!(linked.opaque || linked.header == true_one.header);
                }
            }
        }
    }
}
