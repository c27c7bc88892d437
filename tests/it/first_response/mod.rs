//! Incidents from webhook to outcome: two region processes, a store, a PagerDuty that answers.

mod acknowledging;
mod approvals;
mod calendars;
mod counted;
mod customers;
mod ends;
pub(crate) mod explain;
mod guards;
mod hostile;
mod in_trouble;
mod joined;
mod limits_of_trust;
mod lost_runner;
mod masking;
mod overtaken;
mod paging;
mod pauses;
mod people;
mod reload;
mod shadows;
mod stakeholders;
mod storms;
mod targets;
mod timeline;
mod values;

/// A service that is "up" when a file `up` is there; recovering makes it and counts itself.
const REPAIR: &str = "\
scenario: service-down
about: サービスの停止を起動で復旧する
match: {all: [service, down]}
deadline: 2m
steps:
  - check:
      name: 稼働確認
      run: test -e \"$FOLDER/up\"
      env: {FOLDER: \"{{ vars.folder }}\"}
      when_healthy: resolve
  - gather:
      name: 状況
      run: echo 状況の出力
  - recover:
      name: 起動
      run: echo \"$INCIDENT\" >> \"$FOLDER/recoveries\" && touch \"$FOLDER/up\"
      env: {FOLDER: \"{{ vars.folder }}\", INCIDENT: \"{{ incident.id }}\"}
  - verify:
      name: 起動後の稼働確認
      run: test -e \"$FOLDER/up\" -a ! -e \"$FOLDER/broken\"
      env: {FOLDER: \"{{ vars.folder }}\"}
      within: 1s
      every: 100ms
hand_off:
  priority: P1
  manual: |
    1. ログを見る
    2. 担当チームへ電話する
";

/// Waits a long time between looking and recovering, so that things can happen meanwhile.
const SLOW: &str = "\
scenario: slow
about: 時間のかかる復旧
match: {all: [service, slow]}
deadline: 2m
steps:
  - check:
      name: 稼働確認
      run: echo checked >> \"$FOLDER/checks\" && test -e \"$FOLDER/up\"
      env: {FOLDER: \"{{ vars.folder }}\"}
  - wait: {name: 様子を見る, for: 30s}
  - recover:
      name: 起動
      run: echo once >> \"$FOLDER/recoveries\"
      env: {FOLDER: \"{{ vars.folder }}\"}
  - verify: {name: 確認, run: 'true'}
";
