//! How far down each node stands: near its neighbours, in the order of its layer, and without overlapping.

use super::{Cell, GAP, number};

/// Rounds over all layers, each forwards and back.
const ROUNDS: usize = 4;

/// The middle of each cell, from 0 downwards.
pub(super) fn middles(layers: &[Vec<usize>], cells: &[Cell]) -> Vec<f64> {
    let mut middles = vec![0.0; cells.len()];
    for layer in layers {
        settle(layer, cells, &vec![0.0; layer.len()], &mut middles);
    }
    for _ in 0..ROUNDS {
        for layer in layers.iter().skip(1) {
            move_to_neighbours(layer, cells, &mut middles, |cell| &cell.before);
        }
        for layer in layers.iter().rev().skip(1) {
            move_to_neighbours(layer, cells, &mut middles, |cell| &cell.behind);
        }
    }
    let top = cells.iter().zip(&middles).map(|(cell, middle)| middle - cell.size.height / 2.0).fold(f64::MAX, f64::min);
    middles.iter().map(|middle| middle - top).collect()
}

fn move_to_neighbours(layer: &[usize], cells: &[Cell], middles: &mut [f64], neighbours: impl Fn(&Cell) -> &Vec<usize>) {
    let preferred: Vec<f64> = layer
        .iter()
        .map(|&cell| {
            let neighbours = neighbours(&cells[cell]);
            if neighbours.is_empty() {
                return middles[cell];
            }
            neighbours.iter().map(|&neighbour| middles[neighbour]).sum::<f64>() / number(neighbours.len())
        })
        .collect();
    settle(layer, cells, &preferred, middles);
}

/// Puts a layer as near to its preferred places as order and space allow: least squares under "each below the one
/// before", which pooling adjacent violators solves exactly in one pass.
fn settle(layer: &[usize], cells: &[Cell], preferred: &[f64], middles: &mut [f64]) {
    // The room that the cells before take; without it, "below" is just "not less".
    let mut offsets = Vec::with_capacity(layer.len());
    let mut offset = 0.0;
    for (at, &cell) in layer.iter().enumerate() {
        if at > 0 {
            offset += f64::midpoint(cells[layer[at - 1]].size.height, cells[cell].size.height) + GAP;
        }
        offsets.push(offset);
    }
    // Blocks that stand together: the sum of their preferred places, and how many they are.
    let mut blocks: Vec<(f64, usize)> = Vec::new();
    for (place, offset) in preferred.iter().zip(&offsets) {
        let mut block = (place - offset, 1);
        while let Some(&(sum, count)) = blocks.last() {
            if sum / number(count) <= block.0 / number(block.1) {
                break;
            }
            blocks.pop();
            block = (block.0 + sum, block.1 + count);
        }
        blocks.push(block);
    }
    let settled = blocks.iter().flat_map(|&(sum, count)| std::iter::repeat_n(sum / number(count), count));
    for ((&cell, offset), place) in layer.iter().zip(offsets).zip(settled) {
        middles[cell] = place + offset;
    }
}
