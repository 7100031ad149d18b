//! Thin reads: what a reader pays who keeps nothing but a state.

use std::time::Instant;

use anyhow::{Result, ensure};
use counterfoil::{BackendKind, Config, Cover, EventStore};

use crate::median::median;
use crate::{Args, Thin};

/// Publishes the tiles, then opens and reads one event from the middle, each
/// round as somebody new.
pub(crate) async fn read(
    store: &EventStore,
    config: &Config,
    cover: &Cover,
    args: &Args,
) -> Result<Option<Thin>> {
    if config.storage.backend != BackendKind::Immudb {
        return Ok(None);
    }
    store.publish_tiles().await?;
    let state = store.state().await?;
    let (mut costs, mut times) = (Vec::new(), Vec::new());
    for _ in 0..args.rounds.max(3) {
        let start = Instant::now();
        let thin = EventStore::open_thin(config, state).await?;
        let present = thin.get_event(cover, u64::from(args.count / 2)).await?;
        times.push(start.elapsed().as_secs_f64() * 1e3);
        ensure!(present.flaws.is_empty(), "tiles that were just published could not be used");
        costs.push([thin.opening_cost(), present.cost]);
    }
    // Each round asks for the same.
    let [opened, read] = costs[0];
    Ok(Some(Thin {
        transactions: state.tx.get(),
        statements: opened.statements + read.statements,
        headers: opened.headers + read.headers,
        bytes: opened.tile_bytes + opened.row_bytes + read.tile_bytes + read.row_bytes,
        milliseconds: median(times),
    }))
}
