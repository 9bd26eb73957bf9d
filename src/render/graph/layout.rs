//! Where the nodes of a drawing stand and how its arrows run: a layered layout, from left to right.
//!
//! The steps are those of Sugiyama, Tagawa and Toda: layers by longest path, an order within each layer that has few
//! crossings (barycentres, swept back and forth), and heights near those of the neighbours. An arrow over several
//! layers gets a bend in each that it crosses, which takes part in the ordering, so that no arrow runs over a node.
//! What is not connected is laid out apart and packed into rows. The same input gives the same drawing.

mod heights;
mod ordering;

use std::collections::{BTreeMap, VecDeque};

use petgraph::unionfind::UnionFind;

use super::Edge;
use crate::collect::CollectMap as _;

/// A width and a height, in pixels.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Size {
    pub(super) width: f64,
    pub(super) height: f64,
}

/// A point, in pixels; `y` grows downwards.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Point {
    pub(super) x: f64,
    pub(super) y: f64,
}

/// A finished layout.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Layout {
    /// The whole.
    pub(super) size: Size,
    /// The upper left corner of each node.
    pub(super) places: Vec<Point>,
    /// The way of each edge, from the right side of one node to the left side of the other: an even number of points,
    /// of which the first and second, third and fourth, and so on are joined by a level line, the others by a curve.
    pub(super) routes: Vec<Vec<Point>>,
}

/// Space between two nodes of a layer, and between two parts of the drawing.
const GAP: f64 = 14.0;

/// Space between two layers, for the curves.
const LAYER_GAP: f64 = 72.0;

/// The last bit of a way is level, so that the arrowhead is.
const ARROWHEAD: f64 = 10.0;

/// Parts of the drawing stand side by side up to this width.
const ROW_WIDTH: f64 = 1280.0;

/// Bends in one part of the drawing beyond which long arrows run straight, over nodes if need be: there is no reading
/// such a drawing, and there has to be an end to the work.
const MAX_BENDS: usize = 20_000;

/// A number of things as a number to calculate with.
fn number(count: usize) -> f64 {
    f64::from(u32::try_from(count).unwrap_or(u32::MAX))
}

/// Lays out nodes of these sizes. Edges lead from the node that is needed to the one that needs it.
pub(super) fn layout(sizes: &[Size], edges: &[Edge]) -> Layout {
    let mut places = vec![Point::default(); sizes.len()];
    let mut routes = vec![Vec::new(); edges.len()];
    let mut packing = Packing::default();
    let (connected, alone): (Vec<Part>, Vec<Part>) =
        parts(sizes.len(), edges).into_iter().partition(|part| part.nodes.len() > 1);
    for part in connected {
        let local: BTreeMap<usize, usize> = part.nodes.iter().enumerate().map(|(at, node)| (*node, at)).collect_map();
        let of_part: Vec<Edge> = part
            .edges
            .iter()
            .map(|&edge| Edge { needed: local[&edges[edge].needed], waiting: local[&edges[edge].waiting] })
            .collect();
        let sizes: Vec<Size> = part.nodes.iter().map(|&node| sizes[node]).collect();
        let drawn = part_layout(&sizes, &of_part);
        let corner = packing.add(drawn.size);
        let moved = |point: Point| Point { x: point.x + corner.x, y: point.y + corner.y };
        for (node, place) in part.nodes.into_iter().zip(drawn.places) {
            places[node] = moved(place);
        }
        for (edge, route) in part.edges.into_iter().zip(drawn.routes) {
            routes[edge] = route.into_iter().map(moved).collect();
        }
    }
    packing.new_row();
    // Secrets that are connected with none stand in columns of one width.
    let width = alone.iter().map(|part| sizes[part.nodes[0]].width).fold(0.0, f64::max);
    for part in &alone {
        let node = part.nodes[0];
        places[node] = packing.add(Size { width, height: sizes[node].height });
    }
    Layout { size: packing.size(), places, routes }
}

/// Nodes that are connected, and their edges, as indexes into the whole.
struct Part {
    nodes: Vec<usize>,
    edges: Vec<usize>,
}

/// The connected parts, in the order of their first nodes.
fn parts(nodes: usize, edges: &[Edge]) -> Vec<Part> {
    let mut sets = UnionFind::<usize>::new(nodes);
    for edge in edges {
        sets.union(edge.needed, edge.waiting);
    }
    let mut parts: Vec<Part> = Vec::new();
    let mut part_of: BTreeMap<usize, usize> = BTreeMap::new();
    for node in 0..nodes {
        let part = *part_of.entry(sets.find(node)).or_insert_with(|| {
            parts.push(Part { nodes: Vec::new(), edges: Vec::new() });
            parts.len() - 1
        });
        parts[part].nodes.push(node);
    }
    for (at, edge) in edges.iter().enumerate() {
        if let Some(&part) = part_of.get(&sets.find(edge.needed)) {
            parts[part].edges.push(at);
        }
    }
    parts
}

/// Places parts in rows, from left to right.
#[derive(Default)]
struct Packing {
    next: Point,
    row_height: f64,
    width: f64,
}

impl Packing {
    /// The corner for a part of this size.
    fn add(&mut self, size: Size) -> Point {
        if self.next.x > 0.0 && self.next.x + size.width > ROW_WIDTH {
            self.new_row();
        }
        let corner = self.next;
        self.next.x += size.width + 2.0 * GAP;
        self.row_height = self.row_height.max(size.height);
        self.width = self.width.max(corner.x + size.width);
        corner
    }

