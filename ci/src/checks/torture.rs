//! The long torture: recipes of `ci/torture` against faults, as often as it takes to believe in them.
//!
//! A short one is among the tests, in `ci/tests/torture.rs`.

use super::Check;
use crate::context::{Context, Result, none_of};

pub(super) const CHECK: Check = Check {
    name: "torture",
    what: "no fault costs a line: kills, rotations, dead servers, full disks, damage",
    run,
};

/// A recipe, and what is done to it.
const RUNS: &[(&str, &[&str])] = &[
    ("seed", &["--faults", "kill=200,stop=20,freeze=10,server=5,rename=100", "--minutes", "5"]),
    (
        "files",
        &[
            "--faults",
            "rename=500,copytruncate=100,generations=50,compress=20,stopped-rotate=30,kill=50,\
             freeze=20,clock=20,stop=20",
            "--rate",
            "2000",
        ],
    ),
    // The first outage is as long as it may be, and it is killed all the while.
    ("buffer", &["--faults", "dead=1,kill=5,stop=2", "--outage", "10m", "--minutes", "11"]),
    ("disk", &["--faults", "disk-full=20,kill=10,stop=5", "--disk", "64m", "--rate", "5000"]),
    ("buffer", &["--faults", "disk-full=20,kill=20,stop=5", "--disk", "64m"]),
    ("drain", &["--faults", "kill=50,stop=20,freeze=5,server=10"]),
    ("listen", &["--faults", "kill=50,stop=20,freeze=10"]),
    ("syslog", &["--faults", "kill=30,stop=20,freeze=10"]),
    ("files", &["--faults", "damage=500", "--minutes", "0"]),
    ("buffer", &["--faults", "damage=500", "--minutes", "0"]),
];

fn run(cx: &Context) -> Result {
    let build = ["build", "--package", "swak-ci", "--example", "reference"];
    cx.cargo(&build)?;
    let mut broken = Vec::new();
    for (recipe, args) in RUNS {
        let path = format!("ci/torture/{recipe}.swak");
        let mut command = vec!["run", "--quiet", "--package", "swak-ci", "--example", "reference"];
        command.extend(["--", "torture", &path]);
        command.extend(*args);
        if let Err(failed) = cx.cargo(&command) {
            broken.push(failed.to_string());
        }
    }
    none_of(&broken)
}
