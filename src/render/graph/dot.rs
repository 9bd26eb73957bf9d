//! The drawing as DOT text, for Graphviz and what reads its language.

use super::super::escape::{self, Dot, Escaped};
use super::super::escaped;
use super::{ARROW, COPIES, Graph, GraphTarget, Node, Status, palette};

/// The graph in the language DOT: one cluster for each target.
pub fn dot(graph: &Graph) -> Escaped<Dot> {
    let (graph, links) = &graph.with_links();
    let meaning = if links.is_empty() { ARROW.to_owned() } else { format!("{ARROW}; {COPIES}") };
    let title = escape::dot(&format!("Secrets of {} ({meaning})", graph.project));
    let mut out = escaped!(
        "digraph keywright {{\n  label=\"{}\"; labelloc=t; rankdir=LR; fontname=\"Helvetica\";\n  \
         node [shape=box, style=\"rounded,filled\", fontname=\"Helvetica\", fontsize=11];\n  \
         edge [color=\"#57606a\", arrowsize=0.7];\n",
        title
    );
    for (at, target) in graph.targets.iter().enumerate() {
        out.push(&cluster(at, target));
    }
    for [(primary, from), (replica, to)] in links {
        out.push(&escaped!("  t{}n{} -> t{}n{} [style=dashed];\n", *primary, *from, *replica, *to));
    }
    out.push(&"}\n");
    out
}

fn cluster(at: usize, target: &GraphTarget) -> Escaped<Dot> {
    let mut heading = escape::dot(&target.heading());
    if let (Some(note), false) = (target.note, target.nodes.is_empty()) {
        heading.push(&escaped!("\\n{}", escape::dot(note)));
    }
    let mut out =
        escaped!("  subgraph cluster_{} {{\n    label=\"{}\"; color=\"#8c959f\"; style=rounded;\n", at, heading);
    if target.nodes.is_empty() {
        let note = escape::dot(target.note.unwrap_or("nothing to draw"));
        out.push(&escaped!("    t{}nothing [label=\"{}\", shape=plaintext, style=\"\"];\n", at, note));
    }
    for (index, node) in target.nodes.iter().enumerate() {
        let palette::Colours { fill, stroke, text } = palette::light(node.status);
        out.push(&escaped!(
            "    t{}n{} [label=\"{}\", fillcolor=\"{}\", color=\"{}\", fontcolor=\"{}\"{}];\n",
            at,
            index,
            label(node),
            fill,
            stroke,
            text,
            if palette::dashed(node.status) { ", style=\"rounded,filled,dashed\"" } else { "" }
        ));
    }
    for edge in &target.edges {
        out.push(&escaped!("    t{}n{} -> t{}n{};\n", at, edge.needed, at, edge.waiting));
    }
    out.push(&"  }\n");
    out
}

fn label(node: &Node) -> Escaped<Dot> {
    let mut label = escape::dot(&node.name);
    if let Some(status) = Status::label(node.status) {
        label.push(&escaped!("\\n{}", escape::dot(&status)));
    }
    if !node.replicas.is_empty() {
        label.push(&escaped!("\\n{}", escape::dot(&format!("replicas: {}", node.replicas.join(", ")))));
    }
    label
}

#[cfg(test)]
mod tests {
    use super::super::samples;
    use super::*;

    #[test]
    fn targets_are_clusters() {
        insta::assert_snapshot!(dot(&samples::graph()));
    }

    /// Reads quoted strings as Graphviz's lexer does: a backslash takes the next character with it.
    #[test]
    fn no_text_leaves_its_quotation_marks() {
        for text in samples::HOSTILE {
            let drawn = dot(&samples::hostile(text));
            let (mut bare, mut quoted, mut chars) = (String::new(), false, drawn.chars());
            while let Some(c) = chars.next() {
                match c {
                    '"' => quoted = !quoted,
                    '\\' if quoted => assert!(chars.next().is_some_and(|c| matches!(c, '"' | '\\' | 'n')), "{drawn}"),
                    c if quoted => assert!(!c.is_control(), "{drawn}"),
                    c => bare.push(c),
                }
            }
            assert!(!quoted, "{drawn}");
            assert_eq!(bare.matches("label=").count(), 6, "{bare}");
            assert!(!bare.contains(['<', '&', '\'', '%']), "{bare}");
        }
    }
}
