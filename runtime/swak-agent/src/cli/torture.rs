//! What `torture` takes.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use swak_sdk::options::ByteSize;

use super::{ConfigArgs, duration, size};
use crate::torture::{Fault, Wanted};

#[derive(Debug, Args)]
pub(crate) struct TortureArgs {
    /// The recipe; `-` is standard input [default: the recipe that was built in]
    pub(crate) recipe: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) config: ConfigArgs,
    /// The faults, by commas; `kill=20` is 20 times at least. `rotate` and `server` stand for
    /// several [default: all that can be done here, each once at least]
    #[arg(long, value_name = "FAULTS", value_delimiter = ',')]
    pub(crate) faults: Vec<Wanted>,
    /// How often the agent is killed at least
    #[arg(long, value_name = "N")]
    pub(crate) kills: Option<u32>,
    /// How long faults are done at least, in minutes
    #[arg(long, value_name = "MINUTES", default_value_t = 1.0, value_parser = minutes)]
    pub(crate) minutes: f64,
    /// Lines a second, all files together
    #[arg(long, value_name = "LINES", default_value_t = 1000, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub(crate) rate: u32,
    /// How long a server is away at most; the first time as long as that
    #[arg(long, value_name = "DURATION", default_value = "5s", value_parser = duration)]
    pub(crate) outage: Duration,
    /// How large the disk is that gets full
    #[arg(long, value_name = "SIZE", default_value = "64m", value_parser = size)]
    pub(crate) disk: ByteSize,
    /// Repeat the choices of another run
    #[arg(long, value_name = "N")]
    pub(crate) seed: Option<u64>,
    /// A line that the recipe can parse, with `{mark}` where the mark is to be
    #[arg(long, value_name = "TEMPLATE", conflicts_with = "sample")]
    pub(crate) line: Option<String>,
    /// A file with a real line, to which the mark is added
    #[arg(long, value_name = "FILE")]
    pub(crate) sample: Option<PathBuf>,
    /// The recipe leaves lines out: those that do not come are not lost
    #[arg(long)]
    pub(crate) expect_filtered: bool,
    /// A new folder for everything, which is kept [default: a temporary one]
    #[arg(long, value_name = "DIR")]
    pub(crate) keep: Option<PathBuf>,
    /// Answer in JSON
    #[arg(long)]
    pub(crate) json: bool,
}

impl TortureArgs {
    /// How long faults are done at least.
    pub(crate) fn time(&self) -> Duration {
        Duration::from_secs_f64(self.minutes * 60.0)
    }

    /// The faults, each with how often at least.
    pub(crate) fn wanted(&self) -> BTreeMap<Fault, u32> {
        let mut wanted = BTreeMap::new();
        if self.faults.is_empty() && self.kills.is_none() {
            wanted.extend(Fault::all().map(|fault| (fault, 1)));
        }
        for one in &self.faults {
            wanted.extend(one.faults.iter().map(|fault| (*fault, one.at_least.max(1))));
        }
        if let Some(kills) = self.kills {
            wanted.insert(Fault::Kill, kills);
        }
        wanted
    }

    /// The command line that repeats a run, as a shell takes it.
    pub(crate) fn again(&self, name: &str, seed: u64) -> String {
        let mut words = vec![name.to_owned(), "torture".to_owned()];
        let mut word = |text: String| words.push(quoted(&text));
        let path = |path: &PathBuf| path.display().to_string();
        self.recipe.iter().for_each(|recipe| word(path(recipe)));
        let mut option = |name: &str, value: String| {
            word(name.to_owned());
            word(value);
        };
        option("--seed", seed.to_string());
        option("--minutes", self.minutes.to_string());
        option("--rate", self.rate.to_string());
        let faults: Vec<_> = self.faults.iter().map(ToString::to_string).collect();
        if !faults.is_empty() {
            option("--faults", faults.join(","));
        }
        self.kills.iter().for_each(|kills| option("--kills", kills.to_string()));
        option("--outage", format!("{}ms", self.outage.as_millis()));
        option("--disk", self.disk.0.to_string());
        self.line.iter().for_each(|line| option("--line", line.clone()));
        self.sample.iter().for_each(|sample| option("--sample", path(sample)));
        self.config.config.iter().for_each(|config| option("--config", path(config)));
        if self.expect_filtered {
            word("--expect-filtered".to_owned());
        }
        words.join(" ")
    }
}

/// A word for a shell: between quotes where it needs them.
fn quoted(word: &str) -> String {
    let is_plain = |c: char| c.is_alphanumeric() || "-_=+./:,@%".contains(c);
    match word {
        "" => "''".to_owned(),
        _ if word.chars().all(is_plain) => word.to_owned(),
        // As shells have it on Unix, and PowerShell, where no quote is within.
        _ => format!("'{}'", word.replace('\'', r"'\''")),
    }
}

fn minutes(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(minutes) if (0.0..=100_000.0).contains(&minutes) => Ok(minutes),
        _ => Err("a number of minutes from 0 to 100000, such as 0.5".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::parse;
    use super::super::{Cli, Command};
    use super::*;

    fn args(line: &str) -> TortureArgs {
        match parse(line) {
            Ok(Cli { command: Command::Torture(args), .. }) => args,
            other => panic!("it says torture: {other:?}"),
        }
    }

    #[test]
    fn without_a_word_all_faults_are_done() {
        let args = args("swak-demo torture my.swak");
        assert_eq!(args.wanted(), Fault::all().map(|fault| (fault, 1)).collect());
        assert_eq!((args.time(), args.outage), (Duration::from_secs(60), Duration::from_secs(5)));
    }

    #[test]
    fn a_run_can_be_repeated() {
        let line =
            "swak-demo torture my.swak --faults kill=20,rotate --kills 3 --minutes 0.5 --rate 7";
        let first = args(line);
        assert_eq!(first.wanted()[&Fault::Kill], 3);
        let again = args(&first.again("swak-demo", 12));
        assert_eq!((again.wanted(), again.seed), (first.wanted(), Some(12)));
        assert_eq!((again.minutes, again.rate, again.outage), (0.5, 7, first.outage));
        assert_eq!(again.disk, first.disk);
        let line = TortureArgs { line: Some("it's {mark} $x".into()), ..first };
        assert!(line.again("a", 1).ends_with(r"--line 'it'\''s {mark} $x'"));
    }

    #[test]
    fn what_is_wrong_is_told() {
        for (wrong, why) in [
            ("--faults kil", "there is no such fault"),
            ("--minutes soon", "number of minutes"),
            ("--rate 0", "0 is not in 1..=1000000"),
            ("--disk big", "expected a size"),
        ] {
            let error = parse(&format!("swak-demo torture {wrong}")).unwrap_err().to_string();
            assert!(error.contains(why), "{error}");
        }
    }
}
