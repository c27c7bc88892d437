//! Figures in the log, and what CloudWatch makes of them.

use super::{Names, all, code, read, resources};

const REGION: &str = "infra/region.yaml";

/// People come to an alarm's chapter by its description.
#[test]
fn every_alarm_has_its_chapter() {
    let page = read("docs/operations/alarms.md");
    let chapters: Names = all(r"(?m)^## ([a-z-]+)$", &page).into_iter().collect();
    let mut alarms = Names::new();
    for template in ["infra/global.yaml", REGION] {
        for (name, text) in resources(template, "AWS::CloudWatch::Alarm") {
            let said = all("AlarmName: !Sub \"\\$\\{Name\\}-([a-z-]+)\"", &text);
            assert_eq!(said.len(), 1, "{name}");
            let links = all(r"docs/operations/alarms\.md#([a-z-]+)", &text);
            assert_eq!(links, said, "{name}");
            alarms.extend(said);
        }
    }
    assert_eq!(chapters, alarms);
}

/// Names of the metrics that a filter makes of the line's figures.
fn figures() -> Names {
    let mut names = Names::new();
    for (filter, text) in resources(REGION, "AWS::Logs::MetricFilter") {
        assert!(text.contains("FilterPattern: '{ $.target = \"ams::figures\" }'"), "{filter}");
        assert!(!text.contains("DefaultValue"), "{filter} makes up what nobody said");
        let name = all("MetricName: ([a-z_]+)", &text);
        assert_eq!(name, all(r"MetricValue: \$\.([a-z_]+)", &text), "{filter}");
        names.extend(name);
    }
    names
}

#[test]
fn every_alarm_on_figures_has_its_figure() {
    let figures = figures();
    assert!(figures.len() >= 14, "{figures:?}");
    let mut of_ours = resources(REGION, "AWS::CloudWatch::Alarm");
    of_ours.extend(resources(REGION, "AWS::ApplicationAutoScaling::ScalingPolicy"));
    of_ours.retain(|(_, text)| text.contains("AMS/${Name}"));
    assert_eq!(of_ours.len(), 12, "eleven alarms, one policy");
    for (name, text) in of_ours {
        let used = all("MetricName: ([a-z_]+)", &text);
        assert!(!used.is_empty(), "{name}");
        assert!(used.iter().all(|it| figures.contains(it)), "{name}: {used:?}");
    }
}

/// A figure that the log calls otherwise is never seen, and its alarm never rings.
#[test]
fn every_figure_is_in_the_log() {
    let code = code("runner");
    assert!(code.contains("\"ams::figures\""), "nothing writes figures");
    let missing = figures()
        .into_iter()
        .filter(|name| all(&format!(r"\b({name})\b"), &code).is_empty())
        .collect::<Names>();
    assert!(missing.is_empty(), "{missing:?}");
}
