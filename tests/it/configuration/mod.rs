//! What `ams serve` accepts as its settings, and what it says to everything else.

// The account's own fields.
mod custom_fields;
// The second way in.
mod eventbridge;
// Where outputs are kept, and for how long.
mod evidence;
// What else is secret.
mod masks;
// How much PagerDuty is sent.
mod rate;
// Where PagerDuty reaches every region.
mod paging;
mod regions;
// What the program itself says.
mod serve;
// How people are told beside PagerDuty.
mod ways;
// Where spans go.
mod traces;

use std::collections::BTreeMap;
use std::process::Command;
use std::time::Duration;

use ams::config::{Config, DynamoDbConfig, LogFormat, StoreConfig};
use ams::dynamodb::Location;
use ams::execute::host_program::Places;
use ams::finding::Finding;
use ams::guard::rules::Rules;
use ams::lang::Lang;
use ams::secret::Secret;
use secrecy::ExposeSecret as _;
use tempfile::TempDir;

/// Everything that can be set, set.
const FULL: &str = "\
region: tokyo
listen: 0.0.0.0:8080
lang: en
time_zone: Asia/Tokyo
scenarios: scenarios
evidence: /var/lib/ams/evidence
store: {sqlite: claims.db}
aws: {region: ap-northeast-1, endpoint: 'http://127.0.0.1:1'}
host_markers: [/srv/ams, ~/.ams]
webhook:
  secrets: ['env:FIRST_SECRET', 'file:second-secret']
pagerduty:
  url: https://api.eu.pagerduty.com
  token: env:PD_TOKEN
  from: ams@example.com
  bot_user: PAMSBOT
  fallback_policy: PPOLICY
  requests_per_minute: 500
vars: {log_dir: /var/log, retries: 3}
log: {format: json, level: 'info,ams=debug'}
heartbeat: 2s
lease: 12s
lease_margin: 3s
shutdown_grace: 45s
mask:
  patterns: ['member=(?<secret>[0-9]+)', 'R-[0-9]{3}']
  values: ['env:FIRST_SECRET', 'file:long-secret']
";

/// What cannot be left out.
const SMALL: &str = "\
region: tokyo
listen: 127.0.0.1:8080
scenarios: scenarios
evidence: evidence
store: {sqlite: claims.db}
pagerduty: {from: ams@example.com, bot_user: PAMSBOT}
";

const SECRETS: [(&str, &str); 2] = [("AMS_WEBHOOK_SECRET", "hook"), ("AMS_PAGERDUTY_TOKEN", "pd")];

/// A folder with `ams.yaml` in it.
fn folder(config: &str) -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("ams.yaml"), config).unwrap();
    std::fs::write(dir.path().join("second-secret"), "two\n").unwrap();
    std::fs::write(dir.path().join("empty-secret"), "\n").unwrap();
    std::fs::write(dir.path().join("long-secret"), "correct-horse-battery\n").unwrap();
    dir
}

fn exposed(secrets: &[Secret]) -> Vec<String> {
    ams::secret::lines(secrets).iter().map(|it| it.expose_secret().to_owned()).collect()
}

fn load(dir: &TempDir, env: &[(&str, &str)]) -> Result<Config, Vec<Finding>> {
    let env: BTreeMap<String, String> =
        env.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    Config::load(&dir.path().join("ams.yaml"), &env)
}

/// The problems as `LINE:COLUMN message → remedy`.
fn problems(config: &str, env: &[(&str, &str)]) -> Vec<String> {
    let findings = load(&folder(config), env).err().unwrap_or_default();
    findings.iter().map(|it| format!("{} {} → {}", it.place, it.message, it.remedy)).collect()
}

fn with(env: &[(&'static str, &'static str)]) -> Vec<(&'static str, &'static str)> {
    SECRETS.iter().chain(env).copied().collect()
}

