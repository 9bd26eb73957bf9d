//! The secrets of a project and what they need of each other, as a drawing.
//!
//! - `model`: what is drawn, made of desired state and its plan;
//! - `mermaid` and `dot`: text for programs that draw by themselves;
//! - `links`: with secrets of other accounts, over the targets;
//! - `layout` and `svg`: a drawing that is finished, for a browser or a README.
//!
//! An arrow leads from a secret to the ones that need it: the direction in which an apply proceeds. What may not enter:
//! I/O.

mod dot;
mod layout;
mod links;
mod mermaid;
mod model;
mod palette;
mod svg;

pub use dot::dot;
pub use links::{AccountLink, OtherSide};
pub use mermaid::{MERMAID_MAX_CHARACTERS, MERMAID_MAX_EDGES, mermaid};
pub use model::{Edge, Extent, Graph, GraphTarget, Node, Status};
pub use svg::svg;

#[cfg(test)]
pub(super) use samples::HOSTILE;

/// What an arrow means, for legends.
const ARROW: &str = "a → b: b needs a";

/// What a dashed arrow means, for legends.
const COPIES: &str = "a ⇢ b: the value of a is copied to b, in another account";

/// Small graphs for the tests of all formats.
#[cfg(test)]
mod samples {
    use super::{AccountLink, Edge, Graph, GraphTarget, Node, OtherSide, Status};
    use crate::plan::Verb;

    /// Two targets: one with every status and a few edges, and one with nothing to draw.
    pub(super) fn graph() -> Graph {
        let node = |name: &str, status, replicas: &[&str]| Node {
            name: format!("prod/payments/{name}"),
            status,
            replicas: replicas.iter().map(|&region| region.to_owned()).collect(),
        };
        let nodes = vec![
            node("broken", Status::Blocked, &[]),
            node("db", Status::Planned(Verb::Change), &["eu-central-1", "us-west-2"]),
            node("db-master", Status::Unchanged, &[]),
            node("gone", Status::Absent, &[]),
            node("new", Status::Planned(Verb::Create), &[]),
            node("old", Status::Planned(Verb::Delete), &[]),
            node("stripe", Status::Planned(Verb::Adopt), &[]),
            node("teammate", Status::Declared, &[]),
            node("thawed", Status::Planned(Verb::Restore), &[]),
            node("yours", Status::Planned(Verb::Release), &[]),
            node("busy", Status::HeldBack, &[]),
            node("empty", Status::AwaitsValue, &[]),
        ];
        let edges = [(2, 1), (1, 4), (7, 4), (2, 0)].map(|(needed, waiting)| Edge { needed, waiting });
        let link = |node, is_replica, other| AccountLink { node, is_replica, other };
        let named = OtherSide::Named { target: "test".to_owned(), name: "test/payments/db".to_owned() };
        let by_arn = OtherSide::Arn { account: "333333333333".to_owned(), name: "theirs".to_owned() };
        let drawn = GraphTarget {
            name: "prod".to_owned(),
            account: Some("111111111111".to_owned()),
            region: "eu-west-1".to_owned(),
            note: None,
            nodes,
            edges: edges.to_vec(),
            links: vec![link(1, false, named), link(5, true, by_arn)],
        };
        let empty = GraphTarget {
            name: "staging".to_owned(),
            account: None,
            region: "eu-west-1".to_owned(),
            note: Some("no secret needs another, and nothing would change"),
            nodes: Vec::new(),
            links: Vec::new(),
            edges: Vec::new(),
        };
        Graph { project: "payments".to_owned(), targets: vec![drawn, empty] }
    }

    /// What people and services could put into any text that is drawn.
    pub(in crate::render) const HOSTILE: [&str; 12] = [
        "\"] click n0 \"javascript:alert(1)\" [\"",
        "\"]\nclick n0 call alert(1)\n%%{init: {\"securityLevel\": \"loose\"}}%%",
        "%%{init: {'theme': 'x'}}%% --- `**bold**`",
        "<img src=x onerror=alert(1)>",
        "</text></svg><script>alert(1)</script>",
        "a\"b\\\"c\\",
        "\\N\\G\\l&lt;&#60;#60;#quot;",
        "]]>&<![CDATA[",
        "```\n# heading\n```",
        "\u{0}\u{1b}[31m\u{9b}\u{202e}\u{feff}\u{fffe}\u{ffff}",
        "end\nsubgraph x\nstyle n0 fill:#f00;",
        "{{}} (( )) >] [/ /] | ; : ' $ ~",
    ];

    /// A graph all of whose texts are `text`.
    pub(super) fn hostile(text: &str) -> Graph {
        let node = || Node {
            name: text.to_owned(),
            status: Status::Planned(Verb::Create),
            replicas: vec![text.to_owned(), text.to_owned()],
        };
        Graph {
            project: text.to_owned(),
            targets: vec![GraphTarget {
                name: text.to_owned(),
                links: vec![
                    AccountLink {
                        node: 0,
                        is_replica: false,
                        other: OtherSide::Named { target: text.to_owned(), name: text.to_owned() },
                    },
                    AccountLink {
                        node: 1,
                        is_replica: true,
                        other: OtherSide::Arn { account: format!("{text}."), name: text.to_owned() },
                    },
                ],
                account: Some(text.to_owned()),
                region: text.to_owned(),
                note: None,
                nodes: vec![node(), node()],
                edges: vec![Edge { needed: 0, waiting: 1 }],
            }],
        }
    }
}
