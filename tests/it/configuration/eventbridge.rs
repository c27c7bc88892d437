use ams::aws::sqs::Place;

use super::{SMALL, exposed, folder, load, problems, with};

const URL: &str = "https://sqs.ap-northeast-1.amazonaws.com/111122223333/ams";

#[test]
fn the_second_way_in_is_off_until_it_is_written() {
    let config = load(&folder(SMALL), &with(&[])).unwrap().eventbridge;
    assert!(config.queue.is_none() && config.keys.is_empty());
}

#[test]
fn a_queue_and_keys_are_read_from_the_file_or_the_environment() {
    let written = format!(
        "{SMALL}eventbridge:\n  sqs: {{queue: '{URL}', region: ap-northeast-1}}\n  \
         keys: ['env:FIRST_KEY', 'env:NEXT_KEY']\n"
    );
    let keys = [("FIRST_KEY", "0123456789abcdef"), ("NEXT_KEY", "fedcba9876543210")];
    let config = load(&folder(&written), &with(&keys)).unwrap();
    let region = "ap-northeast-1".to_owned();
    let queue = Place { url: URL.to_owned(), region, endpoint: None };
    assert_eq!(config.eventbridge.queue, Some(queue.clone()));
    assert_eq!(exposed(&config.eventbridge.keys), ["0123456789abcdef", "fedcba9876543210"]);
    let masked = config.masks().apply("the key is 0123456789abcdef");
    assert_eq!(masked, "the key is ****");
    let env = [
        ("AMS_EVENTBRIDGE_SQS_QUEUE", URL),
        ("AMS_EVENTBRIDGE_SQS_REGION", "ap-northeast-1"),
        ("AMS_EVENTBRIDGE_SQS_ENDPOINT", "https://vpce-1.example.com"),
    ];
    let config = load(&folder(SMALL), &with(&env)).unwrap().eventbridge;
    let endpoint = Some("https://vpce-1.example.com".to_owned());
    assert_eq!(config.queue, Some(Place { endpoint, ..queue }));
}

#[test]
fn what_cannot_work_is_told() {
    for (written, expected) in [
        (
            "sqs: {queue: ams, region: x-1}",
            "'eventbridge.sqs.queue' is 'ams', which is no queue's URL",
        ),
        ("sqs: {queue: 'https://sqs.example.com', region: x-1}", "which is no queue's URL"),
        ("sqs: {region: x-1}", "'eventbridge.sqs.queue' is not set"),
        ("keys: ['plain text']", "'eventbridge.keys' cannot be used: it is written in plain text"),
        ("keys: ['env:SHORT']", "'eventbridge.keys' has fewer than 16 characters"),
        ("queue: x", "queue"),
    ] {
        let text = format!("{SMALL}eventbridge: {{{written}}}\n");
        let found = problems(&text, &with(&[("SHORT", "0123456789abcde")]));
        assert!(found.iter().any(|it| it.contains(expected)), "{written}: {found:?}");
    }
    let text = format!("{SMALL}eventbridge: {{sqs: {{queue: '{URL}'}}}}\n");
    let found = problems(&text, &with(&[]));
    assert!(found[0].contains("'eventbridge.sqs.region' is not set"), "{found:?}");
}
