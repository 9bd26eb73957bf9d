//! The drawing as mermaid text: GitHub, GitLab and many editors draw it where it stands in Markdown.

use std::fmt::Write as _;

use super::super::escape;
use super::{Graph, GraphTarget, Node, palette};

/// The most edges that mermaid draws unless the page that runs it says more (`maxEdges`); a diagram cannot raise it.
pub const MERMAID_MAX_EDGES: usize = 500;

/// The most characters that mermaid reads unless the page that runs it says more (`maxTextSize`).
pub const MERMAID_MAX_CHARACTERS: usize = 50_000;

/// The graph as a mermaid flowchart.
pub fn mermaid(graph: &Graph) -> String {
    let mut out = String::from("flowchart LR\n");
    for (at, target) in graph.targets.iter().enumerate() {
        subgraph(&mut out, at, target);
    }
    for status in palette::ALL {
        if graph.targets.iter().flat_map(|target| &target.nodes).any(|node| node.status == status) {
            let palette::Colours { fill, stroke, text } = palette::light(status);
            let dashes = if palette::dashed(status) { ",stroke-dasharray:5 3" } else { "" };
            // No semicolon at the end: mermaid would take one after a `#` for the end of a character code.
            let class = palette::class(status);
            let _ = writeln!(out, "  classDef {class} fill:{fill},stroke:{stroke},color:{text}{dashes}");
        }
    }
    out
}

fn subgraph(out: &mut String, at: usize, target: &GraphTarget) {
    let mut heading = escape::mermaid(&target.heading());
    if let (Some(note), false) = (target.note, target.nodes.is_empty()) {
        let _ = write!(heading, "<br/>{}", escape::mermaid(note));
    }
    // Writing to a String cannot fail.
    let _ = writeln!(out, "  subgraph t{at}[\"{heading}\"]\n    direction LR");
    if target.nodes.is_empty() {
        let _ = writeln!(out, "    t{at}nothing[\"{}\"]", escape::mermaid(target.note.unwrap_or("nothing to draw")));
    }
    for (index, node) in target.nodes.iter().enumerate() {
        let class = palette::class(node.status);
        let _ = writeln!(out, "    t{at}n{index}[\"{}\"]:::{class}", label(node));
    }
    for edge in &target.edges {
        let _ = writeln!(out, "    t{at}n{} --> t{at}n{}", edge.needed, edge.waiting);
    }
    out.push_str("  end\n");
}

fn label(node: &Node) -> String {
    let mut label = escape::mermaid(&node.name);
    if let Some(status) = node.status.label() {
        let _ = write!(label, "<br/>{}", escape::mermaid(&status));
    }
    if !node.replicas.is_empty() {
        let _ = write!(label, "<br/>{}", escape::mermaid(&format!("replicas: {}", node.replicas.join(", "))));
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
            r#"^(flowchart LR|  subgraph t0\["(LABEL)"\]|    direction LR|    t0n\d\["(LABEL)"\]:::create"#,
            r"|    t0n0 --> t0n1|  end|  classDef create [a-z0-9#:,]+)$"
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
