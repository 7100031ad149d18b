//! Contents outside the ledger, as an audit tells of them.

use counterfoil::PayloadProblemKind::{Altered, Missing, Remains};
use counterfoil::{
    Audit, AuditVerdict, Event, Payload, PayloadCommitment, PayloadStore as _, RecordedEvent,
    SaltedPayload, SqlitePayloads,
};

use crate::alter;
use crate::files::{Files, event, stream};

fn commitment(event: &RecordedEvent) -> PayloadCommitment {
    let Payload::Commitment(commitment) = event.event.payload else { panic!("{event:?}") };
    commitment
}

#[tokio::test]
async fn what_is_erased_is_told_from_what_is_lost() {
    let files = Files::with_events(2).await;
    let payloads = SqlitePayloads::open(files.free("payloads")).await.unwrap();
    let store = files.open().await.unwrap();
    let mut events = Vec::new();
    // Transactions 4 to 8.
    for n in 2..7 {
        let added = store.add_committed(&payloads, &event(n)).await.unwrap();
        events.push(store.get_event_at_tx(&stream(), n, added.id).await.unwrap());
    }
    let [_, lost, altered, erased, restored] = &events[..] else { panic!() };
    let old = payloads.get(commitment(restored)).await.unwrap().unwrap();
    for event in [erased, restored] {
        store.erase(&payloads, event, "request 77").await.unwrap();
    }
    payloads.put(commitment(restored), &old).await.unwrap();
    payloads.erase(commitment(lost)).await.unwrap();
    payloads.put(commitment(altered), &SaltedPayload::new([7; 32], "another")).await.unwrap();
    // Of an append that a crash cut short.
    let unused: Vec<SaltedPayload> =
        (0..1100).map(|n: u32| SaltedPayload::new([9; 32], n.to_be_bytes())).collect();
    for payload in &unused {
        payloads.put(payload.commitment(), payload).await.unwrap();
    }
    let mut unused: Vec<_> = unused.iter().map(SaltedPayload::commitment).collect();
    unused.sort_by_key(|commitment| *commitment.as_bytes());
    let config = files.config();
    let state = store.state().await.unwrap();
    store.close().await.unwrap();
    let file = files.free("audit");
    for audit in [Audit::of(&config), Audit::of(&config).resume(&file)] {
        let report = audit.run().await.unwrap();
        assert_eq!((report.counts.commitments, report.counts.erased), (5, 2));
        assert_eq!((report.verdict, report.payloads), (AuditVerdict::Intact, None));
    }
    // Going on from a file the same is known of what was read before.
    for audit in [Audit::of(&config), Audit::of(&config).resume(&file)] {
        let report = audit.payloads(&payloads).run().await.unwrap();
        assert_eq!(report.verdict, AuditVerdict::Intact);
        let told = report.payloads.unwrap();
        assert_eq!((told.available, told.erased, told.unavailable, told.remaining), (1, 1, 2, 1));
        let problems: Vec<_> =
            told.problems.iter().map(|p| (p.tx.get(), p.entry, p.kind)).collect();
        assert_eq!(problems, [(5, 0, Missing), (6, 0, Altered), (8, 0, Remains)]);
        assert_eq!(told.problems[0].commitment, commitment(lost));
        assert_eq!((told.unused, &told.unused_listed), (Some(1100), &unused));
    }
    // Who has not read all events cannot tell which payloads have none.
    let report = Audit::of(&config).from(state).payloads(&payloads).run().await.unwrap();
    assert_eq!((report.from, report.payloads.unwrap().unused), (Some(state), None));
}

/// A commitment that the application made itself, given twice: both events
/// are counted, and erased together.
#[tokio::test]
async fn one_payload_of_two_events_is_erased_for_both() {
    let files = Files::new();
    let payloads = SqlitePayloads::in_memory().await.unwrap();
    let store = files.open().await.unwrap();
    let payload = SaltedPayload::new([7; 32], "born 1970-01-01");
    let said = Event::new(&stream(), "Born", Payload::Commitment(payload.commitment()));
    payloads.put(payload.commitment(), &payload).await.unwrap();
    for _ in 0..2 {
        store.add_committed(&payloads, &said).await.unwrap();
    }
    let config = files.config();
    let audit = async || Audit::of(&config).payloads(&payloads).run().await.unwrap();
    assert_eq!(audit().await.payloads.unwrap().available, 2);
    let first = store.read_all(None, Some(1)).await.unwrap().events.remove(0);
    store.erase(&payloads, &first, "request 77").await.unwrap();
    let report = audit().await;
    assert_eq!((report.counts.commitments, report.counts.erased), (2, 2));
    assert_eq!(report.payloads.unwrap().erased, 2);
}

/// What an audit cannot see could be whose the payload is: it names none to be
/// removed.
#[tokio::test]
async fn no_payload_is_called_unused_where_an_event_may_be_out_of_sight() {
    let files = Files::new();
    let payloads = SqlitePayloads::in_memory().await.unwrap();
    let store = files.open().await.unwrap();
    for n in 0..3 {
        store.add_committed(&payloads, &event(n)).await.unwrap();
    }
    store.close().await.unwrap();
    let unused = async |files: &Files| {
        let report = Audit::of(&files.config()).payloads(&payloads).run().await.unwrap();
        (report.verdict, report.payloads.unwrap().unused)
    };
    assert_eq!(unused(&files).await, (AuditVerdict::Intact, Some(0)));
    let stranger = Files { trust: files.free("trust"), ..files.clone() };
    assert_eq!(unused(&stranger).await, (AuditVerdict::Unconfirmed, None));
    for sql in ["DELETE FROM ledger_row WHERE pos = 3 << 16", &alter("4 << 16")] {
        let copy = files.copy().await;
        copy.tamper(sql).await;
        assert_eq!(unused(&copy).await, (AuditVerdict::Broken, None), "{sql}");
    }
}
