use std::task::Poll;

use super::super::Embedded;
use super::*;
use crate::config::Config;
use crate::environment::Environment;
use crate::local::Local;
use crate::row::StoredRow;
use crate::store::Progress;

const TX: FileTx = FileTx { id: TxId::new(1), ts: 0, nentries: 0, alh: Alh::new([7; 32]) };

/// As where nothing can be written beside it.
async fn taken_for_unchanging(path: &Path) -> LedgerFile {
    let (mut conn, seen) = sqlite::open_unchanging(path, FileKind::Ledger).await.unwrap();
    let schema = Schema::of(&mut conn, false).await.unwrap();
    let (named, unchanging) = (Named::of(path, false).unwrap(), Some(seen));
    LedgerFile::of(Opened { conn, schema, named, unchanging }, path, None)
}

#[tokio::test]
async fn what_was_taken_for_unchanging_is_opened_anew_once_it_changed() {
    let folder = tempfile::tempdir().unwrap();
    let path = &folder.path().canonicalize().unwrap().join("ledger");
    LedgerFile::open(path, true).await.unwrap().close().await.unwrap();
    let mut early = taken_for_unchanging(path).await;
    let mut late = taken_for_unchanging(path).await;
    for reader in [&mut early, &mut late] {
        assert_eq!(reader.end().await.unwrap(), None);
        reader.renew().await.unwrap();
        assert!(reader.unchanging.is_some(), "nothing changed");
    }
    // In the write-ahead log, and not in the file yet.
    let mut writer = LedgerFile::open(path, true).await.unwrap();
    writer.commit(None, &TX, &[]).await.unwrap();
    let end = Some(TrustedState { tx: TX.id, alh: TX.alh });
    let stale = early.end().await.unwrap_err();
    assert!(matches!(stale, Error::Unavailable(Unavailable::File { .. })), "{stale}");
    early.renew().await.unwrap();
    assert_eq!(early.end().await.unwrap(), end);
    early.close().await.unwrap();
    // In the file, and the log is gone.
    writer.close().await.unwrap();
    let stale = late.end().await.unwrap_err();
    assert!(matches!(stale, Error::Unavailable(Unavailable::File { .. })), "{stale}");
    late.renew().await.unwrap();
    assert_eq!(late.end().await.unwrap(), end);
}

fn rows(tx: u64, count: u32, len: usize) -> Vec<FileRow> {
    (0..count).map(|entry| (Position::new(TxId::new(tx), entry), vec![7; len])).collect()
}

fn tx(id: u64) -> FileTx {
    FileTx { id: TxId::new(id), ..TX }
}

/// A trigger of this connection's own, which no look at the file can find:
/// whatever else may keep a row out.
#[tokio::test]
async fn what_does_not_read_back_is_not_committed() {
    let mut file = LedgerFile::memory().await.unwrap();
    for (sql, what) in [
        ("AFTER INSERT ON main.ledger_tx BEGIN DELETE FROM ledger_row; END", "no row"),
        (
            "AFTER INSERT ON main.ledger_tx BEGIN DELETE FROM ledger_row WHERE pos & 1; END",
            "one row",
        ),
        (
            "AFTER INSERT ON main.ledger_row BEGIN UPDATE ledger_row SET value = x'00'; END",
            "another value",
        ),
        (
            "AFTER INSERT ON main.ledger_tx BEGIN INSERT INTO ledger_row SELECT pos + 7, value \
             FROM ledger_row; END",
            "more rows",
        ),
        ("AFTER INSERT ON main.ledger_tx BEGIN DELETE FROM ledger_tx; END", "no transaction"),
        ("AFTER INSERT ON main.ledger_tx BEGIN UPDATE ledger_tx SET ts = 1; END", "another time"),
        (
            "AFTER INSERT ON main.ledger_tx BEGIN UPDATE ledger_tx SET nentries = 9; END",
            "another number",
        ),
        (
            "AFTER INSERT ON main.ledger_tx BEGIN UPDATE ledger_tx SET alh = zeroblob(32); END",
            "another hash",
        ),
    ] {
        let sql = sqlx::AssertSqlSafe(format!("CREATE TEMP TRIGGER thief {sql}"));
        sqlx::raw_sql(sql).execute(&mut file.conn).await.unwrap();
        let error = file.commit(None, &TX, &rows(1, 2, 9)).await.unwrap_err();
        assert!(
            matches!(error, Error::Unavailable(Unavailable::DamagedLedger { .. })),
            "{what}: {error}"
        );
        sqlite::run(&mut file.conn, "DROP TRIGGER thief").await.unwrap();
        assert_eq!(file.end().await.unwrap(), None, "{what}");
        assert!(file.surplus(TxId::new(0)).await.unwrap().is_none(), "{what}");
    }
    file.commit(None, &TX, &rows(1, 2, 9)).await.unwrap();
    assert_eq!(file.read(1, 1).await.unwrap().1, rows(1, 2, 9));
}

