//! The checked-in list of what ours is stricter about.

use std::collections::{BTreeMap, BTreeSet};

use counterfoil_proof_tests::case::Refusal;
use serde::Deserialize;

const LIST: &str = include_str!("../../differences.json");

/// Than whom ours is stricter.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Stricter {
    /// Than immudb's verifier, whatever the policy.
    ThanTheReference,
    /// Than the format's own rules, with the strict policy.
    ThanTheFormat,
}

#[derive(Deserialize)]
struct List {
    classes: Vec<Class>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Class {
    stricter: Stricter,
    reason: String,
    /// For each kind the refusals, as the errors' variants spell them.
    refusals: BTreeMap<String, Vec<String>>,
}

type Key = (Stricter, String, String);

pub(crate) struct Differences {
    listed: BTreeMap<Key, String>,
    met: BTreeSet<Key>,
    unlisted: BTreeMap<Key, String>,
}

impl Differences {
    pub(crate) fn load() -> Self {
        let list: List = serde_json::from_str(LIST).expect("differences.json is a list of classes");
        let mut listed = BTreeMap::new();
        for class in &list.classes {
            assert!(!class.reason.is_empty(), "a class without a reason");
            for (kind, refusals) in &class.refusals {
                for refusal in refusals {
                    let key = (class.stricter, kind.clone(), refusal.clone());
                    let twice = listed.insert(key.clone(), class.reason.clone());
                    assert!(twice.is_none(), "{key:?} is in two classes");
                }
            }
        }
        Self { listed, met: BTreeSet::new(), unlisted: BTreeMap::new() }
    }

    pub(crate) fn meet(
        &mut self,
        kind: &str,
        refusal: &Refusal,
        stricter: Stricter,
        show: impl FnOnce() -> String,
    ) {
        let key = (stricter, kind.to_owned(), refusal.0.clone());
        if self.listed.contains_key(&key) {
            self.met.insert(key);
        } else {
            self.unlisted.entry(key).or_insert_with(show);
        }
    }

    /// Nothing was met that is not listed, and nothing is listed that was not met.
    pub(crate) fn all_met(&self) {
        let unlisted: Vec<String> =
            self.unlisted.iter().map(|(key, case)| format!("{key:?}\n  {case}")).collect();
        assert!(unlisted.is_empty(), "not in differences.json:\n{}", unlisted.join("\n"));
        let unmet: Vec<_> = self.listed.keys().filter(|key| !self.met.contains(*key)).collect();
        assert!(unmet.is_empty(), "in differences.json, and never met: {unmet:#?}");
    }
}
