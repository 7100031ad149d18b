//! `init` and `publish`: what prepares a ledger for others.

use super::Session;
use super::state::StatusText;
use crate::exit::{Exit, Result};
#[cfg(feature = "immudb")]
use crate::output::Counted;

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
            let counterfoil::PublishedTiles { size, written, present, .. } = published;
            let text = format!(
                "tiles for {}: {written} written, {present} there before",
                Counted(size, "transaction")
            );
            session.output.print(&published, text)?;
            if size == 0 {
                session.output.note("a tile holds 256 transactions, and there are not as many yet");
            }
            Ok(Exit::Done)
        })
        .await
}
