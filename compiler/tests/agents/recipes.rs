//! What an agent holds, and the sample recipes of the seed.

use std::fs;

use crate::support::{PATIENCE, Place, agent, root};

/// A recipe as it stands, with a task for each of the first two samples.
const SAMPLES: &str = "build-configs/samples.swak.py";

#[test]
fn an_agent_holds_only_what_its_config_names() {
    let names =
        ["swak_plugin_std", "swak_plugin_syslog", "swak_plugin_fluentd", "swak_plugin_mylog"];
    for (config, held) in [
        ("swak", [true, false, false, false]),
        ("myprj", [true, true, true, false]),
        ("samples", [true, false, true, true]),
    ] {
        let agent = agent(config);
        let bytes = fs::read(&agent).unwrap();
        for (name, held) in names.iter().zip(held) {
            let there = bytes.windows(name.len()).any(|w| w == name.as_bytes());
            assert_eq!(there, held, "symbols of {name} in the agent of {config}");
        }
        let listed = Place::new().run(&agent, &["list", "--json"]);
        let listed = String::from_utf8(listed.stdout).unwrap();
        for (name, held) in names.iter().zip(held) {
            assert_eq!(listed.contains(&name.replace('_', "-")), held, "{listed}");
        }
    }
}

#[test]
fn every_recipe_beside_a_build_config_is_sound() {
    for (config, recipe) in
        [("swak", "swak.swak"), ("myprj", "myprj.swak"), ("samples", "samples.swak.py")]
    {
        let recipe = root().join("build-configs").join(recipe);
        let checked = Place::new().run(&agent(config), &["check", &recipe.to_string_lossy()]);
        let said = String::from_utf8_lossy(&checked.stderr).into_owned();
        assert!(checked.status.success(), "{said}");
    }
}

#[cfg(unix)]
#[test]
fn people_come_to_standard_output_again_and_again() {
    let place = Place::new();
    let recipe = root().join(SAMPLES);
    let running = place.start(&agent("samples"), &["test", &recipe.to_string_lossy()]);
    let next = || running.stdout.recv_timeout(PATIENCE).expect("a person comes");
    let people: Vec<String> = (0..11).map(|_| next()).collect();
    for person in &people {
        let fields: serde_json::Value = serde_json::from_str(person).unwrap();
        assert!(fields["name"].is_string() && fields["age"].is_u64(), "{person}");
    }
    assert_eq!(running.stop().code(), Some(0));
}

#[test]
fn an_embedded_recipe_runs_without_a_file() {
    let place = Place::new();
    let running = place.start(&agent("swak"), &["run", "--data-dir", "data"]);
    let person = running.stdout.recv_timeout(PATIENCE).expect("a person comes");
    assert!(person.contains("\"name\""), "{person}");
    running.kill();
}

#[test]
fn records_go_through_a_process_hundred_by_hundred() {
    let place = Place::new();
    // Called with the names of the input and the output file, as the seed has it.
    let script = place.write("detect.sh", "echo \"$(wc -l < \"$1\") lines\" > \"$2\"\n");
    let recipe = place.write(
        "exec.swak",
        format!(
            "task(in.Counter(count=250), out.LinedBuffer(100), \
             out.Exec(\"sh '{}'\"), out.Stdout(format=\"raw\"))",
            script.display()
        ),
    );
    let ran = place.run(&agent("swak"), &["test", &recipe.to_string_lossy()]);
    assert_eq!(String::from_utf8_lossy(&ran.stdout), "100 lines\n100 lines\n50 lines\n");
    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
}

#[test]
fn a_real_log_is_parsed_record_by_record() {
    let data = root().parent().expect("the repository lies in a folder").join("shared/data");
    if !data.exists() {
        println!("there are no real logs beside this repository");
        return;
    }
    let place = Place::new();
    for (log, lines) in
        [("Apache", 2000), ("Linux", 2000), ("Mac", 2000), ("OpenSSH", 2000), ("Windows", 2000)]
    {
        let file = data.join(format!("{log}_2k.log"));
        let original = fs::read(&file).unwrap();
        let out = place.path(&format!("{log}.txt"));
        // All of the line is captured, so that nothing of it can be lost unseen.
        let recipe = format!(
            "task(in.FileTailing({file:?}, follow=False, keep_cr=True), \
             out.RegexParser(r\"(?s)^(?<all>.*)$\"), \
             out.File({out:?}, format=\"template\", template=\"{{{{ all }}}}\"))"
        );
        let recipe = place.write(&format!("{log}.swak"), recipe);
        let ran = place.run(&agent("swak"), &["test", &recipe.to_string_lossy()]);
        assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
        let written = fs::read(&out).unwrap();
        let ended = original.ends_with(b"\n");
        assert!(
            written == original || (!ended && written == [&original[..], b"\n"].concat()),
            "{log} was changed on its way"
        );
        assert_eq!(written.iter().filter(|b| **b == b'\n').count(), lines, "{log}");
    }
}
