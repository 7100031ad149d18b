//! Other people's tables on a real immudb: rows of every type, however they
//! were written, are proved or it is said why not; nothing is created; and
//! nothing that a liar in between says is accepted.

mod on_server;
mod tables;

#[path = "tables/audit.rs"]
mod audit;
#[path = "tables/beside.rs"]
mod beside;
#[path = "tables/changes.rs"]
mod changes;
#[path = "tables/hostile.rs"]
mod hostile;
#[path = "tables/rows.rs"]
mod rows;
#[path = "tables/together.rs"]
mod together;
