//! Stores that sign, and what is said of who signed.

use std::sync::Arc;

use counterfoil::core::receipt::{Author, Policy, Receipt};
use counterfoil::{
    Ed25519Signer, EventStore, IssuedReceipt, RecordedEvent, SigningKeyFile, StoreOptions,
};
use counterfoil_test_support::temp_dir;

/// A new key.
pub(crate) fn key() -> Arc<SigningKeyFile> {
    let folder = temp_dir("key");
    Arc::new(SigningKeyFile::generate(&folder.join("key"), "author").unwrap())
}

pub(crate) fn signing(key: &Arc<impl Ed25519Signer + 'static>) -> StoreOptions {
    StoreOptions::new().sign_with(Arc::clone(key) as Arc<dyn Ed25519Signer>)
}

/// All that a store reads.
pub(crate) async fn everything(store: &EventStore) -> Vec<RecordedEvent> {
    store.read_all(None, None).await.unwrap().events
}

/// What a policy that demands these authors says of a receipt of one event.
pub(crate) fn judged(
    issued: &IssuedReceipt,
    authors: &[Author<'_>],
) -> (&'static str, &'static str) {
    let pins = [issued.state];
    let policy = Policy::new(issued.ledger).with_table(issued.table_id).with_pins(&pins).unwrap();
    let policy = policy.with_authors(authors).unwrap().demanding_authorship();
    let receipt = Receipt::parse(&issued.bytes).unwrap();
    let judgement = receipt.verify(&policy);
    let event = judgement.events().next().unwrap();
    (judgement.verdict().word(), event.authorship().word())
}
