//! Asks witnesses to cosign a checkpoint (C2SP tlog-witness).
//!
//! A witness says which size it has cosigned last only when it is told a wrong one. So it is asked with
//! what a new one has, size 0, and if it says that it knows more, again with the proof from there.

mod http;

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use counterfoil_core::TreeSize;
use counterfoil_core::checkpoint::{NoteSignature, WitnessKey};
use serde::Serialize;

use self::http::Post;
use super::answer::{WitnessProblem, WitnessSays};
use super::note::SignedCheckpoint;
use super::request::AddCheckpoint;
use crate::environment::{Clock, SystemClock};
use crate::error::{Error, Result};
use crate::store::EventStore;

/// A witness: its key, and where it answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Witness {
    key: String,
    url: String,
}

impl Witness {
    /// `key` is its verifier key, `name+id+base64` (type `04`); `url` the prefix of its API, to which
    /// `/add-checkpoint` is appended: `http` or `https`, without a user's name. Cosignatures are verified whatever carries them.
    ///
    /// # Errors
    ///
    /// [`Error::Invalid`].
    pub fn new(key: impl Into<String>, url: impl Into<String>) -> Result<Self> {
        let (key, url) = (key.into(), url.into());
        // A password stands before an `@`.
        let shown = match url.contains('@') {
            true => "what is given".to_owned(),
            false => format!("{url:?}"),
        };
        let invalid = |why| Error::Invalid(format!("{shown} is no witness's address: {why}"));
        http::check(&url).map_err(invalid)?;
        let witness = Self { key, url };
        witness.parsed()?;
        Ok(witness)
    }

    fn parsed(&self) -> Result<WitnessKey<'_>> {
        let key = &self.key;
        WitnessKey::parse(key)
            .map_err(|error| Error::Invalid(format!("{key:?} is no witness's key: {error}")))
    }

    /// Its verifier key.
    pub fn key(&self) -> &str {
        &self.key
    }

    /// Its name.
    pub fn name(&self) -> &str {
        self.key.split_once('+').map_or("", |(name, _)| name)
    }

    /// Where it answers.
    pub fn url(&self) -> &str {
        &self.url
    }
}

/// What a witness answered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Answer {
    /// It cosigned, as was verified.
    Cosigned {
        /// When, by its clock, in Unix seconds.
        time: u64,
    },
    /// There is no cosignature of it.
    Refused(WitnessProblem),
}

impl Answer {
    fn of(answer: Result<u64, WitnessProblem>) -> Self {
        match answer {
            Ok(time) => Self::Cosigned { time },
            Err(problem) => Self::Refused(problem),
        }
    }
}

/// What became of asking one witness.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Asked {
    /// Its name.
    pub name: String,
    /// Where it was asked.
    pub url: String,
    /// Its verified cosignature, or why there is none.
    #[serde(flatten)]
    pub answer: Answer,
}

/// A checkpoint with the cosignatures that were had.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Witnessed {
    /// With every signature it had, and every new one.
    pub checkpoint: SignedCheckpoint,
    /// Each witness, in the order in which they were named.
    pub asked: Vec<Asked>,
}

/// The most witnesses that are asked at once.
const MOST: usize = 64;

impl EventStore {
    /// Asks all witnesses at once to cosign a checkpoint of this ledger's log, and waits for each as
    /// long as `limit` at most. What they answer is verified under their keys; who does not answer, or
    /// answers anything else, is told and holds nobody up.
    ///
    /// # What a cosignature proves
    ///
    /// That the witness says, by its own clock: this is the largest tree of this log that I have seen,
    /// and it continues all those before. Whether that is enough is the business of whoever verifies.
    ///
    /// # Errors
    ///
    /// Only if nobody could be asked: [`Error::Invalid`] for more than 64 witnesses, for two of one key,
    /// and for a limit beyond what the clock can say; as [`check_checkpoint`](Self::check_checkpoint).
    pub async fn ask_witnesses(
        &self,
        signed: &SignedCheckpoint,
        witnesses: &[Witness],
        limit: Duration,
    ) -> Result<Witnessed> {
        if witnesses.len() > MOST {
            return Err(Error::Invalid(format!("more than {MOST} witnesses")));
        }
        // The keys themselves: two names of one key are one witness.
        let mut seen = std::collections::HashSet::new();
        for witness in witnesses {
            let key = witness.parsed()?;
            if !seen.insert(*key.key().as_bytes()) {
                return Err(Error::Invalid(format!("witness {} is named twice", witness.name())));
            }
        }
        let until = Instant::now().checked_add(limit);
        let until = until.ok_or_else(|| Error::Invalid(format!("{limit:?} is too long a wait")))?;
        self.check_checkpoint(&signed.checkpoint()).await?;
        let asking = witnesses.iter().map(|witness| async move {
            let asked = tokio::time::timeout(limit, self.ask(signed, witness, until)).await;
            let answer = asked.unwrap_or(Err(WitnessProblem::Late { seconds: limit.as_secs() }));
            (witness, answer)
        });
        let answers = futures_util::future::join_all(asking).await;
        let mut checkpoint = signed.clone();
        let mut asked = Vec::new();
        for (witness, answer) in answers {
            let answer = answer.and_then(|cosigned| {
                let malformed = |error: &dyn fmt::Display| WitnessProblem::Malformed {
                    what: error.to_string(),
                };
                let key = WitnessKey::parse(&witness.key).map_err(|error| malformed(&error))?;
                let (line, time) = cosigned;
                let line = NoteSignature::parse(&line).map_err(|error| malformed(&error))?;
                let with = checkpoint.with_cosignature(&key, &line);
                checkpoint = with.map_err(|error| malformed(&error))?;
                Ok(time)
            });
            let (name, url) = (witness.name().to_owned(), witness.url.clone());
            asked.push(Asked { name, url, answer: Answer::of(answer) });
        }
        Ok(Witnessed { checkpoint, asked })
    }

