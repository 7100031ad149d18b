//! Logs whose tree lags behind their chain: what hangs on the chain alone is walked.

use counterfoil_core::{
    Alh, EntryDigest, Frontier, Header, HeaderVersion, Root, TreeSize, TxId, TxMetadata,
};
use sqlx::{Connection as _, SqliteConnection};

use super::MOST_BEHIND;
use crate::checkpoint::CheckpointRefusal;
use crate::error::Error;
use crate::local::{Local, NewTx};
use crate::log::{TxRecord, entries_root};
use crate::trust::Anchor;
use crate::verdict::Verdict;

/// Transactions whose headers never commit to more than the first `covered`, and the roots of all
/// sizes.
fn ledger(size: u64, covered: u64) -> (Vec<NewTx>, Vec<Root>) {
    let (mut tree, mut roots, mut prev_alh) =
        (Frontier::new(), vec![Root::ZERO], Alh::BEFORE_FIRST);
    let mut txs = Vec::new();
    for id in 1..=size {
        let digest = EntryDigest::new([id as u8; 32]);
        let bl_tx_id = covered.min(id - 1);
        let header = Header {
            id: TxId::new(id),
            prev_alh,
            ts: 1_700_000_000,
            version: HeaderVersion::V1,
            metadata: TxMetadata::default(),
            nentries: 1,
            eh: entries_root(&[digest]),
            bl_tx_id: TxId::new(bl_tx_id),
            bl_root: roots[bl_tx_id as usize],
        };
        prev_alh = header.alh().unwrap();
        tree.push(prev_alh.leaf_hash()).unwrap();
        roots.push(tree.root());
        let record = TxRecord {
            id: header.id,
            ts: header.ts,
            version: header.version,
            nentries: header.nentries,
            eh: header.eh,
            bl_tx_id: header.bl_tx_id,
            alh: prev_alh,
            digests: Some(vec![digest]),
            truncated: None,
            opaque: false,
        };
        txs.push(NewTx { record, rows: Vec::new(), findings: Vec::new(), table: None });
    }
    (txs, roots)
}

#[tokio::test]
async fn a_tree_is_proven_however_far_the_pinned_one_lags() {
    for size in 1..=9 {
        for covered in 0..size {
            let (txs, roots) = ledger(size, covered);
            let mut local = Local::memory().await.unwrap();
            local.extend(txs).await.unwrap();
            local.anchor(Anchor::Created).await.unwrap();
            assert_eq!(local.proven_tree(None).await.unwrap().root, roots[size as usize]);
            for asked in 1..=size {
                let tree = local.proven_tree(Some(TreeSize::new(asked))).await.unwrap();
                assert_eq!(
                    tree.root, roots[asked as usize],
                    "{asked} of {size}, {covered} covered"
                );
            }
        }
    }
}

/// Each transaction before the pinned one: also those that no header's tree holds.
#[tokio::test]
async fn a_transaction_that_rotted_is_not_signed_wherever_the_tree_ends() {
    const SIZE: u64 = 9;
    for covered in 0..SIZE {
        for rotten in 1..SIZE {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("log");
            let mut local = Local::open(&path, true, "").await.unwrap();
            local.extend(ledger(SIZE, covered).0).await.unwrap();
            local.anchor(Anchor::Created).await.unwrap();
            local.proven_tree(None).await.unwrap();
            local.close().await.unwrap();

            let url = format!("sqlite://{}", path.display());
            let mut conn = SqliteConnection::connect(&url).await.unwrap();
            let done = sqlx::query("UPDATE tx SET alh = ? WHERE id = ?")
                .bind(vec![0xee; 32])
                .bind(rotten as i64)
                .execute(&mut conn)
                .await
                .unwrap();
            assert_eq!(done.rows_affected(), 1);
            conn.close().await.unwrap();

            let mut local = Local::open(&path, true, "").await.unwrap();
            let refused = local.proven_tree(None).await.unwrap_err();
            let altered = matches!(refused.verdict(), Some(Verdict::LogAltered { .. }));
            assert!(altered, "{rotten} where {covered} are covered: {refused}");
            local.close().await.unwrap();
        }
    }
}

#[tokio::test]
async fn the_walk_along_the_chain_is_bounded() {
    let (mut txs, roots) = ledger(MOST_BEHIND + 2, 0);
    let last = txs.split_off(MOST_BEHIND as usize + 1);
    let mut local = Local::memory().await.unwrap();
    local.extend(txs).await.unwrap();
    local.anchor(Anchor::Created).await.unwrap();
    let tree = local.proven_tree(None).await.unwrap();
    assert_eq!(tree.root, roots[MOST_BEHIND as usize + 1]);
    local.extend(last).await.unwrap();
    let refused = local.proven_tree(None).await.unwrap_err();
    let tx = TxId::new(MOST_BEHIND + 2);
    let expected = CheckpointRefusal::TreeLags { tx, covered: TxId::new(0) };
    assert!(matches!(&refused, Error::Checkpoint(why) if **why == expected), "{refused}");
}
