//! What several fuzz targets share: random bytes alone seldom come near an encoding, so inputs are
//! honest ones, changed.

mod bytes;
mod documented;
mod row;

pub use bytes::Change;
pub use documented::{documented, texts};
pub use row::{Row, WIDTH, table};
