//! What every row must cover, and lines that must stay as they are.

use secrecy::SecretString;

use super::patterns::{BUILT_IN, TABLE};
use super::{MASK, Mask, cover, plain};

/// Row, text, the same covered.
const COVERED: &[(&str, &str, &str)] = &[
    (
        "private key",
        "before\n-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,AB\n\n\
         MIIEowIBAAKCAQEAsome+base64/textAAAA\nBBBBbase64textbase64text==\n\
         -----END RSA PRIVATE KEY-----\nafter the key",
        "before\n-----BEGIN RSA PRIVATE KEY-----****\n-----END RSA PRIVATE KEY-----\nafter the key",
    ),
    (
        "private key",
        "{\"key\": \"-----BEGIN PRIVATE KEY-----\\nMIIEvQIBADANBgkqhkiG9w0\\nab==\\n-----END PRIVATE KEY-----\\n\"}",
        "{\"key\": \"-----BEGIN PRIVATE KEY-----****\\n-----END PRIVATE KEY-----\\n\"}",
    ),
    (
        "private key",
        "cut: -----BEGIN OPENSSH PRIVATE KEY-----\n  b3BlbnNzaC1rZXktdjEAAAAABG5vbmUAAA\n  b3BlbnN",
        "cut: -----BEGIN OPENSSH PRIVATE KEY-----****",
    ),
    (
        "end of a private key",
        "b3BlbnNzaC1rZXktdjEAAAAABG5vbmUAAA\nAAAAB3NzaC1yc2EAAAADAQAB\nab==\n-----END OPENSSH PRIVATE KEY-----",
        "****\n-----END OPENSSH PRIVATE KEY-----",
    ),
    (
        "AWS secret beside its id",
        "AKIAIOSFODNN7EXAMPLE wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
        "**** ****",
    ),
    (
        "AWS secret beside its id",
        "\"k\": \"ASIAIOSFODNN7EXAMPLE\",\n  \"s\": \"wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY\"",
        "\"k\": \"****\",\n  \"s\": \"****\"",
    ),
    ("AWS access key id", "by AKIAIOSFODNN7EXAMPLE on 1 December", "by **** on 1 December"),
    ("JSON web token", "jwt eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJ4In0.c2lnbmF0dXJl!", "jwt ****!"),
    ("GitHub token", "x ghp_0123456789abcdefghijABCDEFGHIJ012345 y", "x **** y"),
    ("GitHub token", "github_pat_11ABCDEFG0abcdefghij_x1", "****"),
    ("GitLab token", "clone with glpat-abcdEFGH1234_-567890", "clone with ****"),
    ("Slack token", concat!("xo", "xb-0123456789-abcdefghij"), "****"),
    (
        "Slack token",
        concat!("POST https://hooks.slack", ".com/services/T000/B000/abcdefghij0123 ok"),
        "POST https://**** ok",
    ),
    ("Google key", "key AIzaSyA0123456789abcdefghijklmnopqrstu-_", "key ****"),
    ("Google key", "ya29.a0AfH6SMBabcdefghij012345", "****"),
    ("Stripe key", concat!("sk_li", "ve_0123456789abcdefABCDEF"), "****"),
    ("key of another service", "hvs.CBxyIabcdefghij0123456789", "****"),
    ("password in an address", "postgres://app:s3cr3t@db/x", "postgres://app:****@db/x"),
    ("password in an address", "redis://:s3cr3t@cache:6379", "redis://:****@cache:6379"),
    (
        "authorization header",
        "> Authorization: Basic YWxhZGRpbjpvcGVu",
        "> Authorization: Basic ****",
    ),
    (
        "authorization header",
        "\"Authorization\": \"Bearer abc.def-12\"",
        "\"Authorization\": \"Bearer ****\"",
    ),
    (
        "authorization header",
        "authorization: AWS4-HMAC-SHA256 Credential=x, Signature=abcdef",
        "authorization: AWS4-HMAC-SHA256 ****",
    ),
    ("authorization header", "Proxy-Authorization: 0123456789", "Proxy-Authorization: ****"),
    ("bearer", "with bearer 0123456789abcdef-._", "with bearer ****"),
    ("cookie header", "Set-Cookie: id=a3fWa; Max-Age=100", "Set-Cookie: ****"),
    ("cookie header", "-H 'Cookie: session=abc; theme=x' http://x", "-H 'Cookie: ****' http://x"),
    ("assignment", "DB_PASSWORD=hunter2 next", "DB_PASSWORD=**** next"),
    ("assignment", "PGPASSWORD='hunter 2' psql", "PGPASSWORD='****' psql"),
    ("assignment", "{\"api_key\": \"a b \\\" c\"}", "{\"api_key\": \"****\"}"),
    (
        "assignment",
        "{\\\"secret\\\": \\\"abcdef\\\", \\\"a\\\": 1}",
        "{\\\"secret\\\": \\\"****\\\", \\\"a\\\": 1}",
    ),
    ("assignment", "  clientSecret: abcdef # yaml", "  clientSecret: **** # yaml"),
    ("assignment", "passwd: |\n    abcdef\nnext: 1", "passwd: |\n    ****\nnext: 1"),
    ("assignment", "'password' => 'geheim',", "'password' => '****',"),
    ("assignment", "password=abc,def;user=x", "password=****;user=x"),
    (
        "assignment",
        "GET /a?token=abcdef&user=x&password=ghijkl",
        "GET /a?token=****&user=x&password=****",
    ),
    ("assignment", "aws_secret_access_key = wJalrXUtnFEMI/K7MDENG", "aws_secret_access_key = ****"),
    ("assignment", "X-Auth-Token: 0123abc", "X-Auth-Token: ****"),
    ("assignment", "mysqldump --password=hunter2 shop", "mysqldump --password=**** shop"),
    ("assignment", "MYSQL_PWD=hunter2", "MYSQL_PWD=****"),
    ("assignment", "secret: \"cut off in the mid", "secret: \"****"),
    ("assignment in Japanese", "パスワード：Hunter2! です", "パスワード：**** です"),
    ("connection string", "Server=db;Uid=app;Pwd=hunter2;", "Server=db;Uid=app;Pwd=****;"),
    (
        "XML element",
        "<db:password x=\"1\">hunter2</db:password>",
        "<db:password x=\"1\">****</db:password>",
    ),
    (
        "option of a command",
        "docker login -u x --password hunter2 host",
        "docker login -u x --password **** host",
    ),
    ("password of a client", "mysql -uroot -phunter2 -h db shop", "mysql -uroot -p**** -h db shop"),
    (
        "password of a client",
        "mysqldump -u root -p'hunter2' shop",
        "mysqldump -u root -p'****' shop",
    ),
    ("password of a client", "sshpass -p hunter2 ssh db", "sshpass -p **** ssh db"),
    ("password of a client", "redis-cli -h r -a hunter2 ping", "redis-cli -h r -a **** ping"),
    ("password of a client", "curl -s -u app:hunter2 http://x", "curl -s -u app:**** http://x"),
    (".pgpass", "db.example.jp:5432:shop:app:hunter2", "db.example.jp:5432:shop:app:****"),
    (".pgpass", "db01:*:*:app:hun\\:ter2", "db01:*:*:app:****"),
    (
        ".netrc",
        "machine ftp.example.jp login app password hunter2",
        "machine ftp.example.jp login app password ****",
    ),
    (
        ".netrc",
        "machine x\n  login app\n  password hunter2\n",
        "machine x\n  login app\n  password ****\n",
    ),
    (
        "hash of a password",
        "root:$6$rounds=5000$abcdefgh$ABCDEFGHIJKLMNOP:19000:0:99999:7:::",
        "root:****:19000:0:99999:7:::",
    ),
    ("hash in htpasswd", "app:$apr1$abcdefgh$0123456789abcdefghijkl", "app:****"),
];