/// The moment between the last look before a commit and the commit.
#[cfg(unix)]
#[tokio::test]
async fn what_was_committed_to_a_file_without_a_name_is_not_acknowledged() {
    let folder = tempfile::tempdir().unwrap();
    let path = &folder.path().canonicalize().unwrap().join("ledger");
    for suffix in ["", "-wal"] {
        let mut file = LedgerFile::open(path, true).await.unwrap();
        let id = file.end().await.unwrap().map_or(1, |end| end.tx.get() + 1);
        let name = folder.path().canonicalize().unwrap().join(format!("ledger{suffix}"));
        let (from, to) = (name.clone(), folder.path().join("away"));
        file.conn
            .lock_handle()
            .await
            .unwrap()
            .set_commit_hook(move || std::fs::rename(&from, &to).is_ok());
        let error = file.commit(None, &tx(id), &rows(id, 1, 9)).await.unwrap_err();
        assert!(matches!(error, Error::OutcomeUnknown { .. }), "{suffix}: {error}");
        file.conn.lock_handle().await.unwrap().remove_commit_hook();
        // And nothing more is.
        let error = file.commit(None, &tx(id + 1), &rows(id + 1, 1, 9)).await.unwrap_err();
        let moved = matches!(error, Error::Unavailable(Unavailable::LedgerMoved { .. }));
        assert!(moved, "{suffix}: {error}");
        std::fs::rename(folder.path().join("away"), &name).unwrap();
        file.commit(None, &tx(id + 1), &rows(id + 1, 1, 9)).await.unwrap();
        assert_eq!(file.end().await.unwrap().unwrap().tx.get(), id + 1);
        file.close().await.unwrap();
    }
}

/// Else the pin would go to where no ledger is.
#[cfg(unix)]
#[tokio::test]
async fn what_only_a_file_without_a_name_holds_is_not_taken_into_the_log() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().canonicalize().unwrap().join("ledger");
    let mut config = Config::embedded(&path);
    config.trust.file = Some(folder.path().join("trust"));
    let progress = Progress::default();
    let opened = Embedded::open(&config, Environment::default(), &progress);
    let (mut embedded, mut local) = opened.await.unwrap();
    let pinned = local.state().unwrap();
    local.announce(TrustedState { tx: TxId::new(2), alh: TX.alh }).await.unwrap();
    let (from, to) = (path.clone(), folder.path().join("away"));
    let hook = move || std::fs::rename(&from, &to).is_ok();
    embedded.file.conn.lock_handle().await.unwrap().set_commit_hook(hook);
    let error = embedded.file.commit(Some(pinned), &tx(2), &rows(2, 1, 9)).await.unwrap_err();
    assert!(matches!(error, Error::OutcomeUnknown { .. }), "{error}");
    let error = embedded.settle(&mut local).await.unwrap_err();
    assert!(matches!(error, Error::Unavailable(Unavailable::LedgerMoved { .. })), "{error}");
    assert_eq!(local.state().unwrap(), pinned);
}

