//! `init` and `publish`: what prepares a ledger for others.

use super::Session;
use super::state::StatusText;
use crate::exit::{Exit, Result};

pub(super) async fn run(session: &Session) -> Result<Exit> {
    session
        .creating(async |store| {
            let status = store.status().await?;
            session.output.print(&status, StatusText(&status))?;
            Ok(Exit::Done)
        })
        .await
}

#[cfg(feature = "immudb")]
pub(super) async fn publish(session: &Session) -> Result<Exit> {
    session
        .reading(async |store| {
            let published = store.publish_tiles().await?;
            let text = format!(
                "tiles for {} transactions: {} written, {} there before",
                published.size, published.written, published.present
            );
            session.output.print(&published, text)?;
            Ok(Exit::Done)
        })
        .await
}
