//! Appends: alone, together, and by many writers at once.

use std::time::Instant;

use counterfoil::{Cover, Event, EventStore, ExpectedVersion};

use anyhow::Result;

use crate::median::median;
use crate::{Args, rate};

/// Events in one append where many go together: the most there may be.
const TOGETHER: u32 = 1_000;

/// Events that writers at the same time append in a round, at most.
const MOST_SHARED: u32 = 10_000;

/// One event after the other; the rate is that of the rounds' parts.
pub(crate) async fn append_alone(store: &EventStore, cover: &Cover, args: &Args) -> Result<f64> {
    let mut rates = Vec::new();
    for part in split(args.count, args.rounds) {
        let events = events(cover, part, args.payload);
        let start = Instant::now();
        for (n, event) in events.iter().enumerate() {
            store.add_event(event).await?;
            if (n + 1).is_multiple_of(10_000) {
                anstream::eprintln!("{} transactions in {:.0?}", n + 1, start.elapsed());
            }
        }
        rates.push(rate(part.into(), start.elapsed()));
    }
    Ok(median(rates))
}

pub(crate) async fn append_together(store: &EventStore, cover: &Cover, args: &Args) -> Result<f64> {
    let mut rates = Vec::new();
    for _ in 0..args.together.unwrap_or(args.rounds) {
        let events = events(cover, TOGETHER, args.payload);
        let start = Instant::now();
        store.append(cover, ExpectedVersion::Any, &events).await?;
        rates.push(rate(TOGETHER.into(), start.elapsed()));
    }
    Ok(median(rates))
}

/// Events that many writers append at the same time, one after the other each.
pub(crate) async fn append_shared(store: &EventStore, args: &Args) -> Result<f64> {
    let mut rates = Vec::new();
    for _ in 0..args.rounds {
        let each = args.count.min(MOST_SHARED).div_ceil(args.writers);
        let start = Instant::now();
        let writers = (0..args.writers).map(|writer| {
            let cover = Cover::new("figures", format!("writer {writer}"));
            let (store, events) = (store.clone(), events(&cover, each, args.payload));
            tokio::spawn(async move {
                for event in &events {
                    store.add_event(event).await?;
                }
                anyhow::Ok(())
            })
        });
        for writer in writers.collect::<Vec<_>>() {
            writer.await??;
        }
        rates.push(rate(u64::from(each) * u64::from(args.writers), start.elapsed()));
    }
    Ok(median(rates))
}

fn events(cover: &Cover, count: u32, payload: usize) -> Vec<Event> {
    let payload = |n: u32| format!("{n:0>payload$}");
    (0..count).map(|n| Event::new(cover, "Measured", payload(n))).collect()
}

/// `count` in `rounds` nearly equal parts, none of them empty.
fn split(count: u32, rounds: u32) -> impl Iterator<Item = u32> {
    let rounds = rounds.min(count);
    (0..rounds).map(move |round| {
        let upto = |round: u32| u64::from(count) * u64::from(round) / u64::from(rounds);
        // No larger than count.
        (upto(round + 1) - upto(round)) as u32
    })
}
