//! What a receipt shows under a policy, and what is in it, as data: the same words and keys in the
//! library, on the command line and in a browser (`docs/policy.md`).

mod advice;
mod inspection;
mod verdict;

pub use self::inspection::{
    AuthorBytes, BodyReport, FlawReport, GenesisReport, HeaderReport, InspectedEvent, InspectedTx,
    Inspection, LinkReport, PathReport, Side, StateSignatureBytes, Step,
};
pub use self::verdict::{
    AnchorReport, AuthorReport, EventReport, Place, StateSignatureReport, VerdictReport,
    WitnessesReport,
};
