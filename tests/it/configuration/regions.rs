use ams::config::{RegionAddress, SecretPlace, SetUp};
use secrecy::ExposeSecret as _;

use super::{SECRETS, SMALL, folder, load, problems};

fn settings(regions: &str) -> String {
    format!("{SMALL}regions: {regions}\n")
}

#[test]
fn every_region_has_its_receiver_and_a_place_for_its_secret() {
    let written = "[{name: tokyo, url: 'HTTPS://Tokyo.Example.com/', secret: 'file:second-secret'}, \
                   {name: osaka, url: 'http://10.0.0.1:8080/webhooks/pagerduty', secret: 'env:OSAKA'}]";
    let dir = folder(&settings(written));
    let config = load(&dir, &[SECRETS[0], SECRETS[1], ("OSAKA", " hidden\n")]).unwrap();
    let [tokyo, osaka] = &config.regions[..] else { panic!("{:?}", config.regions) };
    let RegionAddress { name, url, secret } = tokyo;
    assert_eq!(
        (name.as_str(), url.as_str()),
        ("tokyo", "https://tokyo.example.com/webhooks/pagerduty")
    );
    assert_eq!(secret, &Some(SecretPlace::File(dir.path().join("second-secret"))));
    assert_eq!(osaka.url, "http://10.0.0.1:8080/webhooks/pagerduty");
    let read = |region: &RegionAddress| {
        let secret = region.secret.as_ref().unwrap().read(&config.variables);
        secret.map(|it| it[0].expose_secret().to_owned())
    };
    assert_eq!((read(tokyo), read(osaka)), (Ok("two".to_owned()), Ok("hidden".to_owned())));
    assert_eq!(load(&folder(SMALL), &SECRETS).unwrap().regions, []);
}

#[test]
fn a_region_that_cannot_be_used_is_told_with_all_others() {
    for (regions, problem) in [
        ("tokyo", "'regions' is no list"),
        ("[tokyo]", "'regions' is text, but it must be fields"),
        ("[{name: tokyo}]", "regions has no 'url'"),
        ("[{url: 'https://a.example.com'}]", "regions has no 'name'"),
        (
            "[{name: a, url: a.example.com}]",
            "'regions.url' is 'a.example.com', which is no address",
        ),
        ("[{name: a, url: 'ftp://a.example.com'}]", "which is no address"),
        ("[{name: a, url: 'https://a.example.com/hook'}]", "leads to /hook"),
        ("[{name: a, url: 'https://me:hunter2@a.example.com'}]", "holds a user or password"),
        (
            "[{name: a, url: 'https://a.example.com', secret: open}]",
            "'regions.secret' says no place",
        ),
        ("[{name: a, url: 'https://a.example.com', secret: 'ssm:/x'}]", "says no place"),
        ("[{name: a, url: 'https://a.example.com', port: 1}]", "regions has no field 'port'"),
        (
            "[{name: a, url: 'https://a.example.com'}, {name: a, url: 'https://b.example.com'}]",
            "has the name or the address of 'a' twice",
        ),
    ] {
        let found = problems(&settings(regions), &SECRETS);
        assert!(found.len() == 1 && found[0].contains(problem), "{regions}: {found:?}");
        assert!(!found[0].contains("hunter2"), "{found:?}");
    }
    let many: Vec<String> =
        (0..11).map(|n| format!("{{name: r{n}, url: 'https://r{n}.example.com'}}")).collect();
    let found = problems(&settings(&format!("[{}]", many.join(", "))), &SECRETS);
    assert!(found.len() == 1 && found[0].contains("has 11 entries"), "{found:?}");
    let two = "[{name: a, url: a}, {name: b, url: b}]";
    assert_eq!(problems(&settings(two), &SECRETS).len(), 2);
}

/// An account is set up before there is a webhook's secret.
#[test]
fn setting_up_an_account_needs_no_webhook_secret() {
    let dir = folder(&settings("[{name: tokyo, url: 'https://a.example.com'}]"));
    let env = [("AMS_PAGERDUTY_TOKEN".to_owned(), "pd".to_owned())].into();
    let set_up = SetUp::load(&dir.path().join("ams.yaml"), &env).unwrap();
    assert_eq!(set_up.regions.len(), 1);
    assert_eq!(set_up.pagerduty.from, "ams@example.com");
    let without = SetUp::load(&dir.path().join("ams.yaml"), &std::collections::BTreeMap::new());
    assert!(without.unwrap_err()[0].message.contains("pagerduty.token"));
}
