//! What `ams pagerduty subscribe` prints.

use std::path::Path;

use crate::config::SecretPlace;
use crate::lang::Lang;

/// What became of a region's subscription.
pub(super) enum News<'a> {
    There {
        id: &'a str,
    },
    Off {
        id: &'a str,
    },
    Disabled {
        id: &'a str,
    },
    Events {
        id: &'a str,
        events: &'a [String],
        dry_run: bool,
    },
    /// The subscription is there, and its secret is not where it should be.
    SecretGone {
        id: &'a str,
        why: &'a str,
    },
    Would {
        url: &'a str,
        place: Option<&'a SecretPlace>,
    },
    Made {
        id: &'a str,
    },
    Stored {
        path: &'a Path,
    },
    /// For the variable of this name, where one is named.
    Secret {
        secret: &'a str,
        of: Option<&'a str>,
    },
    NoSecret {
        id: &'a str,
    },
    PerhapsMade,
    TooMany,
    Pinged,
}

pub(super) fn line(lang: Lang, news: &News<'_>) -> String {
    match lang {
        Lang::Ja => ja(news),
        Lang::En => en(news),
    }
}

fn ja(news: &News<'_>) -> String {
    match news {
        News::There { id } => format!("{id} がすでにあります"),
        News::Off { id } => {
            format!("{id} は PagerDuty で無効にされています。画面で有効にしてください")
        }
        News::Disabled { id } => {
            format!(
                "{id} は 24 時間停止中です。原因を直して `ams doctor --enable` を実行してください"
            )
        }
        News::Events { id, events, dry_run: false } => {
            format!("{id} にイベントを加えました: {}", events.join("、"))
        }
        News::Events { id, events, dry_run: true } => {
            format!("{id} にイベントを加えます: {}", events.join("、"))
        }
        News::SecretGone { id, why } => format!(
            "{id} のシークレットが手元にありません（{why}）。PagerDuty は二度と表示しません。控えが\
             なければ {id} を PagerDuty で削除し、もう一度実行してください"
        ),
        News::Would { url, place } => match place {
            Some(SecretPlace::File(path)) => format!(
                "{url} へのサブスクリプションを作り、シークレットを {} に保存します",
                path.display()
            ),
            _ => format!("{url} へのサブスクリプションを作り、シークレットを一度だけ表示します"),
        },
        News::Made { id } => format!("{id} を作成しました"),
        News::Stored { path } => {
            format!("シークレットを {} に保存しました（0600）", path.display())
        }
        News::Secret { secret, of: Some(name) } => format!(
            "シークレット（表示は今だけ）。このリージョンの変数 {name} に入れてください: {secret}"
        ),
        News::Secret { secret, of: None } => format!(
            "シークレット（表示は今だけ）。このリージョンの `webhook.secrets` の参照先に入れてください: \
             {secret}"
        ),
        News::NoSecret { id } => format!(
            "PagerDuty の応答にシークレットがありません。{id} を PagerDuty で削除し、もう一度実行してください"
        ),
        News::PerhapsMade => {
            "応答が失われました。`ams pagerduty subscriptions` で確認し、できていれば\
                              （シークレットは分からないので）削除してからもう一度実行してください"
                .to_owned()
        }
        News::TooMany => {
            "PagerDuty の上限（同じ範囲に 10 件）です。不要なものを削除してください".to_owned()
        }
        News::Pinged => {
            "テストイベントを依頼しました。リージョンの `ams_webhooks_total` の `ignored` が\
                         増えれば届いています（`bad_signature` ならシークレット違い）"
                .to_owned()
        }
    }
}

fn en(news: &News<'_>) -> String {
    match news {
        News::There { id } => format!("{id} is there already"),
        News::Off { id } => {
            format!("somebody has switched {id} off in PagerDuty: switch it on there")
        }
        News::Disabled { id } => format!(
            "{id} is stopped for 24 hours: remove the cause, then run `ams doctor --enable`"
        ),
        News::Events { id, events, dry_run: false } => {
            format!("{id} has more events now: {}", events.join(", "))
        }
        News::Events { id, events, dry_run: true } => {
            format!("{id} would get more events: {}", events.join(", "))
        }
        News::SecretGone { id, why } => format!(
            "the secret of {id} is not here ({why}), and PagerDuty never tells it again: unless it was \
             kept elsewhere, delete {id} in PagerDuty and run this again"
        ),
        News::Would { url, place } => match place {
            Some(SecretPlace::File(path)) => format!(
                "would make a subscription that leads to {url}, and keep its secret in {}",
                path.display()
            ),
            _ => {
                format!("would make a subscription that leads to {url}, and print its secret once")
            }
        },
        News::Made { id } => format!("made {id}"),
        News::Stored { path } => format!("its secret is in {} (0600)", path.display()),
        News::Secret { secret, of: Some(name) } => {
            format!("its secret, told only now, for the variable {name} of this region: {secret}")
        }
        News::Secret { secret, of: None } => format!(
            "its secret, told only now, for where `webhook.secrets` of this region points: {secret}"
        ),
        News::NoSecret { id } => {
            format!("PagerDuty's answer has no secret: delete {id} in PagerDuty and run this again")
        }
        News::PerhapsMade => {
            "the answer was lost: look at `ams pagerduty subscriptions`; if it was made, \
                              delete it (its secret is not known) and run this again"
                .to_owned()
        }
        News::TooMany => {
            "PagerDuty allows ten of the same scope: delete what is not needed".to_owned()
        }
        News::Pinged => "asked for a test event: it has arrived when `ignored` of the region's \
                         `ams_webhooks_total` grows (`bad_signature`: another secret)"
            .to_owned(),
    }
}
