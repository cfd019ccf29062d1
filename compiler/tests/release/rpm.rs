//! The `.rpm` against rpm itself.

use std::path::Path;
use std::process::{Command, Stdio};

use swak_makebuild::release::Format;
use swak_makebuild::target::Target;

use crate::support::{Maker, ending, some_graph, succeed, target, text, tool, written};

fn query(path: &Path, what: &[&str]) -> String {
    let mut command = tool("rpm", "rpm");
    // A machine's own rpm database is none of ours; often it has none.
    let folder = tempfile::tempdir().expect("a folder");
    command.arg("--dbpath").arg(folder.path()).arg("--query").args(what).arg("--package").arg(path);
    text(succeed(command.env("TZ", "UTC")))
}

#[test]
fn rpm_reads_what_it_is_and_what_is_in_it() {
    let made = Maker::new(&[Format::Rpm]).make(some_graph(), &[target("linux-aarch64")]);
    let (_folder, path) = written(ending(&made, ".aarch64.rpm"));
    let form = "%{NAME} %{VERSION} %{RELEASE} %{ARCH} %{OS} %{BUILDTIME} %{SUMMARY}";
    assert_eq!(
        query(&path, &["--queryformat", form]),
        "swak-My_prj 1.4.0~rc.1 1 aarch64 linux 946684800 Swak agent swak-My_prj"
    );
    let form =
        "[%{FILEMODES:perms} %{FILEUSERNAME} %{FILEMTIMES} %{FILEFLAGS:fflags} %{FILENAMES}\n]";
    assert_eq!(
        query(&path, &["--queryformat", form]),
        "drwxr-xr-x root 946684800  /etc/swak-My_prj\n\
         -rw-r--r-- root 946684800 cn /etc/swak-My_prj/recipe.swak\n\
         -rwxr-xr-x root 946684800  /usr/bin/swak-My_prj\n\
         -rw-r--r-- root 946684800  /usr/lib/systemd/system/swak-My_prj.service\n\
         drwxr-xr-x root 946684800  /usr/share/doc/swak-my-prj\n\
         -rw-r--r-- root 946684800 d /usr/share/doc/swak-my-prj/README.md\n\
         -rw-r--r-- root 946684800 d /usr/share/doc/swak-my-prj/copyright\n"
    );
    let needs = query(&path, &["--requires"]);
    assert!(needs.lines().all(|n| n == "/bin/sh" || n.starts_with("rpmlib(")), "{needs}");
    assert_eq!(query(&path, &["--provides"]), "swak-My_prj = 1.4.0~rc.1-1\n");
    assert!(query(&path, &["--scripts"]).contains("postuninstall scriptlet (using /bin/sh):"));
    assert!(query(&path, &["--info"]).contains("Signature   : (none)"));
}

#[test]
fn every_digest_is_right() {
    let made = Maker::new(&[Format::Rpm]).make(some_graph(), &[target("linux-x86_64")]);
    let artifact = ending(&made, ".rpm");
    let (folder, path) = written(artifact);
    let check = |path: &Path| {
        let mut command = tool("rpmkeys", "rpm");
        command.args(["--checksig", "--verbose", "--dbpath"]).arg(folder.path()).arg(path);
        command.output().expect("it runs")
    };
    let output = check(&path);
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{said}");
    for line in ["Header SHA256 digest: OK", "Payload SHA256 digest: OK", "MD5 digest: OK"] {
        assert!(said.contains(line), "{said}");
    }
    let mut broken = artifact.bytes.clone();
    *broken.last_mut().expect("there is one") ^= 1;
    std::fs::write(&path, broken).expect("writable");
    assert!(!check(&path).status.success(), "a flipped bit is found");
}

#[test]
fn the_files_come_out_as_they_went_in() {
    let made = Maker::new(&[Format::Rpm]).make(some_graph(), &[target("linux-x86_64")]);
    let (folder, path) = written(ending(&made, ".rpm"));
    let mut unpack =
        tool("rpm2cpio", "rpm2cpio").arg(&path).stdout(Stdio::piped()).spawn().expect("it runs");
    let archive = unpack.stdout.take().expect("it is piped");
    let mut cpio = tool("cpio", "cpio");
    cpio.args(["--extract", "--make-directories", "--quiet", "--no-absolute-filenames"]);
    succeed(cpio.stdin(archive).current_dir(folder.path()));
    assert!(unpack.wait().expect("it ends").success());
    let agent = folder.path().join("usr/bin/swak-My_prj");
    assert_eq!(text(succeed(Command::new(agent).arg("too"))), "it runs too\n");
    let unit = folder.path().join("usr/lib/systemd/system/swak-My_prj.service");
    let packed = std::fs::read_to_string(unit).expect("it is there");
    assert!(packed.contains("ExecStart=/usr/bin/swak-My_prj run "));
}

#[test]
fn a_dynamic_executable_says_which_glibc_it_needs() {
    if Target::host().triples[0].name() != "x86_64-unknown-linux-gnu" {
        return;
    }
    let mut maker = Maker::new(&[Format::Rpm]);
    maker.executable = b"\x7fELF\0GLIBC_2.34\0libgcc_s.so.1\0".to_vec();
    let made = maker.make(some_graph(), &[Target::host()]);
    let (_folder, path) = written(ending(&made, ".rpm"));
    let needs = query(&path, &["--requires"]);
    for need in ["libc.so.6(GLIBC_2.34)(64bit)", "libgcc_s.so.1()(64bit)"] {
        assert!(needs.lines().any(|line| line == need), "{needs}");
    }
}
