//! The `.deb` against Debian's own tools.

use std::fs;
use std::process::Command;

use swak_makebuild::release::Format;
use swak_makebuild::target::Target;

use crate::support::{Maker, ending, some_graph, succeed, target, text, tool, written};

fn field(path: &std::path::Path, name: &str) -> String {
    let mut command = tool("dpkg-deb", "dpkg");
    text(succeed(command.arg("--field").arg(path).arg(name))).trim().to_owned()
}

#[test]
fn dpkg_reads_what_it_is_and_what_is_in_it() {
    let made = Maker::new(&[Format::Deb]).make(some_graph(), &[target("linux-aarch64")]);
    let (_folder, path) = written(ending(&made, "_arm64.deb"));
    assert_eq!(field(&path, "Package"), "swak-my-prj");
    assert_eq!(field(&path, "Version"), "1.4.0~rc.1");
    assert_eq!(field(&path, "Architecture"), "arm64");
    assert_eq!(field(&path, "Depends"), "", "it is static");
    let list = succeed(tool("dpkg-deb", "dpkg").arg("--contents").arg(&path).env("TZ", "UTC"));
    let list = text(list);
    for (mode, name) in [
        ("drwxr-xr-x", "etc/swak-My_prj/"),
        ("-rw-r--r--", "etc/swak-My_prj/recipe.swak"),
        ("-rwxr-xr-x", "usr/bin/swak-My_prj"),
        ("-rw-r--r--", "usr/lib/systemd/system/swak-My_prj.service"),
        ("-rw-r--r--", "usr/share/doc/swak-my-prj/README.md"),
        ("-rw-r--r--", "usr/share/doc/swak-my-prj/copyright"),
    ] {
        let found = list.lines().find(|line| line.ends_with(&format!(" {name}")));
        let line = found.unwrap_or_else(|| panic!("{name} is not in\n{list}"));
        assert!(line.starts_with(&format!("{mode} root/root ")), "{line}");
        assert!(line.contains(" 2000-01-01 00:00 "), "{line}");
    }
    let older = |a: &str, b: &str| {
        let mut command = tool("dpkg", "dpkg");
        command.args(["--compare-versions", a, "lt", b]).status().expect("runs").success()
    };
    assert!(older("1.4.0~rc.1", "1.4.0") && older("1.3.9", "1.4.0~rc.1"));
}

/// Into a folder of its own, as root or not; no script of a package runs there.
#[test]
fn dpkg_installs_it_and_knows_its_files() {
    let mut maker = Maker::new(&[Format::Deb]);
    let arch = text(succeed(tool("dpkg", "dpkg").arg("--print-architecture")));
    let own = match arch.trim() {
        "arm64" => "linux-aarch64",
        _ => "linux-x86_64",
    };
    let made = maker.make(some_graph(), &[target(own)]);
    let (folder, path) = written(ending(&made, ".deb"));
    let root = folder.path().join("root");
    for part in ["var/lib/dpkg/info", "var/lib/dpkg/updates", "var/lib/dpkg/triggers", "tmp"] {
        fs::create_dir_all(root.join(part)).expect("writable");
    }
    fs::write(root.join("var/lib/dpkg/status"), "").expect("writable");
    let dpkg = || {
        let mut command = tool("dpkg", "dpkg");
        command.arg(format!("--root={}", root.display()));
        command.args(["--force-not-root", "--force-script-chrootless", "--log=/dev/null"]);
        // The scripts ask for systemd where they run; that of this machine is left alone.
        command.env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin");
        command
    };
    succeed(dpkg().arg("--install").arg(&path));
    let agent = root.join("usr/bin/swak-My_prj");
    assert_eq!(text(succeed(Command::new(&agent).arg("here"))), "it runs here\n");
    // Every file is as its sum says.
    let verified = succeed(dpkg().args(["--verify", "swak-my-prj"]));
    assert_eq!(text(verified), "");

    // What the operator wrote stays when a newer one is installed.
    let recipe = root.join("etc/swak-My_prj/recipe.swak");
    fs::write(&recipe, "# mine\n").expect("writable");
    maker.version = semver::Version::new(1, 4, 0);
    let newer = maker.make(some_graph(), &[target(own)]);
    let (_folder, path) = written(ending(&newer, ".deb"));
    succeed(dpkg().arg("--install").arg(&path));
    assert_eq!(fs::read_to_string(&recipe).expect("it is there"), "# mine\n");
    succeed(dpkg().args(["--purge", "swak-my-prj"]));
    assert!(!agent.exists() && !recipe.exists());
}

/// Lintian's word on what is an error; what it only warns of (no manual page, a static executable)
/// is so on purpose.
#[test]
fn lintian_finds_no_error() {
    let made = Maker::new(&[Format::Deb]).make(some_graph(), &[target("linux-x86_64")]);
    let (_folder, path) = written(ending(&made, "_amd64.deb"));
    let mut command = tool("lintian", "lintian");
    command.args(["--fail-on", "error", "--allow-root", "--tag-display-limit", "0"]);
    let on_purpose = [
        // A build config names nobody who answers for the package.
        "bogus-mail-host",
        // The texts go with the package to systems that have no /usr/share/common-licenses.
        "copyright-file-contains-full-apache-2-license",
        "copyright-file-contains-full-gpl-license",
        "copyright-not-using-common-license-for-lgpl",
        "no-changelog",
    ];
    command.args(["--suppress-tags", &on_purpose.join(",")]);
    succeed(command.arg(&path));
}

#[test]
fn a_dynamic_executable_says_which_glibc_it_needs() {
    if !Target::host().name.ends_with("-gnu") {
        return;
    }
    let mut maker = Maker::new(&[Format::Deb]);
    let cat = fs::read("/bin/cat").expect("every Linux has it");
    maker.executable = cat;
    let made = maker.make(some_graph(), &[Target::host()]);
    let (_folder, path) = written(ending(&made, ".deb"));
    let mut newest = 17;
    let said = text(succeed(tool("objdump", "binutils").args(["-p", "/bin/cat"])));
    for word in said.split_whitespace() {
        if let Some(minor) = word.strip_prefix("GLIBC_2.") {
            let minor = minor.split('.').next().expect("there is a first part");
            newest = newest.max(minor.parse::<u16>().expect("a number"));
        }
    }
    assert_eq!(field(&path, "Depends"), format!("libc6 (>= 2.{newest})"));
}
