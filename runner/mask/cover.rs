//! Covers what a pattern finds, and only the secret in it. Pure.

use regex::Regex;

use super::MASK;

/// Groups of this name hold the secret; a pattern without one is secret as a whole.
const GROUP: &str = "secret";

/// A group of this name holds the start of a value whose end no pattern can tell.
const BARE: &str = "secret_bare";

/// Bytes that such a value may go on behind a comma, a semicolon or an ampersand.
const LONGEST_REST: usize = 256;

/// Which finds are no secrets.
pub(super) type Stays = fn(&str) -> bool;

pub(super) const NOTHING: Stays = |_| false;

/// The text with its secrets covered; `None` where there is none.
pub(super) fn cover(pattern: &Regex, text: &str, stays: Stays) -> Option<String> {
    let names: Vec<&str> =
        pattern.capture_names().flatten().filter(|name| name.starts_with(GROUP)).collect();
    let mut covered = String::new();
    // Up to where the text is taken over, and from where is looked on.
    let (mut taken, mut from) = (0, 0);
    while let Some(found) = (from <= text.len()).then(|| pattern.captures_at(text, from)).flatten()
    {
        let whole = found.get(0)?;
        let mut next = whole.end();
        let groups = names.iter().filter_map(|name| Some((*name, found.name(name)?)));
        let mut secrets: Vec<(usize, usize)> = groups
            .map(|(name, group)| match name {
                BARE => (group.start(), end_of_value(text, group.end())),
                _ => (group.start(), group.end()),
            })
            .collect();
        if names.is_empty() {
            secrets.push((whole.start(), whole.end()));
        }
        secrets.sort_unstable();
        for (start, end) in secrets {
            next = next.max(end);
            if start >= end || start < taken || stays(&text[start..end]) {
                continue;
            }
            covered.push_str(&text[taken..start]);
            covered.push_str(MASK);
            taken = end;
        }
        from = if next > from { next } else { after(text, next) };
    }
    if taken == 0 {
        return None;
    }
    covered.push_str(&text[taken..]);
    Some(covered)
}

/// The next character, for a pattern that finds nothing at all.
fn after(text: &str, at: usize) -> usize {
    text[at..].chars().next().map_or(text.len() + 1, |c| at + c.len_utf8())
}

/// `a,b` may be one password, `a,user=b` is not; `a&b=c` is part of an address.
fn end_of_value(text: &str, mut end: usize) -> usize {
    let most = end + LONGEST_REST;
    while end < most {
        let rest = &text[end..];
        if !rest.starts_with([',', ';', '&']) {
            break;
        }
        let ends = |c: char| c.is_whitespace() || ",;&\"'<>}])\\".contains(c);
        let word = &rest[1..][..rest[1..].find(ends).unwrap_or(rest.len() - 1)];
        if word.is_empty() || word.len() > LONGEST_REST || word.contains(['=', ':']) {
            break;
        }
        end += 1 + word.len();
    }
    end
}
