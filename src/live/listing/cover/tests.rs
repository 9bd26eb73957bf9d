//! Which parts a list is cut into: their sizes, where a cut stops, and the name that proves the service's reading.

use super::*;

/// So many names of each group, numbered.
fn groups(sizes: &[(&str, usize)]) -> Vec<String> {
    sizes.iter().flat_map(|(group, size)| (0..*size).map(move |n| format!("p/{group}{n:04}"))).collect()
}

/// One group for each letter, each of this size.
fn letters(letters: std::ops::RangeInclusive<char>, size: usize) -> Vec<String> {
    letters.flat_map(|letter| (0..size).map(move |n| format!("p/{letter}{n:04}"))).collect()
}

fn whole() -> Vec<Piece> {
    vec![Piece::whole("p/")]
}

fn cover(pieces: &[Piece], names: &[String], pages: usize) -> Option<Cover> {
    let set = names.iter().map(String::as_str).collect();
    split(pieces, &set, &names[0], pages)
}

/// The texts that pieces begin with, sorted, and those that each leaves out.
fn pieces(cover: &Cover) -> Vec<(String, Vec<String>, usize)> {
    let all = cover.parts.iter().flat_map(|part| &part.pieces);
    let mut all: Vec<_> = all.map(|piece| (piece.begin.clone(), piece.without.clone(), piece.weight)).collect();
    all.sort();
    all
}

fn piece(begin: &str, without: &[&str], weight: usize) -> (String, Vec<String>, usize) {
    (begin.to_owned(), without.iter().map(|text| (*text).to_owned()).collect(), weight)
}

/// How many names each part expects, sorted.
fn weights(cover: &Cover) -> Vec<usize> {
    let mut weights: Vec<usize> = cover.parts.iter().map(Part::weight).collect();
    weights.sort_unstable();
    weights
}

#[test]
fn a_filter_says_512_characters_of_those_that_it_may_hold_and_no_leading_exclamation_mark() {
    for text in ["p/a", "a!", " ", &"x".repeat(511)] {
        assert!(can_be_sent(text), "{text}");
    }
    for text in ["", "!a", "p/\u{e9}", "a*", &"x".repeat(512)] {
        assert!(!can_be_sent(text), "{text}");
    }
}

#[test]
fn large_groups_are_parts_of_their_own_and_the_rest_is_one() {
    let names = groups(&[("a", 100), ("b", 120), ("c", 80), ("d", 60), ("e", 40)]);
    let cover = cover(&whole(), &names, 12).unwrap_or_default();
    let rest = piece("p/", &["p/b", "p/a", "p/c"], 100);
    assert_eq!(pieces(&cover), [rest, piece("p/a", &[], 100), piece("p/b", &[], 120), piece("p/c", &[], 80)]);
    assert_eq!((weights(&cover), cover.exact), (vec![80, 100, 100, 120], vec![]));
}

#[test]
fn what_is_left_need_not_be_smaller_than_a_share() {
    // Two parts of 100.
    let names = groups(&[("a", 100), ("b", 60), ("c", 40)]);
    let cover = cover(&whole(), &names, 6).unwrap_or_default();
    assert_eq!(pieces(&cover), [piece("p/", &["p/a"], 100), piece("p/a", &[], 100)]);
}

#[test]
fn a_group_may_be_a_quarter_larger_than_a_share() {
    // Four parts of 100.
    let of_a = |size: usize| {
        let names = groups(&[("a", size), ("b", 100), ("c", 100), ("d", 200 - size)]);
        let cover = cover(&whole(), &names, 12).unwrap_or_default();
        pieces(&cover).into_iter().filter(|(begin, ..)| begin.starts_with("p/a")).collect::<Vec<_>>()
    };
    assert_eq!(of_a(125), [piece("p/a", &[], 125)]);
    assert_eq!(of_a(126), [piece("p/a", &["p/a00"], 26), piece("p/a00", &[], 100)]);
}

