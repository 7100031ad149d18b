//! Where things are kept unless the configuration says otherwise.

use std::path::PathBuf;

use etcetera::BaseStrategy as _;

use crate::error::{Error, Result};

/// This crate's folder in the platform's data folder.
pub(crate) fn data_folder() -> Result<PathBuf> {
    let base = etcetera::choose_base_strategy().map_err(|_| {
        Error::Config(
            "there is no home folder; set [trust] file (embedded) or [log] path (immudb)".into(),
        )
    })?;
    Ok(base.data_dir().join("counterfoil"))
}
