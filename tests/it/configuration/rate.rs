use super::{FULL, SMALL, folder, load, problems, with};

#[test]
fn the_rate_is_what_pagerduty_allows_unless_the_settings_know_better() {
    let rate = |config: &str, env: &[(&'static str, &'static str)]| {
        load(&folder(config), &with(env)).unwrap().pagerduty.requests_per_minute
    };
    assert_eq!(rate(SMALL, &[]), 960);
    assert_eq!(rate(SMALL, &[("AMS_PAGERDUTY_REQUESTS_PER_MINUTE", "2400")]), 2_400);
    assert_eq!(rate(FULL, &[("FIRST_SECRET", "one"), ("PD_TOKEN", "pd")]), 500);
}

#[test]
fn a_rate_with_which_no_run_could_end_is_a_mistake() {
    for wrong in ["11", "-1", "many", "10000001"] {
        let config = SMALL.replace(
            "bot_user: PAMSBOT}",
            &format!("bot_user: PAMSBOT, requests_per_minute: {wrong}}}"),
        );
        let problems = problems(&config, &with(&[]));
        assert_eq!(
            problems,
            [format!(
                "6:76 'pagerduty.requests_per_minute' is '{wrong}', which is no number from 12 to \
                 10000000 → leave it out (960), or write what PagerDuty allows your key"
            )]
        );
    }
}
