//! A real immudb, with a liar on the way to it, or one as its operator:
//! whatever is said, nothing false is believed and nothing is acknowledged
//! that is not so.

#[path = "hostile/audit.rs"]
mod audit;
#[path = "hostile/authors.rs"]
mod authors;
#[path = "hostile/beside.rs"]
mod beside;
#[path = "hostile/bodies.rs"]
mod bodies;
#[path = "hostile/fight.rs"]
mod fight;
#[path = "hostile/follow.rs"]
mod follow;
#[path = "hostile/gaps.rs"]
mod gaps;
#[path = "hostile/harm.rs"]
mod harm;
#[path = "hostile/headers.rs"]
mod headers;
#[path = "hostile/history.rs"]
mod history;
mod hostile;
#[path = "hostile/killed.rs"]
mod killed;
#[path = "hostile/late.rs"]
mod late;
#[path = "hostile/left_out.rs"]
mod left_out;
mod on_server;
#[path = "hostile/operator.rs"]
mod operator;
#[path = "hostile/poison.rs"]
mod poison;
#[path = "killing/readers.rs"]
mod readers;
#[path = "hostile/rows.rs"]
mod rows;
#[path = "hostile/schema.rs"]
mod schema;
mod signing;
#[path = "hostile/strict.rs"]
mod strict;
#[path = "hostile/truncation.rs"]
mod truncation;
#[path = "hostile/writes.rs"]
mod writes;
