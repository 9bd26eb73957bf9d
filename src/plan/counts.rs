//! How many secrets of a target are how.

/// Counts over one target.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Secrets that the manifests want (after selection).
    pub desired: usize,
    /// Of these, the ones with nothing to do, for an apply or for people.
    pub unchanged: usize,
    /// Of these, the ones that an error keeps from being planned.
    pub blocked: usize,
    /// Of these, the ones of which something differs, or may differ, that this plan leaves alone for now.
    pub held_back: usize,
    /// Secrets that could not be read, or whose value could not: they are left alone.
    pub unreadable: usize,
    /// Of the desired ones, those whose value only `--read-values` could compare.
    pub unread: usize,
    /// Live secrets that carry this target's owner tag.
    pub owned_live: usize,
    /// What AWS bills of these: themselves and their replicas.
    pub billed: usize,
    /// Of the live ones that carry the tag, those that the manifests name and want to be present.
    pub owned_kept: usize,
    /// Those that are owned here by all shards of this run.
    pub owned_by_all_shards: usize,
    /// Whether the run, over all its shards, is of all that is in scope: not where names or patterns are given.
    pub whole_scope: bool,
    /// Secrets that other shards of this run would remove.
    pub removals_in_other_shards: usize,
    /// Secrets that other shards of this run have still to create or restore.
    pub missing_in_other_shards: usize,
}
