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
        let record = TxRecord::whole(&header, prev_alh, vec![digest]);
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

/// A tile and the roots over it that fit together and not the chain.
#[tokio::test]
async fn a_leaf_that_is_no_transaction_is_found_where_no_tree_holds_it() {
    const SIZE: u64 = 260;
    for covered in [0, 200, 248] {
        let mut local = Local::memory().await.unwrap();
        let (txs, _) = ledger(SIZE, covered);
        let mut leaves: Vec<_> = txs.iter().map(|tx| tx.record.alh.leaf_hash()).collect();
        local.extend(txs).await.unwrap();
        local.anchor(Anchor::Created).await.unwrap();
        leaves[249] = Alh::new([0xee; 32]).leaf_hash();
        let mut tile = Frontier::new();
        leaves[..256].iter().for_each(|leaf| tile.push(*leaf).unwrap());
        let level0: Vec<u8> = leaves[..256].iter().flat_map(|leaf| leaf.to_bytes()).collect();
        for (level, hashes) in [(0, level0), (1, tile.root().to_bytes().to_vec())] {
            let done = sqlx::query("UPDATE tile SET hashes = ? WHERE level = ? AND idx = 0")
                .bind(hashes)
                .bind(level)
                .execute(local.conn())
                .await
                .unwrap();
            assert_eq!(done.rows_affected(), 1);
        }
        let refused = local.proven_tree(None).await.unwrap_err();
        let altered = matches!(refused.verdict(), Some(Verdict::LogAltered { .. }));
        assert!(altered, "{covered}: {refused}");
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