#[tokio::test]
async fn a_value_that_no_row_can_have_is_not_read() {
    let mut file = LedgerFile::memory().await.unwrap();
    file.commit(None, &TX, &rows(1, 3, 9)).await.unwrap();
    let long = "UPDATE ledger_row SET value = zeroblob(1049600 + (pos & 3))";
    sqlite::run(&mut file.conn, long).await.unwrap();
    let places: Vec<Position> = rows(1, 3, 0).iter().map(|row| row.0).collect();
    let read = [1_049_600, 0, 0];
    let lens = |rows: Vec<FileRow>| rows.iter().map(|row| row.1.len()).collect::<Vec<_>>();
    assert_eq!(lens(file.values(&places).await.unwrap()), read);
    assert_eq!(lens(file.read(1, 1).await.unwrap().1), read);
    let raw = file.read_raw(1, 1).await.unwrap();
    let raw: Vec<_> = raw.rows[&1].iter().map(|row| row.1.as_ref().map(Vec::len)).collect();
    assert_eq!(raw, [Some(1_049_600), None, None]);
}

#[tokio::test]
async fn a_batch_ends_by_its_bytes_too() {
    let mut file = LedgerFile::memory().await.unwrap();
    for (id, mebibytes) in [(1, 7), (2, 7), (3, 7), (4, 40), (5, 1), (6, 15)] {
        file.commit(None, &tx(id), &rows(id, mebibytes, 1 << 20)).await.unwrap();
    }
    for (first, last, fits) in
        [(1, 6, 2), (1, 1, 1), (2, 6, 3), (3, 6, 3), (4, 6, 4), (5, 6, 6), (5, 300, 300), (7, 9, 9)]
    {
        assert_eq!(file.fitting(first, last).await.unwrap(), fits, "{first} to {last}");
    }
    // What is counted no further may go on.
    for id in 7..=9 {
        file.commit(None, &tx(id), &rows(id, 60_000, 1)).await.unwrap();
    }
    assert_eq!(file.fitting(7, 9).await.unwrap(), 8);
}

/// Where a commit is cut short: in the middle of what SQLite does for it.
#[derive(Debug, Clone, Copy)]
enum Cut {
    FileInsert,
    FileCommit,
    LogInsert,
    LogCommit,
}

/// Drops a commit while SQLite is at that place, and lets SQLite go on.
async fn cut_short(embedded: &mut Embedded, local: &mut Local, cut: Cut, rows: &[StoredRow]) {
    let (tell, told) = tokio::sync::oneshot::channel();
    let (go, goes) = std::sync::mpsc::channel::<()>();
    let mut tell = Some(tell);
    let mut hold = move || {
        if let Some(tell) = tell.take() {
            tell.send(()).unwrap();
            goes.recv().unwrap();
        }
    };
    let conn = match cut {
        Cut::FileInsert | Cut::FileCommit => &mut embedded.file.conn,
        Cut::LogInsert | Cut::LogCommit => local.conn(),
    };
    let mut conn = conn.lock_handle().await.unwrap();
    match cut {
        Cut::FileInsert => conn.set_update_hook(move |_| hold()),
        // The pin is announced before; the log's transaction begins with this.
        Cut::LogInsert => conn.set_update_hook(move |what| {
            if what.table == "tx" {
                hold();
            }
        }),
        Cut::FileCommit => conn.set_commit_hook(move || {
            hold();
            true
        }),
        Cut::LogCommit => {
            let mut announced = false;
            conn.set_commit_hook(move || {
                if std::mem::replace(&mut announced, true) {
                    hold();
                }
                true
            });
        }
    }
    drop(conn);
    tokio::select! {
        biased;
        done = embedded.commit(local, rows) => panic!("{cut:?}: {done:?}"),
        told = told => told.unwrap(),
    }
    go.send(()).unwrap();
}

