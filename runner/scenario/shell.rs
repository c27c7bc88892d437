//! What a script says to its shell, as far as that can be told without running it. Where it cannot
//! be told, these functions see nothing.

/// How the outermost shell takes a character.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    /// As its own language.
    Bare,
    /// In double quotes, brackets or `$( )`: variables are filled in, the rest is not its own.
    Inner,
    /// In single quotes or behind a backslash: just a character.
    Hidden,
}

/// Every character but those of comments.
fn parts(script: &str) -> Vec<(usize, char, Part)> {
    let mut parts = Vec::new();
    let mut open: Vec<char> = Vec::new();
    let mut before = '\n';
    let mut chars = script.char_indices();
    while let Some((at, c)) = chars.next() {
        let inside = open.last().copied();
        let quoted = inside == Some('"');
        match c {
            '\\' => {
                parts.push((at, c, Part::Hidden));
                parts.extend(chars.next().map(|(at, c)| (at, c, Part::Hidden)));
                before = c;
                continue;
            }
            '\'' if !quoted => {
                parts.push((at, c, Part::Hidden));
                for (at, c) in chars.by_ref() {
                    parts.push((at, c, Part::Hidden));
                    if c == '\'' {
                        break;
                    }
                }
                before = c;
                continue;
            }
            '#' if !quoted && (before.is_whitespace() || ";(|&".contains(before)) => {
                let end = chars.by_ref().find(|(_, c)| *c == '\n');
                let part = if open.is_empty() { Part::Bare } else { Part::Inner };
                parts.extend(end.map(|(at, c)| (at, c, part)));
                before = '\n';
                continue;
            }
            _ => {}
        }
        let part = if open.is_empty() { Part::Bare } else { Part::Inner };
        parts.push((at, c, part));
        match (c, inside) {
            ('"', Some('"')) | ('`', Some('`')) | (')', Some('(')) => {
                open.pop();
            }
            ('"' | '`', _) => open.push(c),
            ('(', _) if !quoted || before == '$' => open.push(c),
            _ => {}
        }
        before = c;
    }
    parts
}

const fn is_name_char(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_'
}

/// The name a text begins with.
fn name_at(text: &str) -> &str {
    text.split(|c| !is_name_char(c)).next().unwrap_or("")
}

/// Variables that `/bin/sh` fills in, without those that have a value for their absence
/// (`${NAME:-x}`).
pub(super) fn variables(script: &str) -> Vec<&str> {
    let mut names = Vec::new();
    for (at, _, _) in parts(script).iter().filter(|it| it.1 == '$' && it.2 != Part::Hidden) {
        let rest = &script[at + 1..];
        let name = match rest.strip_prefix('{') {
            None => name_at(rest),
            Some(inside) => {
                let inside = inside.trim_start_matches(['#', '!']);
                let name = name_at(inside);
                let behind = inside[name.len()..].trim_start_matches(':');
                if behind.starts_with(['-', '=', '?', '+']) { "" } else { name }
            }
        };
        if name.starts_with(|c: char| !c.is_ascii_digit()) {
            names.push(name);
        }
    }
    names.sort_unstable();
    names.dedup();
    names
}

/// The name stands somewhere without `$`: assigned, read, exported, unset, or spoken of.
pub(super) fn stands_bare(script: &str, name: &str) -> bool {
    script.match_indices(name).any(|(at, _)| {
        let before = script[..at].trim_end_matches(['#', '!']);
        let alone = !script[..at].ends_with(is_name_char)
            && !script[at + name.len()..].starts_with(is_name_char);
        alone && !before.ends_with('$') && !before.ends_with("${")
    })
}

/// It takes variables out of other files, or runs what it puts together.
pub(super) fn is_beyond_us(script: &str) -> bool {
    let pieces = script.split(['\n', ';', '&', '|', '(', '{']).map(str::trim_start);
    script.contains("<<")
        || pieces
            .into_iter()
            .any(|it| [". ", "source ", "eval "].iter().any(|command| it.starts_with(command)))
}

/// Where the `|` of the command stands whose exit code is the script's.
pub(super) fn deciding_pipe(script: &str) -> Option<usize> {
    if script.contains("<<") || script.contains("pipefail") {
        return None;
    }
    let parts = parts(script);
    let (mut pipe, mut last, mut begun) = (None, None, false);
    // The last sign that was no white space: behind `|` and `&&` a command goes on below.
    let mut sign = ' ';
    for (index, (at, c, part)) in parts.iter().enumerate() {
        let next = parts.get(index + 1).map_or(' ', |it| it.1);
        let previous = index.checked_sub(1).and_then(|it| parts.get(it)).map_or(' ', |it| it.1);
        match (c, part) {
            ('\n', Part::Bare) if ['|', '&'].contains(&sign) => {}
            ('\n' | ';', Part::Bare) => {
                if begun {
                    last = pipe;
                }
                (pipe, begun) = (None, false);
            }
            ('|', Part::Bare) if next == '|' || previous == '|' => pipe = None,
            ('&', Part::Bare) if next == '&' || previous == '&' => pipe = None,
            ('|', Part::Bare) if previous != '>' => pipe = Some(*at),
            _ => begun |= !c.is_whitespace(),
        }
        if !c.is_whitespace() {
            sign = *c;
        }
    }
    if begun { pipe } else { last }
}

