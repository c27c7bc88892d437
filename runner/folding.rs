//! Folding of case and width, so that `ＨＴＴＰ`, `http` and `ﾃﾞｨｽｸ`/`ディスク` are the same word.

use unicode_normalization::UnicodeNormalization as _;

/// Width and compatibility forms folded (NFKC), case kept: what patterns and captures see.
pub fn widths(text: &str) -> String {
    text.nfkc().collect()
}

/// Widths and case folded, runs of white space made one space: what keywords are compared in.
pub fn fold(text: &str) -> String {
    let lower = widths(text).to_lowercase();
    let mut folded = String::with_capacity(lower.len());
    for word in lower.split_whitespace() {
        if !folded.is_empty() {
            folded.push(' ');
        }
        folded.push_str(word);
    }
    folded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn widths_case_and_spaces_do_not_matter_to_keywords() {
        assert_eq!(fold("ＨＴＴＰ　ＣＲＩＴＩＣＡＬ"), "http critical");
        assert_eq!(fold("ｗｅｂ０１ ﾃﾞｨｽｸ"), "web01 ディスク");
        assert_eq!(fold("  a \t b\n"), "a b");
        assert_eq!(fold("①㈱"), "1(株)");
    }

    #[test]
    fn patterns_see_the_case_of_a_name() {
        assert_eq!(widths("ＷＥＢ０１"), "WEB01");
    }
}
