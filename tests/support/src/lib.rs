//! Finds or starts the real immudb that the tests run against, and lies about
//! what it says.
//!
//! - [`server`]: the one server of this test process, found in this order:
//!   `IMMUDB_HOST`; a Go toolchain, which builds `tests/immudb` once into the
//!   target folder; Docker, behind the feature `docker`. With none of them it
//!   panics with a sentence that says how to get one.
//! - [`PrivateServer`]: a server of the test's own, to stop, kill, restart,
//!   roll back or start with the PostgreSQL wire off. It needs Go.
//! - [`Proxy`]: a man in the middle of the PostgreSQL wire. The real server
//!   stands behind it; what it says is altered on the way.
//! - [`GoWitness`]: transparency-dev's witness of transparency logs, and [`go_tool`] what Go's packages
//!   make of notes and proofs. They need Go.
//! - [`temp_dir`]: a folder under the target folder, removed at the end.
//!
//! All of it blocks: it starts processes and threads, and needs no runtime.

#[cfg(feature = "docker")]
mod docker;
mod folder;
mod go;
mod private;
mod proxy;
mod server;
mod transparency;
mod wire;

pub use folder::{TempDir, copy_dir, target_dir, temp_dir, wait_until_closed};
pub use go::{notes_binary, official_client_binary, oracle_binary, transparency_binary};
pub use private::{Options, PrivateServer, Saved};
pub use proxy::{Action, Context, Direction, Proxy};
pub use server::{Server, server};
pub use transparency::{GoWitness, go_tool};
pub use wire::PgMessage;
