//! What credentials look like: a row for each kind. Pure.
//!
//! Every row is a regular expression of the regex crate, so time grows with the text alone. Groups
//! named `secret…` are covered; a row without one is covered as a whole. `examples.rs` has what each
//! row must find, and what none of them may touch.

use std::sync::LazyLock;

use regex::Regex;

use super::cover::{NOTHING, Stays};

/// A kind of credential.
pub(super) struct Row {
    pub(super) regex: Regex,
    pub(super) stays: Stays,
}

/// Looked for one after the other: each begins with letters that are found at once where they are
/// not there, which a set of all of them does not.
#[expect(clippy::expect_used, reason = "constant patterns; the tests compile each")]
pub(super) static BUILT_IN: LazyLock<Vec<Row>> = LazyLock::new(|| {
    let row = |(_, pattern, stays): &(&str, &str, Stays)| Row {
        regex: Regex::new(pattern).expect("a constant pattern"),
        stays: *stays,
    };
    TABLE.iter().map(row).collect()
});

/// Before a value that is assigned: `=`, `:`, `:=`, `=>`, with the key's closing quote before it,
/// which is escaped in JSON within JSON.
macro_rules! assigned {
    ($key:literal) => {
        concat!(
            "(?i)",
            $key,
            r#"(?:\\*["'])?[ \t]*(?:=>|:=|==?|:)[ \t]*"#,
            r#"(?:\\+"(?<secret_escaped>[^"\\\r\n]+)|"(?<secret_double>(?:[^"\\\r\n]|\\.)+)"#,
            r"|'(?<secret_single>[^'\r\n]+)",
            r"|[|>][+-]?[ \t]*\r?\n[ \t]+(?<secret_block>[^\r\n]+)",
            r#"|(?<secret_bare>[^\s"'<>,;&}\]|\\][^\s"'<>,;&}\]\\]*))"#,
        )
    };
}

