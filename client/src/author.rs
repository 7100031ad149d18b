//! Whom the configuration takes as authors, and what is told of an event's author.

use std::ops::Range;

use counterfoil_core::receipt::{Authorship, EventBody};
use counterfoil_core::{Alh, Ed25519Key};
use serde::de::Error as _;
use serde::ser::SerializeStruct;
use serde::{Deserialize, Deserializer, Serializer};

/// `[[trust.author]]`: a key whose signature counts, and where.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrustedAuthor {
    /// What its holder is called where people read it; by default nothing but the key is told.
    #[serde(default)]
    pub name: Option<String>,
    /// The public key, 32 bytes (RFC 8032 §5.1.5) in hex.
    #[serde(deserialize_with = "key")]
    pub key: Ed25519Key,
    /// The domains that it may write to; unset for all of them, erasures
    /// (`counterfoil.erasure`) included. An empty list is none.
    #[serde(default)]
    pub domains: Option<Vec<String>>,
}

fn key<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Ed25519Key, D::Error> {
    let text = String::deserialize(deserializer)?;
    let mut bytes = [0; 32];
    hex::decode_to_slice(&text, &mut bytes).map_err(D::Error::custom)?;
    Ed25519Key::from_bytes(&bytes).map_err(D::Error::custom)
}

/// What these say of the author of a body, whose stored bytes these are.
pub(crate) fn authorship(stored: &[u8], ledger: Alh, trusted: &[TrustedAuthor]) -> Authorship {
    let Ok(body) = EventBody::parse(stored) else { return Authorship::NotChecked };
    match body.authorship(ledger, &[]) {
        Authorship::Unknown { key } => told(key, body.domain, trusted),
        other => other,
    }
}

/// What it takes to check an author's signature without the body, however long that is.
#[derive(Clone, Copy)]
pub(crate) struct Signed {
    /// As it is for the ledger whose id is all zeros.
    message: [u8; 85],
    author: [u8; 96],
}

impl Signed {
    /// Where the ledger's id stands in the message.
    const LEDGER: Range<usize> = 21..53;

    /// Of a body, whose stored bytes these are; `None` if it is not signed.
    pub(crate) fn of(stored: &[u8]) -> Option<Self> {
        let body = EventBody::parse(stored).ok()?;
        let author = *body.author?;
        Some(Self { message: body.author_message(Alh::new([0; 32])), author })
    }

    /// As [`authorship`], to whoever trusts nobody.
    pub(crate) fn authorship(&self, ledger: Alh) -> Authorship {
        let mut message = self.message;
        message[Self::LEDGER].copy_from_slice(ledger.as_bytes());
        let (mut key, mut signature) = ([0; 32], [0; 64]);
        key.copy_from_slice(&self.author[..32]);
        signature.copy_from_slice(&self.author[32..]);
        match Ed25519Key::from_bytes(&key).map(|key| key.verify(&[&message], &signature)) {
            Ok(Ok(())) => Authorship::Unknown { key },
            _ => Authorship::Broken { key },
        }
    }
}

/// What these say of a key that signed an event of a domain.
pub(crate) fn told(key: [u8; 32], domain: &str, trusted: &[TrustedAuthor]) -> Authorship {
    let entries = trusted.iter().filter(|author| *author.key.as_bytes() == key);
    let may = |author: &TrustedAuthor| {
        author.domains.as_ref().is_none_or(|domains| domains.iter().any(|one| one == domain))
    };
    Authorship::of_key(key, entries.map(may))
}

