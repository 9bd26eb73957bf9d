//! Parts of a list: filters of ListSecrets that together let through every name beginning with a prefix, and no name
//! twice. Pure.
//!
//! A part takes the names that begin with one of some texts (the values of one filter, which are ORed) and with none of
//! some others (a filter with `!` for each of these; filters are ANDed). The texts come from names that are known, so
//! that parts are of like size; a name that nobody knows falls into one of them all the same.

#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

use super::super::reader::ListFilter;

/// Values of one filter.
const MOST_VALUES: usize = ListFilter::MOST_PREFIXES;

/// Filters of one list, less the one for what a name begins with (ListSecrets, `Filters`).
const MOST_WITHOUT: usize = 9;

/// Longest text, in bytes: a filter's value has 512 characters at most, of which `!` is one.
const LONGEST: usize = 511;

/// The characters that a filter's value may hold, which are more than a name may (CreateSecret, `Name`).
const CHARACTERS: &str = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/_+=.@-!: ";

/// Parts that are worth their calls: each ends with a page that is half empty, on average.
const MOST_PARTS: usize = 20;

/// Pages that a part should have at least.
const PAGES_OF_A_PART: usize = 3;

/// How many parts a fan makes at least: its characters, ten to a part.
const PARTS_OF_A_FAN: usize = 8;

/// Whether a filter can say it. A leading `!` would negate.
pub(super) fn can_be_sent(text: &str) -> bool {
    !text.is_empty()
        && !text.starts_with('!')
        && text.len() <= LONGEST
        && text.chars().all(|character| CHARACTERS.contains(character))
}

/// Names that begin with one text, and with none of others that are longer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Piece {
    /// Empty for all names.
    pub(super) begin: String,
    pub(super) without: Vec<String>,
    /// How many names are expected.
    pub(super) weight: usize,
}

impl Piece {
    /// Everything that begins with a prefix.
    pub(super) fn whole(prefix: &str) -> Self {
        Self { begin: prefix.to_owned(), without: Vec::new(), weight: 0 }
    }

    fn contains(&self, name: &str) -> bool {
        name.starts_with(&self.begin) && !self.without.iter().any(|text| name.starts_with(text))
    }
}

/// What one walk lists.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Part {
    pub(super) pieces: Vec<Piece>,
    /// Texts that change nothing, beside the pieces': where a service does not treat several values or negation as
    /// documented, the names of this part do not come.
    proof: Option<Proof>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Proof {
    /// Longer than the text of the last piece, which includes them; they stand around it.
    values: Vec<String>,
    /// No name of the part begins with it.
    without: String,
}

/// Parts, and what lies between them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Cover {
    pub(super) parts: Vec<Part>,
    /// Names that are in no part.
    pub(super) exact: Vec<String>,
}

impl Part {
    pub(super) fn of(piece: Piece) -> Self {
        Self { pieces: vec![piece], proof: None }
    }

    pub(super) fn contains(&self, name: &str) -> bool {
        self.pieces.iter().any(|piece| piece.contains(name))
    }

    /// Whether one filter can say a piece beside those of the part: none excludes what another one includes.
    fn takes(&self, piece: &Piece) -> bool {
        let excludes = |one: &Piece, other: &Piece| one.without.iter().any(|text| other.begin.starts_with(text));
        self.pieces.len() < MOST_VALUES
            && self.without() + piece.without.len() <= MOST_WITHOUT
            && !self.pieces.iter().any(|other| excludes(other, piece) || excludes(piece, other))
    }

    pub(super) fn weight(&self) -> usize {
        self.pieces.iter().map(|piece| piece.weight).sum()
    }

    /// Notes how many names are expected.
    pub(super) fn expect(&mut self, names: usize) {
        if let Some(piece) = self.pieces.first_mut() {
            piece.weight = names;
        }
    }

    fn without(&self) -> usize {
        self.pieces.iter().map(|piece| piece.without.len()).sum()
    }

