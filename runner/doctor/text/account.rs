//! Token, bot user and clock in words.

use super::{Said, pick};
use crate::doctor::matter::{Duty, Matter};

pub(super) fn say(ja: bool, matter: &Matter) -> Option<Said> {
    token(ja, matter).or_else(|| bot(ja, matter)).or_else(|| clock(ja, matter))
}

fn token(ja: bool, matter: &Matter) -> Option<Said> {
    Some(match matter {
        Matter::Unreachable { url, why } => Said::but(
            pick(ja, format!("{url} に届きません: {why}"), format!("{url} is not reached: {why}")),
            pick(
                ja,
                "`pagerduty.url`（EU は https://api.eu.pagerduty.com）と、ここからの経路を確認してください",
                "check `pagerduty.url` (https://api.eu.pagerduty.com for EU accounts) and the way from here",
            ),
        ),
        Matter::TokenRefused { said } => Said::but(
            pick(
                ja,
                format!("トークンが受け付けられません（401 {said}）"),
                format!("the token is refused (401 {said})"),
            ),
            pick(
                ja,
                "PagerDuty で REST API キーを作り、`pagerduty.token` の参照先に入れてください",
                "make a REST API key in PagerDuty, and put it where `pagerduty.token` points",
            ),
        ),
        Matter::MayAll => Said::fine(pick(
            ja,
            "トークン: AMS に必要なことがすべて許されています",
            "token: it may do all that AMS needs",
        )),
        Matter::MayNot { duty, said } => Said::but(
            pick(
                ja,
                format!("トークンでは{}できません（{said}）", duty_ja(*duty)),
                format!("the token may not {} ({said})", duty_en(*duty)),
            ),
            pick(
                ja,
                format!(
                    "読み取り専用でないキーを使うか、スコープ {} を加えてください",
                    scope(*duty)
                ),
                format!("use a key that is not read-only, or add the scope {}", scope(*duty)),
            ),
        ),
        Matter::Unasked { duty, why } => Said::but(
            pick(
                ja,
                format!("{}できるか確認できません: {why}", duty_ja(*duty)),
                format!("whether the token may {} is not known: {why}", duty_en(*duty)),
            ),
            pick(ja, "しばらくしてもう一度確認してください", "look again in a while"),
        ),
        Matter::NoPriorities => Said::fine(pick(
            ja,
            "プラン: 優先度なし（AMS は優先度を付けずに動きます）",
            "plan: no priorities (AMS works without)",
        )),
        Matter::NoResponders => Said::fine(pick(
            ja,
            "プラン: 応援依頼（coordinated_responding）なし（ほかの手段で呼び出します）",
            "plan: no responder requests (coordinated_responding); people are paged in other ways",
        )),
        _ => return None,
    })
}

const fn scope(duty: Duty) -> &'static str {
    match duty {
        Duty::ReadIncidents => "incidents.read",
        Duty::ChangeIncidents => "incidents.write",
        Duty::ReadUsers => "users.read",
        Duty::ReadServices => "services.read",
        Duty::ReadPolicies => "escalation_policies.read",
        Duty::ReadOnCalls => "oncalls.read",
        Duty::ReadSubscriptions => "webhook_subscriptions.read",
        Duty::ChangeSubscriptions => "webhook_subscriptions.write",
    }
}

const fn duty_ja(duty: Duty) -> &'static str {
    match duty {
        Duty::ReadIncidents => "インシデントを参照",
        Duty::ChangeIncidents => "インシデントを更新",
        Duty::ReadUsers => "ユーザーを参照",
        Duty::ReadServices => "サービスを参照",
        Duty::ReadPolicies => "エスカレーションポリシーを参照",
        Duty::ReadOnCalls => "オンコールを参照",
        Duty::ReadSubscriptions => "Webhook サブスクリプションを参照",
        Duty::ChangeSubscriptions => "Webhook サブスクリプションを変更",
    }
}

const fn duty_en(duty: Duty) -> &'static str {
    match duty {
        Duty::ReadIncidents => "read incidents",
        Duty::ChangeIncidents => "change incidents",
        Duty::ReadUsers => "read users",
        Duty::ReadServices => "read services",
        Duty::ReadPolicies => "read escalation policies",
        Duty::ReadOnCalls => "read who is on call",
        Duty::ReadSubscriptions => "read webhook subscriptions",
        Duty::ChangeSubscriptions => "change webhook subscriptions",
    }
}

fn bot(ja: bool, matter: &Matter) -> Option<Said> {
    Some(match matter {
        Matter::BotFine { user, name } => Said::fine(pick(
            ja,
            format!("AMS のユーザー: {name}（{user}）"),
            format!("AMS's user: {name} ({user})"),
        )),
        Matter::BotUnknown { user } => Said::but(
            pick(
                ja,
                format!("`pagerduty.bot_user` の {user} というユーザーがいません"),
                format!("there is no user {user}, which `pagerduty.bot_user` names"),
            ),
            pick(
                ja,
                "AMS 専用のユーザーを作り、その ID（P で始まる。URL の末尾）を書いてください",
                "make a user for AMS alone, and write its id: it begins with P and ends its page's address",
            ),
        ),
        Matter::BotOther { user, email, from } => Said::but(
            pick(
                ja,
                format!(
                    "`pagerduty.from` は {from}、`pagerduty.bot_user`（{user}）のアドレスは {email} です。\
                     AMS は自分の書き込みを人の操作と見なして止まります"
                ),
                format!(
                    "`pagerduty.from` is {from}, and {user} of `pagerduty.bot_user` is {email}: \
                     AMS would take what it writes for a person's and stop"
                ),
            ),
            pick(
                ja,
                "両方を同じ AMS 専用ユーザーにしてください",
                "let both be the same user, who is AMS alone",
            ),
        ),
        Matter::FromUnknown { from, said } => Said::but(
            pick(
                ja,
                format!("`pagerduty.from` の {from} では書き込めません（{said}）"),
                format!(
                    "nothing can be written as {from}, the address of `pagerduty.from` ({said})"
                ),
            ),
            pick(
                ja,
                "PagerDuty に登録された AMS 専用ユーザーのアドレスを書いてください",
                "write the address that AMS's own user has in PagerDuty",
            ),
        ),
        _ => return None,
    })
}

fn clock(ja: bool, matter: &Matter) -> Option<Said> {
    let off = |seconds: i64| {
        let (ja_way, en_way) =
            if seconds > 0 { ("進んで", "ahead of") } else { ("遅れて", "behind") };
        pick(
            ja,
            format!("このサーバーの時計は PagerDuty より {} 秒{ja_way}います", seconds.abs()),
            format!("this machine's clock is {} s {en_way} PagerDuty's", seconds.abs()),
        )
    };
    let set = || {
        pick(
            ja,
            "NTP（chrony など）で時刻を合わせてください。ほかのリージョンのサーバーも同様です",
            "keep it by NTP (chrony or the like), on the other regions' machines too",
        )
    };
    Some(match matter {
        Matter::ClockFine { .. } => {
            Said::fine(pick(ja, "時計: PagerDuty と合っています", "clock: as PagerDuty's"))
        }
        Matter::ClockOff { seconds } | Matter::ClockWrong { seconds } => {
            Said::but(off(*seconds), set())
        }
        Matter::ClockUnread { why } => Said::but(
            pick(
                ja,
                format!("PagerDuty の時刻が分からず、時計を比べられません: {why}"),
                format!("the clock cannot be compared with PagerDuty's: {why}"),
            ),
            set(),
        ),
        _ => return None,
    })
}