/// Lines of ordinary logs and procedures.
const STAY: &[&str] = &[
    "a short line, tokens: none",
    "Dec  1 12:00:00 web01 sshd[123]: Failed password for root from 10.0.0.5 port 51234 ssh2",
    "Dec  1 12:00:00 web01 sshd[123]: Accepted password for ams from 10.0.0.5 port 51234 ssh2",
    "pam_unix(sshd:auth): authentication failure; logname= uid=0 euid=0 tty=ssh ruser= rhost=10.0.0.5",
    "passwd: password updated successfully",
    "passwd: all authentication tokens updated successfully.",
    "passwd:         files systemd",
    "sudo:     root : TTY=pts/0 ; PWD=/var/www ; USER=root ; COMMAND=/bin/systemctl restart httpd",
    "root:x:0:0:root:/root:/bin/bash",
    "FATAL:  password authentication failed for user \"app\"",
    "ERROR 1045 (28000): Access denied for user 'app'@'10.0.0.5' (using password: YES)",
    "ERROR 1045 (28000): Access denied for user 'app'@'localhost' (using password: NO)",
    "SyntaxError: Unexpected token: '<'",
    "parse error near token: EOF",
    "error: invalid token: }",
    "Enter password:",
    "Password: ",
    "password: expired",
    "Password expires\t\t\t\t\t: never",
    "error: 'pagerduty.token' cannot be used: the variable AMS_PAGERDUTY_TOKEN is not set",
    "token: env:AMS_PAGERDUTY_TOKEN",
    "PASSWORD=${DB_PASSWORD} TOKEN=$TOKEN SECRET=$(cat /run/secret)",
    "password: {{ vars.db_password }}",
    "usage: mysql -u USER -p DATABASE",
    "mysql -u root -p shop < dump.sql",
    "mysqld --port=3306 --pid-file=/run/mysqld.pid",
    "use --password to set one, --token <TOKEN> for a token",
    "00:11:22:33:44:55",
    "2001:db8:0:1:1:2:3:4",
    "12:34:56:789:abcdef",
    "src/main.rs:10:5:error",
    "GET http://10.0.0.5:8080/health?x=1 200",
    "https://example.jp:8443/a@b",
    "ams@web01.example.jp:/etc/nginx/nginx.conf",
    "commit 9fceb02d0ae598e95dc970b74767f19372d61af8",
    "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "i-0a1b2c3d4e5f60718 vol-0123456789abcdef0 arn:aws:iam::111122223333:role/AmsFirstResponse",
    "-----BEGIN CERTIFICATE-----",
    "Authorization: required",
    "cookie: none",
    "{\"secret\": null, \"token\": true, \"password\": \"\", \"keys\": 3}",
    "secretName: shop-tls",
    "secret: arn:aws:secretsmanager:ap-northeast-1:111122223333:secret:x",
    "max_tokens: 4096, token_count=5",
    "disk-usage task-0123456789abcdef0123",
    "%CPU %MEM $1 $5 $6$",
    "key = value; pwd = /home/ams",
    "/dev/xvda1 20961280 19123456 1837824 92% /",
    "httpd.service: Main process exited, code=exited, status=1/FAILURE",
    "【障害】web01 HTTP 応答なし (status: 503)",
    "パスワード: 期限切れ",
    "パスワードは変更済みです。トークンは有効です。",
    "password: 期限切れのため変更してください",
    "認証: 失敗しました（ユーザー: app）",
    "ディスク使用率が 92% です。閾値: 90%",
];