    pub(super) fn filter(&self) -> ListFilter {
        let mut prefixes: Vec<String> = self.pieces.iter().map(|piece| piece.begin.clone()).collect();
        let mut without: Vec<String> = self.pieces.iter().flat_map(|piece| piece.without.clone()).collect();
        if let Some(proof) = &self.proof {
            let last = prefixes.len().saturating_sub(1);
            let mut values = proof.values.clone();
            prefixes.extend(values.pop());
            prefixes.splice(last..last, values);
            if without.is_empty() {
                without.push(proof.without.clone());
            }
        }
        ListFilter { prefixes, without, ..ListFilter::default() }
    }

    /// Makes the part one that shows whether the service does as documented, by a name of it that is there for certain:
    /// its text stands behind others and before one, as many as any part has, and something is negated.
    fn prove(&mut self, name: &str, most_values: usize) {
        let Some(at) = self.pieces.iter().position(|piece| piece.contains(name)) else { return };
        let room = MOST_VALUES.saturating_sub(self.pieces.len());
        let last = self.pieces.len() - 1;
        // One value stands behind it in any case.
        let place = if room == 0 { last - 1 } else { last };
        self.pieces.swap(at, place);
        let begin = &self.pieces[place].begin;
        let other = |character: &char| {
            let mut text = begin.clone();
            text.pop();
            text.push(*character);
            let apart = |piece: &Piece| !piece.begin.starts_with(&text) && !text.starts_with(&piece.begin);
            self.pieces.iter().all(apart).then_some(text)
        };
        let Some(without) = CHARACTERS.chars().filter(|character| *character != '!').find_map(|c| other(&c)) else {
            return;
        };
        let wanted = (most_values + 1).max(3).saturating_sub(self.pieces.len());
        let values = CHARACTERS.chars().rev().take(wanted.min(room)).map(|character| format!("{begin}{character}"));
        self.proof = Some(Proof { values: values.collect(), without });
    }
}

/// Splits pieces into parts of like size, by the names that are known to be there or may be. `sure` is a name that is
/// there for certain. None when they cannot be split to any use.
pub(super) fn split(pieces: &[Piece], names: &BTreeSet<&str>, sure: &str, pages: usize) -> Option<Cover> {
    let names: Vec<&str> = names.iter().copied().filter(|name| can_be_sent(name)).collect();
    let parts = (pages / PAGES_OF_A_PART).clamp(2, MOST_PARTS);
    let mut splitter =
        Splitter { target: names.len().div_ceil(parts).max(1), parts, fans: 0, pieces: Vec::new(), exact: Vec::new() };
    for piece in pieces {
        let within: Vec<&str> = names.iter().copied().filter(|name| piece.contains(name)).collect();
        splitter.refine(Piece { weight: within.len(), ..piece.clone() }, &within);
    }
    let heaviest = splitter.pieces.iter().map(|piece| piece.weight).max().unwrap_or_default();
    let total: usize = splitter.pieces.iter().map(|piece| piece.weight).sum();
    // A split that leaves nearly everything in one part costs calls and saves no time.
    if heaviest.saturating_mul(5) > total.saturating_mul(4) {
        return None;
    }
    let mut parts = pack(splitter.pieces, parts);
    let most_values = parts.iter().map(|part| part.pieces.len()).max().unwrap_or_default();
    let proving = parts.iter_mut().find(|part| part.contains(sure))?;
    proving.prove(sure, most_values);
    proving.proof.as_ref()?;
    Some(Cover { parts, exact: splitter.exact })
}

struct Splitter {
    /// Names that a part should have.
    target: usize,
    parts: usize,
    fans: usize,
    pieces: Vec<Piece>,
    exact: Vec<String>,
}

/// Names that go on with the same character.
struct Branch<'n> {
    begin: String,
    names: Vec<&'n str>,
}

