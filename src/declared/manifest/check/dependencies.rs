//! Dependencies between the secrets of one target: they exist, and form no circle.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet, VecDeque};

use petgraph::algo::kosaraju_scc;
use petgraph::graph::{DiGraph, NodeIndex};

use super::super::codes;
use super::super::diagnostic::{Problem, Report, nearest};
use super::super::interpolate::Reference;
use super::super::source::{Sources, Span};
use super::cross_account::Link;
use crate::desired::{DesiredSecret, State};
use crate::domain::{Region, SecretName};

/// A secret of the target under way, with what it refers to and where.
pub(crate) struct Built {
    pub(crate) secret: DesiredSecret,
    pub(crate) name_span: Span,
    /// The item of a list that it was made of.
    pub(crate) item: Option<Span>,
    pub(crate) references: Vec<Reference>,
    /// The links with secrets of other accounts.
    pub(crate) links: Vec<Link>,
    /// The regions of its replicas, and where each is written.
    pub(crate) replica_spans: Vec<(Region, Span)>,
    /// Where `renamedFrom` is written.
    pub(crate) renamed_span: Option<Span>,
    /// The keys of its value as JSON pointers, where they are known without a key, and where it is written.
    pub(crate) value_keys: Option<(BTreeSet<String>, Span)>,
}

/// Unknown names beyond this many get no proposal: each is compared with every name.
const MAX_PROPOSALS: usize = 50;

/// Checks all references of a target. `unbuilt` are secrets that are declared, and wrong in another way; without it
/// nobody knows what is declared, and no reference is called unknown.
pub(crate) fn check_dependencies(
    secrets: &BTreeMap<SecretName, Built>,
    unbuilt: Option<&BTreeSet<SecretName>>,
    sources: &Sources,
    report: &mut Report,
) {
    let mut proposals = 0;
    for built in secrets.values() {
        for reference in &built.references {
            match secrets.get(&reference.name) {
                Some(found) if found.secret.state == State::Absent && built.secret.state == State::Present => report
                    .push(
                        Problem::new(
                            &codes::UNKNOWN_SECRET,
                            reference.span,
                            format!("secret `{}` is declared absent", reference.name),
                        )
                        .label("needed here")
                        .related(found.name_span, "`metadata.state: absent` deletes it")
                        .masked(reference.masked),
                    ),
                None if unbuilt.is_some_and(|unbuilt| !unbuilt.contains(&reference.name)) => {
                    proposals += 1;
                    let masked = reference.masked || !sources.shows(reference.span);
                    report.push(unknown(reference, masked, secrets, proposals <= MAX_PROPOSALS));
                }
                Some(_) | None => {}
            }
        }
    }
    check_circles(secrets, report);
}

fn unknown(reference: &Reference, masked: bool, secrets: &BTreeMap<SecretName, Built>, propose: bool) -> Problem {
    let name = reference.name.as_str();
    let near = if propose { nearest(name, secrets.keys().map(SecretName::as_str)) } else { None };
    let message = if masked {
        "a value refers to a secret that no manifest declares".to_owned()
    } else {
        format!("no manifest declares secret `{name}`")
    };
    Problem::new(&codes::UNKNOWN_SECRET, reference.span, message)
        .label(near.filter(|_| !masked).map_or_else(
            || "unknown secret".to_owned(),
            |near| {
                format!(
                    "did \
            you mean `{near}`?"
                )
            },
        ))
        .help(
            "a secret that another project owns is written as an ARN; one of this project needs a manifest for \
            the same target",
        )
        .masked(masked)
}

fn check_circles(secrets: &BTreeMap<SecretName, Built>, report: &mut Report) {
    let mut graph: DiGraph<&SecretName, &Reference> = DiGraph::new();
    let index: HashMap<&SecretName, NodeIndex> = secrets.keys().map(|name| (name, graph.add_node(name))).collect();
    for (name, built) in secrets {
        for reference in &built.references {
            if let (Some(&from), Some(&to)) = (index.get(name), index.get(&reference.name)) {
                graph.add_edge(from, to, reference);
            }
        }
    }
    // Kosaraju's algorithm as petgraph has it keeps its own stack; a chain of 100,000 secrets would overflow Tarjan's.
    for component in kosaraju_scc(&graph) {
        let Some(start) = component.iter().copied().min_by_key(|&node| graph.node_weight(node).copied()) else {
            continue;
        };
        let members: HashSet<NodeIndex> = component.iter().copied().collect();
        let circle = shortest_circle(&graph, start, &members);
        if !circle.is_empty() {
            report.push(circle_problem(&graph, start, &circle));
        }
    }
}

type Graph<'a> = DiGraph<&'a SecretName, &'a Reference>;

/// The references of a shortest way from `start` back to itself; empty when there is none.
fn shortest_circle<'a>(
    graph: &Graph<'a>,
    start: NodeIndex,
    members: &HashSet<NodeIndex>,
) -> Vec<(NodeIndex, &'a Reference)> {
    use petgraph::visit::EdgeRef as _;
    let mut came_from: HashMap<NodeIndex, (NodeIndex, &'a Reference)> = HashMap::new();
    let mut queue = VecDeque::from([start]);
    while let Some(node) = queue.pop_front() {
        for edge in graph.edges(node).filter(|edge| members.contains(&edge.target())) {
            let next = edge.target();
            if next == start {
                let mut circle = vec![(node, *edge.weight())];
                let mut at = node;
                while at != start {
                    let Some(&(before, reference)) = came_from.get(&at) else { break };
                    circle.push((before, reference));
                    at = before;
                }
                circle.reverse();
                return circle;
            }
            came_from.entry(next).or_insert_with(|| {
                queue.push_back(next);
                (node, *edge.weight())
            });
        }
    }
    Vec::new()
}

/// Most places of one circle that are shown.
const MAX_SHOWN: usize = 10;

fn circle_problem(graph: &Graph<'_>, start: NodeIndex, circle: &[(NodeIndex, &Reference)]) -> Problem {
    let name = |node: NodeIndex| graph.node_weight(node).map_or("", |name| name.as_str());
    let mut names: Vec<&str> = circle.iter().take(MAX_SHOWN).map(|(node, _)| name(*node)).collect();
    if circle.len() > MAX_SHOWN {
        names.push("…");
    }
    names.push(name(start));
    let span = circle.first().map(|(_, reference)| reference.span).unwrap_or_default();
    let mut problem = Problem::new(
        &codes::DEPENDENCY_CYCLE,
        span,
        format!("secrets depend on each other in a circle: {}", names.join(" → ")),
    )
    .masked(circle.iter().any(|(_, reference)| reference.masked));
    for (at, (node, reference)) in circle.iter().take(MAX_SHOWN).enumerate() {
        let label = format!("`{}` needs `{}`", name(*node), reference.name);
        problem = if at == 0 { problem.label(label) } else { problem.related(reference.span, label) };
    }
    problem.help(if circle.len() == 1 {
        "a secret cannot wait for itself; in its resource policy, Resource: \"*\" means the secret itself"
    } else {
        "remove one of these dependencies"
    })
}
