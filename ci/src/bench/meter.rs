//! What a process and those that it started have used so far, as `/proc` tells it.

use std::fs;
use std::time::Duration;

/// What was used from the start of a process to a moment.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Usage {
    /// Processor time, of the user and the system.
    pub(crate) cpu: Duration,
    /// The most memory that was resident, in bytes.
    pub(crate) peak: u64,
    /// How often one of the threads that are there was woken up, because it had gone to sleep.
    pub(crate) wakeups: u64,
}

/// A tick of the times in `/proc/PID/stat`: a hundredth of a second on every architecture
/// (`USER_HZ`).
const TICK: Duration = Duration::from_millis(10);

/// Looks at a process and all below it. What has ended meanwhile counts nothing.
pub(crate) fn usage(pid: u32) -> Usage {
    let mut usage = Usage::default();
    let mut open = vec![pid];
    while let Some(pid) = open.pop() {
        let of_threads = threads(pid);
        // Both are too small: ticks are cut off, threads that have ended are in no list. So the
        // greater one is the better one.
        let precise = of_threads.iter().map(|thread| thread.cpu).sum();
        usage.cpu += ticks(pid).max(precise);
        usage.peak += status(&format!("/proc/{pid}/status"), "VmHWM:") * 1024;
        usage.wakeups += of_threads.iter().map(|thread| thread.wakeups).sum::<u64>();
        open.extend(of_threads.into_iter().flat_map(|thread| thread.children));
    }
    usage
}

struct Thread {
    cpu: Duration,
    wakeups: u64,
    children: Vec<u32>,
}

fn threads(pid: u32) -> Vec<Thread> {
    let Ok(tasks) = fs::read_dir(format!("/proc/{pid}/task")) else { return Vec::new() };
    let folders = tasks.flatten().map(|task| task.path().display().to_string());
    let thread = |folder: String| Thread {
        cpu: Duration::from_nanos(first_number(&read(&format!("{folder}/schedstat")))),
        wakeups: status(&format!("{folder}/status"), "voluntary_ctxt_switches:"),
        children: read(&format!("{folder}/children"))
            .split_whitespace()
            .filter_map(|pid| pid.parse().ok())
            .collect(),
    };
    folders.map(thread).collect()
}

/// Processor time of a process, that of its threads that have ended and of its children that were waited
/// for included.
fn ticks(pid: u32) -> Duration {
    let stat = read(&format!("/proc/{pid}/stat"));
    // The second field is the name, in brackets, with whatever the process put into it; utime, stime,
    // cutime and cstime are the 14th to the 17th.
    let after = stat.rsplit_once(')').map_or("", |(_, after)| after);
    let times = after.split_whitespace().skip(11).take(4);
    let sum: u32 = times.filter_map(|field| field.parse::<u32>().ok()).sum();
    TICK * sum
}

/// The number after a key of a status file.
fn status(path: &str, key: &str) -> u64 {
    let text = read(path);
    let mut lines = text.lines();
    let line = lines.find_map(|line| line.strip_prefix(key));
    line.map_or(0, first_number)
}

fn first_number(text: &str) -> u64 {
    text.split_whitespace().next().and_then(|word| word.parse().ok()).unwrap_or(0)
}

fn read(path: &str) -> String {
    fs::read_to_string(path).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use std::hint::black_box;
    use std::thread;

    use super::*;

    #[test]
    fn work_costs_time_and_memory_also_in_threads_that_have_ended() {
        let me = std::process::id();
        let before = usage(me);
        let enough = before.cpu + Duration::from_millis(30);
        let work = move || while black_box(usage(me)).cpu < enough {};
        thread::spawn(work).join().expect("the thread ends");
        let after = usage(me);
        assert!(after.cpu >= before.cpu + Duration::from_millis(20));
        assert!(after.peak >= 1 << 20 && after.peak >= before.peak);
    }

    #[test]
    fn going_to_sleep_is_waking_up() {
        let me = std::process::id();
        let before = usage(me).wakeups;
        // Other tests' threads may end meanwhile and take theirs with them, but not all the time.
        while usage(me).wakeups < before + 3 {
            thread::sleep(Duration::from_millis(1));
        }
    }
}
