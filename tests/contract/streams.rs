//! What is said about streams beside their events.

use counterfoil::{Completeness, Cover, Edition, Error, Streams, TrustedState, TxId, Verdict};

use super::{Harness, numbered, shipment};

pub(crate) async fn a_stream_says_where_it_is_and_how_far_that_is_known(harness: impl Harness) {
    let store = harness.open().await;
    for count in 0..3 {
        let status = store.stream_status(&shipment()).await.unwrap();
        assert_eq!(status.next_sequence, count);
        assert_eq!(status.next_sequence, store.next_sequence(&shipment()).await.unwrap());
        assert_eq!((status.stopped, status.state), (None, store.state().await.unwrap()));
        assert_eq!(status.completeness, Completeness::Complete { through: status.state.tx });
        store.add_event(&numbered(&shipment(), count)).await.unwrap();
    }
}

pub(crate) async fn streams_are_listed_with_their_ends(harness: impl Harness) {
    let store = harness.open().await;
    assert_eq!(store.list_streams(&Streams::all()).await.unwrap().streams, []);
    let covers = [("a", "1"), ("a", "2"), ("b", "1")].map(|(d, r)| Cover::new(d, r));
    let draft = Cover::new("a", "1").in_edition("draft");
    for (count, cover) in (1..).zip(covers.iter().chain([&draft]).rev()) {
        for n in 0..count {
            store.add_event(&numbered(cover, n)).await.unwrap();
        }
    }
    let list = store.list_streams(&Streams::all()).await.unwrap();
    let [a1, a2, b1] = covers;
    let all = [(a1, 4), (a2, 3), (b1, 2), (draft, 1)];
    assert_eq!(list.streams, all);
    assert_eq!(list.completeness, Completeness::Complete { through: list.state.tx });
    for edition in ["", "angzarr"] {
        let list = store.list_streams(&Streams::all().in_edition(edition)).await.unwrap();
        assert_eq!(list.streams, all[..3]);
        let domain = Streams::in_domain("a").in_edition(Edition::from(edition));
        assert_eq!(store.list_streams(&domain).await.unwrap().streams, all[..2]);
    }
    let one = store.list_streams(&Streams::of(&all[3].0)).await.unwrap();
    assert_eq!(one.streams, all[3..]);
}

pub(crate) async fn a_state_that_somebody_else_saw_is_held_against_the_ledger(
    harness: impl Harness,
) {
    let store = harness.open().await;
    let mut seen = vec![store.state().await.unwrap()];
    for n in 0..5 {
        store.add_event(&numbered(&shipment(), n)).await.unwrap();
        seen.push(store.state().await.unwrap());
    }
    for (state, next) in seen.iter().zip(seen.iter().skip(1)) {
        store.check_state(*state).await.unwrap();
        let asked = TrustedState { tx: state.tx, alh: next.alh };
        let refused = store.check_state(asked).await.unwrap_err();
        assert_eq!(refused.verdict(), Some(&Verdict::OtherState { asked, found: *state }));
    }
    let last = seen[seen.len() - 1];
    store.check_state(last).await.unwrap();
    let beyond = TrustedState { tx: TxId::new(last.tx.get() + 1), alh: last.alh };
    let refused = store.check_state(beyond).await.unwrap_err();
    assert!(matches!(refused, Error::BeyondState { verified, .. } if verified == last.tx));
}
