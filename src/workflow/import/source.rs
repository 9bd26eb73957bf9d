//! What there is to import: in what is live, or in a Terraform state; and whether the new manifests are true.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::ImportedTarget;
use crate::aws::Aws;
use crate::desired::{Deletion, Desired};
use crate::domain::{AccountId, SecretName};
use crate::files::{FileFault, open_operator_file};
use crate::import::tfstate::{MAX_STATE, State, StateError, StateSecret, parse, plain_text};
use crate::import::{Choice, Importable, LeftOut, Proof, Reason, choose, prove};
use crate::live::{self, Live, Ownership, ReadProgress, Wanted};
use crate::plan::{FindingKind, Rules, Selection, ValueFacts, plan};
use crate::reconcile::{PlanError, TargetError};
use crate::value::SecretBuffer;
use crate::workflow::error::{Error, ErrorKind, FileProblem, Hint, SecretProblem};
use crate::workflow::event::{Event, Listener};
use crate::workflow::problem::Problem;

/// What is looked for.
pub(super) struct ImportSource<'a> {
    /// The target.
    pub(super) desired: &'a Desired,
    /// Which secrets.
    pub(super) selection: Selection,
    /// Secrets of this project whose manifests are gone, too.
    pub(super) orphans: bool,
}

/// What there is to import.
pub(super) struct Importing {
    /// What is live.
    pub(super) live: Live,
    /// How Terraform would have deleted them.
    pub(super) deletions: BTreeMap<SecretName, Deletion>,
    /// What is imported, and what is left out.
    pub(super) choice: Choice,
}

impl Importing {
    /// What is imported, each secret with how it would have been deleted.
    pub(super) fn importable(&self) -> Vec<Importable> {
        let live = self.choice.imported.iter().filter_map(|name| self.live.secrets.get(name));
        live.map(|secret| Importable { secret: secret.clone(), deletion: self.deletions.get(&secret.name).copied() })
            .collect()
    }

    /// What was imported from the target.
    pub(super) fn into_target(self, name: &str, proof: Proof) -> ImportedTarget {
        let mut left_out: BTreeMap<Reason, usize> = BTreeMap::new();
        for left in self.choice.left_out {
            *left_out.entry(left.reason).or_default() += 1;
        }
        ImportedTarget { name: name.to_owned(), secrets: self.choice.imported.len(), left_out, proof }
    }

    /// Declared secrets that do not exist, each with an orphan that it may be renamed from.
    pub(super) fn renames(&self, desired: &Desired) -> Vec<(SecretName, SecretName)> {
        let (_, report) = plan(desired, &self.live, &ValueFacts::default(), &Rules::default());
        let looks = report.findings.into_iter().filter_map(|finding| match finding.kind {
            FindingKind::LooksRenamed { from } => Some((finding.secret, from)),
            _ => None,
        });
        looks.collect()
    }

    /// Refuses the name of a new project that owns secrets in its scope already: they would be its orphans.
    pub(super) fn check_new_name(&self, project: &str) -> Result<(), Error> {
        for secret in self.live.secrets.values() {
            // Seen from a target that cannot be, so that what any target owns is another's.
            let Ownership::Foreign { owner } = secret.ownership("") else { continue };
            if owner.split_once('/').is_some_and(|(of, _)| of == project) {
                let problem = SecretProblem::OwnedByThisName { owner: owner.to_owned() };
                return Err(Error::secret(&secret.name, problem).hint(Hint::NameProjectOtherwise));
            }
        }
        Ok(())
    }
}

