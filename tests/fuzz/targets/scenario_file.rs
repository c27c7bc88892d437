//! Any text as a scenario file: it is read or there are findings, each at a place that can be.
#![no_main]

use std::path::Path;

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let read = || ams::scenario::file::read(Path::new("fuzz.yaml"), text, None);
    match read() {
        Ok((scenario, _)) => assert_eq!(read().map(|(again, _)| again.id), Ok(scenario.id)),
        Err(findings) => {
            assert!(!findings.is_empty());
            for finding in &findings {
                assert!(finding.place.line >= 1 && finding.place.column >= 1, "{finding}");
            }
            assert_eq!(read().err(), Some(findings));
        }
    }
});
