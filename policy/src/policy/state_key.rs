//! A server's public key in PEM.

use std::path::Path;

use counterfoil_core::{StateKey, StateKeyId};

use super::document::StateKeyTable;
use super::error::{PolicyError, PolicyProblem};
use super::named;

/// What a PEM file of a public key says that it is (RFC 7468 §13).
const LABEL: &str = "PUBLIC KEY";

/// A key and the database whose states it signs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct DatabaseKey {
    pub(super) database: String,
    pub(super) key: StateKey,
    /// The SubjectPublicKeyInfo.
    der: Vec<u8>,
}

/// The key, and its DER.
pub(super) fn read_pem(pem: &str, place: &str) -> Result<(StateKey, Vec<u8>), PolicyProblem> {
    let problem = |what: String| {
        let remedy = "give the server's public key, ECDSA on P-256, as a PEM block PUBLIC KEY";
        PolicyProblem::new(place, what, remedy)
    };
    let (label, der) =
        pem_rfc7468::decode_vec(pem.as_bytes()).map_err(|error| problem(error.to_string()))?;
    if label != LABEL {
        return Err(problem(format!("a PEM block {label:?}")));
    }
    let key = StateKey::from_spki(&der).map_err(|error| problem(error.to_string()))?;
    Ok((key, der))
}

impl DatabaseKey {
    pub(super) fn of(
        table: StateKeyTable,
        place: &str,
        base: Option<&Path>,
    ) -> Result<Self, PolicyError> {
        let StateKeyTable { database, file, pem } = table;
        if database.is_empty() {
            let key = format!("{place}.database");
            let remedy = "name the database as the server calls it: the name is signed too";
            return Err(PolicyProblem::new(key, "a database without a name", remedy).into());
        }
        let (pem, key, path) = match (file, pem) {
            (Some(file), None) => {
                let key = format!("{place}.file");
                let (path, pem) = named(base, &file, &key)?;
                (pem, key, Some(path))
            }
            (None, Some(pem)) => (pem, format!("{place}.pem"), None),
            _ => {
                let what = "the key is to be in `file` or in `pem`, one of them";
                return Err(PolicyProblem::new(place, what, "leave one of the two out").into());
            }
        };
        let (key, der) = read_pem(&pem, &key).map_err(|problem| match &path {
            Some(path) => problem.in_file(path),
            None => problem,
        })?;
        Ok(Self { database, key, der })
    }

    pub(super) fn id(&self) -> StateKeyId {
        self.key.id()
    }

    pub(super) fn to_table(&self) -> StateKeyTable {
        let ending = pem_rfc7468::LineEnding::LF;
        let pem = pem_rfc7468::encode_string(LABEL, ending, &self.der).ok();
        StateKeyTable { database: self.database.clone(), file: None, pem }
    }
}
