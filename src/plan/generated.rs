//! What is to be done about a value of which a part is made once, by `generate`: what is live of it stays where it can,
//! and what git says beside it is put where the live value was read.

use super::action::{PlannedValue, Token};
use super::change::ValueReason;
use super::report::FindingKind;
use super::value::ValuePlanner;
use super::value_facts::{Comparison, Held, live_name_of, why_made_anew};
use crate::desired::DesiredValue;
use crate::domain::VersionId;
use crate::value::{MadeOnce, Source, version_after};

impl ValuePlanner<'_> {
    /// The value to put in the place of a live one, when one is to be put.
    pub(super) fn made_once(
        &self,
        (value, made): (&DesiredValue, &MadeOnce),
        planned: PlannedValue,
        current: &VersionId,
        findings: &mut Vec<FindingKind>,
    ) -> Option<(PlannedValue, ValueReason)> {
        let held = Held::by(made, self.observed);
        // That a value was in git makes it no generated one, whatever was read.
        if held == Held::No
            && let Some(reason) = self.observed.and_then(|live| why_made_anew(&value.source, live))
        {
            return Some((self.under_its_own_id(planned, current), reason));
        }
        // A value that was read says more than any id or tag.
        match self.facts.compared.get(&self.desired.name) {
            Some(Comparison::Equal) => {
                // Only what git made before is written down.
                if !current.is_ours() {
                    findings.push(FindingKind::MaybeNotGenerated);
                } else if live_name_of(&made.id, self.observed) != current {
                    findings.push(FindingKind::ValueReEncrypted { noted: true });
                }
                None
            }
            Some(Comparison::Differs { .. }) => Some(self.beside_generated(planned, current)),
            Some(Comparison::NothingToKeep) => {
                let reason = ValueReason::NothingToKeep { current: current.clone() };
                Some((self.under_its_own_id(planned, current), reason))
            }
            Some(Comparison::Unreadable(reason)) => {
                findings.push(FindingKind::ValueUnreadable { reason: reason.clone() });
                None
            }
            None => {
                findings.extend(match held {
                    Held::Whole => made.compared.then_some(FindingKind::ValueUnknown),
                    // Whoever made another one owns what is generated; the fields beside it are git's.
                    Held::No if current.is_ours() => Some(FindingKind::GeneratedFieldsChanged),
                    Held::No if matches!(value.source, Source::Generate(_)) => Some(FindingKind::MaybeNotGenerated),
                    Held::No | Held::PlacesUnknown => Some(FindingKind::ValueUnknown),
                });
                None
            }
        }
    }

    /// A value whose fields in git differ from the live ones: it is put with the generated parts that are live.
    fn beside_generated(&self, planned: PlannedValue, current: &VersionId) -> (PlannedValue, ValueReason) {
        let mut planned = self.under_its_own_id(planned, current);
        planned.keeps_generated_of = Some(current.clone());
        let reason = if current.is_ours() {
            ValueReason::Differs { current: current.clone() }
        } else {
            self.not_from_git(current, true)
        };
        (planned, reason)
    }

    /// The same under an id that no version has. What the service has under git's id already may hold other generated
    /// parts, so it is left alone.
    fn under_its_own_id(&self, mut planned: PlannedValue, current: &VersionId) -> PlannedValue {
        if let Token::Id(id) = &planned.token
            && self.exists(id)
        {
            planned.token = Token::Id(version_after(id, current));
        }
        planned
    }
}
