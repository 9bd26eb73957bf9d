//! From text to trees: granit-parser's events, our limits, and what a syntax error means.
//!
//! Hostile input is bounded here: by depth, by the number of nodes (those that aliases repeat included), and by
//! granit-parser's own limits on what it buffers. A document with a syntax error is dropped and the next one is read.

use std::collections::HashMap;
#[cfg(test)]
use std::collections::HashSet;
use std::sync::Arc;

use granit_parser::{Event, Marker, Parser, ScalarStyle, ScanError, Tag};

use super::codes;
use super::diagnostic::{Problem, Report};
use super::mask;
use super::merge_key;
use super::shown::Shown;
#[cfg(test)]
use super::source::Sources;
use super::source::Span;
use super::syntax;
use super::tree::{Key, Kind, Node, resolve_plain};

/// How deep YAML may be nested.
pub(crate) const MAX_DEPTH: usize = 64;

/// Most nodes in one file, counting what aliases repeat.
pub(crate) const MAX_NODES: usize = 200_000;

/// Most problems of one file's syntax that are reported.
const MAX_SYNTAX_PROBLEMS: usize = 100;

/// The tags of CloudFormation's functions: the ones that people expect to work.
const CLOUDFORMATION: &[&str] = &[
    "!And",
    "!Base64",
    "!Cidr",
    "!Condition",
    "!Equals",
    "!FindInMap",
    "!GetAtt",
    "!GetAZs",
    "!If",
    "!ImportValue",
    "!Join",
    "!Not",
    "!Or",
    "!Ref",
    "!Select",
    "!Split",
    "!Sub",
    "!Transform",
];

/// The documents of a file.
pub(crate) struct Parsed {
    /// The ones that could be read. Empty ones are left out.
    pub(crate) documents: Vec<Node>,
    /// Some could not be read, so the file declares more than this.
    pub(crate) incomplete: bool,
    /// Keys that stand twice in one map: the first place, and the one that was dropped.
    pub(crate) repeated: Vec<(Span, Span)>,
}

/// Reads every document of a file. Syntax errors are reported.
pub(crate) fn parse(file: u32, text: &str, report: &mut Report) -> Parsed {
    parse_at_most(MAX_NODES, file, text, report)
}

/// The same for a file with another limit of nodes.
pub(crate) fn parse_at_most(limit: usize, file: u32, text: &str, report: &mut Report) -> Parsed {
    let mut reader = Reader {
        limit,
        file,
        text,
        report,
        problems: 0,
        nodes: 0,
        stack: Vec::new(),
        anchors: HashMap::new(),
        repeated: Vec::new(),
        documents: Vec::new(),
        pending: Vec::new(),
        incomplete: false,
        kept: 0,
    };
    reader.run();
    reader.abandon();
    let Reader { documents, repeated, incomplete, .. } = reader;
    Parsed { documents, incomplete, repeated }
}

/// A collection that is not complete yet.
struct Open {
    node: Node,
    anchor: usize,
    /// The key whose value comes next.
    key: Option<Key>,
    /// What its merge key brings in.
    merges: Vec<Node>,
    /// The key is there already: what it holds is dropped.
    repeated: bool,
    /// The keys so far, to find duplicates without looking through the whole map again.
    keys: HashMap<Arc<str>, Span>,
    nodes_before: usize,
    height: usize,
}

/// A node that an alias can repeat.
#[derive(Clone)]
struct Anchored {
    node: Node,
    nodes: usize,
    height: usize,
}

struct Reader<'a> {
    limit: usize,
    file: u32,
    text: &'a str,
    report: &'a mut Report,
    problems: usize,
    nodes: usize,
    stack: Vec<Open>,
    anchors: HashMap<usize, Anchored>,
    repeated: Vec<(Span, Span)>,
    documents: Vec<Node>,
    /// The problems of the document that is being read. Only its end shows what of it may be quoted.
    pending: Vec<Pending>,
    incomplete: bool,
    /// How many nodes are kept for aliases.
    kept: usize,
}

/// A problem of a document whose end was not seen.
struct Pending {
    problem: Problem,
    /// The message without anything of the text, for a place that may not be shown.
    plain: Option<&'static str>,
}

/// The rest of the file is not worth reading.
struct Stop;

