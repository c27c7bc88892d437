//! Configuration, store and regions in words.

use super::{Said, names, pick};
use crate::doctor::matter::Matter;

pub(super) fn say(ja: bool, matter: &Matter) -> Option<Said> {
    configuration(ja, matter)
        .or_else(|| of_regions(ja, matter))
        .or_else(|| secrets(ja, matter))
        .or_else(|| heartbeats(ja, matter))
        .or_else(|| store(ja, matter))
}

fn refused(ja: bool, path: &str, mistakes: usize, first: &str) -> String {
    pick(
        ja,
        format!("{path} に誤りが {mistakes} 件あり、そのファイルは使われません: {first}"),
        format!("{mistakes} mistakes in {path}, whose files are left out: {first}"),
    )
}

fn configuration(ja: bool, matter: &Matter) -> Option<Said> {
    Some(match matter {
        Matter::ScenariosRead { count } => {
            Said::fine(pick(ja, format!("シナリオ: {count} 件"), format!("scenarios: {count}")))
        }
        Matter::ScenariosMissing { path, why } => Said::but(
            pick(
                ja,
                format!("{path} に使えるシナリオがありません: {why}"),
                format!("there is no scenario to use in {path}: {why}"),
            ),
            pick(
                ja,
                "`scenarios` にシナリオのディレクトリを指定し、`ams validate` の指摘を直してください",
                "name the directory of scenarios under `scenarios`, and correct what `ams validate` finds",
            ),
        ),
        Matter::ScenariosRefused { path, mistakes, first } => Said::but(
            refused(ja, path, *mistakes, first),
            pick(
                ja,
                format!("`ams validate {path}` の指摘をすべて直してください"),
                format!("correct everything that `ams validate {path}` finds"),
            ),
        ),
        Matter::CustomersRefused { path, mistakes, first } => Said::but(
            refused(ja, path, *mistakes, first),
            pick(
                ja,
                format!(
                    "`ams validate --customers {path} シナリオのディレクトリ` の指摘をすべて直してください"
                ),
                format!(
                    "correct everything that `ams validate --customers {path} SCENARIOS` finds"
                ),
            ),
        ),
        Matter::CustomersRead { count } => {
            Said::fine(pick(ja, format!("顧客: {count} 件"), format!("customers: {count}")))
        }
        Matter::CustomersMissing { path, why } => Said::but(
            pick(
                ja,
                format!("顧客ファイル {path} を読めません: {why}"),
                format!("the customers in {path} cannot be read: {why}"),
            ),
            pick(
                ja,
                "`customers` に顧客ファイルのディレクトリを指定してください",
                "name the directory of customer files under `customers`",
            ),
        ),
        Matter::NoCustomers => Said::fine(pick(
            ja,
            "顧客: 設定なし（顧客の値を使うシナリオは引き継ぎます）",
            "customers: none (scenarios that need a customer's values hand off)",
        )),
        Matter::NoWebhookSecret => Said::but(
            pick(
                ja,
                "Webhook のシークレットがなく、すべての Webhook に 503 を返します",
                "there is no webhook secret: every webhook is answered 503",
            ),
            pick(
                ja,
                "`webhook.secrets` に `env:名前` か `file:パス` を書いてください",
                "name one under `webhook.secrets`: env:NAME or file:PATH",
            ),
        ),
        _ => return None,
    })
}

fn of_regions(ja: bool, matter: &Matter) -> Option<Said> {
    Some(match matter {
        Matter::ByEventBridge => Said::fine(pick(
            ja,
            "イベントは EventBridge から届きます（`regions` がないため、Webhook は調べません）",
            "events come by EventBridge; without `regions` webhooks are not looked at",
        )),
        Matter::NoRegions => Said::but(
            pick(
                ja,
                "リージョンの受信アドレスが設定になく、サブスクリプションを確認できません",
                "the regions' addresses are not in the settings, so no subscription can be checked",
            ),
            pick(
                ja,
                "`regions: [{name: tokyo, url: https://公開アドレス}, …]` を全リージョン分書いてください",
                "add `regions: [{name: tokyo, url: https://PUBLIC-ADDRESS}, …]` with every region",
            ),
        ),
        Matter::OwnRegionUnlisted { region } => Said::but(
            pick(
                ja,
                format!("この設定のリージョン {region} が `regions` にありません"),
                format!("`regions` does not name {region}, the region of these settings"),
            ),
            pick(
                ja,
                format!("{region} を `regions` に加えるか、`region` の名前を直してください"),
                format!("add {region} to `regions`, or correct `region`"),
            ),
        ),
        Matter::PlainAddress { region, url } => Said::but(
            pick(
                ja,
                format!(
                    "{region}: {url} は暗号化されません。インシデントのタイトルが平文で流れます"
                ),
                format!(
                    "{region}: {url} is not encrypted: titles of incidents travel in the clear"
                ),
            ),
            pick(
                ja,
                "https のアドレスにし、TLS 1.2 を有効にしてください（PagerDuty は 1.2 で送ります）",
                "make it an https address with TLS 1.2 enabled, which PagerDuty sends by",
            ),
        ),
        _ => return None,
    })
}

