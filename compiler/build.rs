//! Carries the templates, and the names of Rust's targets, into the binary.
//!
//! The templates live at the top of the repository, because they are for people to read and change. A
//! published package holds them too, as `templates/`: in the repository that is a symbolic link,
//! which `cargo package` follows. A checkout without symbolic links (Windows, by default) has a
//! text file there instead; then the folder beside this crate is taken. (Packing needs the link.)

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs, io};

fn main() -> io::Result<()> {
    let here = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").expect("Cargo sets it"));
    let folder = [here.join("templates"), here.join("../templates")]
        .into_iter()
        .find(|f| f.join("workspace").is_dir())
        .ok_or_else(|| io::Error::other("the folder `templates` is missing"))?
        .canonicalize()?;
    println!("cargo::rerun-if-changed={}", folder.display());

    let mut files = Vec::new();
    collect(&folder, "", &mut files)?;
    files.sort();
    let mut code = String::from("pub(crate) static FILES: &[(&str, &str)] = &[\n");
    for (name, path) in &files {
        writeln!(code, "    ({name:?}, include_str!({:?})),", path.display().to_string())
            .expect("a string takes what is written to it");
    }
    code.push_str("];\n");
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("Cargo sets it"));
    fs::write(out.join("templates.rs"), code)?;

    let target = env::var("TARGET").expect("Cargo sets it");
    println!("cargo::rustc-env=SWAK_HOST={target}");
    fs::write(out.join("triples.rs"), format!("{:?}", triples()?))?;
    Ok(())
}

/// Every target that this Rust knows.
fn triples() -> io::Result<Vec<String>> {
    let rustc = env::var_os("RUSTC").expect("Cargo sets it");
    let asked = Command::new(rustc).args(["--print", "target-list"]).output()?;
    let list = String::from_utf8_lossy(&asked.stdout).into_owned();
    if !asked.status.success() || list.is_empty() {
        return Err(io::Error::other("rustc does not list its targets"));
    }
    Ok(list.lines().map(str::to_owned).collect())
}

/// Every template below a folder, named by its path with `/` between the parts.
fn collect(folder: &Path, prefix: &str, files: &mut Vec<(String, PathBuf)>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let name = path.file_name().and_then(|n| n.to_str()).expect("template names are ASCII");
        let name = format!("{prefix}{name}");
        if path.is_dir() {
            collect(&path, &format!("{name}/"), files)?;
        } else if let Some(stem) = name.strip_suffix(".hbs") {
            files.push((stem.to_owned(), path.canonicalize()?));
        }
    }
    Ok(())
}
