//! The keys of logs and witnesses, and which witnesses it takes. Built up in the order in which it is
//! written: a name means what was named before, so no group can be in itself.

use counterfoil_core::checkpoint::{KeyId, KeyName, LogKey, Quorum, WitnessKey};
use counterfoil_core::{Alh, Ed25519Key};

use super::document::{GroupTable, LogTable, Needs, WitnessTable};
use super::error::PolicyProblem;

/// What stands for no witness at all.
pub(super) const NONE: &str = "none";

/// As many as core takes.
const MAX_OF_A_KIND: usize = Quorum::MAX;

/// Logs, witnesses, groups of them, and the quorum.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Witnessing {
    pub(super) logs: Vec<Log>,
    pub(super) witnesses: Vec<Witness>,
    pub(super) groups: Vec<Group>,
    pub(super) quorum: Option<Member>,
}

/// A log that may sign checkpoints of the ledger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Log {
    /// As it was written.
    pub(super) vkey: String,
    pub(super) url: Option<String>,
}

impl Log {
    /// A log whose name holds a ledger's id is that ledger's.
    pub(super) fn may_be_of(&self, ledger: &Alh, place: &str) -> Result<(), PolicyProblem> {
        // It was read before.
        match LogKey::parse(&self.vkey).map(|key| key.name().names_other_ledger(ledger)) {
            Ok(true) => Err(PolicyProblem::new(
                place,
                format!("the log {:?} names another ledger than {ledger}", self.vkey),
                "name this ledger's log, or leave it out",
            )),
            _ => Ok(()),
        }
    }
}

/// A witness.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Witness {
    pub(super) name: String,
    /// As it was written.
    pub(super) vkey: String,
    pub(super) url: Option<String>,
}

/// So many of these.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Group {
    pub(super) name: String,
    pub(super) needs: usize,
    pub(super) members: Vec<Member>,
}

/// A witness or a group, by its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Member {
    Witness(usize),
    Group(usize),
}

impl Witnessing {
    pub(super) const NONE: Self =
        Self { logs: Vec::new(), witnesses: Vec::new(), groups: Vec::new(), quorum: None };

    /// Whether it says anything at all.
    pub(super) const fn is_empty(&self) -> bool {
        self.logs.is_empty() && self.witnesses.is_empty() && self.groups.is_empty()
    }

    fn name(&self, member: Member) -> &str {
        let name = match member {
            Member::Witness(at) => self.witnesses.get(at).map(|witness| &witness.name),
            Member::Group(at) => self.groups.get(at).map(|group| &group.name),
        };
        name.map_or(NONE, String::as_str)
    }

    /// Where a key stands, as a log's or a witness's.
    pub(super) fn place_of(&self, key: &Ed25519Key) -> Option<String> {
        // All of them were read before.
        let log = |log: &Log| LogKey::parse(&log.vkey).is_ok_and(|log| log.key() == key);
        let witness = |witness: &Witness| {
            WitnessKey::parse(&witness.vkey).is_ok_and(|witness| witness.key() == key)
        };
        let logs = self.logs.iter().position(log).map(|at| format!("logs[{at}]"));
        logs.or_else(|| {
            self.witnesses.iter().position(witness).map(|at| format!("witnesses[{at}]"))
        })
    }

    fn find(&self, name: &str) -> Option<Member> {
        let witness = self.witnesses.iter().position(|witness| witness.name == name);
        let group = || self.groups.iter().position(|group| group.name == name);
        witness.map(Member::Witness).or_else(|| group().map(Member::Group))
    }

    /// The name of the quorum, as it is written down.
    pub(super) fn quorum_name(&self) -> Option<&str> {
        (!self.is_empty()).then(|| self.quorum.map_or(NONE, |member| self.name(member)))
    }

    pub(super) fn log_tables(&self) -> Vec<LogTable> {
        let table = |log: &Log| LogTable { key: log.vkey.clone(), url: log.url.clone() };
        self.logs.iter().map(table).collect()
    }

    pub(super) fn witness_tables(&self) -> Vec<WitnessTable> {
        let table = |Witness { name, vkey, url }: &Witness| WitnessTable {
            name: name.clone(),
            key: vkey.clone(),
            url: url.clone(),
        };
        self.witnesses.iter().map(table).collect()
    }

    pub(super) fn group_tables(&self) -> Vec<GroupTable> {
        let table = |group: &Group| GroupTable {
            name: group.name.clone(),
            needs: Needs::Count(group.needs as u64),
            members: group.members.iter().map(|member| self.name(*member).to_owned()).collect(),
        };
        self.groups.iter().map(table).collect()
    }
}

/// Takes one after the other and refuses what contradicts what came before. `place` is where it
/// stands, for the error.
#[derive(Default)]
pub(super) struct WitnessingBuilder {
    made: Witnessing,
    quorum: Option<Option<Member>>,
    /// The keys themselves, whatever they are called, and where each stands.
    keys: Vec<([u8; 32], String)>,
    /// What a signature's line says of its key.
    ids: Vec<(String, [u8; 4])>,
    /// What is in a group already.
    grouped: Vec<String>,
}

