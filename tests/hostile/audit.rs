//! Audits through a liar: what he alters or withholds is named with its
//! place, and the rest is audited all the same.

use counterfoil::InconsistencyKind::{
    AlteredRow, BrokenHeader, Fork, LostEntries, MissingRow, MissingTx,
};
use counterfoil::{
    Audit, AuditReport, AuditVerdict, Error, Event, EventStore, ExpectedVersion, FindingKind,
    InconsistencyKind,
};
use counterfoil_test_support::{Action, Server};

use crate::hostile::{BODIES, Liar, event, flipped, put, stream, text, tx};

/// Transactions 2 to 6 hold an event each, 7 holds three, 8 and 9 one.
async fn audited(liar: &Liar) -> EventStore {
    let store = liar.with_events(5).await;
    let three: Vec<Event> = (5..8).map(|n| event(n).with_external_id("three")).collect();
    store.append(&stream(), ExpectedVersion::Any, &three).await.unwrap();
    for n in 8..10 {
        store.add_event(&event(n)).await.unwrap();
    }
    store
}

async fn audit(liar: &Liar) -> AuditReport {
    Audit::of(&liar.config()).run().await.unwrap()
}

fn places(report: &AuditReport) -> Vec<(u64, Option<u32>, InconsistencyKind)> {
    let place = |tx: Option<counterfoil::TxId>| tx.map_or(0, counterfoil::TxId::get);
    report.inconsistencies.iter().map(|one| (place(one.tx), one.entry, one.kind)).collect()
}

/// From now on these events' rows are altered or withheld, whoever asks for
/// them and however.
fn rows(liar: &Liar, altered: &'static [&'static str], withheld: &'static [&'static str]) {
    liar.tells(move |context, message| {
        let row = context.is_row(message);
        if row && context.statement.contains(BODIES) {
            return Action::Instead(vec![]);
        }
        if !row || context.column("event_number").is_none() {
            return Action::Forward;
        }
        let number = text(message, context, "event_number");
        if withheld.contains(&&*number) {
            return Action::Instead(vec![]);
        }
        if altered.contains(&&*number) && text(message, context, "root") != r"\x" {
            let body = flipped(&text(message, context, "body"));
            put(message, context, "body", &body);
        }
        Action::Forward
    });
}

#[tokio::test]
async fn altered_and_withheld_rows_are_named_and_the_rest_is_audited() {
    let liar = Liar::new();
    let store = audited(&liar).await;
    let honest = audit(&liar).await;
    assert_eq!((honest.verdict, honest.counts.events), (AuditVerdict::Intact, 10));
    rows(&liar, &["1", "6"], &["3", "7"]);
    let report = audit(&liar).await;
    assert_eq!(report.verdict, AuditVerdict::Broken);
    assert_eq!(
        places(&report),
        [
            (3, Some(0), AlteredRow),
            (5, Some(0), MissingRow),
            (7, Some(1), AlteredRow),
            (7, Some(2), MissingRow),
        ]
    );
    assert_eq!((report.through, report.confirmed), (honest.through, true));
    let counts = report.counts;
    assert_eq!((counts.transactions, counts.accounted, counts.unaccounted), (9, 6, 3));
    // Somebody without a log cannot tell what the rows were; he sees where
    // some are not what they should be.
    let log = counterfoil_test_support::temp_dir("stranger");
    let mut stranger = liar.config();
    stranger.log.path = Some(log.path().to_path_buf());
    let report = Audit::of(&stranger).containing(honest.through.unwrap()).run().await.unwrap();
    assert_eq!((report.verdict, places(&report)), (AuditVerdict::Incomplete, vec![]));
    for at in [3, 5, 7] {
        let told = |f: &counterfoil::Finding| f.tx == tx(at) && f.kind == FindingKind::Unaccounted;
        assert!(report.findings.iter().any(told), "{at}: {:?}", report.findings);
    }
    liar.repents();
    assert_eq!(audit(&liar).await, honest);
    drop(store);
}

