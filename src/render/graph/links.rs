//! Links with secrets of other accounts: an arrow from a primary to its replica, whichever side declares it, and also
//! where the other side is known by its ARN alone.

use std::collections::BTreeSet;

use super::{Graph, GraphTarget, Node, Status};
use crate::desired::OtherSecret;

/// A link that a secret of a target declares.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccountLink {
    /// The secret, as an index into [`GraphTarget::nodes`].
    pub node: usize,
    /// Whether it is the replica.
    pub is_replica: bool,
    /// The secret on the other side.
    pub other: OtherSide,
}

/// A secret in another account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OtherSide {
    /// One of another target.
    Named {
        /// The target.
        target: String,
        /// The secret's name.
        name: String,
    },
    /// One that no target of the project needs to have.
    Arn {
        /// Its account.
        account: String,
        /// Its name, or the whole ARN where it has none.
        name: String,
    },
}

impl OtherSide {
    pub(super) fn of(other: &OtherSecret) -> Self {
        match other {
            OtherSecret::Named { target, name } => {
                Self::Named { target: target.clone(), name: name.as_str().to_owned() }
            }
            OtherSecret::Arn(arn) => {
                let parts = arn.parts();
                let name = parts.and_then(|parts| parts.secret_name()).unwrap_or(arn.as_str()).to_owned();
                Self::Arn { account: parts.map_or("", |parts| parts.account).to_owned(), name }
            }
        }
    }
}

/// What a target is called that is only an account.
const ACCOUNT: &str = "another account";

/// A node of a graph: its target and its place there.
pub(super) type At = (usize, usize);

impl Graph {
    /// The graph with what the other sides of links are that no target has drawn, and the links: from primaries to
    /// replicas, each once.
    pub(super) fn with_links(&self) -> (Self, Vec<[At; 2]>) {
        let mut whole = self.clone();
        let mut links = BTreeSet::new();
        for (at, target) in self.targets.iter().enumerate() {
            for AccountLink { node, is_replica, other } in &target.links {
                let (here, there) = ((at, *node), whole.place(other, &target.region));
                links.insert(if *is_replica { [there, here] } else { [here, there] });
            }
        }
        (whole, links.into_iter().collect())
    }

    /// Where the other side of a link is drawn, at the end of the drawing if nowhere yet.
    fn place(&mut self, other: &OtherSide, region: &str) -> At {
        let (found, name) = match other {
            OtherSide::Named { target, name } => {
                (self.targets.iter().position(|drawn| drawn.name == *target && drawn.name != ACCOUNT), name)
            }
            OtherSide::Arn { account, name } => {
                let there = |drawn: &&GraphTarget| drawn.account.as_ref() == Some(account) && drawn.region == region;
                let has = |drawn: &GraphTarget| drawn.nodes.iter().any(|node| node.name == *name);
                let mut drawn = self.targets.iter();
                let known = drawn.position(|drawn| there(&drawn) && has(drawn));
                (known.or_else(|| self.targets.iter().position(|drawn| there(&drawn))), name)
            }
        };
        let at = found.unwrap_or_else(|| {
            let (name, account) = match other {
                OtherSide::Named { target, .. } => (target.clone(), None),
                OtherSide::Arn { account, .. } => (ACCOUNT.to_owned(), Some(account.clone())),
            };
            self.targets.push(GraphTarget { name, account, region: region.to_owned(), ..GraphTarget::default() });
            self.targets.len() - 1
        });
        let Some(target) = self.targets.get_mut(at) else { return (at, 0) };
        let node = target.nodes.iter().position(|node| node.name == *name).unwrap_or_else(|| {
            target.nodes.push(Node { name: name.clone(), status: Status::Outside, replicas: Vec::new() });
            target.nodes.len() - 1
        });
        (at, node)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target(name: &str, account: &str, nodes: &[&str], links: Vec<AccountLink>) -> GraphTarget {
        let node = |name: &&str| Node { name: (*name).to_owned(), status: Status::Declared, replicas: Vec::new() };
        GraphTarget {
            name: name.to_owned(),
            account: Some(account.to_owned()),
            region: "eu-west-1".to_owned(),
            nodes: nodes.iter().map(node).collect(),
            links,
            ..GraphTarget::default()
        }
    }

    fn named(node: usize, is_replica: bool, target: &str, name: &str) -> AccountLink {
        AccountLink { node, is_replica, other: OtherSide::Named { target: target.to_owned(), name: name.to_owned() } }
    }

    fn by_arn(node: usize, is_replica: bool, account: &str, name: &str) -> AccountLink {
        AccountLink { node, is_replica, other: OtherSide::Arn { account: account.to_owned(), name: name.to_owned() } }
    }

    fn links(targets: Vec<GraphTarget>) -> (Vec<String>, Vec<[At; 2]>) {
        let (whole, links) = Graph { project: "p".to_owned(), targets }.with_links();
        let names = whole.targets.iter().map(|target| {
            let nodes: Vec<_> = target.nodes.iter().map(|node| node.name.as_str()).collect();
            format!("{}: {}", target.name, nodes.join(" "))
        });
        (names.collect(), links)
    }

    #[test]
    fn a_link_that_both_sides_declare_is_one_arrow_from_primary_to_replica() {
        let prod = target("prod", "1", &["a"], vec![named(0, false, "data", "b")]);
        let data = target("data", "2", &["x", "b"], vec![named(1, true, "prod", "a")]);
        let drawn = links(vec![prod.clone(), data.clone()]);
        assert_eq!(drawn, (vec!["prod: a".to_owned(), "data: x b".to_owned()], vec![[(0, 0), (1, 1)]]));
        let by_its_arn = target("data", "2", &["x", "b"], vec![by_arn(1, true, "1", "a")]);
        assert_eq!(links(vec![prod, by_its_arn]), drawn);
    }

    #[test]
    fn the_other_side_is_drawn_where_no_target_of_the_drawing_has_it() {
        let prod = target("prod", "1", &["a"], vec![by_arn(0, false, "3", "theirs"), by_arn(0, true, "3", "more")]);
        let drawn = links(vec![prod]);
        let targets = vec!["prod: a".to_owned(), "another account: theirs more".to_owned()];
        assert_eq!(drawn, (targets, vec![[(0, 0), (1, 0)], [(1, 1), (0, 0)]]));
        // A target that is not drawn, and one that does not declare it.
        let prod = target("prod", "1", &["a"], vec![named(0, false, "data", "b")]);
        let targets = vec!["prod: a".to_owned(), "data: b".to_owned()];
        assert_eq!(links(vec![prod.clone()]), (targets, vec![[(0, 0), (1, 0)]]));
        let targets = vec!["prod: a".to_owned(), "data: x b".to_owned()];
        assert_eq!(links(vec![prod, target("data", "2", &["x"], Vec::new())]), (targets, vec![[(0, 0), (1, 1)]]));
    }
}
