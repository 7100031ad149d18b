//! Where rows come from and go to. Everything a backend hands over is
//! checked against the log before anybody sees it.

pub(crate) mod embedded;
#[cfg(feature = "immudb")]
pub(crate) mod immudb;