/// Rows that come when they are asked for one by one, but in no list, are
/// not called altered.
#[tokio::test]
async fn rows_that_only_the_lists_lack_are_lost_entries() {
    let liar = Liar::new();
    let _store = audited(&liar).await;
    liar.tells(|context, message| {
        let keyed = context.statement.contains("(HISTORY OF events) WHERE");
        let row = context.is_row(message) && context.column("event_number").is_some();
        match row && !keyed && text(message, context, "event_number") == "3" {
            true => Action::Instead(vec![]),
            false => Action::Forward,
        }
    });
    let report = audit(&liar).await;
    assert_eq!(places(&report), [(5, None, LostEntries)]);
    assert_eq!(report.verdict, AuditVerdict::Broken);
}

#[tokio::test]
async fn altered_headers_are_named_and_the_rest_is_audited() {
    let liar = Liar::new();
    let _store = audited(&liar).await;
    let honest = audit(&liar).await;
    for field in ["timestamp", "nentries", "eh", "bl_root", "bl_tx_id", "version", "prev_alh"] {
        liar.alters("immudb_tx(", move |context, message| {
            if ["SELECT immudb_tx(4);", "SELECT immudb_tx(6);"].contains(&context.statement) {
                let other = flipped(&text(message, context, field));
                put(message, context, field, &other);
            }
            Action::Forward
        });
        let report = audit(&liar).await;
        let broken = [(4, None, BrokenHeader), (6, None, BrokenHeader)];
        assert_eq!((report.verdict, places(&report)), (AuditVerdict::Broken, broken.into()));
        assert_eq!(report.through, honest.through, "{field}");
        // Where the ledger can be linked without them their rows are left out;
        // where not, this client's own stand for them.
        let counts = (report.counts.accounted, report.counts.opaque);
        assert_eq!(counts, if field == "prev_alh" { (9, 0) } else { (7, 2) }, "{field}");
    }
}

/// Headers that are not there any more, and rows on both sides of them.
#[tokio::test]
async fn withheld_headers_are_named_and_the_rest_is_audited() {
    let liar = Liar::new();
    let _store = audited(&liar).await;
    let honest = audit(&liar).await;
    liar.tells(|context, message| {
        if !context.is_row(message) {
            return Action::Forward;
        }
        if context.statement.contains(BODIES)
            || ["SELECT immudb_tx(4);", "SELECT immudb_tx(6);"].contains(&context.statement)
        {
            return Action::Instead(vec![]);
        }
        if context.column("event_number").is_some()
            && ["0", "6"].contains(&&*text(message, context, "event_number"))
            && text(message, context, "root") != r"\x"
        {
            let body = flipped(&text(message, context, "body"));
            put(message, context, "body", &body);
        }
        Action::Forward
    });
    let report = audit(&liar).await;
    assert_eq!(report.through, honest.through);
    assert_eq!(
        places(&report),
        [
            (2, Some(0), AlteredRow),
            (4, None, MissingTx),
            (6, None, MissingTx),
            (7, Some(1), AlteredRow)
        ]
    );
    // Whoever has no log of his own cannot go on.
    let log = counterfoil_test_support::temp_dir("stranger");
    let mut stranger = liar.config();
    stranger.log.path = Some(log.path().to_path_buf());
    let error = Audit::of(&stranger).run().await.unwrap_err();
    assert!(matches!(error, Error::Unavailable(_)), "{error}");
}

/// A ledger that went another way is that, and is not mended with headers of
/// the one that was.
#[tokio::test]
async fn another_history_is_a_fork_and_not_a_list_of_headers() {
    let mut server = Server::start_private();
    let liar = Liar::before(server.server());
    let store = liar.with_events(3).await;
    let backup = server.save();
    let mut states = vec![store.state().await.unwrap()];
    for n in 3..6 {
        store.add_event(&event(n)).await.unwrap();
        states.push(store.state().await.unwrap());
    }
    let pinned = states[3];
    drop(store);
    server.restore(&backup);
    liar.somebody_appends(13..17).await;
    let report = audit(&liar).await;
    assert_eq!(places(&report), [(5, None, Fork), (pinned.tx.get(), None, Fork)]);
    // Going on from the last common state, or from one that is no more, too.
    for state in states {
        let report = Audit::of(&liar.config()).from(state).run().await.unwrap();
        assert_eq!((report.verdict, report.from), (AuditVerdict::Broken, Some(state)));
        let kinds: Vec<_> = report.inconsistencies.iter().map(|one| one.kind).collect();
        assert!(kinds.iter().all(|kind| *kind == Fork), "{report:?}");
    }
}
