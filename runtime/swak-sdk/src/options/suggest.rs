//! "Did you mean": the known word nearest to a mistyped one.

/// The word that was most likely meant, if one is near enough to be offered.
///
/// Case and the difference between `-` and `_` do not count.
pub fn did_you_mean<'a>(typed: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    // Nobody mistypes a word this long; comparing grows with the product of the lengths.
    const LONGEST: usize = 64;
    if typed.len() > LONGEST {
        return None;
    }
    let typed = fold(typed);
    // One slip in a short word, one slip in three letters of a longer one.
    let allowed = (typed.chars().count() / 3).max(1);
    known
        .into_iter()
        .filter(|word| word.len() <= LONGEST)
        .map(|word| (strsim::osa_distance(&typed, &fold(word)), word))
        .filter(|&(distance, word)| distance <= allowed && distance < word.chars().count())
        .min_by_key(|&(distance, _)| distance)
        .map(|(_, word)| word)
}

/// `` did you mean `path`? `` or the words that there are.
pub(crate) fn known_words<'a>(
    typed: &str,
    what: &str,
    known: impl IntoIterator<Item = &'a str> + Clone,
) -> String {
    match did_you_mean(typed, known.clone()) {
        Some(word) => format!("did you mean `{word}`?"),
        None => {
            let words: Vec<_> = known.into_iter().map(|w| format!("`{w}`")).collect();
            format!("{what}: {}", words.join(", "))
        }
    }
}

fn fold(word: &str) -> String {
    word.to_lowercase().replace('-', "_")
}

#[cfg(test)]
mod tests {
    use super::did_you_mean;

    #[test]
    fn offers_the_nearest_word_only_if_it_is_near() {
        let known = ["path", "start", "max_line", "encoding"];
        assert_eq!(did_you_mean("paht", known), Some("path"));
        assert_eq!(did_you_mean("max-line", known), Some("max_line"));
        assert_eq!(did_you_mean("MAXLINE", known), Some("max_line"));
        assert_eq!(did_you_mean("encodnig", known), Some("encoding"));
        assert_eq!(did_you_mean("port", known), None);
        assert_eq!(did_you_mean("", known), None);
        assert_eq!(did_you_mean("x", ["y"]), None);
    }

    #[test]
    fn a_very_long_word_is_not_compared() {
        let long = "a".repeat(1 << 20);
        assert_eq!(did_you_mean(&long, ["a"]), None);
    }
}
