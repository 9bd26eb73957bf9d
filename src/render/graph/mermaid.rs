//! The drawing as mermaid text: GitHub, GitLab and many editors draw it where it stands in Markdown.

use super::super::escape::{self, Escaped, Mermaid};
use super::super::escaped;
use super::{Graph, GraphTarget, Node, palette};

/// The most edges that mermaid draws unless the page that runs it says more (`maxEdges`); a diagram cannot raise it.
pub const MERMAID_MAX_EDGES: usize = 500;

/// The most characters that mermaid reads unless the page that runs it says more (`maxTextSize`).
pub const MERMAID_MAX_CHARACTERS: usize = 50_000;

/// The graph as a mermaid flowchart.
pub fn mermaid(graph: &Graph) -> Escaped<Mermaid> {
    let (graph, links) = &graph.with_links();
    let mut out: Escaped<Mermaid> = "flowchart LR\n".into();
    for (at, target) in graph.targets.iter().enumerate() {
        out.push(&subgraph(at, target));
    }
    for [(primary, from), (replica, to)] in links {
        out.push(&escaped!("  t{}n{} -. copied .-> t{}n{}\n", *primary, *from, *replica, *to));
    }
    for status in palette::ALL {
        if graph.targets.iter().flat_map(|target| &target.nodes).any(|node| node.status == status) {
            let palette::Colours { fill, stroke, text } = palette::light(status);
            // No semicolon at the end: mermaid would take one after a `#` for the end of a character code.
            out.push(&escaped!(
                "  classDef {} fill:{},stroke:{},color:{}{}\n",
                palette::class(status),
                fill,
                stroke,
                text,
                if palette::dashed(status) { ",stroke-dasharray:5 3" } else { "" }
            ));
        }
    }
    out
}

fn subgraph(at: usize, target: &GraphTarget) -> Escaped<Mermaid> {
    let mut heading = escape::mermaid(&target.heading());
    if let (Some(note), false) = (target.note, target.nodes.is_empty()) {
        heading.push(&escaped!("<br/>{}", escape::mermaid(note)));
    }
    let mut out = escaped!("  subgraph t{}[\"{}\"]\n    direction LR\n", at, heading);
    if target.nodes.is_empty() {
        let note = escape::mermaid(target.note.unwrap_or("nothing to draw"));
        out.push(&escaped!("    t{}nothing[\"{}\"]\n", at, note));
    }
    for (index, node) in target.nodes.iter().enumerate() {
        let class = palette::class(node.status);
        out.push(&escaped!("    t{}n{}[\"{}\"]:::{}\n", at, index, label(node), class));
    }
    for edge in &target.edges {
        out.push(&escaped!("    t{}n{} --> t{}n{}\n", at, edge.needed, at, edge.waiting));
    }
    out.push(&"  end\n");
    out
}

fn label(node: &Node) -> Escaped<Mermaid> {
    let mut label = escape::mermaid(&node.name);
    if let Some(status) = node.status.label() {
        label.push(&escaped!("<br/>{}", escape::mermaid(&status)));
    }
    if !node.replicas.is_empty() {
        label.push(&escaped!("<br/>{}", escape::mermaid(&format!("replicas: {}", node.replicas.join(", ")))));
    }
    label
}

#[cfg(test)]
mod tests {
    use super::super::samples;
    use super::*;

    #[test]
    fn targets_are_subgraphs_and_statuses_are_classes() {
        insta::assert_snapshot!(mermaid(&samples::graph()));
    }

    /// Every line is one of ours: whatever a text holds, it stands between two quotation marks as letters, digits and
    /// codes.
    #[test]
    fn no_text_leaves_its_quotation_marks() {
        let ours = regex::Regex::new(concat!(
            r#"^(flowchart LR|  subgraph t\d\["(LABEL)"\]|    direction LR|    t\dn\d\["(LABEL)"\]:::(create|outside)"#,
            r"|    t0n0 --> t0n1|  t\dn\d -. copied .-> t\dn\d|  end",
            r"|  classDef (create|outside) [a-z0-9#:, -]+)$"
        ))
        .map(|pattern| pattern.as_str().replace("LABEL", r"(?:[\w ./@+=,!·-]|#\d+;|<br/>)*"));
        let ours = regex::Regex::new(&ours.unwrap_or_default()).ok();
        for text in samples::HOSTILE {
            for line in mermaid(&samples::hostile(text)).lines() {
                assert!(ours.as_ref().is_some_and(|ours| ours.is_match(line)), "{text:?} became {line}");
            }
        }
    }
}
