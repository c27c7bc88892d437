//! Webhook subscriptions and receivers in words.

use super::{Said, names, pick};
use crate::doctor::matter::Matter;

pub(super) fn say(ja: bool, matter: &Matter) -> Option<Said> {
    subscription(ja, matter)
        .or_else(|| stopped(ja, matter))
        .or_else(|| unwanted(ja, matter))
        .or_else(|| receiver(ja, matter))
        .or_else(|| refused(ja, matter))
}

fn subscription(ja: bool, matter: &Matter) -> Option<Said> {
    let subscribe = || {
        pick(ja, "`ams pagerduty subscribe` を実行してください", "run `ams pagerduty subscribe`")
    };
    Some(match matter {
        Matter::SubscriptionFine { region, subscription } => Said::fine(pick(
            ja,
            format!("{region}: {subscription}（有効、イベントの不足なし）"),
            format!("{region}: {subscription} is in use and has all events"),
        )),
        Matter::SubscriptionMissing { region, url, near: None } => Said::but(
            pick(
                ja,
                format!("{region}: {url} へのサブスクリプションがなく、Webhook が届きません"),
                format!("{region}: no subscription leads to {url}: no webhook arrives"),
            ),
            subscribe(),
        ),
        Matter::SubscriptionMissing { region, url, near: Some(near) } => Said::but(
            pick(
                ja,
                format!(
                    "{region}: {url} へのサブスクリプションがありません。{} の宛先は {} です",
                    near.subscription, near.url
                ),
                format!(
                    "{region}: no subscription leads to {url}; {} leads to {}",
                    near.subscription, near.url
                ),
            ),
            pick(
                ja,
                format!(
                    "`regions` のアドレスが正しければ `ams pagerduty subscribe` で作り直し、{} を \
                     PagerDuty で削除してください（宛先は変更できません）",
                    near.subscription
                ),
                format!(
                    "if `regions` has the right address, run `ams pagerduty subscribe` and delete {} in \
                     PagerDuty: where one leads to cannot be changed",
                    near.subscription
                ),
            ),
        ),
        Matter::EventsMissing { region, subscription, events } => Said::but(
            pick(
                ja,
                format!("{region}: {subscription} にイベントが足りません: {}", names(ja, events)),
                format!("{region}: {subscription} lacks events: {}", names(ja, events)),
            ),
            subscribe(),
        ),
        _ => return None,
    })
}

fn stopped(ja: bool, matter: &Matter) -> Option<Said> {
    Some(match matter {
        Matter::SubscriptionOff { region, subscription } => Said::but(
            pick(
                ja,
                format!("{region}: {subscription} は PagerDuty で無効にされています"),
                format!("{region}: somebody has switched {subscription} off in PagerDuty"),
            ),
            pick(
                ja,
                "理由を確かめてから、PagerDuty の画面で有効にしてください（AMS は人の操作を戻しません）",
                "find out why, and switch it on in PagerDuty (AMS does not undo what a person did)",
            ),
        ),
        Matter::SubscriptionDisabled { region, subscription } => Said::but(
            pick(
                ja,
                format!(
                    "{region}: {subscription} は PagerDuty に止められています。拒否が 3 回続くと \
                     24 時間 Webhook が送られません"
                ),
                format!(
                    "{region}: PagerDuty has stopped using {subscription}: after three refusals in a row \
                     it sends no webhook for 24 hours"
                ),
            ),
            pick(
                ja,
                "原因（シークレット違い、WAF、証明書）を直してから `ams doctor --enable` で再開してください",
                "remove the cause (secret, WAF, certificate), then run `ams doctor --enable`",
            ),
        ),
        Matter::SubscriptionEnabled { region, subscription } => Said::fine(pick(
            ja,
            format!(
                "{region}: {subscription} を再開しました。止まっていた間の Webhook は届きません"
            ),
            format!(
                "{region}: {subscription} is in use again; webhooks of the time between are lost"
            ),
        )),
        Matter::SubscriptionStillDisabled { region, subscription, why } => Said::but(
            pick(
                ja,
                format!("{region}: {subscription} を再開できません: {why}"),
                format!("{region}: {subscription} cannot be enabled: {why}"),
            ),
            pick(ja, "PagerDuty の画面で再開してください", "enable it in PagerDuty"),
        ),
        _ => return None,
    })
}