/// A runtime can end while its store is used in another one. Then what was
/// written and not committed is still to be seen over the same connection.
#[tokio::test]
async fn a_commit_that_is_cut_short_is_in_the_ledger_or_it_is_not() {
    for (cut, size) in
        [(Cut::FileInsert, 1), (Cut::FileCommit, 2), (Cut::LogInsert, 2), (Cut::LogCommit, 2)]
    {
        let folder = tempfile::tempdir().unwrap();
        let mut config = Config::embedded(folder.path().join("ledger"));
        config.trust.file = Some(folder.path().join("trust"));
        let progress = Progress::default();
        let open = || Embedded::open(&config, Environment::default(), &progress);
        let (mut embedded, mut local) = open().await.unwrap();
        let row = |n| [crate::schema::genesis_row([n; 32], 0)];
        cut_short(&mut embedded, &mut local, cut, &row(1)).await;
        let settled = embedded.settle(&mut local).await;
        settled.unwrap_or_else(|error| panic!("{cut:?}: {error}"));
        assert_eq!(local.log().size(), size, "{cut:?}");
        // Something else: what was not written then is never written.
        let next = embedded.commit(&mut local, &row(2)).await;
        let next = next.unwrap_or_else(|error| panic!("{cut:?}: {error}"));
        assert_eq!(next.get(), size + 1, "{cut:?}");
        local.close().await.unwrap();
        embedded.close().await.unwrap();
        let (embedded, local) = open().await.unwrap();
        assert_eq!(local.state().unwrap().tx, next, "{cut:?}");
        local.close().await.unwrap();
        embedded.close().await.unwrap();
    }
}

/// Polls it so often, and drops it: as soon as it waits, or once it need not wait
/// any more. What it came to, if it ended.
async fn polled<T>(work: impl Future<Output = T>, times: usize, woken: bool) -> Option<T> {
    let mut work = std::pin::pin!(work);
    let mut left = times;
    std::future::poll_fn(|context| {
        let Some(less) = left.checked_sub(1) else { return Poll::Ready(None) };
        left = less;
        match work.as_mut().poll(context) {
            Poll::Ready(done) => Poll::Ready(Some(done)),
            Poll::Pending if left == 0 && !woken => Poll::Ready(None),
            Poll::Pending => Poll::Pending,
        }
    })
    .await
}

/// A commit dropped wherever it waits, and so what settles it.
#[tokio::test]
async fn whatever_is_dropped_wherever_is_in_the_ledger_or_it_is_not() {
    let folder = tempfile::tempdir().unwrap();
    let mut config = Config::embedded(folder.path().join("ledger"));
    config.trust.file = Some(folder.path().join("trust"));
    let progress = Progress::default();
    let open = || Embedded::open(&config, Environment::default(), &progress);
    let (mut embedded, mut local) = open().await.unwrap();
    let mut n = 0_u8;
    let (mut dropped, mut cut) = (0, 0);
    for woken in [false, true] {
        for times in 1.. {
            let mut ended = false;
            for again in 0..12 {
                n = n.wrapping_add(1);
                let row = [crate::schema::genesis_row([n; 32], 0)];
                let before = local.state().unwrap();
                let done = polled(embedded.commit(&mut local, &row), times, woken).await;
                ended = done.is_some();
                dropped += u32::from(!ended);
                // The first time it is settled at once, then after it was tried so far.
                if again > 0
                    && polled(embedded.settle(&mut local), again, times % 2 == 0).await.is_none()
                {
                    cut += 1;
                }
                embedded.settle(&mut local).await.unwrap();
                let after = local.state().unwrap();
                if let Some(done) = done {
                    assert_eq!(done.unwrap(), after.tx, "{times} {again}");
                }
                assert!((before.tx.get()..=before.tx.get() + 1).contains(&after.tx.get()));
                assert_eq!(embedded.file.end().await.unwrap(), Some(after), "{times} {again}");
                assert_eq!(embedded.file.surplus(after.tx).await.unwrap(), None);
                let kept = local.trust().unwrap();
                assert!(kept.pending.is_none_or(|pending| pending.tx > after.tx));
            }
            if ended {
                break;
            }
        }
    }
    assert!(dropped > 50 && cut > 10, "{dropped}, {cut}");
    let end = local.state().unwrap();
    local.close().await.unwrap();
    embedded.close().await.unwrap();
    let (embedded, local) = open().await.unwrap();
    assert_eq!(local.state().unwrap(), end);
    local.close().await.unwrap();
    embedded.close().await.unwrap();
    let report = crate::Audit::of(&config).run().await.unwrap();
    assert_eq!((report.verdict, report.through), (crate::AuditVerdict::Intact, Some(end)));
}