impl ImportSource<'_> {
    /// Lists what is live, and reads what is to be imported in full.
    pub(super) async fn among_live(&self, aws: &Aws, listener: Listener<'_>) -> Result<Importing, Arc<TargetError>> {
        let Self { desired, selection, orphans } = self;
        let live = self.read(aws, &|step| listener(Event::Reading(step))).await.map_err(Arc::new)?;
        // The list may have lagged: who owns a secret is known from its description.
        let choice = choose(desired, &live, selection, *orphans);
        Ok(Importing { live, deletions: BTreeMap::new(), choice })
    }

    async fn read(&self, aws: &Aws, listener: &(dyn Fn(ReadProgress) + Sync)) -> Result<Live, TargetError> {
        let Self { desired, selection, orphans } = self;
        let connection = aws.connect(&desired.target).await?;
        let plain = selection.plain_names();
        let in_scope = |name: &SecretName| desired.scope.contains(name.as_str());
        let wanted = Wanted {
            scope: &desired.scope,
            names: plain.iter().flatten().filter(|name| in_scope(name)).cloned().collect(),
            policies: BTreeSet::new(),
            replicated: BTreeSet::new(),
            linked: BTreeSet::new(),
            owned_by: None,
            names_only: plain.is_some(),
            cache: None,
        };
        let region = &desired.target.region;
        let mut live = live::read(connection.reader(), region, &wanted, listener).await.map_err(PlanError::from)?;
        live.account.clone_from(&connection.account);
        let listed = choose(desired, &live, selection, *orphans);
        live::read_in_full(connection.reader(), &mut live, &listed.imported, listener)
            .await
            .map_err(PlanError::from)?;
        Ok(live)
    }

    /// Takes what states say for what is live. What is in the place of another target is imported there.
    pub(super) fn among_states(&self, states: &[(PathBuf, State)], targets: &[Desired]) -> Result<Importing, Error> {
        let Self { desired, selection, orphans } = self;
        let secrets = || states.iter().flat_map(|(_, state)| &state.secrets);
        let account = self.account_in(states)?;
        let mut live = Live { account, region: desired.target.region.clone(), ..Live::default() };
        let mut deletions = BTreeMap::new();
        let mut left_out = Vec::new();
        let is_first = targets.first().is_some_and(|first| first.target.name == desired.target.name);
        let is_in = |other: &Desired, found: &StateSecret| {
            let account = other.target.account.as_ref();
            found.region == other.target.region && account.is_none_or(|account| *account == found.account)
        };
        for found in secrets().filter(|found| selection.contains(&found.secret.name)) {
            let name = found.secret.name.clone();
            if found.region != live.region || Some(&found.account) != live.account.as_ref() {
                let in_another = targets.iter().any(|other| is_in(other, found));
                let place = format!("{} {}", found.account, found.region);
                let left = LeftOut { name, reason: Reason::OtherPlace { place } };
                left_out.extend((is_first && !in_another).then_some(left));
                continue;
            }
            if live.secrets.contains_key(&name) {
                left_out.push(LeftOut { name, reason: Reason::Twice });
                continue;
            }
            if let Some(deletion) = found.deletion {
                deletions.insert(name.clone(), deletion);
            }
            live.secrets.insert(name, found.secret.clone());
        }
        let unread = states.iter().flat_map(|(_, state)| &state.unread).filter(|_| is_first);
        left_out.extend(unread.map(|unread| LeftOut {
            name: SecretName::new(unread.address.as_str()),
            reason: Reason::Unread(unread.why),
        }));
        let mut choice = choose(desired, &live, selection, *orphans);
        // Two targets of one account and region tell their secrets apart by their scopes; what is in neither scope is
        // told by the first of them.
        let is_here = |other: &&Desired| {
            let account = other.target.account.as_ref();
            other.target.region == live.region && account.is_none_or(|account| Some(account) == live.account.as_ref())
        };
        let here: Vec<&Desired> = targets.iter().filter(is_here).collect();
        let is_first_here = here.first().is_none_or(|first| first.target.name == desired.target.name);
        choice.left_out.retain(|left| {
            let in_scope_here = || here.iter().any(|other| other.scope.contains(left.name.as_str()));
            left.reason != Reason::OutOfScope || (is_first_here && !in_scope_here())
        });
        choice.left_out.extend(left_out);
        Ok(Importing { live, deletions, choice })
    }

    /// The target's account: as the project names it, or the only one that the states have in its region.
    fn account_in(&self, states: &[(PathBuf, State)]) -> Result<Option<AccountId>, Error> {
        let target = &self.desired.target;
        let secrets = states.iter().flat_map(|(_, state)| &state.secrets);
        let accounts: BTreeSet<&AccountId> =
            secrets.filter(|found| found.region == target.region).map(|found| &found.account).collect();
        match (&target.account, accounts.iter().next()) {
            (Some(account), _) => Ok(Some(account.clone())),
            (None, first) if accounts.len() < 2 => Ok(first.map(|account| (*account).clone())),
            (None, _) => {
                let hint = Hint::NameAccount { target: target.name.clone() };
                Err(Error::from(ErrorKind::Local(Problem::StateOfSeveralAccounts)).hint(hint))
            }
        }
    }
}

/// Reads the secrets of a Terraform state. Its text holds values: it is wiped as soon as it is parsed.
pub(super) fn read_state(path: &Path) -> Result<State, Error> {
    let wrong = |problem: FileProblem| Error::file(path, problem);
    let unreadable =
        |fault: FileFault| wrong(FileProblem::StateUnreadable).because(format!("it {fault}")).hint(Hint::StatePull);
    let mut file = open_operator_file(path, MAX_STATE as u64).map_err(unreadable)?;
    let buffer = SecretBuffer::read_to_limit(&mut file, MAX_STATE).map_err(|error| unreadable(file.fault(&error)))?;
    let text = plain_text(buffer.as_slice());
    text.and_then(|text| parse(text.as_slice())).map_err(|error| {
        let hint = match error {
            StateError::Encrypted => Hint::TofuStatePull,
            StateError::Old { .. } => Hint::StatePullNewer,
            _ => Hint::StatePull,
        };
        wrong(FileProblem::StateWrong).because(error).hint(hint)
    })
}

/// What an apply of the new manifests would do: it proves them, when it is nothing but adopting.
pub(super) fn judge(desired: &Desired, found: &Importing) -> Proof {
    let names: BTreeSet<SecretName> = found.choice.imported.iter().cloned().collect();
    let rules = Rules { selection: Selection::exactly(&names), as_of: None };
    let (planned, report) = plan(desired, &found.live, &ValueFacts::default(), &rules);
    prove(&names, desired, &found.live.counterparts, (&planned, &report))
}
