//! The order of nodes within their layers: few crossings.

use std::collections::HashMap;

use super::{Cell, number};
use crate::sort_few::SortFew as _;

/// Sweeps without a better order after which the best one stays.
const PATIENCE: usize = 4;

/// Orders each layer so that few edges cross: every node goes to the mean place of its neighbours in the layer before,
/// then, on the way back, in the layer behind. The best order of all sweeps is kept.
pub(super) fn order(layers: &mut [Vec<usize>], cells: &[Cell]) {
    let mut place = vec![0_usize; cells.len()];
    note_places(layers, &mut place);
    let mut best = layers.to_vec();
    let mut fewest = crossings(layers, cells, &place);
    let mut in_vain = 0;
    let mut forwards = true;
    while fewest > 0 && in_vain < PATIENCE {
        sweep(layers, cells, &mut place, forwards);
        forwards = !forwards;
        let now = crossings(layers, cells, &place);
        if now < fewest {
            fewest = now;
            best = layers.to_vec();
            in_vain = 0;
        } else {
            in_vain += 1;
        }
    }
    layers.clone_from_slice(&best);
}

fn note_places(layers: &[Vec<usize>], place: &mut [usize]) {
    for layer in layers {
        for (at, &cell) in layer.iter().enumerate() {
            place[cell] = at;
        }
    }
}

fn sweep(layers: &mut [Vec<usize>], cells: &[Cell], place: &mut [usize], forwards: bool) {
    let count = layers.len();
    for step in 1..count {
        let at = if forwards { step } else { count - 1 - step };
        let layer = &mut layers[at];
        let mean = |cell: usize| {
            let neighbours = if forwards { &cells[cell].before } else { &cells[cell].behind };
            if neighbours.is_empty() {
                return number(place[cell]);
            }
            neighbours.iter().map(|&neighbour| number(place[neighbour])).sum::<f64>() / number(neighbours.len())
        };
        let means: HashMap<usize, f64> = layer.iter().map(|&cell| (cell, mean(cell))).collect();
        // A stable sort: what has one mean keeps its order, so that the same input gives the same drawing.
        layer.sort_few_by(|a, b| means[a].total_cmp(&means[b]));
        for (at, &cell) in layer.iter().enumerate() {
            place[cell] = at;
        }
    }
}

/// How many pairs of edges cross, over all layers.
fn crossings(layers: &[Vec<usize>], cells: &[Cell], place: &[usize]) -> u64 {
    let mut crossings = 0;
    for (at, layer) in layers.iter().enumerate() {
        let Some(next) = layers.get(at + 1) else { break };
        // Edges in the order of their left ends: each crosses those before it whose right end is further down. A
        // Fenwick tree over the right ends counts them.
        let mut tree = vec![0_u64; next.len() + 1];
        let mut seen = 0;
        for &cell in layer {
            let mut ends: Vec<usize> = cells[cell].behind.iter().map(|&end| place[end]).collect();
            ends.sort_unstable();
            for &end in &ends {
                let mut not_below = 0;
                let mut index = end + 1;
                while index > 0 {
                    not_below += tree[index];
                    index &= index - 1;
                }
                crossings += seen - not_below;
            }
            for end in ends {
                seen += 1;
                let mut index = end + 1;
                while index < tree.len() {
                    tree[index] += 1;
                    index += index & index.wrapping_neg();
                }
            }
        }
    }
    crossings
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cells(edges: &[(usize, usize)], left: usize, right: usize) -> (Vec<Vec<usize>>, Vec<Cell>) {
        let mut cells = vec![Cell::default(); left + right];
        for cell in &mut cells[left..] {
            cell.layer = 1;
        }
        for &(from, to) in edges {
            cells[from].behind.push(left + to);
            cells[left + to].before.push(from);
        }
        (vec![(0..left).collect(), (left..left + right).collect()], cells)
    }

    fn count(layers: &[Vec<usize>], cells: &[Cell]) -> u64 {
        let mut place = vec![0; cells.len()];
        note_places(layers, &mut place);
        crossings(layers, cells, &place)
    }

    #[test]
    fn crossings_are_counted() {
        let (layers, cells) = cells(&[(0, 2), (1, 1), (2, 0)], 3, 3);
        assert_eq!(count(&layers, &cells), 3);
    }

    #[test]
    fn edges_that_share_an_end_do_not_cross() {
        let (layers, cells) = cells(&[(0, 0), (0, 1), (1, 1)], 2, 2);
        assert_eq!(count(&layers, &cells), 0);
    }

    #[test]
    fn a_mirrored_layer_is_turned_around() {
        let (mut layers, cells) = cells(&[(0, 2), (1, 1), (2, 0)], 3, 3);
        order(&mut layers, &cells);
        assert_eq!(count(&layers, &cells), 0);
    }
}