impl Reader<'_> {
    fn run(&mut self) {
        let options = granit_parser::options! {
            emit_unresolved_aliases: true,
            flow_nesting_limit: MAX_DEPTH,
            block_nesting_limit: MAX_DEPTH,
        };
        let mut parser = Parser::new_from_str_with_options(self.text, options);
        while let Some(event) = parser.next_event() {
            match event {
                Ok((event, span)) => {
                    if self.event(event, span).is_err() {
                        return;
                    }
                }
                Err(error) => {
                    self.syntax_error(&error);
                    self.abandon();
                    if self.problems >= MAX_SYNTAX_PROBLEMS || !matches!(parser.proceed_next_document(), Ok(true)) {
                        return;
                    }
                }
            }
        }
    }

    fn event(&mut self, event: Event<'_>, at: granit_parser::Span) -> Result<(), Stop> {
        let span = self.span(at.start, at.end);
        let tag_span = at.tag_span().map_or(span, |tag| self.span(tag.start, tag.end));
        match event {
            Event::DocumentStart(..) => {
                self.abandon();
                self.anchors.clear();
                Ok(())
            }
            Event::DocumentEnd => {
                self.end_document();
                Ok(())
            }
            Event::Scalar(text, style, anchor, tag) => {
                let kind = self.scalar(&text, style, tag.as_deref(), tag_span);
                let plain = style == ScalarStyle::Plain && tag.is_none();
                self.complete(Node { span, kind, plain }, anchor, 1, 0)
            }
            Event::SequenceStart(_, anchor, tag) => {
                self.check_tag(tag.as_deref(), tag_span);
                self.open(Kind::Seq(Vec::new()), anchor, span)
            }
            Event::MappingStart(_, anchor, tag) => {
                self.check_tag(tag.as_deref(), tag_span);
                self.open(Kind::Map(Vec::new()), anchor, span)
            }
            Event::SequenceEnd | Event::MappingEnd => self.close(span),
            Event::Alias(id) => self.alias(id, span),
            Event::UnresolvedAlias(_) => {
                self.problem(
                    Problem::new(&codes::YAML_ALIAS, span, "an alias refers to an anchor that isn't in this document")
                        .label("no such anchor before this line")
                        .help("a text that begins with * is quoted: \"*...\""),
                );
                self.complete(Node::new(span, Kind::Poison), 0, 1, 0)
            }
            _ => Ok(()),
        }
    }

    fn alias(&mut self, id: usize, span: Span) -> Result<(), Stop> {
        let Some(anchored) = self.anchors.get(&id) else {
            // The anchor's own node isn't complete yet: `&a [*a]`.
            let message = "an alias stands inside the node that it refers to";
            self.problem(Problem::new(&codes::YAML_ALIAS, span, message));
            return self.complete(Node::new(span, Kind::Poison), 0, 1, 0);
        };
        if self.stack.len() + anchored.height > MAX_DEPTH {
            return self.too_deep(span);
        }
        let Anchored { node, nodes, height } = anchored.clone();
        self.complete(node, 0, nodes, height)
    }

    fn open(&mut self, kind: Kind, anchor: usize, span: Span) -> Result<(), Stop> {
        if self.stack.len() >= MAX_DEPTH {
            return self.too_deep(span);
        }
        self.stack.push(Open {
            node: Node::new(span, kind),
            merges: Vec::new(),
            anchor,
            key: None,
            repeated: false,
            keys: HashMap::new(),
            nodes_before: self.nodes,
            height: 0,
        });
        Ok(())
    }

    fn close(&mut self, end: Span) -> Result<(), Stop> {
        let Some(mut open) = self.stack.pop() else { return Ok(()) };
        open.node.span.end = self.trimmed_end(open.node.span.start, end.end);
        if let Some(wrong) = merge_key::merge(&mut open.node, std::mem::take(&mut open.merges)) {
            let hidden = self.in_value();
            self.problem(merge_key::problem(wrong).masked(hidden));
        }
        let nodes = self.nodes - open.nodes_before + 1;
        self.complete_counted(open.node, open.anchor, nodes, open.height + 1, 1)
    }

    fn complete(&mut self, node: Node, anchor: usize, nodes: usize, height: usize) -> Result<(), Stop> {
        self.complete_counted(node, anchor, nodes, height, nodes)
    }

    /// A node is complete: it goes into the collection around it. `new` of its `nodes` are not counted yet.
    fn complete_counted(
        &mut self,
        node: Node,
        anchor: usize,
        nodes: usize,
        height: usize,
        new: usize,
    ) -> Result<(), Stop> {
        self.nodes += new;
        if self.nodes > self.limit {
            return self.too_large(node.span);
        }
        if anchor != 0 {
            // A copy is kept for the aliases, and anchors can stand within anchors: the copies have a budget of their
            // own.
            self.kept += nodes;
            if self.kept > MAX_NODES {
                return self.too_large(node.span);
            }
            self.anchors.insert(anchor, Anchored { node: node.clone(), nodes, height });
        }
        let Some(parent) = self.stack.last_mut() else {
            if !matches!(node.kind, Kind::Null) {
                self.documents.push(node);
            }
            return Ok(());
        };
        parent.height = parent.height.max(height);
        match &mut parent.node.kind {
            Kind::Seq(items) => items.push(node),
            Kind::Map(entries) => match parent.key.take() {
                // Its first holder stays.
                Some(_) if parent.repeated => {}
                Some(key) if key.is_merge => parent.merges.push(node),
                Some(key) => entries.push((key, node)),
                None => self.key(node),
            },
            _ => {}
        }
        Ok(())
    }

    /// A node stands where a key does.
    fn key(&mut self, node: Node) {
        let span = node.span;
        let written = matches!(node.kind, Kind::String(_));
        let is_merge = node.plain && node.as_str() == Some("<<");
        let text: Arc<str> = match node.kind {
            Kind::String(text) | Kind::Number(text) => text,
            // `true:`, `null:` and the like are meant as text, and it is safe to take them so.
            Kind::Bool(_) | Kind::Null if span.end > span.start => {
                self.text.get(span.start as usize..span.end as usize).unwrap_or_default().into()
            }
            _ => {
                let hidden = self.in_value();
                self.problem(
                    Problem::new(&codes::YAML_KEY, span, "a key is a list, a map or nothing")
                        .label("a key is text")
                        .masked(hidden),
                );
                "".into()
            }
        };
        let Some(parent) = self.stack.last_mut() else { return };
        let first = parent.keys.get(&text).copied();
        if first.is_none() {
            parent.keys.insert(Arc::clone(&text), span);
        }
        parent.key = Some(Key { span, text: Arc::clone(&text), is_merge });
        // What is not a key, or no second one, is dropped after it was reported, so that it causes no other mistakes.
        parent.repeated = first.is_some() || text.is_empty() && !written;
        if let Some(first) = first {
            self.repeated.push((first, span));
            let hidden = self.in_value();
            let message = format!("key `{text}` stands twice in one map");
            let problem = Problem::new(&codes::YAML_DUPLICATE_KEY, span, message)
                .label("again here")
                .related(first, "first here")
                .help("keep one of the two")
                .masked(hidden);
            self.problem_of(problem, Some("a key stands twice in one map"));
        }
    }

    /// Whether the innermost collection lies beneath a key `value`.
    fn in_value(&self) -> bool {
        self.stack.iter().rev().skip(1).any(|open| open.key.as_ref().is_some_and(|key| mask::holds_values(&key.text)))
    }

    fn scalar(&mut self, text: &str, style: ScalarStyle, tag: Option<&Tag>, span: Span) -> Kind {
        self.check_tag(tag, span);
        let as_text = tag.is_some_and(|tag| {
            tag.is_yaml_core_schema_tag("str") || tag.parts() == ("!", "") || tag.parts() == ("", "!")
        });
        if style == ScalarStyle::Plain && !as_text { resolve_plain(text) } else { Kind::String(text.into()) }
    }

    fn check_tag(&mut self, tag: Option<&Tag>, span: Span) {
        let Some(tag) = tag else { return };
        if tag.is_yaml_core_schema() || tag.parts() == ("!", "") || tag.parts() == ("", "!") {
            return;
        }
        let hidden = self.in_value()
            || self.stack.last().and_then(|open| open.key.as_ref()).is_some_and(|key| mask::holds_values(&key.text));
        // Another tag may be a text that begins with `!`, and any text may be a secret.
        let known = Some(tag.original()).filter(|tag| CLOUDFORMATION.contains(&&**tag));
        let message = known.map_or_else(
            || "a YAML tag is not known".to_owned(),
            |known| format!("the YAML tag `{known}` is not known"),
        );
        self.problem(
            Problem::new(&codes::YAML_TAG, span, message)
                .help(
                    "keywright reads plain YAML: no CloudFormation functions, no application tags; a text that \
                    begins with ! is quoted",
                )
                .masked(hidden),
        );
    }

    fn too_large(&mut self, span: Span) -> Result<(), Stop> {
        let message = format!("this file has more than {MAX_NODES} YAML nodes, counting what aliases repeat");
        self.problem(
            Problem::new(&codes::YAML_TOO_LARGE, span, message).help("split the file, and use aliases sparingly"),
        );
        Err(Stop)
    }

    fn too_deep(&mut self, span: Span) -> Result<(), Stop> {
        self.problem(
            Problem::new(&codes::YAML_TOO_DEEP, span, format!("this is nested more than {MAX_DEPTH} deep"))
                .masked(true),
        );
        Err(Stop)
    }

    fn problem(&mut self, problem: Problem) {
        self.problem_of(problem, None);
    }

    fn problem_of(&mut self, problem: Problem, plain: Option<&'static str>) {
        self.problems += 1;
        if self.problems <= MAX_SYNTAX_PROBLEMS {
            self.pending.push(Pending { problem, plain });
        }
    }

    /// The document is whole: its tree tells what may be shown of it.
    fn end_document(&mut self) {
        if self.pending.iter().any(|pending| pending.plain.is_some()) {
            let shown = Shown::of_documents(self.documents.last().map_or(&[], std::slice::from_ref), &self.repeated);
            for Pending { problem, plain } in &mut self.pending {
                if let Some(plain) = plain.filter(|_| !shown.shows(problem.span)) {
                    plain.clone_into(&mut problem.message);
                    problem.masked = true;
                }
            }
        }
        for Pending { problem, .. } in self.pending.drain(..) {
            self.report.push(problem);
        }
    }

    /// The document never ends well: it has no tree to tell what its lines are, so none of them is shown.
    fn abandon(&mut self) {
        self.stack.clear();
        self.incomplete |= !self.pending.is_empty();
        for Pending { mut problem, plain } in self.pending.drain(..) {
            if let Some(plain) = plain {
                plain.clone_into(&mut problem.message);
            }
            problem.hidden = true;
            if problem.code == &codes::YAML_SYNTAX {
                // The mark stands where the line is cut, which may be before the place.
                problem.label = format!("the YAML stops making sense at column {}", problem.span.column);
            }
            self.report.push(problem);
        }
    }

    fn syntax_error(&mut self, error: &ScanError) {
        let span = self.span(*error.marker(), *error.marker());
        self.problem(syntax::problem(error.kind(), span));
    }

    fn span(&self, start: Marker, end: Marker) -> Span {
        let bytes =
            |marker: Marker| u32::try_from(marker.byte_offset().unwrap_or(0).min(self.text.len())).unwrap_or(u32::MAX);
        let begin = bytes(start);
        Span {
            file: self.file,
            start: begin,
            end: self.trimmed_end(begin, bytes(end).max(begin)),
            line: u32::try_from(start.line()).unwrap_or(u32::MAX),
            column: u32::try_from(start.col() + 1).unwrap_or(u32::MAX),
        }
    }

    /// Ends of block scalars and collections lie after their last line feed; the part that people see ends before it.
    fn trimmed_end(&self, start: u32, end: u32) -> u32 {
        let text = self.text.get(start as usize..end as usize).unwrap_or_default();
        start + u32::try_from(text.trim_end().len()).unwrap_or(0)
    }
}

#[cfg(test)]
pub(crate) fn parse_for_test(text: &str) -> (Vec<Node>, Vec<&'static str>) {
    let mut sources = Sources::default();
    let mut report = Report::default();
    let file = sources.add("test.yaml".into(), text.into(), super::source::Quoting::Lines);
    let Parsed { documents, .. } = parse(file, text, &mut report);
    let codes: HashSet<&'static str> = report.finish(&sources, &[], 0).iter().map(|found| found.code.id).collect();
    let mut codes: Vec<_> = codes.into_iter().collect();
    codes.sort_unstable();
    (documents, codes)
}
