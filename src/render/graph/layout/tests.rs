//! Properties of the layout, over generated graphs.

use proptest::prelude::*;

use super::*;

/// Rounding errors of a few sums.
const TOLERANCE: f64 = 1e-6;

/// Nodes of different sizes, and edges without a circle: each leads to a node further on in some order.
fn graphs() -> impl Strategy<Value = (Vec<Size>, Vec<Edge>)> {
    let size = (60_u32..500, 30_u32..90)
        .prop_map(|(width, height)| Size { width: f64::from(width), height: f64::from(height) });
    prop::collection::vec(size, 1..30)
        .prop_flat_map(|sizes| {
            let order = Just((0..sizes.len()).collect::<Vec<_>>()).prop_shuffle();
            let pairs = prop::collection::btree_set((0..sizes.len(), 0..sizes.len()), 0..45);
            (Just(sizes), order, pairs)
        })
        .prop_map(|(sizes, order, pairs)| {
            let edges = pairs
                .into_iter()
                .filter(|(a, b)| a < b)
                .map(|(a, b)| Edge { needed: order[a], waiting: order[b] })
                .collect();
            (sizes, edges)
        })
}

proptest! {
    #[test]
    fn no_two_nodes_overlap_and_all_are_within((sizes, edges) in graphs()) {
        let drawn = layout(&sizes, &edges);
        for (a, (place, size)) in drawn.places.iter().zip(&sizes).enumerate() {
            prop_assert!(place.x >= -TOLERANCE && place.x + size.width <= drawn.size.width + TOLERANCE, "{drawn:?}");
            prop_assert!(place.y >= -TOLERANCE && place.y + size.height <= drawn.size.height + TOLERANCE, "{drawn:?}");
            for (b, (other, other_size)) in drawn.places.iter().zip(&sizes).enumerate().skip(a + 1) {
                let apart = place.x + size.width < other.x
                    || other.x + other_size.width < place.x
                    || place.y + size.height < other.y
                    || other.y + other_size.height < place.y;
                prop_assert!(apart, "{a} and {b} overlap: {drawn:?}");
            }
        }
    }

    #[test]
    fn every_edge_leads_to_a_later_layer((sizes, edges) in graphs()) {
        let layers = layers(sizes.len(), &edges);
        let drawn = layout(&sizes, &edges);
        for edge in &edges {
            prop_assert!(layers[edge.needed] < layers[edge.waiting]);
            let right = drawn.places[edge.needed].x + sizes[edge.needed].width;
            prop_assert!(right < drawn.places[edge.waiting].x, "{edge:?} leads back: {drawn:?}");
        }
    }

    #[test]
    fn a_way_joins_its_nodes_and_runs_over_no_other((sizes, edges) in graphs()) {
        let drawn = layout(&sizes, &edges);
        for (edge, route) in edges.iter().zip(&drawn.routes) {
            let (from, to) = (drawn.places[edge.needed], drawn.places[edge.waiting]);
            prop_assert!(route.len() >= 4 && route.len().is_multiple_of(2));
            let (first, last) = (route[0], route[route.len() - 1]);
            prop_assert!((first.x - from.x - sizes[edge.needed].width).abs() < TOLERANCE);
            prop_assert!(first.y > from.y && first.y < from.y + sizes[edge.needed].height);
            prop_assert!((last.x - to.x).abs() < TOLERANCE);
            prop_assert!(last.y > to.y && last.y < to.y + sizes[edge.waiting].height);
            prop_assert!(route.windows(2).all(|pair| pair[0].x <= pair[1].x + TOLERANCE), "{route:?}");
            for line in route.chunks_exact(2) {
                prop_assert!((line[0].y - line[1].y).abs() < TOLERANCE, "a line is level: {route:?}");
                for (node, (place, size)) in drawn.places.iter().zip(&sizes).enumerate() {
                    let over = line[0].x < place.x + size.width - TOLERANCE
                        && line[1].x > place.x + TOLERANCE
                        && line[0].y > place.y
                        && line[0].y < place.y + size.height;
                    prop_assert!(!over, "{edge:?} runs over {node}: {drawn:?}");
                }
            }
        }
    }

    #[test]
    fn the_same_graph_is_drawn_the_same((sizes, edges) in graphs()) {
        prop_assert_eq!(layout(&sizes, &edges), layout(&sizes, &edges));
    }
}

#[test]
fn a_tree_has_no_bends_and_stands_in_the_middle_of_its_leaves() {
    let sizes = vec![Size { width: 100.0, height: 40.0 }; 4];
    let edges = [1, 2, 3].map(|waiting| Edge { needed: 0, waiting });
    let drawn = layout(&sizes, &edges);
    assert!(drawn.routes.iter().all(|route| route.len() == 4));
    assert!((drawn.places[0].y - drawn.places[2].y).abs() < TOLERANCE, "{drawn:?}");
}

#[test]
fn a_circle_does_not_hang() {
    let sizes = vec![Size { width: 100.0, height: 40.0 }; 3];
    let edges = [(0, 1), (1, 2), (2, 0), (1, 1)].map(|(needed, waiting)| Edge { needed, waiting });
    assert_eq!(layout(&sizes, &edges).places.len(), 3);
}

#[test]
fn a_long_chain_and_a_dense_graph_come_to_an_end() {
    let size = Size { width: 100.0, height: 40.0 };
    let chain: Vec<Edge> = (1..20_000).map(|waiting| Edge { needed: waiting - 1, waiting }).collect();
    assert_eq!(layout(&vec![size; 20_000], &chain).places.len(), 20_000);
    let dense: Vec<Edge> =
        (0..150).flat_map(|needed| (needed + 1..150).map(move |waiting| Edge { needed, waiting })).collect();
    assert_eq!(layout(&vec![size; 150], &dense).routes.len(), dense.len());
}