#[test]
fn every_setting_is_read() {
    let dir = folder(FULL);
    let env = [("FIRST_SECRET", "one"), ("PD_TOKEN", "pd"), ("HOME", "/root"), ("OTHER", "x")];
    let config = load(&dir, &env).unwrap();

    assert_eq!(
        (config.region.as_str(), config.listen.to_string().as_str()),
        ("tokyo", "0.0.0.0:8080")
    );
    assert_eq!((config.lang, config.zone.iana_name()), (Lang::En, Some("Asia/Tokyo")));
    // Relative paths start at the file, not at wherever the process was started.
    assert_eq!(config.scenarios, dir.path().join("scenarios"));
    assert_eq!(config.store, StoreConfig::Sqlite(dir.path().join("claims.db")));
    assert_eq!(config.evidence.directory.to_str(), Some("/var/lib/ams/evidence"));
    assert_eq!(config.evidence.kept, Duration::from_hours(24 * 90));
    let aws = config.aws.as_ref().unwrap();
    assert_eq!(
        (aws.region.as_str(), aws.endpoint.as_deref()),
        ("ap-northeast-1", Some("http://127.0.0.1:1"))
    );
    let places = ["/srv/ams", "~/.ams"].map(str::to_owned);
    assert_eq!(Some(&config.host_markers), Places::new(places).as_ref());
    assert_eq!(
        exposed(&config.webhook_secrets),
        ["one", "two"],
        "the end of the file's line is not part of the secret"
    );
    let pagerduty = &config.pagerduty;
    assert_eq!(pagerduty.url, "https://api.eu.pagerduty.com");
    assert_eq!(pagerduty.token.now().expose_secret(), "pd");
    assert_eq!(
        (pagerduty.from.as_str(), pagerduty.bot_user.as_str()),
        ("ams@example.com", "PAMSBOT")
    );
    assert_eq!(pagerduty.paging.fallback.policy.as_deref(), Some("PPOLICY"));
    let vars = [("log_dir", "/var/log"), ("retries", "3")];
    assert_eq!(config.vars, vars.map(|(n, v)| (n.to_owned(), v.to_owned())).into());
    assert_eq!((config.log.format, config.log.level.as_str()), (LogFormat::Json, "info,ams=debug"));
    let lease = config.lease;
    let seconds = [lease.beat_every, lease.lease, lease.margin, config.shutdown_grace];
    assert_eq!(seconds, [2, 12, 3, 45].map(Duration::from_secs));
    assert_eq!(config.inherited, BTreeMap::from([("HOME".to_owned(), "/root".to_owned())]));
    let shown = format!("{config:?}");
    assert!(!shown.contains("\"one\"") && !shown.contains("\"pd\""), "{shown}");
}

#[test]
fn a_small_file_is_enough_and_has_defaults() {
    let config = load(&folder(SMALL), &SECRETS).unwrap();
    assert_eq!((config.lang, config.zone.iana_name()), (Lang::Ja, Some("Asia/Tokyo")));
    assert_eq!(config.pagerduty.url, "https://api.pagerduty.com");
    assert_eq!(config.pagerduty.token.now().expose_secret(), "pd");
    assert_eq!((config.lease.lease, config.log.format), (ams::limits::LEASE, LogFormat::Text));
}

#[test]
fn limits_that_are_written_take_the_place_of_the_built_in_ones() {
    let limits = |config: &str| load(&folder(config), &with(&[])).unwrap().limits;
    assert_eq!(limits(SMALL), Rules::built_in());
    assert_eq!(limits(&format!("{SMALL}limits: {{}}\n")), Rules::default(), "none at all");
    let rest = Rules { cool_down: Some(Duration::from_mins(15)), ..Rules::default() };
    assert_eq!(limits(&format!("{SMALL}limits: {{cool_down: 15m}}\n")), rest);
    assert_eq!(
        problems(&format!("{SMALL}limits: {{cool_down: 100h}}\n"), &with(&[])),
        ["7:21 'cool_down' is 100h, and nobody remembers for longer than 72h → write 72h or less"]
    );
}

#[test]
fn the_environment_overrides_the_file() {
    let env = with(&[
        ("AMS_REGION", "osaka"),
        ("AMS_LISTEN", "127.0.0.1:9090"),
        ("AMS_STORE_SQLITE", "/data/claims.db"),
        ("AMS_PAGERDUTY_BOT_USER", "POTHER"),
        ("AMS_LOG_LEVEL", "debug"),
        ("AMS_LEASE", "30s"),
        // As container platforms hand on what nobody has set.
        ("AMS_LANG", ""),
    ]);
    let config = load(&folder(SMALL), &env).unwrap();
    assert_eq!((config.region.as_str(), config.listen.port()), ("osaka", 9090));
    assert_eq!(config.store, StoreConfig::Sqlite("/data/claims.db".into()));
    assert_eq!(config.pagerduty.bot_user, "POTHER");
    assert_eq!((config.log.level.as_str(), config.lease.lease.as_secs()), ("debug", 30));
    assert_eq!(config.lang, Lang::Ja);
}

