//! Numbers as SOPS writes them, which is how Go does.

/// As `strconv.FormatFloat(number, 'f', -1, 64)`: what SOPS hashes and encrypts.
pub(super) fn plain(number: f64) -> String {
    if number.is_infinite() {
        return if number > 0.0 { "+Inf" } else { "-Inf" }.to_owned();
    }
    if number.is_nan() {
        return "NaN".to_owned();
    }
    let (mantissa, exponent) = scientific(number);
    let (sign, mantissa) = mantissa.strip_prefix('-').map_or(("", mantissa.as_str()), |mantissa| ("-", mantissa));
    let digits = mantissa.replace('.', "");
    let Ok(whole) = usize::try_from(exponent) else {
        let zeros = "0".repeat(usize::try_from(-exponent - 1).unwrap_or_default());
        return format!("{sign}0.{zeros}{digits}");
    };
    match digits.split_at_checked(whole + 1) {
        Some((whole, "")) => format!("{sign}{whole}"),
        Some((whole, fraction)) => format!("{sign}{whole}.{fraction}"),
        None => format!("{sign}{digits:0<width$}", width = whole + 1),
    }
}

/// As a YAML document has a float: `strconv.FormatFloat(number, 'g', -1, 64)`.
pub(in crate::value) fn yaml(number: f64) -> String {
    if number.is_nan() {
        return ".nan".to_owned();
    }
    if number.is_infinite() {
        return if number > 0.0 { ".inf" } else { "-.inf" }.to_owned();
    }
    let (mantissa, exponent) = scientific(number);
    if (-4..6).contains(&exponent) {
        return plain(number);
    }
    format!("{mantissa}e{}{:02}", sign(exponent), exponent.unsigned_abs())
}

/// As Go's `encoding/json` writes a float; none for what JSON does not know.
pub(in crate::value) fn json(number: f64) -> Option<String> {
    if !number.is_finite() {
        return None;
    }
    let size = number.abs();
    if size == 0.0 || (1e-6..1e21).contains(&size) {
        return Some(plain(number));
    }
    let (mantissa, exponent) = scientific(number);
    Some(format!("{mantissa}e{}{}", sign(exponent), exponent.unsigned_abs()))
}

fn sign(exponent: i32) -> char {
    if exponent < 0 { '-' } else { '+' }
}

/// The shortest digits that read back the same, and the exponent of ten. Of two that are as near, Go takes the even one
/// and Rust the larger: 1052491860808575.25 is `….2` in what SOPS hashes. Digits that are asked for by number are even
/// in Rust too.
fn scientific(number: f64) -> (String, i32) {
    let shortest = format!("{number:e}");
    let fraction = shortest.split_once('e').and_then(|(mantissa, _)| mantissa.split_once('.'));
    let even = format!("{number:.*e}", fraction.map_or(0, |(_, fraction)| fraction.len()));
    let is_same = even.parse::<f64>().is_ok_and(|read| read.to_bits() == number.to_bits());
    let text = if is_same { even } else { shortest };
    let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    (mantissa.to_owned(), exponent.parse().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn what_is_written_reads_back_the_same(bits: u64) {
            let number = f64::from_bits(bits);
            prop_assume!(number.is_finite());
            for text in [plain(number), yaml(number), json(number).unwrap_or_default()] {
                prop_assert_eq!(text.parse::<f64>().map(f64::to_bits), Ok(bits), "{}", text);
            }
            // As long as Rust's own, but for what is as near.
            prop_assert_eq!(plain(number).len(), number.to_string().len());
        }
    }

    #[test]
    fn floats_are_written_as_go_does() {
        for (number, in_mac, in_yaml, in_json) in [
            (1.0, "1", "1", Some("1")),
            (1.5, "1.5", "1.5", Some("1.5")),
            (123_456.0, "123456", "123456", Some("123456")),
            (1_234_567.0, "1234567", "1.234567e+06", Some("1234567")),
            (1e21, "1000000000000000000000", "1e+21", Some("1e+21")),
            (1e-7, "0.0000001", "1e-07", Some("1e-7")),
            (0.0001, "0.0001", "0.0001", Some("0.0001")),
            (0.00001, "0.00001", "1e-05", Some("0.00001")),
            (1.5e300, &format!("15{}", "0".repeat(299)), "1.5e+300", Some("1.5e+300")),
            (-0.0, "-0", "-0", Some("-0")),
            (f64::NAN, "NaN", ".nan", None),
            (f64::INFINITY, "+Inf", ".inf", None),
            (f64::NEG_INFINITY, "-Inf", "-.inf", None),
            (
                1_052_491_860_808_575.0 + 0.25,
                "1052491860808575.2",
                "1.0524918608085752e+15",
                Some("1052491860808575.2"),
            ),
            (-5e-324, &format!("-0.{}5", "0".repeat(323)), "-5e-324", Some("-5e-324")),
            (9_007_199_254_740_993.0 * 4.0, "36028797018963970", "3.602879701896397e+16", Some("36028797018963970")),
            (0.1 + 0.2, "0.30000000000000004", "0.30000000000000004", Some("0.30000000000000004")),
        ] {
            assert_eq!(plain(number), in_mac);
            assert_eq!(yaml(number), in_yaml);
            assert_eq!(json(number).as_deref(), in_json);
        }
    }
}
