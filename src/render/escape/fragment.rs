//! What may be a part of escaped text.

use super::{Escaped, Format};

/// A part of [`Escaped`] text: escaped text of the same format, a number, a literal, or something that is made of
/// these. It cannot be implemented for the text of others, since nothing but fragments can be pushed.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no escaped text for the format `{F}`",
    note = "escape it with a function of `render::escape` that is made for this format"
)]
pub trait Fragment<F: Format> {
    /// Appends it to `out`.
    fn push_to(&self, out: &mut Escaped<F>);
}

impl<F: Format> Fragment<F> for Escaped<F> {
    fn push_to(&self, out: &mut Escaped<F>) {
        out.push_text(&self.text);
    }
}

/// A literal of this program.
impl<F: Format> Fragment<F> for &'static str {
    fn push_to(&self, out: &mut Escaped<F>) {
        out.push_text(self);
    }
}

impl<F: Format, T: Fragment<F>> Fragment<F> for &T {
    fn push_to(&self, out: &mut Escaped<F>) {
        (*self).push_to(out);
    }
}

/// Nothing where there is none.
impl<F: Format, T: Fragment<F>> Fragment<F> for Option<T> {
    fn push_to(&self, out: &mut Escaped<F>) {
        if let Some(fragment) = self {
            fragment.push_to(out);
        }
    }
}

macro_rules! numbers {
    ($($number:ty)*) => {$(
        impl<F: Format> Fragment<F> for $number {
            fn push_to(&self, out: &mut Escaped<F>) {
                out.push_text(&self.to_string());
            }
        }
    )*};
}

numbers! { u8 u16 u32 u64 usize i32 i64 f64 }

/// A fragment with spaces behind it, to be this many characters wide.
pub fn padded<F: Format>(fragment: impl Fragment<F>, width: usize) -> Escaped<F> {
    let mut out = Escaped::default();
    fragment.push_to(&mut out);
    for _ in out.chars().count()..width {
        out.push_text(" ");
    }
    out
}

/// A number with this many decimal places.
pub fn decimal<F: Format>(number: f64, places: usize) -> Escaped<F> {
    Escaped::vouch(format!("{number:.places$}"))
}

/// A moment in UTC, laid out as `strftime` does it.
pub fn time<F: Format>(moment: jiff::Timestamp, layout: &'static str) -> Escaped<F> {
    Escaped::vouch(moment.strftime(layout).to_string())
}

/// How many place holders a template has.
///
/// # Panics
///
/// When a brace stands alone. The macro `escaped!` calls this while it is compiled, and never later.
pub const fn slots(template: &str) -> usize {
    let bytes = template.as_bytes();
    let (mut at, mut slots) = (0, 0);
    while at < bytes.len() {
        if bytes[at] == b'{' || bytes[at] == b'}' {
            assert!(at + 1 < bytes.len(), "a template ends with a brace");
            assert!(
                bytes[at + 1] == b'}' || (bytes[at] == b'{' && bytes[at + 1] == b'{'),
                "a place holder is a pair of braces, and a brace is written twice"
            );
            if bytes[at] == b'{' && bytes[at + 1] == b'}' {
                slots += 1;
            }
            at += 1;
        }
        at += 1;
    }
    slots
}
