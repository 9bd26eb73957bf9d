//! The drawing as an SVG file that needs nothing else: no program, no font of its own, no script.
//!
//! It follows the colour scheme of whoever looks at it. Colours are written out for each class, without CSS variables,
//! so that programs which know only plain CSS draw the light one.

use super::super::escape::{self, Escaped, Markup};
use super::super::escaped;
use super::layout::{Point, Size, layout};
use super::links::At;
use super::{ARROW, COPIES, Graph, GraphTarget, Node, Status, palette};

/// Width of a character of the monospaced font, at its size of 12 pixels, and a bit: fonts differ.
const CHARACTER: f64 = 7.4;
/// Distance of two lines.
const LINE: f64 = 17.0;
/// Space around the text of a node.
const PADDING: f64 = 10.0;
/// Space around the whole drawing, and between targets.
const MARGIN: f64 = 24.0;
/// Names longer than this go on in the next line.
const NAME_WIDTH: usize = 48;
/// Space between the edge of a target's box and what is drawn in it.
const INSET: f64 = 18.0;

/// The graph as an SVG document, to be a file or to stand in a page.
pub fn svg(graph: &Graph) -> Escaped<Markup> {
    let (graph, links) = &graph.with_links();
    let title = format!("Secrets of {} and what they need of each other", graph.project);
    let mut body = Canvas { out: Escaped::default(), y: MARGIN, width: measure(&title) * 1.2, drawn: Vec::new() };
    let y = body.y + 15.0;
    body.text("kw-title", MARGIN, y, &title);
    body.y += 32.0;
    for target in &graph.targets {
        body.target(target);
    }
    body.legend(graph, !links.is_empty());
    // Beneath the secrets: no arrow hides a name.
    let links: Escaped<Markup> = links.iter().filter_map(|link| body.link(*link)).collect();

    let whole = |pixels: f64| -> Escaped<Markup> { escape::decimal(pixels, 0) };
    let (width, height) = (whole(body.width + 2.0 * MARGIN), whole(body.y + MARGIN));
    let counts =
        counts(graph).map(|(status, number)| -> Escaped<Markup> { escaped!("{}: {}", palette::class(status), number) });
    let label = escape::markup(&title);
    escaped!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" role=\"img\" aria-label=\"{}\" class=\"kw-graph\" \
         width=\"{}\" height=\"{}\" viewBox=\"0 0 {} {}\">\n<title>{}</title>\n<desc>{}</desc>\n{}\
         <defs><marker id=\"kw-arrow\" viewBox=\"0 0 10 10\" refX=\"9\" refY=\"5\" markerWidth=\"8\" \
         markerHeight=\"8\" orient=\"auto\"><path class=\"kw-head\" d=\"M0 1 L9 5 L0 9 z\"/></marker></defs>\n\
         <rect class=\"kw-page\" width=\"{}\" height=\"{}\"/>\n{}{}</svg>\n",
        label,
        width,
        height,
        width,
        height,
        label,
        Escaped::join(counts, ", "),
        style(graph),
        width,
        height,
        links,
        body.out
    )
}

/// The statuses that are drawn, with how many secrets have each.
fn counts(graph: &Graph) -> impl Iterator<Item = (Status, usize)> {
    palette::ALL.into_iter().filter_map(|status| {
        let nodes = graph.targets.iter().flat_map(|target| &target.nodes);
        let number = nodes.filter(|node| node.status == status).count();
        (number > 0).then_some((status, number))
    })
}

fn style(graph: &Graph) -> Escaped<Markup> {
    let dashes = counts(graph).filter(|(status, _)| palette::dashed(*status)).map(|(status, _)| -> Escaped<Markup> {
        escaped!(".kw-{} rect{{stroke-dasharray:5 3}}\n", palette::class(status))
    });
    escaped!(
        "<style>\n.kw-graph text{{font:12px ui-monospace,SFMono-Regular,Menlo,Consolas,'DejaVu Sans Mono',monospace}}\n\
         .kw-graph .kw-title{{font-size:15px;font-weight:600}}\n.kw-graph .kw-name{{font-weight:600}}\n\
         .kw-edge{{fill:none;stroke-width:1.4}}\n.kw-link{{stroke-dasharray:6 4}}\n\
         .kw-node rect,.kw-key rect{{stroke-width:1.4}}\n\
         .kw-box{{fill:none;stroke-width:1}}\n{}{}@media (prefers-color-scheme:dark){{\n{}}}\n</style>\n",
        scheme(graph, palette::light, ["#ffffff", "#1f2328", "#57606a", "#d0d7de"]),
        dashes.collect::<Escaped<Markup>>(),
        scheme(graph, palette::dark, ["#0d1117", "#e6edf3", "#9198a1", "#3d444d"])
    )
}

