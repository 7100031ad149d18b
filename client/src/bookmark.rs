//! Where somebody who follows the ledger has come to, as applications keep it.

use std::fmt;
use std::str::FromStr;

use counterfoil_core::TxId;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sha2::{Digest, Sha256};

use crate::error::{Error, Result};
use crate::position::LedgerPosition;

/// A place in a ledger's order, and which transactions before it were not
/// accounted for when it was come to. It is the second part that tells whether
/// what was shown up to there still holds: which rows are events, and which
/// numbers they have, follows from the ledger and from nothing but these.
///
/// It is kept as text, by [`Display`](fmt::Display) and [`FromStr`] or by
/// `serde` (`docs/format.md` §12). It holds for any client's log of the same
/// ledger: also one that was made anew.
///
/// A [`LedgerPosition`] is taken for one that says nothing of what came before
/// it: who follows from such a place is not told that earlier things were decided
/// anew.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Bookmark {
    place: LedgerPosition,
    gaps: Option<GapsBefore>,
}

impl Bookmark {
    /// Before everything.
    pub const START: Self = Self { place: LedgerPosition::START, gaps: Some(GapsBefore::NONE) };

    pub(crate) const fn new(place: LedgerPosition, gaps: GapsBefore) -> Self {
        Self { place, gaps: Some(gaps) }
    }

    /// Where it stands.
    pub const fn place(&self) -> LedgerPosition {
        self.place
    }

    /// Whether it says anything of what came before it.
    pub(crate) const fn has_gaps(&self) -> bool {
        self.gaps.is_some()
    }

    /// From which transaction on what was shown before this place may have been
    /// decided anew, if these are the gaps before it now.
    pub(crate) fn decided_anew(&self, now: &GapsBefore) -> Option<TxId> {
        let then = self.gaps.as_ref().filter(|then| *then != now)?;
        // Up to the first gap of either all was accounted for, then and now.
        [then.first, now.first].into_iter().flatten().min()
    }
}

impl From<LedgerPosition> for Bookmark {
    fn from(place: LedgerPosition) -> Self {
        Self { place, gaps: None }
    }
}

/// `place`, `place+0`, or `place+count:first:digest`.
impl fmt::Display for Bookmark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.place.fmt(f)?;
        let Some(GapsBefore { count, first, digest }) = &self.gaps else { return Ok(()) };
        write!(f, "+{count}")?;
        match first {
            Some(first) => write!(f, ":{first}:{}", hex::encode(digest)),
            None => Ok(()),
        }
    }
}

impl FromStr for Bookmark {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let wrong = || Error::Invalid(format!("{text:?} is no place in a ledger"));
        let read = parse(text).ok_or_else(wrong)?;
        // Each has one form: no leading zeros, no capitals, nothing behind.
        if read.to_string() == text { Ok(read) } else { Err(wrong()) }
    }
}

fn parse(text: &str) -> Option<Bookmark> {
    let (place, gaps) = match text.split_once('+') {
        Some((place, gaps)) => (place, Some(gaps)),
        None => (text, None),
    };
    let (tx, entry) = place.split_once('/')?;
    let tx = TxId::new(tx.parse().ok()?);
    let entry = if entry == "end" { u32::MAX } else { entry.parse().ok()? };
    let place = LedgerPosition::new(tx, entry);
    let Some(gaps) = gaps else { return Some(place.into()) };
    let Some((count, rest)) = gaps.split_once(':') else {
        return (gaps == "0").then_some(Bookmark::new(place, GapsBefore::NONE));
    };
    let (first, digest) = rest.split_once(':')?;
    let (count, first) = (count.parse().ok()?, first.parse::<u64>().ok()?);
    let digest: [u8; 32] = hex::decode(digest).ok()?.try_into().ok()?;
    // Gaps lie between the first of them and the place.
    let possible = first > 0 && first <= tx.get() && (1..=tx.get() - first + 1).contains(&count);
    let gaps = GapsBefore { count, first: Some(TxId::new(first)), digest };
    possible.then_some(Bookmark::new(place, gaps))
}

