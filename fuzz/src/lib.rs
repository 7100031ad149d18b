//! What several fuzz targets share: random bytes alone seldom come near an encoding or a proof, so
//! inputs are honest ones, changed.

mod bytes;
mod dual;
mod hashes;
mod header;
mod ledger;
mod number;
mod policy;
mod row;

pub use bytes::Change;
pub use dual::{DualChange, DualV2Change};
pub use hashes::{Flip, PathChange};
pub use header::HeaderChange;
pub use ledger::Honest;
pub use number::NumberChange;
pub use policy::Policy;
pub use row::{Row, WIDTH, table};
