use std::collections::BTreeSet;
use std::fs;

use ams::schema::tables::tables;
use ams::schema::{CUSTOMERS, SCENARIOS, TESTS};

use super::root;

const PAGE: &str = "docs/scenarios/reference.md";
const END: &str = "<!-- end -->\n";

/// Set to write the tables into the page in place of comparing them.
const REFRESH: &str = "AMS_UPDATE_REFERENCE";

#[test]
#[expect(clippy::disallowed_methods, reason = "asked for by the person who runs the test")]
fn the_reference_has_every_table_as_the_schema_has_it() {
    let path = root().join(PAGE);
    let page = fs::read_to_string(&path).unwrap();
    let mut fresh = page.clone();
    let mut missing = BTreeSet::new();
    let tables = tables(&[&SCENARIOS, &CUSTOMERS, &TESTS]);
    for table in &tables {
        let begin = format!("<!-- generated: {} -->\n", table.name);
        let Some((before, rest)) = fresh.split_once(&begin) else {
            missing.insert(table.name);
            continue;
        };
        let (_, after) = rest.split_once(END).unwrap();
        fresh = format!("{before}{begin}{}{END}{after}", table.text);
    }
    assert!(missing.is_empty(), "{PAGE} has no place for {missing:?}: <!-- generated: NAME -->");
    let places = page.matches("<!-- generated: ").count();
    assert_eq!(places, tables.len(), "{PAGE} has a table the schema does not know");
    if std::env::var(REFRESH).is_ok() {
        fs::write(&path, &fresh).unwrap();
        return;
    }
    assert!(
        page == fresh,
        "the tables of {PAGE} are not those of runner/schema; refresh them with\n  \
         {REFRESH}=1 cargo nextest run reference"
    );
}
