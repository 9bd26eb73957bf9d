//! Code of which each mutant's end is known: `tests/sample.rs` says what it is.

/// What is asked of a parcel.
#[derive(Clone, Debug, PartialEq)]
pub struct Parcel {
    pub weight: u32,
    pub express: bool,
}

/// Has no default, so that a function cannot answer with one.
#[derive(Debug, PartialEq)]
pub struct Label(String);

/// Both sides of the limit are tested.
pub fn is_heavy(parcel: &Parcel) -> bool {
    parcel.weight > 30
}

/// Only `true && true` is tested.
pub fn is_urgent(parcel: &Parcel) -> bool {
    parcel.express && !is_heavy(parcel)
}

/// Precedence: with `||` in the place of the first `&&`, the second one still binds more tightly.
pub fn all(a: bool, b: bool, c: bool) -> bool {
    a && b && c
}

/// In a chain with `let` there is no `||`.
pub fn weight_of(parcel: Option<&Parcel>, at_most: u32) -> u32 {
    if let Some(parcel) = parcel
        && parcel.weight < at_most
    {
        return parcel.weight;
    }
    at_most
}

/// The arm for 0 is never taken by a test.
pub fn zone(distance: u32) -> char {
    match distance {
        0 => 'l',
        near if near < 100 => 'n',
        _ => 'f',
    }
}

/// The weight is the default's anyway.
pub fn letter() -> Parcel {
    let letter = Parcel { weight: 0, express: false };
    Parcel { weight: 0, express: true, ..letter }
}

/// Answers with an iterator.
pub fn heavy(parcels: &[Parcel]) -> impl Iterator<Item = &Parcel> {
    parcels.iter().filter(|parcel| is_heavy(parcel))
}

/// With `*=` it never ends.
pub fn label(digits: usize) -> Option<Label> {
    let mut text = String::new();
    let mut count = 0;
    while count < digits {
        text.push('0');
        count += 1;
    }
    Some(Label(text))
}

/// What is constant has no switch.
pub const fn twice(number: u32) -> u32 {
    number * 2
}

/// No test calls it.
pub fn forgotten() -> bool {
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIGHT: Parcel = Parcel { weight: 30, express: true };
    const HEAVY: Parcel = Parcel { weight: 31, express: true };

    #[test]
    fn above_thirty_is_heavy() {
        assert!(is_heavy(&HEAVY));
        assert!(!is_heavy(&LIGHT));
        assert_eq!(heavy(&[LIGHT, HEAVY]).collect::<Vec<_>>(), [&HEAVY]);
    }

    #[test]
    fn express_is_urgent() {
        assert!(is_urgent(&LIGHT));
    }

    #[test]
    fn all_are_asked() {
        assert!(all(true, true, true));
        assert!(!all(true, false, false));
    }

    #[test]
    fn weight_has_a_limit() {
        assert_eq!(weight_of(Some(&LIGHT), 40), 30);
        assert_eq!(weight_of(None, 40), 40);
    }

    #[test]
    fn far_is_above_a_hundred() {
        assert_eq!([zone(99), zone(100)], ['n', 'f']);
    }

    #[test]
    fn letters_are_express() {
        assert_eq!(letter(), Parcel { weight: 0, express: true });
    }

    #[test]
    fn labels_have_digits() {
        assert_eq!(label(2), Some(Label("00".to_owned())));
    }

    #[test]
    fn twice_is_two_times() {
        assert_eq!(twice(3), 6);
    }
}
