//! What titles of one kind have in common: the title with hosts, numbers, addresses and quoted
//! parts taken out.

use crate::folding::widths;

/// Quotation marks whose inside differs from title to title.
const QUOTES: [(char, char); 4] = [('"', '"'), ('“', '”'), ('「', '」'), ('『', '』')];
/// A number with up to so many letters behind it is a quantity: `2.1GB`, `300ms`.
const UNIT_LETTERS: usize = 4;

/// The form that titles of one kind share: `CPU <n>% on <host>`.
pub fn form(title: &str) -> String {
    let wide = widths(title);
    let mut form = String::with_capacity(wide.len());
    let mut rest = wide.as_str();
    while let Some(first) = rest.chars().next() {
        if let Some(inside) = quoted(rest, first) {
            form.push_str("<quoted>");
            rest = inside;
        } else if is_of_token(first) {
            let end = rest.find(|c| !is_of_token(c)).unwrap_or(rest.len());
            push_token(&rest[..end], &mut form);
            rest = &rest[end..];
        } else if first.is_whitespace() {
            if !form.is_empty() && !form.ends_with(' ') {
                form.push(' ');
            }
            rest = rest.trim_start();
        } else {
            form.push(first);
            rest = &rest[first.len_utf8()..];
        }
    }
    form.truncate(form.trim_end().len());
    form
}

/// What follows a quoted part at the beginning of a text.
fn quoted(text: &str, first: char) -> Option<&str> {
    let (_, close) = QUOTES.iter().find(|(open, _)| *open == first)?;
    let (_, rest) = text[first.len_utf8()..].split_once(*close)?;
    Some(rest)
}

/// Characters of host names, numbers and words; Japanese beside them ends a token.
const fn is_of_token(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_')
}

fn push_token(token: &str, form: &mut String) {
    let core = token.trim_matches(['.', '-', '_']);
    let Some(start) = token.find(core).filter(|_| !core.is_empty()) else {
        form.push_str(token);
        return;
    };
    form.push_str(&token[..start]);
    push_core(core, form);
    form.push_str(&token[start + core.len()..]);
}

fn push_core(core: &str, form: &mut String) {
    let digits = core.bytes().any(|byte| byte.is_ascii_digit());
    let letters = core.bytes().any(|byte| byte.is_ascii_alphabetic());
    if is_address(core) {
        form.push_str("<address>");
    } else if !letters && digits {
        form.push_str("<n>");
    } else if let Some(unit) = unit(core) {
        form.push_str("<n>");
        form.push_str(unit);
    } else if digits || core.contains('.') {
        form.push_str("<host>");
    } else {
        form.push_str(core);
    }
}

/// An IPv4 address.
fn is_address(core: &str) -> bool {
    let parts = core.split('.').map(str::parse::<u8>);
    parts.clone().count() == 4 && parts.into_iter().all(|part| part.is_ok())
}

/// `GB` of `2.1GB`.
fn unit(core: &str) -> Option<&str> {
    let unit = core.trim_start_matches(|c: char| c.is_ascii_digit() || c == '.');
    let is_unit = unit.len() < core.len()
        && (1..=UNIT_LETTERS).contains(&unit.len())
        && unit.bytes().all(|byte| byte.is_ascii_alphabetic());
    is_unit.then_some(unit)
}

#[cfg(test)]
mod tests {
    use super::form;

    #[test]
    fn titles_of_one_kind_have_one_form() {
        for (titles, expected) in [
            (
                ["CPU 93% on web01", "CPU 100% on db-2.example.jp", "ＣＰＵ　7% on ｗｅｂ０１"],
                "CPU <n>% on <host>",
            ),
            (
                ["ping 10.0.1.12 失敗", "ping 192.168.0.1 失敗", "ping  172.16.0.9  失敗 "],
                "ping <address> 失敗",
            ),
            (
                [
                    "【障害】web01のディスク「/var」",
                    "【障害】db02のディスク「/」",
                    "【障害】a-1のディスク「D:」",
                ],
                "【障害】<host>のディスク<quoted>",
            ),
            (["log is 2.1GB.", "log is 30GB.", "log is 0.5GB."], "log is <n>GB."),
            (
                [
                    "(instance 10.0.1.12:9100) \"Spooler\"",
                    "(instance 10.0.1.7:80) \"x y\"",
                    "(instance 10.1.1.1:1) \"\"",
                ],
                "(instance <address>:<n>) <quoted>",
            ),
        ] {
            assert_eq!(titles.map(form), [expected; 3]);
        }
    }

    #[test]
    fn words_stay_and_odd_titles_are_no_trouble() {
        for same in
            ["check-disk CRITICAL", "SERVICEDESC=HTTP; A=B", "it's \"open", "...", "", "- _"]
        {
            assert_eq!(form(same), same);
        }
        assert_eq!(form("at 12:30:45, -5 °C"), "at <n>:<n>:<n>, -<n> °C");
    }
}