#[test]
fn the_environment_alone_is_enough() {
    let env = with(&[
        ("AMS_REGION", "osaka"),
        ("AMS_LISTEN", "127.0.0.1:9090"),
        ("AMS_SCENARIOS", "scenarios"),
        ("AMS_EVIDENCE", "evidence"),
        ("AMS_STORE_SQLITE", "claims.db"),
        ("AMS_PAGERDUTY_FROM", "ams@example.com"),
        ("AMS_PAGERDUTY_BOT_USER", "PAMSBOT"),
    ]);
    assert_eq!(load(&folder("# nothing\n"), &env).unwrap().region.as_str(), "osaka");
}

#[test]
fn all_that_is_missing_is_said_at_once() {
    insta::assert_snapshot!(problems("", &[]).join("\n"), @"
    1:1 'region' is not set → add a line 'region: tokyo', or set AMS_REGION
    1:1 'listen' is not set → add a line 'listen: 127.0.0.1:8080', or set AMS_LISTEN
    1:1 'evidence' is not set → add a line 'evidence: /var/lib/ams/evidence', or set AMS_EVIDENCE
    1:1 'scenarios' is not set → add a line 'scenarios: ./scenarios', or set AMS_SCENARIOS
    1:1 'store' names no store → add a line 'sqlite: /var/lib/ams/claims.db' below 'store:' (or set AMS_STORE_SQLITE) where all processes are on one machine; else 'dynamodb:' with 'table', 'history_table' and 'region'
    1:1 'webhook.secrets' cannot be used: the variable AMS_WEBHOOK_SECRET is not set → set it, or name another one (env:NAME) or a file (file:PATH)
    1:1 'pagerduty.token' cannot be used: the variable AMS_PAGERDUTY_TOKEN is not set → set it, or name another one (env:NAME) or a file (file:PATH)
    1:1 'pagerduty.from' is not set → add a line 'from: ams@example.com' below 'pagerduty:', or set AMS_PAGERDUTY_FROM
    1:1 'pagerduty.bot_user' is not set → add a line 'bot_user: PXXXXXX' below 'pagerduty:', or set AMS_PAGERDUTY_BOT_USER
    ");
}

#[test]
fn every_mistake_is_said_at_once_with_its_key_and_a_remedy() {
    let wrong = "\
regoin: tokyo
region: [tokyo]
listen: localhost
lang: jp
time_zone: Tokyo
scenarios: ''
evidence: evidence
store: {sqlite: claims.db, journal: off}
webhook: {secrets: ['hunter2', 'env:NOT_THERE', 'file:not-there', 'file:empty-secret']}
pagerduty: {url: api.pagerduty.com, token: abc, from: ams@example.com, bot_user: PAMSBOT}
vars: {list: [a]}
log: {format: xml, level: lots}
heartbeat: often
lease: 3s
";
    insta::assert_snapshot!(problems(wrong, &[]).join("\n"), @"
    1:1 the file has no field 'regoin' → did you mean 'region'?
    2:9 'region' is a list, but it must be text → write one value, without '- ' or [ ]
    3:9 'listen' is 'localhost', which is no address and port → write for example 0.0.0.0:8080
    4:7 'lang' is 'jp' → did you mean 'ja'?
    5:12 'time_zone' is 'Tokyo', which is no time zone → write for example Asia/Tokyo
    6:12 'scenarios' is empty → write for example ./scenarios
    8:28 store has no field 'journal' → possible here: sqlite, dynamodb
    9:21 'webhook.secrets' cannot be used: it is written in plain text → write env:NAME, file:PATH, secretsmanager:NAME or parameter:NAME, and put the secret there
    9:32 'webhook.secrets' cannot be used: the variable NOT_THERE is not set → set it, or name another one (env:NAME) or a file (file:PATH)
    9:49 'webhook.secrets' cannot be used: the file not-there cannot be read: No such file or directory (os error 2) → put the secret there, or name another file (file:PATH) or a variable (env:NAME)
    9:67 'webhook.secrets' refers to an empty value → put the secret there
    10:18 'pagerduty.url' is 'api.pagerduty.com', which is no address of an API → write https://api.pagerduty.com or https://api.eu.pagerduty.com
    10:44 'pagerduty.token' cannot be used: it is written in plain text → write env:NAME, file:PATH, secretsmanager:NAME or parameter:NAME, and put the secret there
    11:14 'list' is a list, but it must be text → write one value, without '- ' or [ ]
    12:15 'log.format' is 'xml' → possible here: text, json
    12:27 'log.level' is 'lots' → write error, warn, info or debug
    13:12 'heartbeat' is 'often', which is no length of time → write a number with its unit: 20s, 5m
    14:8 'lease' is too short → make lease at least twice heartbeat plus lease_margin
    ");
}

#[test]
fn a_wrong_value_of_the_environment_is_not_looked_for_in_the_file() {
    let env = with(&[("AMS_LISTEN", "everywhere"), ("AMS_LOG_FORMAT", "xml"), ("AMS_LEASE", "6")]);
    insta::assert_snapshot!(problems(SMALL, &env).join("\n"), @"
    1:1 'log.format' (set by AMS_LOG_FORMAT) is 'xml' → possible here: text, json
    1:1 'lease' (set by AMS_LEASE) is '6', which is no length of time → write a number with its unit: 20s, 5m
    2:9 'listen' (set by AMS_LISTEN) is 'everywhere', which is no address and port → write for example 0.0.0.0:8080
    ");
}

#[test]
fn a_lease_must_outlast_two_heartbeats_and_the_margin() {
    let lease = |heartbeat: &str, lease: &str, margin: &str| {
        let lines = format!("heartbeat: {heartbeat}\nlease: {lease}\nlease_margin: {margin}\n");
        problems(&format!("{SMALL}{lines}"), &SECRETS)
    };
    assert_eq!(lease("1s", "4s", "2s"), Vec::<String>::new());
    let too_short =
        "8:8 'lease' is too short → make lease at least twice heartbeat plus lease_margin";
    assert_eq!(lease("1s", "3999ms", "2s"), [too_short]);
    let huge = "8000h";
    assert_eq!(lease(huge, "6s", huge), [too_short]);
}

#[test]
fn claims_and_history_may_be_in_dynamodb() {
    let store =
        "{dynamodb: {table: ams-claims, history_table: ams-history, region: ap-northeast-1}}";
    let file = SMALL.replace("{sqlite: claims.db}", store);
    let expected = DynamoDbConfig {
        table: "ams-claims".to_owned(),
        history_table: "ams-history".to_owned(),
        location: Location { region: "ap-northeast-1".to_owned(), endpoint: None },
        single_region: false,
    };
    let config = load(&folder(&file), &SECRETS).unwrap();
    assert_eq!(config.store, StoreConfig::DynamoDb(expected.clone()));

    let env = with(&[
        ("AMS_STORE_DYNAMODB_TABLE", "ams-claims"),
        ("AMS_STORE_DYNAMODB_HISTORY_TABLE", "ams-history"),
        ("AMS_STORE_DYNAMODB_REGION", "ap-northeast-3"),
        ("AMS_STORE_DYNAMODB_ENDPOINT", "http://127.0.0.1:8000"),
        ("AMS_STORE_DYNAMODB_SINGLE_REGION", "true"),
    ]);
    let alone = SMALL.replace("store: {sqlite: claims.db}\n", "");
    let endpoint = Some("http://127.0.0.1:8000".to_owned());
    let location = Location { region: "ap-northeast-3".to_owned(), endpoint };
    let expected = DynamoDbConfig { location, single_region: true, ..expected };
    let config = load(&folder(&alone), &env).unwrap();
    assert_eq!(config.store, StoreConfig::DynamoDb(expected));
}

#[test]
fn there_is_one_store_and_what_it_needs_is_asked_for() {
    let store = |text: &str| problems(&SMALL.replace("{sqlite: claims.db}", text), &SECRETS);
    let told = [
        store("{sqlite: claims.db, dynamodb: {table: a, history_table: b, region: c}}"),
        store("{dynamodb: {table: a, endpoint: localhost, single_region: yes, tables: b}}"),
        store("{dynamodb: {table: a, history_table: a, region: c}}"),
    ];
    insta::assert_snapshot!(told.concat().join("\n"), @"
    5:38 'store' names two stores → keep 'sqlite' where all processes are on one machine, else 'dynamodb'
    5:19 'store.dynamodb.history_table' is not set → add a line 'history_table: ams-history' below 'store.dynamodb:', or set AMS_STORE_DYNAMODB_HISTORY_TABLE
    5:19 'store.dynamodb.region' is not set → add a line 'region: ap-northeast-1' below 'store.dynamodb:', or set AMS_STORE_DYNAMODB_REGION
    5:40 'store.dynamodb.endpoint' is 'localhost', which is no address → leave it out, or write for example https://vpce-1.example.com
    5:66 'store.dynamodb.single_region' is 'yes' → possible here: true, false
    5:71 dynamodb has no field 'tables' → did you mean 'table'?
    5:45 'store.dynamodb.history_table' is the table of claims → give the history a table of its own: it may hold customers' text
    ");
}

#[test]
fn a_secret_is_never_shown() {
    let config = SMALL.replace("{from", "{token: 'u+Plain:Secret', from");
    let told = problems(&config, &SECRETS).join("\n");
    assert!(told.contains("pagerduty.token") && told.contains("plain text"), "{told}");
    assert!(!told.contains("Secret"), "{told}");
}

#[test]
fn a_syntax_error_says_where() {
    let told = problems("region: 'tokyo\nlisten: x\n", &SECRETS);
    let expected = "1:9 the quote that begins here is never closed → \
                    close it with the same quote character";
    assert_eq!(told, [expected]);
}

/// Exit code, standard output and standard error of `ams serve`.
fn serve(dir: &TempDir, config: &str) -> (Option<i32>, String, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_ams"))
        .args(["serve", "--config", config])
        .current_dir(dir.path())
        .env_clear()
        .output()
        .unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code(), text(output.stdout), text(output.stderr))
}

#[test]
fn serve_refuses_to_start_and_lists_every_problem() {
    let dir = folder("region: tokyo\nlisten: here\nstore: {sqlight: x}\n");
    let (code, out, err) = serve(&dir, "ams.yaml");
    assert_eq!((code, out.as_str()), (Some(2), ""));
    insta::assert_snapshot!(err, @"
    9 problems with the configuration:
    ams.yaml:1:1: 'evidence' is not set [missing-field]
        → add a line 'evidence: /var/lib/ams/evidence', or set AMS_EVIDENCE
    ams.yaml:1:1: 'scenarios' is not set [missing-field]
        → add a line 'scenarios: ./scenarios', or set AMS_SCENARIOS
    ams.yaml:1:1: 'webhook.secrets' cannot be used: the variable AMS_WEBHOOK_SECRET is not set [bad-setting]
        → set it, or name another one (env:NAME) or a file (file:PATH)
    ams.yaml:1:1: 'pagerduty.token' cannot be used: the variable AMS_PAGERDUTY_TOKEN is not set [bad-setting]
        → set it, or name another one (env:NAME) or a file (file:PATH)
    ams.yaml:1:1: 'pagerduty.from' is not set [missing-field]
        → add a line 'from: ams@example.com' below 'pagerduty:', or set AMS_PAGERDUTY_FROM
    ams.yaml:1:1: 'pagerduty.bot_user' is not set [missing-field]
        → add a line 'bot_user: PXXXXXX' below 'pagerduty:', or set AMS_PAGERDUTY_BOT_USER
    ams.yaml:2:9: 'listen' is 'here', which is no address and port [bad-setting]
        → write for example 0.0.0.0:8080
    ams.yaml:3:8: 'store' names no store [missing-field]
        → add a line 'sqlite: /var/lib/ams/claims.db' below 'store:' (or set AMS_STORE_SQLITE) where all processes are on one machine; else 'dynamodb:' with 'table', 'history_table' and 'region'
    ams.yaml:3:9: store has no field 'sqlight' [unknown-key]
        → possible here: sqlite, dynamodb
    ");
}
