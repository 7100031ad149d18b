//! What a witness's answer says.

use counterfoil_core::TreeSize;
use counterfoil_core::checkpoint::{Checkpoint, NoteSignature, WitnessKey};
use serde::Serialize;

use super::request::decimal;

/// How far ahead of this machine's clock a witness's may be, in seconds.
const AHEAD: u64 = 300;

/// Why a witness did not cosign.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, thiserror::Error)]
#[serde(tag = "problem", rename_all = "snake_case")]
#[non_exhaustive]
pub enum WitnessProblem {
    /// 404.
    #[error("it does not know this log: give its operator the origin and the log's key")]
    UnknownLog,
    /// 403.
    #[error("it finds no signature by the log's key that it knows: has the key changed?")]
    NotSigned,
    /// 422.
    #[error(
        "it says that the checkpoint does not continue the one that it has, or has another root: \
         either it was shown another history, or it is wrong"
    )]
    ProofRefused,
    /// 409 without a size.
    #[error("it says that the checkpoint contradicts the one that it has")]
    Conflict,
    /// It has cosigned a larger tree than the checkpoint's.
    #[error(
        "it has cosigned size {size} already, which is more than this checkpoint has: make a newer \
         one; if the ledger is not so long, somebody signed for it"
    )]
    Ahead {
        /// The size that it names.
        size: TreeSize,
    },
    /// It named another last size each time.
    #[error("it named another last size each time it was asked")]
    Moving,
    /// 400.
    #[error("it says that the request is malformed")]
    BadRequest,
    /// 429 and 503.
    #[error("it is busy; ask again later")]
    Busy,
    /// It refers to somewhere else, where nobody went.
    #[error(
        "it answered with a redirect ({status}), which is not followed: name its address itself"
    )]
    Redirect {
        /// The HTTP status.
        status: u16,
    },
    /// A status that this call does not have.
    #[error("it answered with HTTP status {status}")]
    Status {
        /// The HTTP status.
        status: u16,
    },
    /// No connection, or one that broke or took too long.
    #[error("it could not be asked: {cause}")]
    Unreachable {
        /// What failed.
        cause: String,
    },
    /// No answer in time.
    #[error("it did not answer within {seconds} s")]
    Late {
        /// How long it was waited for.
        seconds: u64,
    },
    /// More bytes than an answer has.
    #[error("its answer is too large")]
    TooLarge,
    /// Not what a witness answers.
    #[error("its answer is malformed: {what}")]
    Malformed {
        /// What is wrong with it.
        what: String,
    },
    /// There is no signature under its name and key id.
    #[error("it answered without a cosignature of the key that is known for it")]
    NoCosignature,
    /// There is one, and it is not that key's over this checkpoint.
    #[error("its cosignature does not verify: it is another key's, or over another checkpoint")]
    WrongCosignature,
    /// A time that has not come.
    #[error("its cosignature is of time {time}, which is ahead of this machine's clock")]
    Future {
        /// Unix seconds.
        time: u64,
    },
    /// The proof that it asked for could not be made.
    #[error("no proof could be made for it: {what}")]
    Store {
        /// Why.
        what: String,
    },
}

/// What a witness said to a request ([`AddCheckpoint`](super::AddCheckpoint)), by whatever client it
/// was asked over HTTP.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WitnessReply {
    /// The status.
    pub status: u16,
    /// The header `Content-Type`, empty if there is none.
    pub content_type: String,
    /// The body.
    pub body: Vec<u8>,
}

/// What a reply amounts to.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum WitnessSays {
    /// It cosigned, as was verified.
    Cosigned {
        /// The cosignature's line in a note, without its newline.
        line: String,
        /// When, by its clock, in Unix seconds.
        time: u64,
    },
    /// It wants the proof from the size that it has cosigned last.
    Knows {
        /// That size: its word.
        size: TreeSize,
    },
}

impl WitnessReply {
    /// Reads the reply to a request for this checkpoint by the witness of this key, `now` by the
    /// caller's clock, in Unix seconds.
    ///
    /// # Errors
    ///
    /// [`WitnessProblem`]: it did not cosign, or nothing that the key signed over this checkpoint.
    pub fn read(
        &self,
        checkpoint: &Checkpoint<'_>,
        key: &WitnessKey<'_>,
        now: u64,
    ) -> Result<WitnessSays, WitnessProblem> {
        match self.status {
            200 => cosignature(&self.body, checkpoint, key, now),
            409 if self.content_type.split(';').next().map(str::trim)
                == Some("text/x.tlog.size") =>
            {
                let text = std::str::from_utf8(&self.body).unwrap_or_default();
                let size = text.strip_suffix('\n').unwrap_or(text);
                let what = "409 without a size".to_owned();
                let size = decimal(size).ok_or(WitnessProblem::Malformed { what })?;
                Ok(WitnessSays::Knows { size: TreeSize::new(size) })
            }
            409 => Err(WitnessProblem::Conflict),
            404 => Err(WitnessProblem::UnknownLog),
            403 => Err(WitnessProblem::NotSigned),
            422 => Err(WitnessProblem::ProofRefused),
            400 => Err(WitnessProblem::BadRequest),
            429 | 503 => Err(WitnessProblem::Busy),
            status @ 300..=399 => Err(WitnessProblem::Redirect { status }),
            status => Err(WitnessProblem::Status { status }),
        }
    }
}

/// The newest cosignature of this key; lines of other keys, such as post-quantum ones, are passed over.
fn cosignature(
    body: &[u8],
    checkpoint: &Checkpoint<'_>,
    key: &WitnessKey<'_>,
    now: u64,
) -> Result<WitnessSays, WitnessProblem> {
    /// As many as a note may have.
    const LINES: usize = 100;
    let malformed = |what: &str| WitnessProblem::Malformed { what: what.to_owned() };
    let text = std::str::from_utf8(body).map_err(|_| malformed("it is not UTF-8"))?;
    let text = text.strip_suffix('\n').ok_or(malformed("it does not end with a newline"))?;
    let mut newest: Option<(u64, &str)> = None;
    for (count, line) in text.split('\n').enumerate() {
        if count == LINES {
            return Err(WitnessProblem::TooLarge);
        }
        let signature = NoteSignature::parse(line)
            .map_err(|_| malformed("a line is no signature of a note"))?;
        if !key.is_named_by(&signature) {
            continue;
        }
        let verified = key.verify(checkpoint, &signature);
        let time = verified.map_err(|_| WitnessProblem::WrongCosignature)?;
        if time > now.saturating_add(AHEAD) {
            return Err(WitnessProblem::Future { time });
        }
        if newest.is_none_or(|(newest, _)| newest < time) {
            newest = Some((time, line));
        }
    }
    let (time, line) = newest.ok_or(WitnessProblem::NoCosignature)?;
    Ok(WitnessSays::Cosigned { line: line.to_owned(), time })
}