impl Serialize for Bookmark {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Bookmark {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}

/// The transactions before a place that are not accounted for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct GapsBefore {
    count: u64,
    first: Option<TxId>,
    digest: [u8; 32],
}

impl GapsBefore {
    /// All is accounted for.
    pub(crate) const NONE: Self = Self { count: 0, first: None, digest: [0; 32] };

    /// With the next one, in ledger order.
    pub(crate) fn and(self, gap: TxId) -> Self {
        let mut hash = Sha256::new();
        hash.update(b"counterfoil gaps 1");
        hash.update(self.digest);
        hash.update(gap.get().to_be_bytes());
        Self {
            count: self.count + 1,
            first: self.first.or(Some(gap)),
            digest: hash.finalize().into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gaps(of: &[u64]) -> GapsBefore {
        of.iter().fold(GapsBefore::NONE, |gaps, tx| gaps.and(TxId::new(*tx)))
    }

    #[test]
    fn a_bookmark_has_one_text() {
        let tx = TxId::new;
        for (place, start) in
            [(LedgerPosition::new(tx(7), 3), "7/3"), (LedgerPosition::end_of(tx(7)), "7/end")]
        {
            for (bookmark, rest) in [
                (Bookmark::from(place), String::new()),
                (Bookmark::new(place, GapsBefore::NONE), "+0".into()),
                (
                    Bookmark::new(place, gaps(&[5, 6])),
                    format!("+2:5:{}", hex::encode(gaps(&[5, 6]).digest)),
                ),
            ] {
                let text = format!("{start}{rest}");
                assert_eq!(bookmark.to_string(), text);
                assert_eq!(text.parse::<Bookmark>().unwrap(), bookmark);
                let json = serde_json::to_string(&bookmark).unwrap();
                assert_eq!(json, format!("{text:?}"));
                assert_eq!(serde_json::from_str::<Bookmark>(&json).unwrap(), bookmark);
            }
        }
        let digest = "ab".repeat(32);
        for wrong in [
            "",
            "/",
            "7",
            "7/",
            "/3",
            "7/x",
            "07/3",
            "7/03",
            "+7/3",
            "7/+3",
            " 7/3",
            "7/3 ",
            "7/4294967295",
            "7/3+",
            "7/3+1",
            "7/3+00",
            "7/3+0:0:",
            "7/End",
            &format!("7/3+0:5:{digest}"),
            &format!("7/3+1:0:{digest}"),
            &format!("7/3+1:8:{digest}"),
            &format!("7/3+4:5:{digest}"),
            &format!("7/3+1:5:{}", digest.to_uppercase()),
            &format!("7/3+1:5:{digest}00"),
            &format!("7/3+1:5:{}", &digest[2..]),
            &format!("7/3+1:05:{digest}"),
            &format!("7/3+1:5:{digest}:"),
            &format!("7/3+1:5:{digest}+0"),
        ] {
            assert!(wrong.parse::<Bookmark>().is_err(), "{wrong}");
        }
        assert!(serde_json::from_str::<Bookmark>(r#"{"tx":7,"entry":3}"#).is_err());
    }

    /// Whatever set of gaps there was and is: told unless they are the same,
    /// and never later than the first transaction in which they differ.
    #[test]
    fn what_may_differ_is_told_from_where_it_may() {
        let sets: Vec<Vec<u64>> = (0..32_u64)
            .map(|set| (1..=5).filter(|tx| set >> (tx - 1) & 1 == 1).collect())
            .collect();
        let place = LedgerPosition::end_of(TxId::new(5));
        for then in &sets {
            let bookmark = Bookmark::new(place, gaps(then));
            assert_eq!(Bookmark::from(place).decided_anew(&gaps(then)), None);
            for now in &sets {
                let differs = (1..=5).find(|tx| then.contains(tx) != now.contains(tx));
                let told = bookmark.decided_anew(&gaps(now)).map(TxId::get);
                assert_eq!(told.is_some(), differs.is_some(), "{then:?} {now:?}");
                assert!(told <= differs, "{then:?} {now:?}");
            }
        }
    }
}