impl Splitter {
    /// Splits a piece until its pieces are small enough, or cannot be split. `names` are those of the piece, sorted;
    /// each of them can be sent.
    fn refine(&mut self, piece: Piece, names: &[&str]) {
        let (Some(first), Some(last)) = (names.first(), names.last()) else { return self.pieces.push(piece) };
        if names.len() <= self.target + self.target / 4 {
            return self.pieces.push(piece);
        }
        let common = common(first, last);
        let mut branches = branches(common, names);
        branches.sort_by(|a, b| b.names.len().cmp(&a.names.len()).then_with(|| a.begin.cmp(&b.begin)));
        let mut left = names.len();
        let mut holes = 0;
        for branch in branches.iter().take(MOST_WITHOUT.saturating_sub(piece.without.len())) {
            if left <= self.target {
                break;
            }
            left -= branch.names.len();
            holes += 1;
        }
        let is_wide = left > self.target + self.target / 4;
        if is_wide && self.may_fan() {
            return self.fan(&piece, common, branches);
        }
        branches.truncate(holes);
        let mut rest = Piece { weight: left, ..piece.clone() };
        for Branch { begin, names } in branches {
            // What is excluded with the branch need not be excluded by itself.
            rest.without.retain(|text| !text.starts_with(&begin));
            rest.without.push(begin.clone());
            self.refine(under(&piece, begin, names.len()), &names);
        }
        self.pieces.push(rest);
    }

    /// Whether a piece may be split by every next character, which makes parts of its own.
    fn may_fan(&self) -> bool {
        (self.fans + 1) * PARTS_OF_A_FAN <= self.parts + 4
    }

    /// Splits a piece by the character that follows what its names have in common. The name that ends there is in no
    /// part.
    fn fan(&mut self, piece: &Piece, common: &str, mut branches: Vec<Branch<'_>>) {
        self.fans += 1;
        if common != piece.begin {
            let mut outside = Piece { weight: 0, ..piece.clone() };
            outside.without.retain(|text| !text.starts_with(common));
            outside.without.push(common.to_owned());
            self.pieces.push(outside);
        }
        self.exact.push(common.to_owned());
        for character in CHARACTERS.chars() {
            let begin = format!("{common}{character}");
            if piece.without.contains(&begin) {
                continue;
            }
            let at = branches.iter().position(|branch| branch.begin == begin);
            let names = at.map(|at| branches.swap_remove(at).names).unwrap_or_default();
            self.refine(under(piece, begin, names.len()), &names);
        }
    }
}

/// A piece within another one.
fn under(piece: &Piece, begin: String, weight: usize) -> Piece {
    let without = piece.without.iter().filter(|text| text.starts_with(&begin)).cloned().collect();
    Piece { begin, without, weight }
}

fn common<'n>(first: &'n str, last: &str) -> &'n str {
    let same = first.bytes().zip(last.bytes()).take_while(|(a, b)| a == b).count();
    // What can be sent is ASCII.
    &first[..same]
}

/// The names that are longer than what they have in common, by their next character.
fn branches<'n>(common: &str, names: &[&'n str]) -> Vec<Branch<'n>> {
    let longer = names.iter().copied().filter(|name| name.len() > common.len());
    let mut branches: Vec<Branch<'n>> = Vec::new();
    for name in longer {
        let begin = &name[..=common.len()];
        match branches.last_mut().filter(|branch| branch.begin == begin) {
            Some(branch) => branch.names.push(name),
            None => branches.push(Branch { begin: begin.to_owned(), names: vec![name] }),
        }
    }
    branches
}

/// Puts pieces together into parts of like size, the heaviest first.
fn pack(mut pieces: Vec<Piece>, parts: usize) -> Vec<Part> {
    let mut packed = vec![Part::default(); parts.max(pieces.len().div_ceil(MOST_VALUES))];
    pieces.sort_by(|a, b| b.weight.cmp(&a.weight).then_with(|| a.begin.cmp(&b.begin)));
    for piece in pieces {
        let size = |part: &&mut Part| (if piece.weight > 0 { part.weight() } else { 0 }, part.pieces.len());
        match packed.iter_mut().filter(|part| part.takes(&piece)).min_by_key(size) {
            Some(part) => part.pieces.push(piece),
            None => packed.push(Part::of(piece)),
        }
    }
    packed.retain(|part| !part.pieces.is_empty());
    packed
}
