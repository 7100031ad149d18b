//! Signatures in the wrong places: whoever may write to the table may write them there, and nobody
//! takes them for an author's.

use std::sync::Arc;

use counterfoil::body::{Author, EventBody};
use counterfoil::core::receipt::{Author as Listed, Authorship};
use counterfoil::{
    AddedEvent, Audit, AuditVerdict, AuditedAuthors, Config, Cover, Ed25519Signer, Event,
    EventStore, Finding, FindingKind, ReadOptions, SigningKeyFile, TrustedAuthor, TrustedState,
};
use counterfoil_test_support::temp_dir;
use futures_util::future::join_all;

use crate::hostile::{Liar, event, stream};
use crate::signing::{everything, judged, key, signing};

fn trusted(key: &SigningKeyFile) -> TrustedAuthor {
    TrustedAuthor { name: None, key: key.public_key(), domains: None }
}

fn trusting(mut config: Config, key: &SigningKeyFile) -> Config {
    config.trust.author = vec![trusted(key)];
    config
}

async fn signed(liar: &Liar, key: &Arc<SigningKeyFile>) -> EventStore {
    signing(key).open(&trusting(liar.config(), key)).await.unwrap()
}

pub(crate) fn body(added: &AddedEvent) -> EventBody {
    EventBody::decode(added.proof.body.as_slice()).unwrap()
}

/// The statement that writes this body as a row.
pub(crate) fn insert(body: &EventBody) -> String {
    let hex = |bytes: &[u8]| format!("x'{}'", hex::encode(bytes));
    format!(
        "INSERT INTO events (domain, edition, root, event_number, ext, seen_tx, body) \
         VALUES ({},{},{},{},{},{},{});",
        hex(body.domain.as_bytes()),
        hex(body.edition.as_bytes()),
        hex(body.root.as_slice()),
        body.event_number,
        hex(&body.ext()),
        body.seen_tx,
        hex(&body.encode())
    )
}

/// What somebody who may write makes of a body to be the stream's next event.
pub(crate) fn next(body: &EventBody, digest: [u8; 32], seen: TrustedState) -> EventBody {
    EventBody {
        event_number: body.event_number + 1,
        external_id: format!("{}", body.event_number + 1),
        prev_event: digest,
        seen_tx: seen.tx.get(),
        seen_alh: seen.alh.to_bytes(),
        ..body.clone()
    }
}

fn kinds(findings: &[Finding]) -> Vec<FindingKind> {
    findings.iter().map(|finding| finding.kind).collect()
}

#[tokio::test]
async fn a_signature_of_another_event_is_nobodys() {
    let (liar, key) = (Liar::new(), key());
    let store = signed(&liar, &key).await;
    let added = store.add_event(&event(0)).await.unwrap();
    let first = everything(&store).await.pop().unwrap();
    let public = *key.public_key().as_bytes();
    assert_eq!(first.authorship, Authorship::Allowed { key: public });

    // The very signature, then one without, then one under a key of his own that signed nothing.
    let mut forged = next(&body(&added), first.digest.to_bytes(), store.state().await.unwrap());
    let author = forged.author.clone();
    for author in [author.clone(), None, author.map(|author| Author { key: [2; 32], ..author })] {
        forged.author = author;
        liar.operator(&[&insert(&forged)]).await;
        let last = everything(&store).await.pop().unwrap();
        assert_eq!(last.sequence, forged.event_number);
        forged = next(&forged, last.digest.to_bytes(), store.state().await.unwrap());
    }
    assert_eq!(store.add_event(&event(4)).await.unwrap().sequence, 4);

    let read = store.read(&stream(), ReadOptions::forward()).await.unwrap();
    assert!(read.completeness.is_complete() && read.stopped.is_none());
    let told: Vec<Authorship> = read.events.iter().map(|event| event.authorship).collect();
    let allowed = Authorship::Allowed { key: public };
    let (copied, junk) = (Authorship::Broken { key: public }, Authorship::Broken { key: [2; 32] });
    assert_eq!(told, [allowed, copied, Authorship::Unsigned, junk, allowed]);

    let findings = store.findings().await.unwrap();
    assert_eq!(kinds(&findings), [FindingKind::AuthorSignatureBroken; 2]);
    let places: Vec<_> = findings.iter().map(|finding| (finding.tx, finding.entry)).collect();
    let expected = [1, 3].map(|n: usize| (read.events[n].tx, Some(read.events[n].entry)));
    assert_eq!(places, expected);

    let listed = [Listed::new(key.public_key())];
    let mut words = Vec::new();
    for sequence in 0..5 {
        let issued = store.issue_receipt(&stream(), sequence, None).await.unwrap();
        words.push(judged(&issued, &listed));
    }
    let (pinned, signed) = ("verified_by_pinned_state", "signed_by_author");
    let broken = ("presence_only", "author_signature_broken");
    let unsigned = ("presence_only", "unsigned");
    assert_eq!(words, [(pinned, signed), broken, unsigned, broken, (pinned, signed)]);

    // An audit from nothing says the same, and that the ledger is what it should be.
    let report = Audit::of(&trusting(liar.config(), &key)).run().await.unwrap();
    assert_eq!((report.verdict, &report.findings), (AuditVerdict::Intact, &findings));
    let counts = |authors: AuditedAuthors| {
        let AuditedAuthors { signed_by_author, author_not_allowed, unknown_author, .. } = authors;
        let others = [authors.unsigned, authors.author_signature_broken];
        ([signed_by_author, author_not_allowed, unknown_author], others)
    };
    assert_eq!(counts(report.authors.unwrap()), ([2, 0, 0], [1, 2]));
    let mut config = trusting(liar.config(), &key);
    config.trust.author[0].domains = Some(vec!["elsewhere".into()]);
    let report = Audit::of(&config).run().await.unwrap();
    assert_eq!(counts(report.authors.unwrap()), ([0, 2, 0], [1, 2]));
    config.trust.author[0].key = crate::signing::key().public_key();
    let report = Audit::of(&config).run().await.unwrap();
    assert_eq!(counts(report.authors.unwrap()), ([0, 0, 2], [1, 2]));
    assert_eq!(Audit::of(&liar.config()).run().await.unwrap().authors, None);

    // What was taken over from the log of its own it did not read, and does not count.
    let from = store.state().await.unwrap();
    store.add_event(&event(5)).await.unwrap();
    let report = Audit::of(&trusting(liar.config(), &key)).from(from).run().await.unwrap();
    assert_eq!((report.from, report.findings), (Some(from), findings));
    assert_eq!(counts(report.authors.unwrap()), ([1, 0, 0], [0, 0]));
}

