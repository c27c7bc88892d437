//! What `ams serve` says where it cannot start.

use super::{SMALL, folder, serve};

#[test]
fn serve_without_its_file_says_which_one() {
    let dir = folder("");
    let (code, out, err) = serve(&dir, "nowhere.yaml");
    assert_eq!((code, out.as_str()), (Some(2), ""));
    insta::assert_snapshot!(err, @"
    1 problem with the configuration:
    nowhere.yaml:1:1: the configuration cannot be read: No such file or directory (os error 2) [unreadable-file]
        → name the file with --config
    ");
}

#[test]
fn serve_names_the_store_it_cannot_open() {
    let config = format!("{SMALL}webhook: {{secrets: 'file:second-secret'}}\n");
    let dir = folder(&config.replace("{from", "{token: 'file:second-secret', from"));
    let scenario = crate::scenario_files::GOOD;
    std::fs::create_dir(dir.path().join("scenarios")).unwrap();
    std::fs::write(dir.path().join("scenarios/web.yaml"), scenario).unwrap();
    std::fs::create_dir(dir.path().join("claims.db")).unwrap();
    let (code, out, err) = serve(&dir, "ams.yaml");
    assert_eq!((code, out.as_str()), (Some(2), ""), "{err}");
    insta::assert_snapshot!(err, @"error: the claim store is not reachable: claims.db: unable to open database file: claims.db");
}