/// Its name, what it looks like, which finds are none.
pub(super) const TABLE: [(&str, &str, Stays); 25] = [
    (
        "private key",
        concat!(
            r"-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----(?<secret>",
            r#"(?:(?:[\s"'|>+,;]|\\[nrt])*(?:(?:Proc-Type|DEK-Info|Version|Comment|Hash): [^\r\n\\]*"#,
            r"|[A-Za-z0-9+/=]{16,}))*",
            r#"(?:(?:[\s"'|>+,;]|\\[nrt])*[A-Za-z0-9+/=]{1,15})?)"#,
        ),
        NOTHING,
    ),
    // Its beginning was cut off.
    (
        "end of a private key",
        concat!(
            r#"(?<secret>[A-Za-z0-9+/=]{16,}(?:(?:[\s"'|>+,;]|\\[nrt])+[A-Za-z0-9+/=]+)*)"#,
            r"(?:\s|\\[nrt])*-----END [A-Z0-9 ]{0,40}PRIVATE KEY",
        ),
        NOTHING,
    ),
    (
        "AWS secret beside its id",
        concat!(
            r"\b(?<secret_id>(?:AKIA|ASIA)[A-Z0-9]{16})\b(?s-u:[\x00-\x7f]){0,119}?",
            r"[^A-Za-z0-9/+](?<secret>[A-Za-z0-9/+]{40})(?:[^A-Za-z0-9/+=]|$)",
        ),
        NOTHING,
    ),
    ("AWS access key id", r"\b(?:AKIA|ASIA)[A-Z0-9]{16}\b", NOTHING),
    (
        "JSON web token",
        r"\beyJ[A-Za-z0-9_-]{8,}(?:\.[A-Za-z0-9_-]{4,}(?:\.[A-Za-z0-9_-]*){0,3}|$)",
        NOTHING,
    ),
    ("GitHub token", r"\b(?:gh[pousr]_[A-Za-z0-9]{16,}|github_pat_[A-Za-z0-9_]{16,})", NOTHING),
    (
        "GitLab token",
        r"\bgl(?:pat|dt|rt|cbt|ptt|ft|soat|agent|oas|imt)-[A-Za-z0-9_-]{16,}",
        NOTHING,
    ),
    (
        "Slack token",
        concat!(
            r"\b(?:xox[abeoprs]-[A-Za-z0-9-]{10,}|xapp-[A-Za-z0-9-]{10,})",
            r"|hooks\.slack\.com/(?:services|workflows)/[A-Za-z0-9/_-]{10,}",
        ),
        NOTHING,
    ),
    (
        "Google key",
        r"\b(?:AIza[A-Za-z0-9_-]{30,}|ya29\.[A-Za-z0-9_-]{20,}|GOCSPX-[A-Za-z0-9_-]{16,})",
        NOTHING,
    ),
    (
        "Stripe key",
        r"\b(?:(?:sk|rk|pk)_(?:live|test)_[A-Za-z0-9]{10,}|whsec_[A-Za-z0-9+/=]{16,})",
        NOTHING,
    ),
    (
        "key of another service",
        concat!(
            r"\b(?:npm_[A-Za-z0-9]{30,}|pypi-[A-Za-z0-9_-]{32,}|hv[sb]\.[A-Za-z0-9_-]{20,}",
            r"|SG\.[A-Za-z0-9_-]{16,}\.[A-Za-z0-9_-]{16,}|sk-[A-Za-z0-9_-]{20,}",
            r"|dop_v1_[a-f0-9]{32,}|AGE-SECRET-KEY-1[A-Z0-9]{20,})",
        ),
        NOTHING,
    ),
    ("password in an address", r"://[^/\s:@]*:(?<secret>[^@/\s]+)@", |value| {
        is_ordinary(value) || value.starts_with('{')
    }),
    (
        "authorization header",
        concat!(
            r#"(?i)\bauthorization(?:\\*["'])?[ \t]*[:=][ \t]*(?:\\*["'])?(?:"#,
            r#"(?:basic|bearer|token|apikey|negotiate|ntlm)[ \t]+(?<secret_plain>[^\s"'\\,;]+)"#,
            r#"|(?:digest|oauth|aws4-hmac-sha256)[ \t]+(?<secret_line>[^\r\n]+)"#,
            r#"|(?<secret_bare>[^\s"'\\,;]+))"#,
        ),
        is_ordinary,
    ),
    ("bearer", r"(?i)\bbearer[ \t]+(?<secret>[A-Za-z0-9._~+/=-]{16,})", NOTHING),
    (
        "cookie header",
        r#"(?i)\b(?:set-)?cookie2?(?:\\*["'])?[ \t]*:[ \t]*(?:\\*["'])?(?<secret>[^\s"'\\][^\r\n"'\\]*)"#,
        |value| !value.contains('=') || value.contains(": "),
    ),
    (
        "assignment",
        assigned!(
            r"(?:pass(?:word|wd|phrase)|secret|token|api[_-]?key|access[_-]?key|secret[_-]?key|private[_-]?key|account[_-]?key|auth[_-]?key|shared[_-]?key|mysql_pwd|rediscli_auth|credential)"
        ),
        is_ordinary,
    ),
    (
        "assignment in Japanese",
        r#"(?:パスワード|暗証番号|秘密鍵|トークン)["'」]?[ \t　]*[:=：＝は][ \t　]*["'「]?(?<secret>[!-~]{4,})"#,
        is_ordinary,
    ),
    ("connection string", r"(?i);[ \t]*pwd=(?<secret>[^;/\s][^;\s]*)", is_ordinary),
    (
        "XML element",
        concat!(
            r"(?i)<[a-z0-9:_.-]*(?:password|passwd|passphrase|secret|token|api-?key)(?:\s[^>]*)?>",
            r"(?<secret>[^<\s][^<]*)</",
        ),
        is_ordinary,
    ),
    (
        "option of a command",
        concat!(
            r"(?i)\s--?(?:password|passwd|passphrase|token|secret|api-key|secret-key)[ \t]+",
            r#"(?:"(?<secret_double>[^"\r\n]+)"|'(?<secret_single>[^'\r\n]+)'|(?<secret>[^\s"'<\[-][^\s"']*))"#,
        ),
        is_ordinary,
    ),
    (
        "password of a client",
        concat!(
            r"(?:\b(?:mysql|mariadb)(?:dump|admin|check|import|show|slap|pump|binlog|-dump|-admin)?",
            r#"[ \t](?:[^\r\n|;&]*[ \t])?-p["']?(?<secret_mysql>[^\s"'-][^\s"']*)"#,
            r#"|\bsshpass[ \t]+-p[ \t]*["']?(?<secret_sshpass>[^\s"']+)"#,
            r#"|\bredis-cli[ \t](?:[^\r\n|;&]*[ \t])?-a[ \t]+["']?(?<secret_redis>[^\s"']+)"#,
            r#"|\bcurl[ \t](?:[^\r\n|;&]*[ \t])?(?:-u|--user)[ =]?["']?[^\s:"']+:(?<secret_curl>[^\s"']+))"#,
        ),
        is_ordinary,
    ),
    (
        ".pgpass",
        concat!(
            r"(?m)^(?:(?:localhost|\*|/[^:\s]*|[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+):(?:[0-9]{4,5}|\*)",
            r"|[A-Za-z][A-Za-z0-9-]*:(?:5432|5433|6432|\*)):",
            r"[^:\s]+:[^:\s]+:(?<secret>(?:[^:\s\\]|\\.)+)\r?$",
        ),
        is_ordinary,
    ),
    (
        ".netrc",
        concat!(
            r"\b(?:machine[ \t]+[^\s]+|default)\s+(?:(?:login|account)\s+[^\s]+\s+){0,2}",
            r"password\s+(?<secret>[^\s]+)",
        ),
        is_ordinary,
    ),
    (
        "hash of a password",
        r"\$(?:1|2[abxy]|5|6|7|y|gy|argon2(?:id|i|d))\$[./A-Za-z0-9$=,+]{16,}",
        NOTHING,
    ),
    (
        "hash in htpasswd",
        r"\$apr1\$[./A-Za-z0-9$]{16,}|\{S?SHA(?:256|512)?\}[A-Za-z0-9+/=]{20,}",
        NOTHING,
    ),
];