fn unwanted(ja: bool, matter: &Matter) -> Option<Said> {
    Some(match matter {
        Matter::ServicesUncovered { region, services } => Said::but(
            pick(
                ja,
                format!("{region}: Webhook が届かないサービス: {}", names(ja, services)),
                format!("{region}: no webhooks of these services: {}", names(ja, services)),
            ),
            pick(
                ja,
                "`ams pagerduty subscribe`（アカウント全体）か `--service ID` で加えてください",
                "run `ams pagerduty subscribe` for the whole account, or with `--service ID` for each",
            ),
        ),
        Matter::SubscriptionTwice { region, subscriptions } => Said::but(
            pick(
                ja,
                format!(
                    "{region}: 同じ範囲のサブスクリプションが複数: {}",
                    names(ja, subscriptions)
                ),
                format!(
                    "{region}: several subscriptions to the same: {}",
                    names(ja, subscriptions)
                ),
            ),
            pick(
                ja,
                "シークレットの切り替え中でなければ、1 つを残して PagerDuty で削除してください",
                "unless a secret is being replaced, keep one and delete the others in PagerDuty",
            ),
        ),
        Matter::SubscriptionStray { subscription, url } => Said::but(
            pick(
                ja,
                format!("{subscription} の宛先 {url} は、どのリージョンでもありません"),
                format!("{subscription} leads to {url}, which is none of the regions"),
            ),
            pick(
                ja,
                "使っていなければ PagerDuty で削除し、使っていれば `regions` に加えてください",
                "delete it in PagerDuty, or add the region to `regions`",
            ),
        ),
        _ => return None,
    })
}

fn receiver(ja: bool, matter: &Matter) -> Option<Said> {
    Some(match matter {
        Matter::ReceiverFine { region, milliseconds } => Said::fine(pick(
            ja,
            format!("{region}: 署名付きのテストを受け付けました（{milliseconds} ms）"),
            format!("{region}: takes a signed test event ({milliseconds} ms)"),
        )),
        Matter::ReceiverSlow { region, milliseconds } => Said::but(
            pick(
                ja,
                format!(
                    "{region}: 受け付けに {milliseconds} ms かかりました。PagerDuty は 5 秒で諦めます"
                ),
                format!("{region}: took {milliseconds} ms; PagerDuty gives up after 5 s"),
            ),
            pick(
                ja,
                "経路、負荷、ストアの応答時間を確認してください",
                "look at the way to it, its load and its store",
            ),
        ),
        Matter::ReceiverUnready { region, status, said } => Said::but(
            pick(
                ja,
                format!("{region}: 受け付けられる状態ではありません（{status} {said}）"),
                format!("{region}: it is not ready to take webhooks ({status} {said})"),
            ),
            pick(ja, "その `/readyz` が理由を示します", "its `/readyz` says why"),
        ),
        Matter::ReceiverSilent { region, url, why } => Said::but(
            pick(
                ja,
                format!("{region}: {url} に届きません: {why}"),
                format!("{region}: {url} is not reached: {why}"),
            ),
            pick(
                ja,
                "アドレス、DNS、証明書（有効期限と中間証明書）、TLS 1.2 を確認してください。\
                 ここから届かないだけなら `--no-receivers` を付けてください",
                "check address, DNS, certificate (expiry, chain) and TLS 1.2; where it is out of reach \
                 from here only, use `--no-receivers`",
            ),
        ),
        _ => return None,
    })
}

fn refused(ja: bool, matter: &Matter) -> Option<Said> {
    Some(match matter {
        Matter::ReceiverRefuses { region, status: 401, sure: true } => Said::but(
            pick(
                ja,
                format!(
                    "{region}: シークレットが違います（401）。Webhook が 3 回続けて拒否されると 24 時間止まります"
                ),
                format!(
                    "{region}: it has another secret (401): three refused webhooks in a row stop them for 24 hours"
                ),
            ),
            pick(
                ja,
                format!(
                    "{region} の `webhook.secrets` に、そのサブスクリプションのシークレットを入れて再起動してください"
                ),
                format!(
                    "put the secret of its subscription under `webhook.secrets` of {region}, and restart it"
                ),
            ),
        ),
        Matter::ReceiverRefuses { region, status, sure: false } => Said::but(
            pick(
                ja,
                format!(
                    "{region}: 応答あり（{status}）。シークレットが正しいかはここからは分かりません"
                ),
                format!(
                    "{region}: it answers ({status}); whether its secret is right is not known here"
                ),
            ),
            pick(
                ja,
                format!("`regions` の {region} に `secret: file:パス` を書くと確認できます"),
                format!("write `secret: file:PATH` at {region} under `regions` to have it checked"),
            ),
        ),
        Matter::ReceiverRefuses { region, status, .. } => Said::but(
            pick(
                ja,
                format!(
                    "{region}: AMS ではないものが {status} で拒否しています。PagerDuty は再送しません"
                ),
                format!(
                    "{region}: something refuses with {status}, and it is not AMS: PagerDuty sends nothing again"
                ),
            ),
            pick(
                ja,
                "手前のロードバランサーや WAF の規則と、アドレスを確認してください",
                "look at the load balancer or WAF in front of it, and at the address",
            ),
        ),
        _ => return None,
    })
}