fn scheme(
    graph: &Graph,
    colours: fn(Status) -> palette::Colours,
    [page, ink, faint, line]: [&'static str; 4],
) -> Escaped<Markup> {
    let mut out = escaped!(
        ".kw-page{{fill:{}}}.kw-graph text{{fill:{}}}.kw-graph .kw-faint{{fill:{}}}.kw-box{{stroke:{}}}\
         .kw-edge{{stroke:{}}}.kw-head{{fill:{}}}\n",
        page,
        ink,
        faint,
        line,
        faint,
        faint
    );
    for (status, _) in counts(graph) {
        let class = palette::class(status);
        let palette::Colours { fill, stroke, text } = colours(status);
        out.push(&escaped!(
            ".kw-{} rect{{fill:{};stroke:{}}}.kw-graph .kw-{} text{{fill:{}}}\n",
            class,
            fill,
            stroke,
            class,
            text
        ));
    }
    out
}

/// A length in pixels.
fn px(length: f64) -> Escaped<Markup> {
    escape::decimal(length, 1)
}

/// What is drawn so far, from the top downwards.
struct Canvas {
    out: Escaped<Markup>,
    y: f64,
    /// The widest thing, without the margins.
    width: f64,
    /// Where each secret of each target stands.
    drawn: Vec<Vec<(Point, Size)>>,
}

impl Canvas {
    fn text(&mut self, class: &'static str, x: f64, y: f64, text: &str) {
        let text = escape::markup(text);
        self.out.push(&escaped!("<text class=\"{}\" x=\"{}\" y=\"{}\">{}</text>\n", class, px(x), px(y), text));
    }

    fn target(&mut self, target: &GraphTarget) {
        let faces: Vec<Face> = target.nodes.iter().map(Face::of).collect();
        let sizes: Vec<Size> = faces.iter().map(Face::size).collect();
        let drawn = layout(&sizes, &target.edges);
        let heading = target.heading();
        let note_height = if target.note.is_some() { LINE } else { 0.0 };
        let widest = measure(&heading).max(target.note.map_or(0.0, measure)).max(drawn.size.width);
        let (width, height) =
            (widest + 2.0 * INSET, 34.0 + note_height + drawn.size.height + if faces.is_empty() { 0.0 } else { INSET });
        self.out.push(&escaped!(
            "<rect class=\"kw-box\" x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\" rx=\"8\"/>\n",
            px(MARGIN),
            px(self.y),
            px(width),
            px(height)
        ));
        let top = self.y;
        self.text("kw-faint", MARGIN + INSET, top + 22.0, &heading);
        if let Some(note) = target.note {
            self.text("kw-note", MARGIN + INSET, top + 22.0 + LINE, note);
        }
        let corner = Point { x: MARGIN + INSET, y: top + 34.0 + note_height };
        for route in &drawn.routes {
            self.edge(route, corner);
        }
        let places = drawn.places.iter().map(|place| Point { x: corner.x + place.x, y: corner.y + place.y });
        let places: Vec<(Point, Size)> = places.zip(sizes).collect();
        for (face, (place, size)) in faces.iter().zip(&places) {
            self.node(face, *place, *size);
        }
        self.drawn.push(places);
        self.width = self.width.max(width);
        self.y += height + MARGIN;
    }

    fn edge(&mut self, route: &[Point], corner: Point) {
        let mut path = Escaped::default();
        let mut before = Point::default();
        for (at, point) in route.iter().enumerate() {
            let to = Point { x: corner.x + point.x, y: corner.y + point.y };
            path.push(&match at {
                0 => escaped!("M{} {}", px(to.x), px(to.y)),
                at if at % 2 == 1 => escaped!("H{}", px(to.x)),
                _ => {
                    let middle = px(f64::midpoint(before.x, to.x));
                    escaped!("C{} {} {} {} {} {}", middle, px(before.y), middle, px(to.y), px(to.x), px(to.y))
                }
            });
            before = to;
        }
        self.out.push(&escaped!("<path class=\"kw-edge\" marker-end=\"url(#kw-arrow)\" d=\"{}\"/>\n", path));
    }

    /// From a primary down, or up, to its replica.
    fn link(&self, [primary, replica]: [At; 2]) -> Option<Escaped<Markup>> {
        let at = |(target, node): At| self.drawn.get(target)?.get(node).copied();
        let ((from, from_size), (to, to_size)) = (at(primary)?, at(replica)?);
        let down = from.y < to.y;
        let start = Point { x: from.x + from_size.width / 2.0, y: from.y + if down { from_size.height } else { 0.0 } };
        let end = Point { x: to.x + to_size.width / 2.0, y: to.y + if down { 0.0 } else { to_size.height } };
        let middle = f64::midpoint(start.y, end.y);
        Some(escaped!(
            "<path class=\"kw-edge kw-link\" marker-end=\"url(#kw-arrow)\" d=\"M{} {}C{} {} {} {} {} {}\"/>\n",
            px(start.x),
            px(start.y),
            px(start.x),
            px(middle),
            px(end.x),
            px(middle),
            px(end.x),
            px(end.y)
        ))
    }

    fn node(&mut self, face: &Face, place: Point, size: Size) {
        self.out.push(&escaped!(
            "<g class=\"kw-node kw-{}\"><title>{}</title>\
             <rect x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\" rx=\"5\"/>\n",
            palette::class(face.status),
            escape::markup(face.name),
            px(place.x),
            px(place.y),
            px(size.width),
            px(size.height)
        ));
        for (at, (class, line)) in face.lines.iter().enumerate() {
            let y = place.y + PADDING + LINE * f64::from(u32::try_from(at).unwrap_or(u32::MAX)) + 11.0;
            self.text(class, place.x + PADDING, y, line);
        }
        self.out.push(&"</g>\n");
    }

    /// The colours that are drawn, and what arrows mean.
    fn legend(&mut self, graph: &Graph, links: bool) {
        let limit = MARGIN + self.width;
        let mut x = MARGIN;
        for (status, number) in counts(graph) {
            let text = format!("{} ({number})", status.label().unwrap_or_else(|| "declared".to_owned()));
            let width = 22.0 + measure(&text);
            if x > MARGIN && x + width > limit {
                x = MARGIN;
                self.y += LINE + 6.0;
            }
            let class = palette::class(status);
            self.out.push(&escaped!(
                "<g class=\"kw-key kw-{}\"><rect x=\"{}\" y=\"{}\" width=\"14\" height=\"14\" rx=\"3\"/></g>\n",
                class,
                px(x),
                px(self.y)
            ));
            let y = self.y + 11.0;
            self.text("kw-faint", x + 20.0, y, &text);
            self.width = self.width.max(x + width - MARGIN);
            x += width + 20.0;
        }
        let edges = graph.targets.iter().any(|target| !target.edges.is_empty());
        for meaning in edges.then_some(ARROW).into_iter().chain(links.then_some(COPIES)) {
            if x > MARGIN && x + measure(meaning) > limit {
                x = MARGIN;
                self.y += LINE + 6.0;
            }
            let y = self.y + 11.0;
            self.text("kw-faint", x, y, meaning);
            self.width = self.width.max(x + measure(meaning) - MARGIN);
            x += measure(meaning) + 20.0;
        }
        self.y += LINE;
    }
}

/// What stands on a node.
struct Face<'a> {
    name: &'a str,
    status: Status,
    /// Each line with its class.
    lines: Vec<(&'static str, String)>,
}

impl<'a> Face<'a> {
    fn of(node: &'a Node) -> Self {
        let mut lines: Vec<(&'static str, String)> =
            wrap(&node.name).into_iter().map(|line| ("kw-name", line)).collect();
        lines.extend(node.status.label().map(|label| ("kw-verb", label)));
        if !node.replicas.is_empty() {
            let replicas = wrap(&format!("replicas: {}", node.replicas.join(", ")));
            lines.extend(replicas.into_iter().map(|line| ("kw-replicas", line)));
        }
        Self { name: &node.name, status: node.status, lines }
    }

    fn size(&self) -> Size {
        let width = self.lines.iter().map(|(_, line)| measure(line)).fold(0.0, f64::max);
        let lines = u32::try_from(self.lines.len()).unwrap_or(u32::MAX);
        Size { width: width + 2.0 * PADDING, height: f64::from(lines) * LINE + 2.0 * PADDING - 4.0 }
    }
}

/// The width of a line, as it is shown. What is not ASCII may be twice as wide.
fn measure(text: &str) -> f64 {
    let columns: u32 = escape::line(text).chars().map(|c| if c.is_ascii() || c == '·' { 1 } else { 2 }).sum();
    f64::from(columns) * CHARACTER
}

/// A text in lines of at most [`NAME_WIDTH`] characters, broken behind a separator where there is one. No character is
/// lost.
fn wrap(text: &str) -> Vec<String> {
    let mut lines = Vec::new();
    let mut rest: Vec<char> = escape::line(text).chars().collect();
    while rest.len() > NAME_WIDTH {
        let separators = ['/', '-', '_', '.', ' ', ','];
        let end = rest[..NAME_WIDTH].iter().rposition(|c| separators.contains(c)).filter(|&at| at > NAME_WIDTH / 3);
        let behind = rest.split_off(end.map_or(NAME_WIDTH, |at| at + 1));
        lines.push(rest.into_iter().collect());
        rest = behind;
    }
    lines.push(rest.into_iter().collect());
    lines
}

#[cfg(test)]
mod tests {
    use super::super::super::markup_check::assert_well_formed;
    use super::super::samples;
    use super::*;

    #[test]
    fn a_drawing_has_a_box_for_each_target_and_a_legend() {
        insta::assert_snapshot!(svg(&samples::graph()));
    }

    #[test]
    fn long_names_go_on_in_the_next_line_and_nothing_is_lost() {
        let name = format!("staging/{}/{}", "a-word/".repeat(20), "x".repeat(130));
        let lines = wrap(&name);
        assert!(lines.iter().all(|line| line.chars().count() <= NAME_WIDTH), "{lines:?}");
        assert_eq!(lines.concat(), name);
    }

    #[test]
    fn no_text_becomes_markup() {
        let tags = ["svg", "title", "desc", "style", "defs", "marker", "path", "rect", "g", "text"];
        for text in samples::HOSTILE {
            assert_well_formed(&svg(&samples::hostile(text)), &tags);
        }
    }
}
