//! `ams sandbox --once`, as a newcomer runs it.

use std::process::Command;

#[test]
fn every_sample_incident_ends_as_it_should() {
    for (lang, last) in [("ja", "7 件中 7 件が期待どおり"), ("en", "7 of 7 incidents ended")]
    {
        let sandbox = Command::new(env!("CARGO_BIN_EXE_ams"))
            .args(["sandbox", "--once", "--lang", lang])
            .output()
            .unwrap();
        let out = String::from_utf8_lossy(&sandbox.stdout);
        let err = String::from_utf8_lossy(&sandbox.stderr);
        assert_eq!(sandbox.status.code(), Some(0), "{out}\n{err}");
        assert!(out.contains(last), "{out}");
        assert!(err.is_empty(), "{err}");
    }
}