#[test]
fn nine_groups_are_cut_out_of_one_piece_at_most() {
    // Four parts of 100: nine groups have 275 or 274, what is left has 125, a quarter more than a share, or one more.
    let large = [("a", 31), ("b", 31), ("c", 31), ("d", 31), ("e", 31), ("f", 30), ("g", 30), ("h", 30)];
    let small = [("j", 25), ("k", 25), ("l", 25), ("m", 25)];
    let with = |i: usize, n: usize| {
        let names = groups(&[large.as_slice(), &[("i", i)], small.as_slice(), &[("n", n)]].concat());
        cover(&whole(), &names, 12).unwrap_or_default()
    };
    let cut = with(30, 25);
    assert_eq!(pieces(&cut)[0], piece("p/", &["p/a", "p/b", "p/c", "p/d", "p/e", "p/f", "p/g", "p/h", "p/i"], 125));
    assert_eq!(cut.exact, Vec::<String>::new());
    assert_eq!(with(29, 26).exact, ["p/"], "more is left, so every next character is asked for");
}

#[test]
fn groups_are_cut_out_beside_what_is_left_out_already() {
    let left_out: Vec<String> = ('1'..='8').map(|digit| format!("p/{digit}")).collect();
    let piece_before = Piece { without: left_out.clone(), ..Piece::whole("p/") };
    let names = groups(&[("a", 100), ("b", 60), ("c", 40)]);
    let one = cover(&[piece_before], &names, 6).unwrap_or_default();
    let (_, without, weight) = pieces(&one).remove(0);
    assert_eq!((without.len(), without.last().map(String::as_str), weight), (9, Some("p/a"), 100));
    let nine = Piece { without: [left_out, vec!["p/9".to_owned()]].concat(), ..Piece::whole("p/") };
    assert_eq!(cover(&[nine], &names, 6), None, "a filter has room for no more");
}

#[test]
fn every_next_character_is_asked_for_where_there_is_room_for_eight_parts_more() {
    // 26 groups of ten: nine of them are few.
    let names = letters('a'..='z', 10);
    let fans = |pages: usize| cover(&whole(), &names, pages).map(|cover| cover.exact).unwrap_or_default();
    assert_eq!(fans(11), Vec::<String>::new(), "three parts");
    assert_eq!(fans(12), ["p/"], "four parts");
    // Two such groups within one list.
    let two: Vec<String> = ["x/", "y/"]
        .iter()
        .flat_map(|group| names.iter().map(move |n| n.replace("p/", &format!("p/{group}"))))
        .collect();
    let fans = |pages: usize| cover(&whole(), &two, pages).map(|cover| cover.exact).unwrap_or_default();
    assert_eq!(fans(35).len(), 1, "eleven parts");
    assert_eq!(fans(36), ["p/x/", "p/y/"], "twelve parts");
}

#[test]
fn a_fan_takes_what_lies_outside_of_it_along_and_asks_for_no_character_that_is_left_out() {
    let names: Vec<String> = letters('a'..='z', 10).iter().map(|name| name.replace("p/", "p/x/")).collect();
    let piece_before = Piece { without: ["p/x/A", "p/y", "p/x/bZ"].map(str::to_owned).to_vec(), ..Piece::whole("p/") };
    let cover = cover(&[piece_before], &names, 12).unwrap_or_default();
    let found = pieces(&cover);
    assert_eq!(found[0], piece("p/", &["p/y", "p/x/"], 0));
    assert_eq!(found.iter().filter(|(begin, ..)| begin.starts_with("p/x/")).count(), CHARACTERS.len() - 1);
    assert!(!found.iter().any(|(begin, ..)| begin == "p/x/A"));
    assert!(found.contains(&piece("p/x/b", &["p/x/bZ"], 10)));
    assert_eq!(cover.exact, ["p/x/"]);
}

#[test]
fn parts_of_a_fan_have_as_many_names_and_texts_as_each_other() {
    let cover = cover(&whole(), &letters('a'..='z', 10), 12).unwrap_or_default();
    // 72 characters, ten to a part; 26 of them are expected to have ten names.
    let mut sizes: Vec<(usize, usize)> = cover.parts.iter().map(|part| (part.weight(), part.pieces.len())).collect();
    sizes.sort_unstable();
    assert_eq!(sizes, [(30, 9), (30, 9), (30, 9), (30, 9), (30, 9), (30, 9), (40, 9), (40, 9)]);
}

