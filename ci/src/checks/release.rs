//! What is shipped, made as it is shipped: release builds for every target with their packages, made
//! twice and compared. Says how long each took and how large it is, as a table for
//! `docs/makebuild.md`.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::Check;
use crate::context::{Context, Result};

pub(super) const CHECK: Check =
    Check { name: "release", what: "release builds for every target, twice, with packages", run };

/// The agent for every target.
const CONFIG: &str = "build-configs/everywhere-build.yml";
/// Agents for this machine: with the plugins that are always there, and with those of `CONFIG`.
const SMALLEST: &str = "build-configs/swak-build.yml";
const LARGEST: &str = "build-configs/myprj-build.yml";

/// The crate, and the version, that the signatures are checked with.
const RCODESIGN: &str = "apple-codesign@0.29.0";
/// What it says of every signature that names nobody.
const NO_CERTIFICATE: &str = "CMS error: missing further values (at position 0)";

fn run(cx: &Context) -> Result {
    let folder = cx.root.join("target/release-check");
    if folder.exists() {
        let why = |error| format!("cannot remove `{}`: {error}", cx.shown(&folder));
        fs::remove_dir_all(&folder).map_err(why)?;
    }
    let cold = build(cx, CONFIG, &folder, &[])?;
    let warm = build(cx, CONFIG, &folder, &[])?;
    let small = build(cx, CONFIG, &folder, &["--profile", "small", "--target", "linux-x86_64"])?;
    let [alone, all] = [build(cx, SMALLEST, &folder, &[])?, build(cx, LARGEST, &folder, &[])?];

    // The last one leaves what is looked at.
    build(cx, CONFIG, &folder, &["--verify"])?;
    sums(cx, &folder.join("dist"))?;
    signatures(cx, &folder.join("dist"))?;

    let first = |record: &Value| size(&record["targets"][0]["bytes"]);
    eprintln!("{}", table(&cold));
    eprintln!("The same once more: {} s.", seconds(&warm["seconds"]));
    eprintln!("`linux-x86_64` with the profile `small`: {}.", first(&small));
    eprintln!("For this machine with std alone: {}, with all: {}.", first(&alone), first(&all));
    Ok(())
}

/// Builds, and gives the record of the build.
fn build(cx: &Context, config: &str, folder: &Path, more: &[&str]) -> Result<Value> {
    let (dist, build) = (folder.join("dist"), folder.join("build"));
    let (dist_arg, build_arg) = (dist.display().to_string(), build.display().to_string());
    let run = ["run", "--quiet", "--package", "swak-makebuild", "--"];
    let places = [config, "--out", &dist_arg, "--build-dir", &build_arg];
    cx.cargo(&[&run[..], &places, more].concat())?;
    let text = cx.read(&record(config, &dist))?;
    serde_json::from_str(&text).map_err(|error| format!("the record of `{config}`: {error}").into())
}

/// `dist/swak-everywhere.build.json`
fn record(config: &str, dist: &Path) -> PathBuf {
    let stem = Path::new(config).file_stem().unwrap_or_default().to_string_lossy();
    match stem.trim_end_matches("-build") {
        "swak" => dist.join("swak.build.json"),
        name => dist.join(format!("swak-{name}.build.json")),
    }
}

fn sums(cx: &Context, dist: &Path) -> Result {
    let mut command = cx.command("sha256sum", &["--check", "--quiet", "--strict", "SHA256SUMS"]);
    command.current_dir(dist);
    cx.run(command)
}

/// By a tool that is not ours, and that takes long to compile: of the samples, and of what was just
/// built.
fn signatures(cx: &Context, dist: &Path) -> Result {
    if !cx.succeeds("rcodesign", &["--version"]) {
        cx.cargo(&["install", "--locked", RCODESIGN])?;
    }
    let test = ["nextest", "run", "--package", "swak-makebuild", "--test", "binaries"];
    cx.cargo(&[&test[..], &["--run-ignored", "only"]].concat())?;
    for target in ["macos-x86_64", "macos-aarch64", "macos-universal"] {
        let file = dist.join(format!("swak-everywhere-{target}")).display().to_string();
        let said = cx.command("rcodesign", &["verify", &file]).output();
        let said = said.map_err(|error| format!("rcodesign: {error}"))?;
        let said = String::from_utf8_lossy(&said.stdout);
        // Without a certificate there is one thing to say for each part, and it fails for that.
        if said.is_empty() || !said.lines().all(|line| line.ends_with(NO_CERTIFICATE)) {
            return Err(format!("rcodesign of `{file}`: {said}").into());
        }
    }
    Ok(())
}

/// One row for each target.
fn table(record: &Value) -> String {
    let mut rows = vec!["| target | built in | size |".to_owned(), "|---|---:|---:|".to_owned()];
    for target in record["targets"].as_array().into_iter().flatten() {
        let name = target["name"].as_str().unwrap_or_default();
        rows.push(format!(
            "| `{name}` | {} s | {} |",
            seconds(&target["seconds"]),
            size(&target["bytes"])
        ));
    }
    rows.push(format!("| all, with packages | {} s | |", seconds(&record["seconds"])));
    rows.join("\n")
}

fn seconds(value: &Value) -> String {
    format!("{:.0}", value.as_f64().unwrap_or_default())
}

fn size(bytes: &Value) -> String {
    format!("{:.1} MB", bytes.as_f64().unwrap_or_default() / 1e6)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_record_becomes_a_table() {
        let target =
            |name, bytes, seconds| json!({"name": name, "bytes": bytes, "seconds": seconds});
        let targets = [target("linux-x86_64", 8_450_000, 61.5), target("macos-universal", 1, 0.2)];
        let record = json!({"targets": targets, "seconds": 70.4});
        let table = [
            "| target | built in | size |",
            "|---|---:|---:|",
            "| `linux-x86_64` | 62 s | 8.4 MB |",
            "| `macos-universal` | 0 s | 0.0 MB |",
            "| all, with packages | 70 s | |",
        ];
        assert_eq!(super::table(&record), table.join("\n"));
    }

    #[test]
    fn a_record_lies_under_the_name_of_its_agent() {
        for (config, name) in
            [(CONFIG, "swak-everywhere"), (SMALLEST, "swak"), (LARGEST, "swak-myprj")]
        {
            let file = Path::new("dist").join(format!("{name}.build.json"));
            assert_eq!(record(config, Path::new("dist")), file);
        }
    }
}
