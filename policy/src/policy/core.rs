//! The policy as core takes it.

use counterfoil_core::TrustedState;
use counterfoil_core::checkpoint::{Group, LogKey, LogPolicy, Member, Quorum, WitnessKey};
#[cfg(feature = "p256")]
use counterfoil_core::receipt::ServerKey;
use counterfoil_core::receipt::{Author, Policy};

use super::TrustPolicy;
use super::witnessing::{self, Witnessing};

/// What was checked when the policy was read.
const CHECKED: &str = "a policy is checked when it is read";

impl TrustPolicy {
    /// Gives the policy to `use_it` in the form in which core verifies
    /// ([`Receipt::verify`](counterfoil_core::receipt::Receipt::verify)).
    pub fn with_core<R>(&self, use_it: impl FnOnce(&Policy<'_>) -> R) -> R {
        self.with_core_pinning(&[], use_it)
    }

    /// The same with more pins, which do not contradict it.
    pub(super) fn with_core_pinning<R>(
        &self,
        more: &[TrustedState],
        use_it: impl FnOnce(&Policy<'_>) -> R,
    ) -> R {
        let pins: Vec<_> = self.pins().chain(more.iter().copied()).collect();
        #[cfg(feature = "p256")]
        let keys: Vec<_> = self.state_keys.iter().map(|key| key.to_server_key()).collect();
        let domains: Vec<Vec<&str>> = self
            .authors
            .iter()
            .map(|author| author.domains.iter().flatten().map(String::as_str).collect())
            .collect();
        let authors: Vec<_> = self
            .authors
            .iter()
            .zip(&domains)
            .map(|(author, domains)| Author::new(author.key).with_domains(domains))
            .collect();
        let policy = Policy::new(self.ledger).with_authors(&authors).expect(CHECKED);
        #[cfg(feature = "p256")]
        let policy = policy.with_state_keys(&keys);
        let policy = policy.with_pins(&pins).expect(CHECKED);
        let policy = self.table.map_or(policy, |table| policy.with_table(table));
        let policy = if self.require_author { policy.demanding_authorship() } else { policy };
        self.witnessing.with_core(|log| match log {
            Some(log) => use_it(&policy.with_log_policy(*log).expect(CHECKED)),
            None => use_it(&policy),
        })
    }
}

impl Witnessing {
    /// Gives logs and witnesses to `use_it` in the form in which core opens checkpoints. `None` where
    /// no log is named.
    pub(super) fn with_core<R>(&self, use_it: impl FnOnce(Option<&LogPolicy<'_>>) -> R) -> R {
        if self.logs.is_empty() {
            return use_it(None);
        }
        let logs: Vec<_> = self.logs.iter().map(|log| LogKey::parse(&log.vkey)).collect();
        let logs = logs.into_iter().collect::<Result<Vec<_>, _>>().expect(CHECKED);
        let witnesses = self.witnesses.iter().map(|witness| WitnessKey::parse(&witness.vkey));
        let witnesses = witnesses.collect::<Result<Vec<_>, _>>().expect(CHECKED);
        let members: Vec<Vec<Member>> = self
            .groups
            .iter()
            .map(|group| group.members.iter().map(|member| member.to_core()).collect())
            .collect();
        let groups: Vec<_> = self
            .groups
            .iter()
            .zip(&members)
            .map(|(group, members)| Group { threshold: group.needs, members })
            .collect();
        let policy = LogPolicy::new(&logs).expect(CHECKED);
        let Some(root) = self.quorum else { return use_it(Some(&policy)) };
        let quorum = Quorum::new(&witnesses, &groups, root.to_core()).expect(CHECKED);
        use_it(Some(&policy.with_quorum(&quorum).expect(CHECKED)))
    }
}

impl witnessing::Member {
    const fn to_core(self) -> Member {
        match self {
            Self::Witness(place) => Member::Witness(place),
            Self::Group(place) => Member::Group(place),
        }
    }
}

#[cfg(feature = "p256")]
impl super::state_key::DatabaseKey {
    fn to_server_key(&self) -> ServerKey<'_> {
        ServerKey { key: self.key, database: self.database.as_bytes() }
    }
}
