//! How much is held at once: batches end by their bytes, too.
//!
//! Of an audit that derives in memory there are at a time: what is derived; up
//! to six chunks that are read ahead, of at most 8 MiB and a value each; and
//! for what is looked at closely a batch whose rows are at most 16 MiB, three
//! times over while it is decoded, with 16 MiB of digests from the own log. A
//! single transaction is a batch whatever it holds.

use super::{BATCH, Derivation};
use crate::backend::embedded::audit::AuditedFile;
use crate::error::Result;
use crate::log::Log;
use crate::sqlite::is_damage;

impl Derivation<'_> {
    /// How far a batch goes that begins with `first` and has at most so many
    /// transactions up to `last`: by the rows that the file has of them, and
    /// the digests that the own log has.
    pub(super) async fn batch(
        &mut self,
        file: &mut AuditedFile,
        first: u64,
        last: u64,
        most: u64,
    ) -> Result<u64> {
        let last = last.min(first.saturating_add(most.min(BATCH) - 1));
        let last = file.fitting(first, last).await?;
        self.batch_of_own(first, last).await
    }

    /// The same of transactions that both logs have, this client's own and the
    /// derived one.
    pub(super) async fn batch_of_both(&mut self, first: u64, last: u64) -> Result<u64> {
        let last = last.min(first.saturating_add(BATCH - 1));
        let last = Log::fitting(self.fresh.tables()?.get_mut().conn(), first, last).await?;
        self.batch_of_own(first, last).await
    }

    async fn batch_of_own(&mut self, first: u64, last: u64) -> Result<u64> {
        let Some(own) = &mut self.own else { return Ok(last) };
        match own.fitting(first, last).await {
            // Whoever reads it then says so.
            Err(error) if is_damage(&error) => Ok(first),
            fitting => fitting,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audit::Audit;
    use crate::config::Config;
    use crate::sqlite::{self, FileKind};
    use crate::store::EventStore;

    /// Six of 6 MiB, one of 20, and one of 1 MiB, in transactions 2 to 9.
    const ROWS: &str = "WITH n(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM n LIMIT 57) \
        INSERT INTO ledger_row SELECT \
        iif(n < 36, ((2 + n / 6) << 16) + n % 6, iif(n < 56, (8 << 16) + n - 36, 9 << 16)), \
        zeroblob(1048576) FROM n";
    const DIGESTS: &str = "WITH n(n) AS (SELECT 2 UNION ALL SELECT n + 1 FROM n LIMIT 8) \
        INSERT INTO tx SELECT n, 0, 1, zeroblob(32), zeroblob(32), \
        zeroblob(1048576 * iif(n < 8, 6, iif(n = 8, 20, 1))), NULL, 0 FROM n";

    const FITTING: [(u64, u64, u64); 7] =
        [(1, 9, 3), (2, 9, 3), (4, 9, 5), (4, 4, 4), (7, 9, 7), (8, 9, 8), (9, 9, 9)];

    async fn ledger(folder: &std::path::Path) -> Config {
        let mut config = Config::embedded(folder.join("ledger"));
        config.trust.file = Some(folder.join("trust"));
        EventStore::open(&config).await.unwrap().close().await.unwrap();
        config
    }

    async fn fill(path: &std::path::Path, kind: FileKind, sql: &'static str) {
        let mut conn = sqlite::open(path, kind, false).await.unwrap();
        sqlite::run(&mut conn, sql).await.unwrap();
        sqlite::close(conn).await;
    }

    #[tokio::test]
    async fn a_batch_ends_by_the_bytes_of_its_rows() {
        let folder = tempfile::tempdir().unwrap();
        let config = ledger(folder.path()).await;
        fill(&config.storage.embedded.path, FileKind::Ledger, ROWS).await;
        let mut derivation = Derivation::begin(&Audit::of(&config)).await.unwrap();
        let mut file = AuditedFile::open(&config).await.unwrap().unwrap();
        for (first, last, fits) in FITTING {
            let batch = derivation.batch(&mut file, first, last, BATCH).await.unwrap();
            assert_eq!(batch, fits, "{first} to {last}");
        }
        assert_eq!(derivation.batch(&mut file, 2, 9, 1).await.unwrap(), 2);
        assert_eq!(derivation.batch(&mut file, 20, 1000, 1000).await.unwrap(), 19 + BATCH);
    }

    #[tokio::test]
    async fn a_batch_ends_by_the_bytes_of_either_logs_digests() {
        let folder = tempfile::tempdir().unwrap();
        let config = ledger(folder.path()).await;
        let audit = Audit::of(&config).resume(folder.path().join("kept"));
        let mut derivation = Derivation::begin(&audit).await.unwrap();
        let mut file = AuditedFile::open(&config).await.unwrap().unwrap();
        assert_eq!(derivation.batch_of_both(1, 9).await.unwrap(), 9);
        let fresh = derivation.fresh.tables().unwrap().get_mut();
        sqlite::run(fresh.conn(), DIGESTS).await.unwrap();
        for (first, last, fits) in FITTING {
            assert_eq!(derivation.batch_of_both(first, last).await.unwrap(), fits);
        }
        let fresh = derivation.fresh.tables().unwrap().get_mut();
        sqlite::run(fresh.conn(), "DELETE FROM tx").await.unwrap();
        fill(config.trust.file.as_ref().unwrap(), FileKind::Log, DIGESTS).await;
        for (first, last, fits) in FITTING {
            assert_eq!(derivation.batch_of_both(first, last).await.unwrap(), fits);
            assert_eq!(derivation.batch(&mut file, first, last, BATCH).await.unwrap(), fits);
        }
        // One that cannot be read is left to whoever reads it.
        fill(config.trust.file.as_ref().unwrap(), FileKind::Log, "DROP TABLE tx").await;
        assert_eq!(derivation.batch_of_both(4, 9).await.unwrap(), 4);
    }
}
