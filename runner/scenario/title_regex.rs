//! Regular expressions for titles: cheap to make, since there are thousands and titles are short.
//!
//! The engine under `regex`, told to leave out what makes searches of long texts fast. That takes
//! a third of the time and a twentieth of the memory per pattern (docs/BENCHMARKS.md); a search
//! stays linear in the title.

use regex_automata::PatternID;
use regex_automata::meta::{Config, Regex};
use regex_automata::util::{captures::Captures, syntax};

/// Bytes of a compiled title pattern; a pattern that needs more is a mistake.
const PATTERN_BYTES: usize = 256 * 1024;
/// Bytes of a title pattern as written; titles have at most a thousand characters.
const WRITTEN_BYTES: usize = 4096;

#[derive(Clone, Debug)]
pub struct TitleRegex(Regex);

/// Why a pattern is no regular expression, or too large a one.
#[derive(Debug, thiserror::Error)]
pub enum TitleRegexError {
    /// The library's own text, of several lines.
    #[error("{0}")]
    Syntax(String),
    #[error("it has more than {WRITTEN_BYTES} bytes")]
    TooLong,
    #[error("it needs more than {PATTERN_BYTES} bytes when compiled")]
    TooBig,
    #[error("{0}")]
    Other(String),
}

/// Where the groups of a pattern matched in a title.
#[derive(Debug)]
pub struct Groups<'t> {
    title: &'t str,
    captures: Captures,
}

impl TitleRegex {
    /// Ignores case.
    pub fn new(pattern: &str) -> Result<Self, TitleRegexError> {
        // Reading a pattern takes time by its length, before any other limit can hold.
        if pattern.len() > WRITTEN_BYTES {
            return Err(TitleRegexError::TooLong);
        }
        let config = Config::new()
            .nfa_size_limit(Some(PATTERN_BYTES))
            .auto_prefilter(false)
            .hybrid(false)
            .dfa(false)
            .onepass(false);
        let built = Regex::builder()
            .configure(config)
            .syntax(syntax::Config::new().case_insensitive(true))
            .build(pattern);
        built.map(Self).map_err(|error| match (error.syntax_error(), error.size_limit()) {
            (Some(syntax), _) => TitleRegexError::Syntax(syntax.to_string()),
            (None, Some(_)) => TitleRegexError::TooBig,
            (None, None) => TitleRegexError::Other(error.to_string()),
        })
    }

    pub fn capture_names(&self) -> impl Iterator<Item = Option<&str>> {
        self.0.group_info().pattern_names(PatternID::ZERO)
    }

    pub fn captures<'t>(&self, title: &'t str) -> Option<Groups<'t>> {
        let mut captures = self.0.create_captures();
        self.0.captures(title, &mut captures);
        captures.is_match().then_some(Groups { title, captures })
    }
}

impl<'t> Groups<'t> {
    /// `None` when the group did not take part.
    pub fn name(&self, name: &str) -> Option<&'t str> {
        self.title.get(self.captures.get_group_by_name(name)?.range())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_are_found_whatever_the_case_and_script() {
        let regex = TitleRegex::new(r"(?<what>停止|DOWN) host=(?<host>\S+)( x(?<n>\d))?").unwrap();
        let names: Vec<_> = regex.capture_names().collect();
        assert_eq!(names, [None, Some("what"), Some("host"), None, Some("n")]);
        let groups = regex.captures("監視 down HOST=ｗｅｂ１ y").unwrap();
        assert_eq!((groups.name("what"), groups.name("host")), (Some("down"), Some("ｗｅｂ１")));
        assert_eq!((groups.name("n"), groups.name("nobody")), (None, None));
        assert!(regex.captures("up host=web1").is_none());
    }

    #[test]
    fn what_is_no_pattern_or_too_large_says_so() {
        let syntax = TitleRegex::new("(a").unwrap_err().to_string();
        assert_eq!(syntax.lines().last(), Some("error: unclosed group"));
        let long = TitleRegex::new(&"a".repeat(5_000)).unwrap_err();
        assert_eq!(long.to_string(), "it has more than 4096 bytes");
        let large = TitleRegex::new(r"\w{900}\w{900}").unwrap_err();
        assert_eq!(large.to_string(), "it needs more than 262144 bytes when compiled");
    }

    /// The settings change the cost and nothing else.
    #[test]
    fn it_finds_what_the_usual_engine_finds() {
        let patterns = [
            r"site=(?<a>\S+) port=(?<b>\d+)",
            r"(?<a>停止|down)?.*?(?<b>[a-z]+)$",
            r"^(?<a>\w+)\b(?<b>.*)",
            r"(?<a>a|ab)(?<b>c|bcd)?",
            r"(?<a>[^\s=]+)=(?<b>)",
        ];
        let titles =
            ["SITE=shop PORT=80", "監視 停止 web", "abcd", "", "ｋ＝ｖ K=v", "é Straße\tx=1"];
        for pattern in patterns {
            let usual = regex::RegexBuilder::new(pattern).case_insensitive(true).build().unwrap();
            let ours = TitleRegex::new(pattern).unwrap();
            for title in titles {
                let (usual, ours) = (usual.captures(title), ours.captures(title));
                assert_eq!(usual.is_some(), ours.is_some(), "{pattern} {title}");
                for name in ["a", "b"] {
                    let usual = usual.as_ref().and_then(|it| it.name(name)).map(|it| it.as_str());
                    let ours = ours.as_ref().and_then(|it| it.name(name));
                    assert_eq!(usual, ours, "{pattern} {title}");
                }
            }
        }
    }

    #[test]
    fn a_search_is_linear_in_the_title() {
        let regex = TitleRegex::new("(a*)*b(?<end>c)").unwrap();
        assert!(regex.captures(&"a".repeat(10_000)).is_none());
    }
}
