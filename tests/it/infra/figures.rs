//! Figures in the log, and what CloudWatch makes of them.

use super::{Names, all, read, resources};

const REGION: &str = "infra/region.yaml";

/// People come to an alarm's chapter by its description.
#[test]
fn every_alarm_has_its_chapter() {
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
    for page in ["docs/operations/alarms.md", "docs/operations/alarms.ja.md"] {
        let chapters: Names = all(r"(?m)^## ([a-z-]+)$", &read(page)).into_iter().collect();
        assert_eq!(chapters, alarms, "{page}");
    }
}

/// Names of the metrics that a filter makes of the line's figures. That the line has them all, observed.rs
/// shows.
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
