//! What is said about streams beside their events.

use counterfoil::{Completeness, Cover, Edition, Streams};

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
