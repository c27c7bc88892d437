//! Escalation policies, services and scenarios in words.

use super::{Said, names, pick};
use crate::doctor::matter::Matter;

pub(super) fn say(ja: bool, matter: &Matter) -> Option<Said> {
    policy(ja, matter)
        .or_else(|| reached(ja, matter))
        .or_else(|| levels(ja, matter))
        .or_else(|| without_levels(ja, matter))
        .or_else(|| acknowledging(ja, matter))
        .or_else(|| services(ja, matter))
        .or_else(|| left(ja, matter))
}

fn policy(ja: bool, matter: &Matter) -> Option<Said> {
    Some(match matter {
        Matter::PolicyFine { policy } => Said::fine(pick(
            ja,
            format!("{policy}: 呼び出しが人に届きます"),
            format!("{policy}: pages reach people"),
        )),
        Matter::PolicyUnknown { policy, named_by } if named_by.is_empty() => Said::but(
            pick(
                ja,
                format!("サービスのポリシー {policy} を参照できません"),
                format!("{policy}, a service's policy, cannot be seen with this token"),
            ),
            pick(
                ja,
                "トークンのユーザーやチームの権限を確認してください",
                "check what the token's user or teams may see",
            ),
        ),
        Matter::PolicyUnknown { policy, named_by } => Said::but(
            pick(
                ja,
                format!(
                    "{named_by} が指すポリシー {policy} はありません。そこへの引き継ぎは失敗します"
                ),
                format!(
                    "there is no policy {policy}, which {named_by} names: hand-offs to it fail"
                ),
            ),
            pick(
                ja,
                "ポリシーの ID（P で始まる。URL の末尾）に直してください",
                "write the policy's id: it begins with P and ends its page's address",
            ),
        ),
        _ => return None,
    })
}

fn reached(ja: bool, matter: &Matter) -> Option<Said> {
    let oncall = || {
        pick(
            ja,
            "そのレベルのスケジュールの空きを埋めるか、人を加えてください",
            "fill the gap in that level's schedule, or add people to it",
        )
    };
    Some(match matter {
        Matter::NobodyPaged { policy } => Said::but(
            pick(
                ja,
                format!("{policy}: どのレベルでも人が呼び出されません"),
                format!("{policy}: no level pages a person"),
            ),
            pick(
                ja,
                "レベル 1 に AMS のユーザー、レベル 2 以降に人（スケジュール）を置いてください",
                "put AMS's user at level 1 and people (a schedule) from level 2 on",
            ),
        ),
        Matter::NobodyOnCall { policy, level } => Said::but(
            pick(
                ja,
                format!(
                    "{policy}: レベル {level} のオンコールが今いません。引き継ぎはほかのレベルへ回ります"
                ),
                format!("{policy}: nobody is on call at level {level} now: hand-offs pass it over"),
            ),
            oncall(),
        ),
        Matter::LevelEmpty { policy, level } => Said::but(
            pick(
                ja,
                format!("{policy}: レベル {level} のオンコールが今いません"),
                format!("{policy}: nobody is on call at level {level} now"),
            ),
            oncall(),
        ),
        _ => return None,
    })
}

fn levels(ja: bool, matter: &Matter) -> Option<Said> {
    Some(match matter {
        Matter::PeopleFirst { policy } => Said::but(
            pick(
                ja,
                format!(
                    "{policy}: レベル 1 に人がいます。AMS が直せる障害でも、まず人が呼び出されます"
                ),
                format!(
                    "{policy}: people are at level 1, and paged at once also for what AMS repairs"
                ),
            ),
            pick(
                ja,
                "意図したものでなければ、レベル 1 を AMS のユーザーだけにし、人をレベル 2 以降に移してください",
                "unless it is meant so, leave AMS's user alone at level 1 and move people to level 2",
            ),
        ),
        Matter::NoPeopleBehind { policy } => Said::but(
            pick(
                ja,
                format!("{policy}: レベルが 1 つで、引き継ぎの次のレベルがありません"),
                format!("{policy}: it has one level, and hand-offs have no next one"),
            ),
            pick(ja, "人のいるレベル 2 を加えてください", "add a level 2 with people"),
        ),
        Matter::BotLater { policy, level } => Said::but(
            pick(
                ja,
                format!(
                    "{policy}: レベル {level} に AMS のユーザーがいます。そこでの呼び出しには AMS は応じません"
                ),
                format!("{policy}: AMS's user is at level {level}, where it does not answer pages"),
            ),
            pick(ja, "そのレベルから外してください", "remove it from that level"),
        ),
        Matter::FirstLevelLong { policy, minutes } => Said::but(
            pick(
                ja,
                format!(
                    "{policy}: レベル 1 が {minutes} 分です。AMS が対応しない障害は、その間誰にも届きません"
                ),
                format!(
                    "{policy}: level 1 lasts {minutes} min, in which nobody hears of what AMS leaves alone"
                ),
            ),
            pick(
                ja,
                "レベル 1 の待ち時間を短くしてください（目安 5 分）",
                "make it shorter, 5 min for example",
            ),
        ),
        _ => return None,
    })
}

