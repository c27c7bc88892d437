//! The commit of a release, for `ams --version`.
//!
//! Only in release builds from a git checkout: while developing, a program that is built anew with each
//! commit costs a minute and tells nothing. `AMS_VERSION` says it in place of that (infra/image/build).

use std::path::Path;
use std::process::Command;

#[expect(clippy::disallowed_methods, reason = "a build script is told by its environment")]
fn main() {
    println!("cargo::rerun-if-env-changed=AMS_VERSION");
    println!("cargo::rerun-if-changed=build.rs");
    let variable = |name: &str| std::env::var(name).ok();
    if variable("AMS_VERSION").is_some() || variable("PROFILE").as_deref() != Some("release") {
        return;
    }
    for path in [".git/HEAD", ".git/logs/HEAD"] {
        if Path::new(path).exists() {
            println!("cargo::rerun-if-changed={path}");
        }
    }
    let git = |words: &[&str]| {
        let output = Command::new("git").args(words).output().ok()?;
        let text = String::from_utf8(output.stdout).ok()?.trim().to_owned();
        output.status.success().then_some(text)
    };
    let Some(commit) = git(&["rev-parse", "--short=12", "HEAD"]).filter(|it| !it.is_empty()) else {
        return;
    };
    let changed = git(&["status", "--porcelain", "--untracked-files=no"]);
    let changed = if changed.is_none_or(|it| it.is_empty()) { "" } else { ", changed" };
    let version = variable("CARGO_PKG_VERSION").unwrap_or_default();
    println!("cargo::rustc-env=AMS_VERSION={version} ({commit}{changed})");
}
