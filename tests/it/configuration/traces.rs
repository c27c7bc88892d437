use super::{SMALL, folder, load, problems, with};

#[test]
fn traces_are_off_until_a_collector_is_named() {
    let read = |text: &str, env: &[(&'static str, &'static str)]| {
        let traces = load(&folder(text), &with(env)).unwrap().traces;
        traces.map(|traces| traces.otlp)
    };
    assert_eq!(read(SMALL, &[]), None);
    let written = format!("{SMALL}traces: {{otlp: 'http://127.0.0.1:4318'}}\n");
    assert_eq!(read(&written, &[]).as_deref(), Some("http://127.0.0.1:4318"));
    let env = [("AMS_TRACES_OTLP", "https://collector.example.com")];
    assert_eq!(read(&written, &env).as_deref(), Some("https://collector.example.com"));
    for (written, expected) in [
        ("{otlp: 'localhost:4318'}", "'traces.otlp' is 'localhost:4318', which is no address"),
        ("{}", "'traces.otlp' is not set"),
        ("{http: 'http://127.0.0.1:4318'}", "http"),
    ] {
        let found = problems(&format!("{SMALL}traces: {written}\n"), &with(&[]));
        assert!(found.iter().any(|it| it.contains(expected)), "{written}: {found:?}");
    }
}
