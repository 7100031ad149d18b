//! A row of the table as a backend hands it over: nothing is believed yet.

/// The seven columns, with whatever the backend sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct StoredRow {
    pub(crate) domain: Vec<u8>,
    pub(crate) edition: Vec<u8>,
    pub(crate) root: Vec<u8>,
    pub(crate) event_number: i64,
    pub(crate) ext: Vec<u8>,
    pub(crate) seen_tx: i64,
    pub(crate) body: Vec<u8>,
}

#[cfg(feature = "immudb")]
impl StoredRow {
    /// Bytes of its BLOBs.
    pub(crate) fn len(&self) -> usize {
        let Self { domain, edition, root, ext, body, .. } = self;
        [domain, edition, root, ext, body].iter().map(|blob| blob.len()).sum()
    }
}