/// The same author, event and place in another ledger.
#[tokio::test]
async fn a_signature_of_another_ledger_is_nobodys() {
    let (liar, other, key) = (Liar::new(), Liar::new(), key());
    let elsewhere = signed(&other, &key).await;
    let added = elsewhere.add_event(&event(0)).await.unwrap();
    let store = signed(&liar, &key).await;
    liar.operator(&[&insert(&body(&added))]).await;
    let read = everything(&store).await;
    let [found] = &read[..] else { panic!("{read:?}") };
    assert_eq!(found.event, event(0));
    assert_eq!(found.authorship, Authorship::Broken { key: *key.public_key().as_bytes() });
    let both = [FindingKind::SawOtherHistory, FindingKind::AuthorSignatureBroken];
    assert_eq!(kinds(&store.findings().await.unwrap()), both);

    // It says that the author had seen this ledger: the signature says that he had not.
    let mut forged = body(&added);
    let seen = store.state().await.unwrap();
    forged = next(&forged, found.digest.to_bytes(), seen);
    liar.operator(&[&insert(&forged)]).await;
    let last = everything(&store).await.pop().unwrap();
    assert!(matches!(last.authorship, Authorship::Broken { .. }), "{last:?}");
}

/// A signed event that is written a second time, under its own key and elsewhere.
#[tokio::test]
async fn a_signed_event_counts_once() {
    let (liar, key) = (Liar::new(), key());
    let store = signed(&liar, &key).await;
    let added = store.add_event(&event(0)).await.unwrap();
    let update = insert(&body(&added)).replace("INSERT", "UPSERT");
    liar.operator(&[&update]).await;
    let mut moved = body(&added);
    moved.root = "elsewhere".into();
    moved.external_id = "another".into();
    liar.operator(&[&insert(&moved)]).await;
    let read = everything(&store).await;
    let told: Vec<_> = read.iter().map(|event| event.authorship.word()).collect();
    assert_eq!(told, ["signed_by_author", "author_signature_broken"]);
    assert_eq!((read[0].tx, read[1].event.cover.root.as_slice()), (added.id, &b"elsewhere"[..]));
    let kinds = kinds(&store.findings().await.unwrap());
    assert_eq!(kinds, [FindingKind::Overwritten, FindingKind::AuthorSignatureBroken]);
}

/// Two clients with a key each, writing to streams of their own and to a common one at once; a third
/// tells whose is whose.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_signing_clients_share_a_ledger() {
    let liar = Liar::new();
    let keys = [key(), key()];
    let logs = [temp_dir("first"), temp_dir("second"), temp_dir("third")];
    let mut stores = Vec::new();
    for (key, log) in keys.iter().zip(&logs) {
        stores.push(signing(key).open(&liar.honest(log)).await.unwrap());
    }
    let appends = stores.iter().enumerate().flat_map(|(who, store)| {
        (0..24).map(move |n| async move {
            let root = if n % 3 == 0 { "both".to_owned() } else { format!("{who}/{}", n % 5) };
            let cover = Cover::new("shipment", root);
            let three: Vec<_> =
                (0..3).map(|i| Event::new(&cover, "Signed", format!("{who} {n} {i}"))).collect();
            store.append(&cover, Default::default(), &three).await.unwrap();
        })
    });
    join_all(appends).await;

    let mut config = liar.honest(&logs[2]);
    let first = TrustedAuthor { domains: Some(vec!["shipment".into()]), ..trusted(&keys[0]) };
    let second = TrustedAuthor { domains: Some(vec!["payment".into()]), ..trusted(&keys[1]) };
    config.trust.author = vec![first, second];
    let third = EventStore::open_read_only(&config).await.unwrap();
    let read = everything(&third).await;
    assert_eq!(read.len(), 2 * 24 * 3);
    for found in &read {
        let who = found.event.payload.inline().unwrap()[0];
        let key = |n: usize| *keys[n].public_key().as_bytes();
        let expected = match who {
            b'0' => Authorship::Allowed { key: key(0) },
            _ => Authorship::NotAllowed { key: key(1) },
        };
        assert_eq!(found.authorship, expected, "{found:?}");
    }
    assert_eq!(third.findings().await.unwrap(), []);
    // They shared transactions, or nothing was shown of signatures in company.
    let transactions: std::collections::HashSet<_> = read.iter().map(|found| found.tx).collect();
    assert!(transactions.len() < 2 * 24, "{}", transactions.len());
}