/// What stands behind `password:` in ordinary lines, and values that only name a secret.
const ORDINARY: [&str; 81] = [
    "a",
    "all",
    "already",
    "an",
    "and",
    "are",
    "asked",
    "authentication",
    "bad",
    "basic",
    "bearer",
    "cannot",
    "changed",
    "check",
    "compat",
    "could",
    "denied",
    "disabled",
    "does",
    "empty",
    "enabled",
    "enter",
    "eof",
    "error",
    "expected",
    "expired",
    "expires",
    "failed",
    "failure",
    "false",
    "files",
    "for",
    "found",
    "from",
    "given",
    "hidden",
    "if",
    "in",
    "incorrect",
    "invalid",
    "is",
    "ldap",
    "locked",
    "masked",
    "mismatch",
    "missing",
    "must",
    "needed",
    "never",
    "new",
    "nil",
    "no",
    "none",
    "not",
    "null",
    "off",
    "ok",
    "on",
    "or",
    "password",
    "prompt",
    "provided",
    "redacted",
    "rejected",
    "required",
    "reset",
    "secret",
    "set",
    "sss",
    "successfully",
    "systemd",
    "the",
    "to",
    "token",
    "true",
    "undefined",
    "unset",
    "updated",
    "was",
    "wrong",
    "yes",
];

/// Too short for a password, prose, or a reference in place of the value.
fn is_ordinary(value: &str) -> bool {
    let bare = value.trim_end_matches(['.', ',', '!', '?', ')', ':']);
    let is_word = || ORDINARY.binary_search(&bare.to_ascii_lowercase().as_str()).is_ok();
    let is_variable = || {
        let name = bare.trim_start_matches('$');
        let written = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_';
        bare.starts_with('$') && !name.is_empty() && name.chars().all(written)
    };
    let refers = ["${", "$(", "{{", "%{", "<", "[", "env:", "file:", "arn:aws:", "**", "(", "://"];
    bare.chars().count() < 3
        || !value.starts_with(|c: char| c.is_ascii_graphic())
        || is_word()
        || is_variable()
        || refers.iter().any(|start| value.starts_with(start))
        || bare.chars().all(|c| "*x•.-".contains(c))
}
