use ams::report::fields::CustomFields;

use super::{SECRETS, SMALL, folder, load, problems, with};

#[test]
fn fields_are_named_in_the_file_or_the_environment() {
    let named = SMALL.replace(
        "bot_user: PAMSBOT}",
        "bot_user: PAMSBOT, custom_fields: {outcome: ams_outcome, scenario: ams_scenario}}",
    );
    let env = with(&[("AMS_PAGERDUTY_CUSTOM_FIELDS_SECONDS", "ams_seconds")]);
    let name = |text: &str| Some(text.to_owned());
    let expected = CustomFields {
        outcome: name("ams_outcome"),
        scenario: name("ams_scenario"),
        seconds: name("ams_seconds"),
        first_action_seconds: None,
        ticket: None,
    };
    assert_eq!(load(&folder(&named), &env).unwrap().pagerduty.custom_fields, expected);
    let none = load(&folder(SMALL), &SECRETS).unwrap().pagerduty.custom_fields;
    assert_eq!(none, CustomFields::default());
}

#[test]
fn what_is_no_name_of_a_field_is_told() {
    for (fields, problem) in [
        ("{outcome: AMS Outcome}", "'pagerduty.custom_fields.outcome' is 'AMS Outcome'"),
        ("{seconds: ''}", "'pagerduty.custom_fields.seconds' is ''"),
        ("{result: x}", "custom_fields has no field 'result'"),
    ] {
        let named = format!("bot_user: PAMSBOT, custom_fields: {fields}}}");
        let found = problems(&SMALL.replace("bot_user: PAMSBOT}", &named), &SECRETS);
        assert!(found.len() == 1 && found[0].contains(problem), "{fields} {found:?}");
    }
}
