//! One look at every target: what was planned, read as a report.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use jiff::Timestamp;

use super::begun::Begun;
use super::cache::Cache;
use super::error::{Error, ErrorKind};
use super::event::{Event, Listener};
use super::memories::Memories;
use super::noise::Noise;
use super::prepare::{PlanRequest, Prepared, PreparedTarget};
use super::session::Run;
use super::stop::Stop;
use super::who::ask_of_drifts;
use crate::aws::Aws;
use crate::domain::SecretName;
use crate::drift::{Class, Drift, DriftReport, Found, Ignore, TargetDrift, classify};
use crate::manifest::nearest;
use crate::plan::{GuardOverrides, Selection};
use crate::reconcile::{Reading, Undeclared};

/// What a look for drift looks at.
#[derive(Clone, Debug, Default)]
pub struct Look {
    /// Known noise.
    pub ignore: Vec<Ignore>,
    /// Read the policies of all secrets in scope, declared or not.
    pub audit: bool,
    /// Read live values and compare them with the declared ones.
    pub read_values: bool,
    /// Remember policies in this file.
    pub cache: Option<PathBuf>,
    /// Ask CloudTrail who did it, with so many calls for each target at most.
    pub who: Option<u32>,
}

/// What a look found.
pub struct Looked<'s> {
    /// The plans that it was made of.
    pub prepared: Prepared<'s>,
    /// The report.
    pub report: DriftReport,
}

impl<'s> Run<'s> {
    /// Looks at every target once; beside `memories`, at what changed, where they are good.
    pub async fn look(
        &self,
        look: &Look,
        selection: &Selection,
        memories: Option<&Memories>,
        stop: &Stop,
        listener: Listener<'_>,
    ) -> Result<Looked<'s>, Error> {
        let aws: &Aws = &self.session.aws;
        let noise = Noise::of(&look.ignore, self.session.outline.as_ref())?;
        let begun = Begun::now(aws);
        let cache = look.cache.as_deref().map(|file| {
            let (cache, warning) = Cache::open(file);
            if let Some(warning) = warning {
                listener(Event::Warning(&warning));
            }
            cache
        });
        let reading = Reading {
            read_values: look.read_values,
            undeclared: if look.audit { Undeclared::All } else { Undeclared::Nothing },
            validate_policies: false,
            overrides: None,
            cache: cache.as_ref().map(Cache::policies),
        };
        let overrides = &GuardOverrides::default();
        let prepared = self.plan(&PlanRequest { selection, overrides, reading, memories, stop, listener }).await?;
        if let Some(Err(warning)) = cache.map(|cache| cache.save(aws.now())) {
            listener(Event::Warning(&warning));
        }
        match ignores_nothing(&prepared, &look.ignore, selection, aws.now()) {
            Some(warning) if memories.is_some() => listener(Event::Warning(&warning)),
            Some(error) => return Err(error),
            None => {}
        }
        let mut report = DriftReport {
            project: prepared.project.to_owned(),
            started: begun.started,
            targets: prepared.targets.iter().map(|target| report(target, &noise, selection)).collect(),
            calls: BTreeMap::new(),
            seconds: 0.0,
        };
        if let Some(budget) = look.who {
            ask_of_drifts(&prepared, &mut report, budget, &|_, _| true, stop, listener).await?;
        }
        (report.calls, report.seconds) = (begun.calls_since(aws), begun.seconds());
        Ok(Looked { prepared, report })
    }
}

/// Names of `--ignore` that no secret has: probably a slip. Patterns may fit nothing, since noise comes and goes; and
/// where not all of the project is looked at, nobody knows.
fn ignores_nothing(
    prepared: &Prepared<'_>,
    ignored: &[Ignore],
    selection: &Selection,
    now: Timestamp,
) -> Option<Error> {
    let whole = prepared.targets.first().is_some_and(|first| first.desired.targets.len() == prepared.targets.len());
    let known = prepared.known_names().filter(|_| whole && selection.is_all())?;
    let is_known = |name: &str| known.contains(&SecretName::new(name));
    let named = ignored.iter().filter(|ignore| !ignore.is_over(now));
    let unknown: Vec<(&Ignore, &str)> =
        named.filter_map(|ignore| Some((ignore, ignore.plain_name()?))).filter(|(_, name)| !is_known(name)).collect();
    let (_, first) = unknown.first()?;
    let near = nearest(first, known.iter().map(|known| known.as_str()));
    let written = unknown.iter().map(|(ignore, _)| ignore.written().to_owned()).collect();
    Some(Error::from(ErrorKind::IgnoresNothing { written }).did_you_mean(near))
}

/// What differs in one target, known noise apart.
fn report(target: &PreparedTarget<'_>, noise: &Noise<'_, Class>, selection: &Selection) -> TargetDrift {
    let desired = target.desired;
    let endpoint = target.endpoint().map(str::to_owned);
    let place = desired.target.clone();
    let (account, outcome) = match &target.planned {
        Err(error) => (place.account, Err(Arc::clone(error))),
        Ok(planned) => {
            let (target, now) = (&planned.target, planned.connection.now());
            let all = classify(desired, &target.live, &target.plan, &target.report, selection, now);
            let excused = |drift: &Drift| noise.excuses(&desired.target.name, drift.class, &drift.secret, now);
            let (ignored, drifts): (Vec<_>, Vec<_>) = all.into_iter().partition(excused);
            let checked = target.report.counts.desired.saturating_sub(target.report.declared_unreadable());
            let unread = target.report.counts.unread;
            let found = Found { checked, unread, drifts, ignored: ignored.len() };
            (target.live.account.clone().or(place.account), Ok(found))
        }
    };
    let account = account.map(|account| account.to_string());
    let region = place.region.to_string();
    TargetDrift { name: place.name, account, region, endpoint, outcome }
}