    /// Asks one, again where it knows another size than was thought: its verified line, and the time in
    /// it.
    async fn ask(
        &self,
        signed: &SignedCheckpoint,
        witness: &Witness,
        until: Instant,
    ) -> Result<(String, u64), WitnessProblem> {
        /// Others may send checkpoints of the log between two questions, and it may be lying.
        const TIMES: usize = 4;
        let size = signed.checkpoint().size();
        let post = Arc::new(Post::new(&witness.url));
        let mut old = TreeSize::new(0);
        for _ in 0..TIMES {
            let proof = self.log_consistency(old, size).await;
            let proof = proof.map_err(|error| WitnessProblem::Store { what: error.to_string() })?;
            let request = AddCheckpoint { old, proof, checkpoint: signed.clone() };
            let post = Arc::clone(&post);
            let said = tokio::task::spawn_blocking(move || post.send(&request.to_string(), until));
            let said = said
                .await
                .map_err(|error| WitnessProblem::Unreachable { cause: error.to_string() })??;
            let now = u64::try_from(SystemClock.now_micros() / 1_000_000).unwrap_or(0);
            let key = WitnessKey::parse(&witness.key)
                .map_err(|error| WitnessProblem::Malformed { what: error.to_string() })?;
            match said.read(&signed.checkpoint(), &key, now)? {
                WitnessSays::Cosigned { line, time } => return Ok((line, time)),
                WitnessSays::Knows { size: known } if known > size => {
                    return Err(WitnessProblem::Ahead { size: known });
                }
                WitnessSays::Knows { size: known } if known == old => {
                    let what = format!("it refused size {old} and names the same");
                    return Err(WitnessProblem::Malformed { what });
                }
                WitnessSays::Knows { size: known } => old = known,
            }
        }
        Err(WitnessProblem::Moving)
    }
}

#[cfg(test)]
mod tests {
    use counterfoil_core::Ed25519Key;
    use counterfoil_core::checkpoint::{Checkpoint, KeyName, LogKey};
    use ed25519_dalek::SigningKey;

    use super::*;

    fn public() -> Ed25519Key {
        let secret = SigningKey::from_bytes(&[7; 32]);
        Ed25519Key::from_bytes(secret.verifying_key().as_bytes()).unwrap()
    }

    fn named(name: &str) -> String {
        WitnessKey::new(KeyName::new(name).unwrap(), public()).to_string()
    }

    #[test]
    fn no_password_is_taken_or_shown() {
        for url in [
            "https://anna:secret@w.example/",
            "https://secret@w.example/",
            "https://anna:secret@w.example/?",
            "ftp://anna:secret@w.example/",
            "https://anna:secret@",
            "https://anna:secret @w.example/",
        ] {
            let refused = Witness::new(named("w.example"), url).unwrap_err().to_string();
            assert!(!refused.contains("secret"), "{url}: {refused}");
        }
        Witness::new(named("w.example"), "https://w.example/@goods").unwrap();
    }

    #[tokio::test]
    async fn one_key_is_one_witness_and_no_wait_is_endless() {
        let store = EventStore::in_memory().await.unwrap();
        let tree = store.log_tree(None).await.unwrap();
        let origin = KeyName::new("example.com/goods").unwrap();
        let checkpoint = Checkpoint::new(origin, tree.size, tree.root).unwrap();
        let line = LogKey::new(origin, public()).signature(&[0; 64]).to_string();
        let signed = SignedCheckpoint::parse(format!("{checkpoint}\n{line}").into_bytes()).unwrap();
        let witness = |name| Witness::new(named(name), "http://127.0.0.1:1/").unwrap();
        let both = [witness("one.example"), witness("two.example")];
        let asked = store.ask_witnesses(&signed, &both, Duration::from_secs(1)).await;
        assert!(asked.unwrap_err().to_string().contains("two.example is named twice"));
        let asked = store.ask_witnesses(&signed, &both[..1], Duration::MAX).await;
        assert!(asked.unwrap_err().to_string().contains("too long a wait"));
    }
}