fn secrets(ja: bool, matter: &Matter) -> Option<Said> {
    Some(match matter {
        Matter::SecretUnread { region, why } => Said::but(
            pick(
                ja,
                format!("{region}: サブスクリプションのシークレットがまだありません: {why}"),
                format!("{region}: the secret of its subscription is not there yet: {why}"),
            ),
            pick(
                ja,
                "`ams pagerduty subscribe` で作成するか、控えてあるシークレットをそこに置いてください",
                "make the subscription by `ams pagerduty subscribe`, or put its secret there",
            ),
        ),
        Matter::SecretUnused { region } => Said::but(
            pick(
                ja,
                format!(
                    "{region}: `regions` のシークレットが `webhook.secrets` にありません。Webhook は 401 になります"
                ),
                format!(
                    "{region}: the secret under `regions` is none of `webhook.secrets`: webhooks are answered 401"
                ),
            ),
            pick(
                ja,
                "同じ参照を `webhook.secrets` に加え、プロセスを再起動してください",
                "add the same reference to `webhook.secrets`, and restart the process",
            ),
        ),
        _ => return None,
    })
}

fn heartbeats(ja: bool, matter: &Matter) -> Option<Said> {
    Some(match matter {
        Matter::RegionLives { region, processes, rules } => {
            let es = if *processes == 1 { "" } else { "es" };
            let rules = rules.join(", ");
            Said::fine(pick(
                ja,
                format!("{region}: 稼働中（プロセス {processes}、シナリオの版 {rules}）"),
                format!("{region}: alive ({processes} process{es}, scenarios {rules})"),
            ))
        }
        Matter::RulesDiffer { versions } => {
            let versions = versions.join(", ");
            Said::but(
                pick(
                    ja,
                    format!("動いているプロセスのシナリオ・顧客の版が異なります: {versions}"),
                    format!("living processes go by different scenarios or customers: {versions}"),
                ),
                pick(
                    ja,
                    "リリースの途中なら数分待ってください。続くなら両リージョンに同じものを配布してください（`ams validate` が版を表示します）",
                    "wait a few minutes if a release is under way; otherwise release the same to every region (`ams validate` prints its version)",
                ),
            )
        }
        Matter::RegionSilent { region } => Said::but(
            pick(
                ja,
                format!(
                    "{region}: ハートビートがありません。このストアで動いているプロセスがありません"
                ),
                format!("{region}: no heartbeat: no process of it works on this store"),
            ),
            pick(
                ja,
                format!(
                    "{region} で `ams serve` を起動するか、その `store` と `region` の設定を確認してください"
                ),
                format!(
                    "start `ams serve` in {region}, or check `store` and `region` of its settings"
                ),
            ),
        ),
        Matter::SignsUnread { why } => Said::but(
            pick(
                ja,
                format!("ハートビートを読めません: {why}"),
                format!("the heartbeats cannot be read: {why}"),
            ),
            pick(ja, "ストアへの経路を確認してください", "check the way to the store"),
        ),
        _ => return None,
    })
}

fn store(ja: bool, matter: &Matter) -> Option<Said> {
    Some(match matter {
        Matter::StoreFine { store } => Said::fine(store.clone()),
        Matter::StoreUnborn { store } => Said::but(
            pick(
                ja,
                format!("{store}: まだファイルがありません。リージョンが一度も起動していません"),
                format!("{store}: there is no file yet: no region has ever started here"),
            ),
            pick(
                ja,
                "`ams serve` を起動してから、もう一度確認してください。起動済みならパスの誤りです",
                "start `ams serve` and look again; if one is running, the path is another one",
            ),
        ),
        Matter::StoreWrong { problem, remedy } => Said::but(
            problem.clone(),
            remedy.clone().unwrap_or_else(|| {
                pick(
                    ja,
                    "`store` の設定と、この環境の認証情報・経路を確認してください",
                    "check `store`, and the credentials and the way to it from here",
                )
            }),
        ),
        Matter::StoreOfOneMachine { store, hosts } => Said::but(
            pick(
                ja,
                format!(
                    "{store} は 1 台の中だけで共有されますが、リージョンは {} にあります。\
                     同じインシデントを二重に処理します",
                    names(ja, hosts)
                ),
                format!(
                    "{store} is shared within one machine, and the regions are at {}: \
                     they would both handle every incident",
                    names(ja, hosts)
                ),
            ),
            pick(
                ja,
                "リージョン間で強整合な DynamoDB のテーブルを `store.dynamodb` に設定してください",
                "use a DynamoDB table that is strongly consistent over regions: `store.dynamodb`",
            ),
        ),
        Matter::HistoryWrong { problem } => Said::but(
            pick(
                ja,
                format!("履歴を開けません: {problem}"),
                format!("the history cannot be opened: {problem}"),
            ),
            pick(
                ja,
                "履歴がないと `ams serve` は起動しません。`store` の設定と権限を確認してください",
                "`ams serve` does not start without it: check `store` and what may be read there",
            ),
        ),
        _ => return None,
    })
}
