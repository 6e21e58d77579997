//! Did you mean …? Finds the known word that is nearest to an unknown one.

/// How alike two words must be (Damerau–Levenshtein, 0 to 1) to be offered in place of one another.
const ALIKE_MIN: f64 = 0.6;

/// The most known words that a help text lists.
const LISTED_MAX: usize = 40;

/// The known word that `word` was probably meant to be.
pub(super) fn nearest<'k>(word: &str, known: impl IntoIterator<Item = &'k str>) -> Option<&'k str> {
    known
        .into_iter()
        .map(|candidate| (likeness(word, candidate), candidate))
        .filter(|(likeness, _)| *likeness >= ALIKE_MIN)
        .max_by(|(a, _), (b, _)| a.total_cmp(b))
        .map(|(_, candidate)| candidate)
}

/// How alike two words are, from 0 to 1.
pub(super) fn likeness(word: &str, other: &str) -> f64 {
    // The measure is quadratic in length: a word much longer than a key is like none.
    if word.len() > 128 {
        return 0.0;
    }
    strsim::normalized_damerau_levenshtein(&word.to_lowercase(), &other.to_lowercase())
}

/// The help for an unknown word: the nearest known one, or all of them behind `intro`.
pub(super) fn help<'k>(
    word: &str,
    known: impl Iterator<Item = &'k str> + Clone,
    intro: &str,
) -> String {
    if let Some(meant) = nearest(word, known.clone()) {
        return format!("did you mean `{meant}`?");
    }
    let mut listed: Vec<_> = known.collect();
    listed.sort_unstable();
    listed.dedup();
    match listed.len() {
        0 => "there are none here: remove it".into(),
        1..=LISTED_MAX => format!("{intro} {}", quoted(&listed)),
        more => format!("{intro} {} and more: {more}", quoted(&listed[..LISTED_MAX])),
    }
}

/// The words in back quotes, comma-separated.
pub(super) fn quoted(words: &[&str]) -> String {
    let quoted: Vec<_> = words.iter().map(|word| format!("`{word}`")).collect();
    quoted.join(", ")
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn a_slip_of_the_pen_finds_the_word_that_was_meant() {
        let known = ["address", "certificate", "token"];
        let check = |word, meant| assert_eq!(nearest(word, known), meant, "{word}");
        check("adress", Some("address"));
        check("tokne", Some("token"));
        check("Certificate", Some("certificate"));
        check("zebra", None);
    }
}