/// As `{"word": …, "key": …}`, the key in hex and only where there is one.
pub(crate) fn serialize<S: Serializer>(
    authorship: &Authorship,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    let key = match authorship {
        Authorship::Broken { key } => Some(key),
        other => other.signed_by(),
    };
    let mut fields = serializer.serialize_struct("Authorship", 2)?;
    fields.serialize_field("word", authorship.word())?;
    match key {
        Some(key) => fields.serialize_field("key", &hex::encode(key))?,
        None => fields.skip_field("key")?,
    }
    fields.end()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::TrustPolicy;
    use crate::golden::documented;

    /// The signed body of `docs/format.md`: what is kept of it is as good as it
    /// all, in its ledger and in others.
    #[test]
    fn a_signature_is_checked_without_its_body() {
        let documented = documented();
        let golden = |name: &str| hex::decode(&documented[name]).unwrap();
        let stored = golden("event body, signed");
        let ledger = Alh::new(golden("genesis alh").try_into().unwrap());
        let mut altered = stored.clone();
        *altered.last_mut().unwrap() ^= 1;
        let unsigned = golden("event body");
        assert!(Signed::of(&unsigned).is_none());
        for (body, ledger, holds) in [
            (&stored, ledger, true),
            (&stored, Alh::new([0; 32]), false),
            (&altered, ledger, false),
        ] {
            let told = Signed::of(body).unwrap().authorship(ledger);
            assert_eq!(told, authorship(body, ledger, &[]));
            assert_eq!(told.signed_by().is_some(), holds);
        }
    }

    #[test]
    fn an_author_is_a_key_and_perhaps_its_domains() {
        let read = |text: &str| toml::from_str::<TrustedAuthor>(text);
        let key = "1a5cd907143c384c41e830c5bce12aa8817ec5649aaabf2c31388b35b2d744d6";
        assert_eq!(read(&format!("key = \"{key}\"")).unwrap().domains, None);
        let one = read(&format!("key = \"{key}\"\ndomains = [\"a\"]")).unwrap();
        assert_eq!(hex::encode(one.key.as_bytes()), key);
        assert_eq!(one.domains, Some(vec!["a".to_owned()]));
        for wrong in ["00", "zz", &key[2..], &"0".repeat(64), &format!("{key}00")] {
            assert!(read(&format!("key = \"{wrong}\"")).is_err(), "{wrong}");
        }
        assert!(read("domains = [\"a\"]").is_err());
        assert!(read(&format!("key = \"{key}\"\ndomain = \"a\"")).is_err());
    }

    #[test]
    fn an_author_of_no_domain_may_write_to_none() {
        let key = "1a5cd907143c384c41e830c5bce12aa8817ec5649aaabf2c31388b35b2d744d6";
        let mut author: TrustedAuthor = toml::from_str(&format!("key = \"{key}\"")).unwrap();
        let bytes = *author.key.as_bytes();
        let word = |author: &TrustedAuthor| told(bytes, "d", std::slice::from_ref(author));
        assert_eq!(word(&author), Authorship::Allowed { key: bytes });
        author.domains = Some(Vec::new());
        assert_eq!(word(&author), Authorship::NotAllowed { key: bytes });
    }

    /// As a configuration names them: a key in several entries, with a name or without.
    #[test]
    fn a_policy_takes_the_authors_of_a_configuration() {
        const ANNA: &str = "1a5cd907143c384c41e830c5bce12aa8817ec5649aaabf2c31388b35b2d744d6";
        const LEDGER: &str = "12dc849900379fe3dd4b4d00e99cdba2cc5050d0ea9b3309493a201fce96c406";
        let config = |rest: &str| {
            let text = format!("[[trust.author]]\nkey = \"{ANNA}\"\ndomains = [\"a\"]\n{rest}");
            crate::Config::from_toml(&text).unwrap().trust.author
        };
        let policy = |rest: &str| {
            let policy = TrustPolicy::from_toml(&format!("ledger = \"{LEDGER}\"")).unwrap();
            config(rest).into_iter().try_fold(
                policy,
                |policy, TrustedAuthor { name, key, domains }| {
                    policy.with_author(name, &key, domains)
                },
            )
        };
        let also = |what: &str| format!("[[trust.author]]\nkey = \"{ANNA}\"\n{what}");
        let anna = *config("")[0].key.as_bytes();
        assert_eq!(policy("").unwrap().author_name(&anna), Some(ANNA));
        let both = policy(&also("name = \"Anna\"\ndomains = [\"b\"]")).unwrap();
        assert_eq!(both.author_name(&anna), Some("Anna"));
        assert!(both.to_toml().contains("domains = [\"a\", \"b\"]"), "{}", both.to_toml());
        let named =
            [also("name = \"Anna\"\ndomains = [\"b\"]"), also("domains = [\"c\"]")].join("\n");
        assert_eq!(policy(&named).unwrap().author_name(&anna), Some("Anna"));
        let all = policy(&also("name = \"Anna\"")).unwrap();
        assert!(!all.to_toml().contains("domains"), "{}", all.to_toml());
        assert_eq!(TrustPolicy::from_toml(&all.to_toml()).unwrap(), all);
    }
}