/// Programs that read no variables of an author's own.
const PLAIN: [&str; 62] = [
    "[",
    "awk",
    "basename",
    "break",
    "cat",
    "cd",
    "chmod",
    "chown",
    "continue",
    "cp",
    "cut",
    "date",
    "df",
    "dirname",
    "du",
    "echo",
    "exit",
    "false",
    "find",
    "findmnt",
    "free",
    "getent",
    "grep",
    "head",
    "hostname",
    "id",
    "iostat",
    "journalctl",
    "kill",
    "last",
    "ls",
    "lsof",
    "mkdir",
    "mv",
    "nproc",
    "pgrep",
    "ping",
    "pkill",
    "printf",
    "ps",
    "read",
    "reboot",
    "return",
    "rm",
    "sed",
    "set",
    "sleep",
    "sort",
    "ss",
    "stat",
    "systemctl",
    "tail",
    "test",
    "top",
    "touch",
    "tr",
    "true",
    "uniq",
    "uptime",
    "vmstat",
    "wc",
    "who",
];

/// Words of the shell's own that stand before a command.
const BEFORE_COMMANDS: [&str; 9] =
    ["!", "do", "elif", "else", "if", "then", "until", "while", "time"];

/// Words of the shell's own that begin no command.
const NO_COMMANDS: [&str; 6] = ["case", "done", "esac", "fi", "for", "in"];

/// Every program it starts is a plain one, so what stands nowhere in the script reaches nobody.
pub(super) fn is_plain(script: &str) -> bool {
    let lines = script.lines().filter(|line| !line.trim_start().starts_with('#'));
    let mut pieces = lines.flat_map(|line| line.split([';', '|', '&', '(', ')', '{', '}', '`']));
    pieces.all(|piece| {
        let mut words = piece.split_whitespace().skip_while(|word| {
            BEFORE_COMMANDS.contains(word)
                || word.split_once('=').is_some_and(|(name, _)| name.chars().all(is_name_char))
        });
        let first = words.next();
        first.is_none_or(|word| PLAIN.contains(&word) || NO_COMMANDS.contains(&word))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_are_what_the_shell_fills_in() {
        let script = "a \"$NAME ${DIR}/x\" $(b \"${#LIST}\" '$NOT') \\$NEITHER # $NOR\n\
                      ${LIMIT:-5} ${X-1} $1 $$ awk '{ print $NF }' \"it's $OTHER\"";
        assert_eq!(variables(script), ["DIR", "LIST", "NAME", "OTHER"]);
    }

    #[test]
    fn a_name_that_is_assigned_stands_without_its_sign() {
        for assigned in ["X=1; $X", "for X in a; do $X; done", "read -r X", "export X"] {
            assert!(stands_bare(assigned, "X"), "{assigned}");
        }
        assert!(!stands_bare("$X ${X} ${#X} $XY MAX AX", "X"));
    }

    #[test]
    fn the_pipe_that_decides_is_the_last_commands() {
        for piped in [
            "systemctl status x | grep -q running",
            "a\nb |\n  c\n",
            "a | b # c",
            "a; b | c\n# end\n",
            "while read -r x; do y; done | sort",
        ] {
            assert!(deciding_pipe(piped).is_some(), "{piped}");
        }
        for plain in [
            "test \"$(df / | tail -n 1)\" -lt 90",
            "a || b",
            "a | b\nc",
            "a | b && c",
            "grep -E 'a|b' file",
            "set -o pipefail\na | b",
            "( a | b )",
            "a \\| b",
            "case $x in a|b) c;; esac",
        ] {
            assert_eq!(deciding_pipe(plain), None, "{plain}");
        }
    }

    #[test]
    fn programs_we_do_not_know_may_read_anything() {
        assert!(is_plain("df -P / | awk '/x/'\nif test -e /x; then echo a; fi # b"));
        for other in ["aws s3 ls", "\"$START\"", "/opt/x.sh", "df; python3 -c x", "a=$(mysql x)"] {
            assert!(!is_plain(other), "{other}");
        }
    }
}
