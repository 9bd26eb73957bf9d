//! What the targets declare that a run leaves out, as far as it is in the way of what the run declares. What is wrong
//! with their manifests is not told: who names a target asks about that one.

use super::check::project::Project;
use super::check::replica_place::ReplicaPlaces;
use super::check::target::TargetModel;
use super::load::Loader;
use super::named::Files;

impl Loader {
    /// The targets beside those of the run that may have a secret, or a replica, where the run has the other; none
    /// where no manifest has replicas.
    pub(super) fn beside<'p>(&self, project: &'p Project, places: &ReplicaPlaces<'_>) -> Vec<&'p TargetModel> {
        let targets = project.targets.iter().filter(|model| places.may_concern(&model.target));
        targets.filter(|_| self.sources.any_says("replicas")).collect()
    }

    /// Adds what they declare. Nothing else of the run is told of them.
    pub(super) fn add_beside<'p>(
        &mut self,
        beside: &[&'p TargetModel],
        project: &Project,
        files: &mut Files,
        places: &mut ReplicaPlaces<'p>,
    ) {
        if beside.is_empty() {
            return;
        }
        let report = std::mem::take(&mut self.report);
        let (expand, made_by_lists, items_looked_at) = (self.expand.take(), self.made_by_lists, self.items_looked_at);
        let items: Vec<usize> = self.secrets.iter().map(|entry| entry.items).collect();
        for (at, model) in beside.iter().enumerate() {
            (self.made_by_lists, self.items_looked_at) = (0, 0);
            let found = self.target_secrets(project, model, files, at + 1 == beside.len());
            places.add(&model.target, &found.secrets);
        }
        (self.report, self.expand) = (report, expand);
        (self.made_by_lists, self.items_looked_at) = (made_by_lists, items_looked_at);
        self.secrets.iter_mut().zip(items).for_each(|(entry, items)| entry.items = items);
    }
}