fn without_levels(ja: bool, matter: &Matter) -> Option<Said> {
    Some(match matter {
        Matter::NoFallback => Said::but(
            pick(
                ja,
                "`pagerduty.fallback` がありません。障害のエスカレーションポリシーで誰も呼び出せないときの代わりがありません",
                "there is no `pagerduty.fallback` for when an incident's own policy reaches nobody",
            ),
            pick(
                ja,
                "`pagerduty.fallback: {policy: ID}` に、必ず人に届くポリシーを書いてください",
                "write `pagerduty.fallback: {policy: ID}` with a policy that always reaches people",
            ),
        ),
        Matter::NoLastResort => Said::but(
            pick(
                ja,
                "`last_resort` がありません。PagerDuty で誰も呼び出せないとき、誰にも知らせられません",
                "there is no `last_resort`: when PagerDuty pages nobody, nobody can be told",
            ),
            pick(
                ja,
                "`last_resort:` に `events`、`slack`、`email` のどれかを書いてください",
                "write `last_resort:` with `events`, `slack` or `email`",
            ),
        ),
        _ => return None,
    })
}

fn acknowledging(ja: bool, matter: &Matter) -> Option<Said> {
    Some(match matter {
        Matter::NeverAcknowledges => Said::fine(pick(
            ja,
            "AMS は acknowledge しません。PagerDuty の自動エスカレーションが働き続けます",
            "AMS never acknowledges: PagerDuty's own escalation stays armed",
        )),
        Matter::AcknowledgesWithTimeout => Said::fine(pick(
            ja,
            "AMS の acknowledge は、サービスのタイムアウトで必ず解けます",
            "what AMS acknowledges ends with the service's timeout, if all regions die",
        )),
        Matter::AcknowledgesForEver { by } => Said::but(
            pick(
                ja,
                format!(
                    "AMS は開始時に acknowledge します（{}）。タイムアウトのないサービスでは、全リージョンが止まると誰も呼び出されません",
                    names(ja, by)
                ),
                format!(
                    "AMS acknowledges on start ({}), also on services without a timeout: if all regions die, nobody is paged",
                    names(ja, by)
                ),
            ),
            pick(
                ja,
                "`where_timeout` にするか、サービスに Acknowledgement timeout を設定してください",
                "say `where_timeout`, or set the services' acknowledgement timeouts",
            ),
        ),
        Matter::AcknowledgedForEver { services } => Said::but(
            pick(
                ja,
                format!(
                    "acknowledge のタイムアウトがないサービス: {}。acknowledge した人が忘れると、誰も再び呼び出されません",
                    names(ja, services)
                ),
                format!(
                    "no acknowledgement timeout on {}: what a person acknowledges and forgets pages nobody again",
                    names(ja, services)
                ),
            ),
            pick(
                ja,
                "PagerDuty のサービス設定で Acknowledgement timeout を設定してください（目安 30 分）",
                "set the acknowledgement timeout in the services' settings, 30 min for example",
            ),
        ),
        _ => return None,
    })
}

fn services(ja: bool, matter: &Matter) -> Option<Said> {
    let meant = |near: &Option<String>| match near {
        Some(near) => {
            pick(ja, format!("「{near}」ではありませんか。"), format!("did you mean '{near}'? "))
        }
        None => String::new(),
    };
    Some(match matter {
        Matter::ServicesCovered { count } => Said::fine(pick(
            ja,
            format!("対象になりうるシナリオがあるサービス: {count} 件"),
            format!("services that a scenario may be for: {count}"),
        )),
        Matter::ServiceUnknown { customer, service, near } => Said::but(
            pick(
                ja,
                format!("顧客 {customer} のサービス「{service}」は PagerDuty にありません"),
                format!("PagerDuty has no service '{service}', which is said to be {customer}'s"),
            ),
            pick(
                ja,
                format!("{}サービスの ID か名前に直してください", meant(near)),
                format!("{}write the service's id or name", meant(near)),
            ),
        ),
        Matter::ScenarioServiceUnknown { scenario, service, near } => Said::but(
            pick(
                ja,
                format!(
                    "シナリオ {scenario} のサービス「{service}」は PagerDuty にありません。一致することがありません"
                ),
                format!(
                    "PagerDuty has no service '{service}': the scenario {scenario} can match nothing there"
                ),
            ),
            pick(
                ja,
                format!("{}`match.services` をサービスの ID か名前に直してください", meant(near)),
                format!("{}write the service's id or name under `match.services`", meant(near)),
            ),
        ),
        _ => return None,
    })
}

fn left(ja: bool, matter: &Matter) -> Option<Said> {
    Some(match matter {
        Matter::ServicesWithoutCustomer { services } => Said::but(
            pick(
                ja,
                format!(
                    "どの顧客のものでもないサービス: {}。顧客の値を使うシナリオは引き継ぎます",
                    names(ja, services)
                ),
                format!(
                    "services of no customer: {}; scenarios that need a customer's values hand off",
                    names(ja, services)
                ),
            ),
            pick(
                ja,
                "顧客ファイルの `services` に加えてください",
                "add them to `services` of a customer",
            ),
        ),
        Matter::ServicesWithoutScenario { services } => Said::but(
            pick(
                ja,
                format!(
                    "どのシナリオも対象にしないサービス: {}。インシデントは人だけが対応します",
                    names(ja, services)
                ),
                format!(
                    "services without any scenario: {}; their incidents are people's alone",
                    names(ja, services)
                ),
            ),
            pick(
                ja,
                "シナリオの `match.services`・`match.customers` と、顧客の `modes` を確認してください",
                "look at `match.services`, `match.customers` of scenarios and `modes` of customers",
            ),
        ),
        _ => return None,
    })
}
