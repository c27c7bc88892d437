//! The image's root file system, its archive and the list of what is in it. No container engine is needed to see
//! that everything the program wants is there.

use std::io::{BufRead as _, BufReader, Read as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;

use super::{Names, all, read};

fn script(name: &str) -> Command {
    Command::new(format!("{}/infra/image/{name}", env!("CARGO_MANIFEST_DIR")))
}

/// The root with a program in it.
fn root(folder: &Path, program: &str) -> PathBuf {
    let root = folder.join("root");
    let made = script("root").args([Path::new(program), &root]).output().unwrap();
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    root
}

#[test]
fn the_program_runs_in_the_images_root_as_nobody() {
    let folder = tempfile::tempdir().unwrap();
    let root = root(folder.path(), env!("CARGO_BIN_EXE_ams"));
    let inside = |words: &[&str]| {
        let mut chroot = Command::new("chroot");
        chroot.args(["--userspec=65532:65532"]).arg(&root).args(words).output().unwrap()
    };
    let version = inside(&["/usr/bin/ams", "--version"]);
    let refused = String::from_utf8_lossy(&version.stderr).contains("Operation not permitted");
    if refused {
        eprintln!("skipped: only root may change the root of a process");
        return;
    }
    let said = String::from_utf8(version.stdout).unwrap();
    assert!(said.starts_with("ams "), "{said} {}", String::from_utf8_lossy(&version.stderr));
    let shell = inside(&["/bin/sh", "-c", "echo \"$0 runs\""]);
    assert!(String::from_utf8(shell.stdout).unwrap().starts_with("/bin/sh runs\n"));
    let schema = inside(&["/usr/bin/ams", "schema"]);
    assert!(schema.status.success(), "{}", String::from_utf8_lossy(&schema.stderr));
}

/// Mounts the root as the platform does: two places can be written to, and nothing else can.
const READ_ONLY: &str = r#"set -e
mount --bind "$1" "$1"
mount -t tmpfs -o uid=65532,gid=65532,mode=750 work "$1/var/lib/ams"
mount -t tmpfs -o mode=1777 tmp "$1/tmp"
mount -o remount,ro,bind "$1"
exec chroot --userspec=65532:65532 "$1" /bin/sh -c '
    if ( : > /etc/ams/written ) 2>/dev/null; then echo "the root can be written to"; exit 1; fi
    exec /usr/bin/ams serve --config /etc/ams/ams.yaml'
"#;

const SETTINGS: &str = "\
region: tokyo
listen: 127.0.0.1:0
scenarios: scenarios
evidence: /var/lib/ams/evidence
store: {sqlite: /var/lib/ams/claims.db}
pagerduty: {url: 'http://127.0.0.1:9', from: ams@example.com, bot_user: PAMSBOT}
";

#[test]
fn the_program_serves_on_a_root_that_cannot_be_written_to() {
    let may_mount = Command::new("unshare").args(["--mount", "true"]).output();
    if !may_mount.is_ok_and(|done| done.status.success()) {
        eprintln!("skipped: only root may mount");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let root = root(folder.path(), env!("CARGO_BIN_EXE_ams"));
    let settings = root.join("etc/ams");
    std::fs::write(settings.join("ams.yaml"), SETTINGS).unwrap();
    let scenarios = concat!(env!("CARGO_MANIFEST_DIR"), "/scenarios/first-response");
    let copied =
        Command::new("cp").args(["-r", scenarios]).arg(settings.join("scenarios")).status();
    assert!(copied.unwrap().success());

    let mut child = Command::new("unshare")
        .args(["--mount", "/bin/sh", "-c", READ_ONLY, "sh"])
        .arg(&root)
        .envs([("AMS_PAGERDUTY_TOKEN", "pd"), ("AMS_WEBHOOK_SECRET", "hook")])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut said = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut said).unwrap();
    let stopped = Command::new("kill").arg(child.id().to_string()).status().unwrap();
    let ended = child.wait().unwrap();
    let mut log = String::new();
    child.stderr.take().unwrap().read_to_string(&mut log).unwrap();
    assert!(said.starts_with("ams tokyo listening on http://127.0.0.1:"), "{said}{log}");
    assert!(stopped.success() && ended.success(), "{log}");
}

#[test]
fn the_same_root_makes_the_same_archive() {
    let pack = |folder: &Path| {
        let root = root(folder, "/bin/sh");
        let archive = folder.join("root.tar");
        let packed = script("pack").args([&root, &archive]).output().unwrap();
        assert!(packed.status.success(), "{}", String::from_utf8_lossy(&packed.stderr));
        archive
    };
    let (first, second) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let archive = pack(first.path());
    assert!(std::fs::read(&archive).unwrap() == std::fs::read(pack(second.path())).unwrap());

    let list = Command::new("tar").args(["-tv", "--numeric-owner", "-f"]).arg(archive).output();
    let list = String::from_utf8(list.unwrap().stdout).unwrap();
    let of_ams: Vec<&str> = list.lines().filter(|line| !line.contains(" 0/0 ")).collect();
    assert_eq!(of_ams.len(), 1, "{of_ams:?}");
    assert!(
        of_ams[0].starts_with("drwxr-x--- 65532/65532 ") && of_ams[0].ends_with(" ./var/lib/ams/")
    );
    assert!(list.contains("drwxrwxrwt 0/0 ") && list.contains(" ./usr/bin/ams\n"), "{list}");
}

#[test]
fn what_can_be_written_to_is_mounted() {
    let mounted: Names =
        all(r"ContainerPath: (\S+)\}", &read("infra/region.yaml")).into_iter().collect();
    let volumes = all("(?m)^VOLUME \\[(.+)\\]$", &read("infra/image/Dockerfile")).remove(0);
    let volumes: Names = all("\"([^\"]+)\"", &volumes).into_iter().collect();
    assert_eq!(volumes, mounted);
}

#[test]
fn the_list_of_parts_has_every_crate_of_the_program() {
    let commit = "0123456789abcdef0123456789abcdef01234567";
    let offline = ("CARGO_NET_OFFLINE", "true");
    let made = script("sbom").arg(commit).envs([offline]).output().unwrap();
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let list: Value = serde_json::from_slice(&made.stdout).unwrap();
    assert_eq!((&list["bomFormat"], &list["specVersion"]), (&"CycloneDX".into(), &"1.5".into()));
    let version = list["metadata"]["component"]["version"].as_str().unwrap();
    assert!(version.ends_with("+0123456789ab"), "{version}");
    let components = list["components"].as_array().unwrap();
    let listed: Names = components
        .iter()
        .map(|it| format!("{} v{}", it["name"].as_str().unwrap(), it["version"].as_str().unwrap()))
        .collect();
    assert_eq!(listed.len(), components.len(), "none twice");
    let licensed = |it: &Value| it["licenses"].as_array().is_some_and(|them| !them.is_empty());
    assert!(components.iter().all(licensed));

    let tree = Command::new("cargo")
        .args(["tree", "--locked", "--edges", "normal", "--prefix", "none", "--format", "{p}"])
        .args(["--target", "x86_64-unknown-linux-gnu"])
        .envs([offline])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    let tree = String::from_utf8(tree.stdout).unwrap();
    // After the name and the version: (proc-macro), (*).
    let linked: Names =
        tree.lines().map(|line| line.split(" (").next().unwrap().to_owned()).collect();
    let linked: Names = linked.into_iter().filter(|it| !it.starts_with("ams v")).collect();
    assert!(linked.len() > 100, "{tree}");
    let missing: Vec<_> = linked.difference(&listed).collect();
    assert!(missing.is_empty(), "{missing:?}");
}
