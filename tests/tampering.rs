//! An embedded ledger whose files were changed underneath: every change has
//! its own verdict, with the place or the two states that show it.

mod files;
#[path = "tampering/first_contact.rs"]
mod first_contact;
#[path = "tampering/history.rs"]
mod history;
#[path = "tampering/index.rs"]
mod index;
#[cfg(unix)]
#[path = "tampering/moved.rs"]
mod moved;
#[path = "tampering/opening.rs"]
mod opening;
#[path = "tampering/rows.rs"]
mod rows;
#[path = "tampering/schema.rs"]
mod schema;

use counterfoil::{Config, Error, EventStore, FirstContact, TxId, Verdict};
use files::Files;

impl Files {
    /// As [`config`](Self::config), with `alter` done to it.
    fn config_with(&self, alter: impl FnOnce(&mut Config)) -> Config {
        let mut config = self.config();
        alter(&mut config);
        config
    }

    /// A configuration that believes whatever the ledger shows.
    fn accepting(&self) -> Config {
        self.config_with(|config| config.trust.first_contact = FirstContact::Accept)
    }

    /// This ledger file with no trust file yet.
    fn unknown(&self) -> Self {
        Self { trust: self.free("trust"), ..self.clone() }
    }

    /// No ledger file any more, but the trust file.
    fn deleted(&self) -> Self {
        Self { ledger: self.free("ledger"), ..self.clone() }
    }

    /// Changes the ledger file. Returns how many rows were touched.
    async fn tamper(&self, sql: &str) -> u64 {
        files::run(&self.ledger, sql).await
    }
}

/// The verdict that a call ends with.
#[track_caller]
fn verdict<T: std::fmt::Debug>(result: Result<T, Error>) -> Verdict {
    match result {
        Err(Error::Ledger(verdict)) => verdict.into_verdict(),
        other => panic!("no verdict: {other:?}"),
    }
}

async fn opened(config: &Config) -> EventStore {
    EventStore::open(config).await.unwrap()
}

fn tx(id: u64) -> TxId {
    TxId::new(id)
}
