use super::{FULL, SECRETS, SMALL, folder, load, problems};

#[test]
fn what_is_secret_is_covered_from_the_settings_on() {
    let env = [("FIRST_SECRET", "of-the-webhooks"), ("PD_TOKEN", "token-of-pagerduty")];
    let mask = load(&folder(FULL), &env).unwrap().masks();
    let text = "correct-horse-battery of-the-webhooks token-of-pagerduty member=12 R-777 rest";
    assert_eq!(mask.apply(text), "**** **** **** member=**** **** rest");
}

#[test]
fn a_mask_that_cannot_be_used_is_told_with_its_place() {
    let mask = |lines: &str| problems(&format!("{SMALL}mask:\n{lines}"), &SECRETS);
    for (lines, problem) in [
        ("  patterns: ['a(b']\n", "8:14 this is no pattern of a secret: unclosed group"),
        ("  patterns: ['a*']\n", "8:14 this is no pattern of a secret: it finds nothing at all"),
        ("  patterns: ['(?:a{1000}){1000}']\n", "8:14 this is no pattern of a secret: "),
        ("  values: [hunter2]\n", "8:12 'mask.values' cannot be used: it is written in plain text"),
        ("  values: ['env:NO']\n", "8:12 'mask.values' cannot be used: the variable NO is not set"),
        ("  valeus: []\n", "8:3 mask has no field 'valeus' → did you mean 'values'?"),
    ] {
        let found = mask(lines);
        assert!(found.len() == 1 && found[0].starts_with(problem), "{lines} {found:?}");
    }
    let many = format!("  patterns: [{}]\n", vec!["abc"; 51].join(", "));
    assert!(mask(&many)[0].contains("more than 50 patterns"), "{:?}", mask(&many));
}
