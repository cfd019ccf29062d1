//! Hands the target triple to the crate, for `version`.

fn main() {
    let target = std::env::var("TARGET").expect("Cargo sets TARGET for build scripts");
    println!("cargo::rustc-env=SWAK_TARGET={target}");
    println!("cargo::rerun-if-changed=build.rs");
}