#[test]
fn four_fifths_in_one_part_are_a_split_and_more_are_none() {
    let long = |n: usize| format!("p/a{}", "x".repeat(n));
    // A name that another one begins with: its group cannot be cut further than one by one.
    let with = |large: usize, small: usize| {
        let left_out: Vec<String> = ('0'..='8').map(|digit| format!("p/a{digit}")).collect();
        let large_piece = Piece { begin: "p/a".to_owned(), without: left_out, weight: 0 };
        let names: Vec<String> = (0..large).map(|n| long(n + 1)).chain((0..small).map(|n| format!("p/b{n}"))).collect();
        let small_piece = Piece::whole("p/b");
        cover(&[large_piece, small_piece], &names, 6).is_some()
    };
    assert!(with(80, 20));
    assert!(!with(81, 19));
}

#[test]
fn what_a_part_leaves_out_is_in_no_other_piece_of_it() {
    let part = Part::of(Piece { begin: "p/".to_owned(), without: vec!["p/a".to_owned()], weight: 1 });
    assert!(!part.takes(&Piece::whole("p/a1")) && part.takes(&Piece::whole("q/")));
    let part = Part::of(Piece::whole("p/a1"));
    assert!(!part.takes(&Piece { begin: "p/".to_owned(), without: vec!["p/a".to_owned()], weight: 1 }));
}

#[test]
fn the_name_that_proves_stands_between_others_and_something_is_left_out() {
    let names = letters('a'..='z', 10);
    let set: BTreeSet<&str> = names.iter().map(String::as_str).collect();
    for sure in &names {
        let cover = split(&whole(), &set, sure, 12).unwrap_or_default();
        let most = cover.parts.iter().map(|part| part.pieces.len()).max().unwrap_or_default();
        let proving: Vec<&Part> = cover.parts.iter().filter(|part| part.proof.is_some()).collect();
        assert!(proving.len() == 1 && proving[0].contains(sure));
        proves(proving[0], sure, most);
    }
}

/// A service that reads but the first value, or the last, or fewer than a part has, or no negation, does not list it.
fn proves(part: &Part, sure: &str, most_values: usize) {
    let ListFilter { prefixes, without, .. } = part.filter();
    let at = prefixes.iter().position(|text| sure.starts_with(text)).unwrap_or_default();
    assert!(at > 0 && at + 1 < prefixes.len(), "{sure}: {prefixes:?}");
    assert_eq!(prefixes.len(), (most_values + 1).clamp(3, MOST_VALUES), "{sure}");
    assert_eq!(without.len(), 1, "{sure}");
    // It changes nothing: what is added begins with a text of the part, what is left out with none.
    let begins: Vec<&String> = part.pieces.iter().map(|piece| &piece.begin).collect();
    assert!(prefixes.iter().all(|text| begins.iter().any(|begin| text.starts_with(*begin))));
    assert!(!begins.iter().any(|begin| without[0].starts_with(*begin) || begin.starts_with(&without[0])));
}

#[test]
fn a_full_part_proves_with_its_own_texts() {
    let begins = |count: u8| (0..count).map(|n| Piece::whole(&format!("p/{}1", char::from(b'a' + n)))).collect();
    for count in 1..=10 {
        let mut part = Part { pieces: begins(count), proof: None };
        part.prove("p/a123", 10);
        proves(&part, "p/a123", 10);
        assert_eq!(part.pieces.len(), usize::from(count));
    }
}

#[test]
fn what_is_left_out_for_proof_is_not_the_beginning_of_another_text() {
    let mut part = Part { pieces: vec![Piece::whole("p/ab"), Piece::whole("p/c")], proof: None };
    part.prove("p/c1", 2);
    assert_eq!(part.filter().without, ["p/b"]);
}