    fn new_row(&mut self) {
        if self.next.x > 0.0 {
            self.next = Point { x: 0.0, y: self.next.y + self.row_height + GAP };
            self.row_height = 0.0;
        }
    }

    fn size(mut self) -> Size {
        self.new_row();
        Size { width: self.width, height: (self.next.y - GAP).max(0.0) }
    }
}

/// What stands in a layer: a node, or the bend of an edge that passes through.
#[derive(Clone, Debug, Default)]
struct Cell {
    layer: usize,
    size: Size,
    /// Neighbours in the layer before, and in the one behind.
    before: Vec<usize>,
    behind: Vec<usize>,
}

/// Lays out one connected part.
fn part_layout(sizes: &[Size], edges: &[Edge]) -> Layout {
    let layer_of = layers(sizes.len(), edges);
    let mut cells: Vec<Cell> =
        sizes.iter().zip(&layer_of).map(|(&size, &layer)| Cell { layer, size, ..Cell::default() }).collect();
    let chains = chains(&mut cells, edges, &layer_of);

    let layer_count = layer_of.iter().max().map_or(0, |last| last + 1);
    let mut layers: Vec<Vec<usize>> = vec![Vec::new(); layer_count];
    for (at, cell) in cells.iter().enumerate() {
        layers[cell.layer].push(at);
    }
    ordering::order(&mut layers, &cells);
    let middles = heights::middles(&layers, &cells);

    let widths: Vec<f64> =
        layers.iter().map(|layer| layer.iter().map(|&cell| cells[cell].size.width).fold(0.0, f64::max)).collect();
    let lefts: Vec<f64> = widths
        .iter()
        .scan(0.0, |x, width| {
            let left = *x;
            *x += width + LAYER_GAP;
            Some(left)
        })
        .collect();
    let height = cells.iter().zip(&middles).map(|(cell, middle)| middle + cell.size.height / 2.0).fold(0.0, f64::max);
    let width = widths.iter().sum::<f64>() + LAYER_GAP * number(layer_count.saturating_sub(1));
    let places = (0..sizes.len())
        .map(|node| Point { x: lefts[layer_of[node]], y: middles[node] - sizes[node].height / 2.0 })
        .collect();
    let routes = chains
        .iter()
        .map(|chain| {
            let mut route = Vec::with_capacity(chain.len() * 2);
            for (at, &cell) in chain.iter().enumerate() {
                let (layer, y) = (cells[cell].layer, middles[cell]);
                let right = lefts[layer] + widths[layer];
                // A node's own side, or the whole width of the layer that the edge passes through.
                if at == 0 {
                    route.push(Point { x: lefts[layer] + cells[cell].size.width, y });
                    route.push(Point { x: right, y });
                } else if at + 1 == chain.len() {
                    route.push(Point { x: lefts[layer] - ARROWHEAD, y });
                    route.push(Point { x: lefts[layer], y });
                } else {
                    route.push(Point { x: lefts[layer], y });
                    route.push(Point { x: right, y });
                }
            }
            route
        })
        .collect();
    Layout { size: Size { width, height }, places, routes }
}

/// The layer of each node: behind everything that it needs, and no further to the left than what needs it allows.
///
/// Manifests with a circle are refused long before; should there be one, its edges may lead backwards here.
fn layers(nodes: usize, edges: &[Edge]) -> Vec<usize> {
    let mut behind = vec![Vec::new(); nodes];
    let mut waits_for = vec![0_usize; nodes];
    for edge in edges {
        behind[edge.needed].push(edge.waiting);
        waits_for[edge.waiting] += 1;
    }
    let first: Vec<usize> = (0..nodes).filter(|&node| waits_for[node] == 0).collect();
    let mut ready: VecDeque<usize> = first.iter().copied().collect();
    let mut layer = vec![0_usize; nodes];
    while let Some(node) = ready.pop_front() {
        for &next in &behind[node] {
            layer[next] = layer[next].max(layer[node] + 1);
            waits_for[next] -= 1;
            if waits_for[next] == 0 {
                ready.push_back(next);
            }
        }
    }
    // What needs nothing stands beside what needs it first, not always at the far left.
    for node in first {
        if let Some(nearest) = behind[node].iter().map(|&next| layer[next]).min() {
            layer[node] = nearest.saturating_sub(1);
        }
    }
    layer
}

/// Gives every edge its cells, from the needed node to the waiting one, with a bend in each layer between, and joins
/// them.
fn chains(cells: &mut Vec<Cell>, edges: &[Edge], layer_of: &[usize]) -> Vec<Vec<usize>> {
    let span = |edge: &Edge| layer_of[edge.waiting].saturating_sub(layer_of[edge.needed]);
    let bends: usize = edges.iter().map(|edge| span(edge).saturating_sub(1)).sum();
    let mut chains = Vec::with_capacity(edges.len());
    for edge in edges {
        let mut chain = vec![edge.needed];
        if bends <= MAX_BENDS {
            for layer in layer_of[edge.needed] + 1..layer_of[edge.waiting] {
                chain.push(cells.len());
                cells.push(Cell { layer, ..Cell::default() });
            }
        }
        chain.push(edge.waiting);
        for pair in chain.windows(2) {
            let (left, right) = (pair[0], pair[1]);
            if cells[left].layer + 1 == cells[right].layer {
                cells[left].behind.push(right);
                cells[right].before.push(left);
            }
        }
        chains.push(chain);
    }
    chains
}

#[cfg(test)]
mod tests;
