//! Checkpoints of a ledger on a real immudb: its own headers commit to the same trees, and a ledger that
//! is not accounted for is not signed.

#[expect(dead_code, reason = "what looks at a signer's memory is used elsewhere")]
mod checkpoint;
mod on_server;

use checkpoint::{Log, grow, open};
use counterfoil::checkpoint::CheckpointRefusal;
use counterfoil::core::{TreeSize, TxId};
use counterfoil::{Error, EventStore};
use counterfoil_test_support::{go_tool, server, temp_dir};
use sqlx::{Connection as _, PgConnection};

#[tokio::test(flavor = "multi_thread")]
async fn the_log_of_a_real_immudb_is_signed() {
    let (database, folder) = (server().fresh_database_name(), temp_dir("immudb-log"));
    let config = on_server::config(server(), database, &folder);
    let store = EventStore::open(&config).await.unwrap();
    let log = Log::new();
    let key = log.signer.verifier_key();
    for size in [1, 2, 5, 8] {
        grow(&store, size).await;
        let signed = store.sign_checkpoint(&log.signer, None).await.unwrap();
        let (signed_size, root) = open(&signed, &key);
        assert!(signed_size >= size);
        go_tool(&["open", &key], signed.as_str().as_bytes()).unwrap();
        // What immudb itself puts into its next header.
        grow(&store, signed_size + 1).await;
        let next = store.get_proof_at_tx(TxId::new(signed_size + 1)).await.unwrap();
        let header = next.header;
        assert_eq!(header.bl_tx_id.get(), signed_size);
        assert_eq!(header.bl_root.to_bytes(), root);
        let proof = store.tlog_proof(TxId::new(1), &signed).await.unwrap();
        let entry = hex::encode(proof.alh.as_bytes());
        go_tool(&["prove", &key, &entry], proof.text.as_bytes()).unwrap();
    }
    store.close().await.unwrap();
}

/// Somebody writes another table into the database.
#[tokio::test(flavor = "multi_thread")]
async fn a_ledger_with_gaps_is_not_signed() {
    let (database, folder) = (server().fresh_database_name(), temp_dir("immudb-log"));
    let config = on_server::config(server(), database, &folder);
    let store = EventStore::open(&config).await.unwrap();
    grow(&store, 3).await;
    let log = Log::new();
    store.sign_checkpoint(&log.signer, None).await.unwrap();
    let immudb = &config.storage.immudb;
    let url = format!(
        "postgres://{}:{}@{}:{}/{}?sslmode=disable",
        immudb.username, immudb.password, immudb.host, immudb.port, immudb.database
    );
    let mut operator = PgConnection::connect(&url).await.unwrap();
    let create = "CREATE TABLE others (id INTEGER, PRIMARY KEY id);";
    sqlx::raw_sql(create).execute(&mut operator).await.unwrap();
    let before = log.last_text();
    for size in [None, Some(TreeSize::new(3))] {
        match store.sign_checkpoint(&log.signer, size).await.unwrap_err() {
            Error::Checkpoint(why) => assert!(
                matches!(*why, CheckpointRefusal::NotAccountedFor { gaps: 1.., .. }),
                "{why}"
            ),
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(log.last_text(), before);
    store.close().await.unwrap();
}