#[test]
fn every_row_covers_what_it_is_for() {
    for (name, text, covered) in COVERED {
        let index = TABLE.iter().position(|(row, ..)| row == name);
        let row = &BUILT_IN[index.unwrap_or_else(|| panic!("no row '{name}'"))];
        let own = cover::cover(&row.regex, text, row.stays);
        assert!(own.is_some_and(|own| own.contains(MASK)), "{name}: {text}");
        assert_eq!(&plain(text), covered, "{name}");
        assert_eq!(&plain(covered), covered, "{name}: covering again changes nothing");
    }
}

#[test]
fn every_row_has_an_example() {
    for (name, ..) in TABLE {
        assert!(COVERED.iter().any(|(row, ..)| *row == name), "{name}");
    }
}

#[test]
fn ordinary_lines_stay_as_they_are() {
    let changed = STAY.iter().map(|line| (line, plain(line)));
    let changed: Vec<_> = changed.filter(|(line, plain)| *line != plain).collect();
    assert!(changed.is_empty(), "{changed:#?}");
    let all = STAY.join("\n");
    assert_eq!(plain(&all), all);
}

/// Far more than a note or a story looks at. `cargo nextest run --lib a_mebibyte --no-capture` prints
/// how long it takes (docs/operations/configuration.md).
#[test]
fn a_mebibyte_of_a_log_takes_little_time() {
    let lines = STAY.join("\n");
    let text = lines.repeat(1024 * 1024 / lines.len());
    let once = || {
        let began = tokio::time::Instant::now();
        assert_eq!(plain(&text).len(), text.len());
        began.elapsed()
    };
    let took = (0..3).map(|_| once()).min().unwrap();
    println!("{} bytes in {took:?}", text.len());
    assert!(took.as_secs() < 10, "{took:?}");
}

/// A hostile output is not looked at longer than an ordinary one of its length: no row, and nothing
/// around the rows, grows with the square.
#[test]
fn time_grows_with_the_text_alone() {
    let mask = Mask::of([SecretString::from("correct-horse-battery")]);
    let units = [
        "password=a,",
        "-----BEGIN RSA PRIVATE KEY-----\n",
        "AAAABBBBCCCCDDDD\n",
        "AKIAIOSFODNN7EXAMPLE ",
        "://a:",
        "mysql ",
        "Cookie: a=b",
        "token=\"",
        "a.b:5432:c:d:",
        "machine a login ",
        "eyJ",
        "curl -u ",
        "$6$",
        "<token ",
        "&token=a&b",
    ];
    for unit in units {
        let took = |bytes: usize| {
            let text = unit.repeat(bytes / unit.len());
            let once = || {
                let began = tokio::time::Instant::now();
                assert!(!mask.apply(&text).is_empty());
                began.elapsed()
            };
            // The fastest of some, because others use the machine, too.
            (0..3).map(|_| once()).min().unwrap()
        };
        // 16 times as much; with the square it would be 256 times.
        let (short, long) = (took(16 * 1024), took(256 * 1024));
        assert!(long < short * 100, "{unit:?}: {short:?} for 16 KiB, {long:?} for 256 KiB");
    }
}