impl WitnessingBuilder {
    pub(super) fn log(
        &mut self,
        place: &str,
        vkey: &str,
        url: Option<&str>,
    ) -> Result<(), PolicyProblem> {
        let key = LogKey::parse(vkey).map_err(|error| {
            PolicyProblem::new(
                place,
                format!("{vkey:?} is no log's key: {error}"),
                "give its verifier key, NAME+ID+KEY, as the log's operator publishes it",
            )
        })?;
        self.new_key(place, key.key(), key.name(), key.id())?;
        few(place, self.made.logs.len())?;
        self.made.logs.push(Log { vkey: vkey.into(), url: url.map(Into::into) });
        Ok(())
    }

    pub(super) fn witness(
        &mut self,
        place: &str,
        name: &str,
        vkey: &str,
        url: Option<&str>,
    ) -> Result<(), PolicyProblem> {
        self.new_name(place, name)?;
        let key = WitnessKey::parse(vkey).map_err(|error| {
            PolicyProblem::new(
                place,
                format!("{vkey:?} is no witness's key: {error}"),
                "give its verifier key, NAME+ID+KEY, of the type for cosignatures (04)",
            )
        })?;
        self.new_key(place, key.key(), key.name(), key.id())?;
        few(place, self.made.witnesses.len())?;
        let (name, vkey, url) = (name.into(), vkey.into(), url.map(Into::into));
        self.made.witnesses.push(Witness { name, vkey, url });
        Ok(())
    }

    pub(super) fn group(
        &mut self,
        place: &str,
        name: &str,
        needs: Needs,
        members: &[impl AsRef<str>],
    ) -> Result<(), PolicyProblem> {
        self.new_name(place, name)?;
        few(place, self.made.groups.len())?;
        if members.is_empty() {
            return Err(PolicyProblem::new(
                place,
                format!("group {name:?} has no members"),
                "name the witnesses or groups that belong to it",
            ));
        }
        let mut places = Vec::new();
        for member in members.iter().map(AsRef::as_ref) {
            let found = self.made.find(member).ok_or_else(|| unknown(place, member))?;
            if self.grouped.iter().any(|grouped| grouped == member) {
                return Err(PolicyProblem::new(
                    place,
                    format!("{member:?} is in a group already"),
                    "let each witness and each group count in one place only",
                ));
            }
            self.grouped.push(member.to_owned());
            places.push(found);
        }
        let most = places.len();
        let needs = match needs {
            Needs::Any => 1,
            Needs::All => most,
            Needs::Count(count) => usize::try_from(count).unwrap_or(usize::MAX),
        };
        if !(1..=most).contains(&needs) {
            return Err(PolicyProblem::new(
                place,
                format!("group {name:?} needs {needs} of its {most} members"),
                "a group needs at least one of its members, and no more than it has",
            ));
        }
        self.made.groups.push(Group { name: name.into(), needs, members: places });
        Ok(())
    }

    pub(super) fn quorum(&mut self, place: &str, name: &str) -> Result<(), PolicyProblem> {
        let quorum = match name {
            NONE => None,
            _ => Some(self.made.find(name).ok_or_else(|| unknown(place, name))?),
        };
        match self.quorum.replace(quorum) {
            None => Ok(()),
            Some(_) => {
                Err(PolicyProblem::new(place, "a second quorum", "a policy has exactly one"))
            }
        }
    }

    /// `place` is where the quorum should stand.
    pub(super) fn finish(self, place: &str) -> Result<Witnessing, PolicyProblem> {
        let Self { made, quorum, .. } = self;
        let Some(quorum) = quorum else {
            return Err(PolicyProblem::new(
                place,
                "it is not said which witnesses it takes",
                "name a witness or a group as the quorum, or \"none\" where the log's signature is enough",
            ));
        };
        Ok(Witnessing { quorum, ..made })
    }

    fn new_name(&self, place: &str, name: &str) -> Result<(), PolicyProblem> {
        let what = if name == NONE || name.is_empty() {
            format!("{name:?} can be nobody's name")
        } else if self.made.find(name).is_some() {
            format!("the name {name:?} is taken")
        } else {
            return Ok(());
        };
        Err(PolicyProblem::new(place, what, "give each witness and each group a name of its own"))
    }

    /// One key is one signer, whatever it is called: a log that were its own witness would show
    /// nothing more.
    fn new_key(
        &mut self,
        place: &str,
        key: &Ed25519Key,
        name: KeyName<'_>,
        id: KeyId,
    ) -> Result<(), PolicyProblem> {
        // There are few: each search is short.
        if let Some((_, other)) = self.keys.iter().find(|(known, _)| known == key.as_bytes()) {
            let what = format!("the same key a second time, after {other}");
            let remedy = "name each key once: two names do not make two signers";
            return Err(PolicyProblem::new(place, what, remedy));
        }
        self.keys.push((*key.as_bytes(), place.to_owned()));
        let id = (name.as_str().to_owned(), id.to_bytes());
        if self.ids.contains(&id) {
            let what = "another key has the same name and id";
            let remedy = "no signature could tell the two apart: let one be made anew";
            return Err(PolicyProblem::new(place, what, remedy));
        }
        self.ids.push(id);
        Ok(())
    }
}

fn few(place: &str, there: usize) -> Result<(), PolicyProblem> {
    if there < MAX_OF_A_KIND {
        return Ok(());
    }
    Err(PolicyProblem::new(place, "more than 64 of a kind", "keep the policy small"))
}

fn unknown(place: &str, name: &str) -> PolicyProblem {
    PolicyProblem::new(
        place,
        format!("{name:?} is no witness and no group that was named before"),
        "name it above, or correct its name",
    )
}
