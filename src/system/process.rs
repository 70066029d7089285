//! What the kernel says of this process: `/proc/self/status`.

use std::fs;

/// A few facts about a process.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Process {
    /// The process that traces it, if one does.
    pub tracer: Option<u32>,
    /// A filter for system calls is in force.
    pub filtered: bool,
}

/// This process, where the system tells.
#[must_use]
pub fn of_this_process() -> Option<Process> {
    fs::read_to_string("/proc/self/status")
        .ok()
        .as_deref()
        .map(parse)
}

/// Reads the text of a status.
#[must_use]
pub fn parse(text: &str) -> Process {
    let field = |name: &str| {
        let line = text
            .lines()
            .find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
        line.and_then(|value| value.trim().parse::<u32>().ok())
    };
    Process {
        tracer: field("TracerPid").filter(|pid| *pid != 0),
        // 1 is strict, 2 is a filter.
        filtered: field("Seccomp") == Some(2),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tracer_and_a_filter_are_read_from_the_status() {
        let text = "Name:\tvoxvault\nTracerPid:\t4711\nSeccomp:\t2\nSeccomp_filters:\t1\n";
        let traced = Process {
            tracer: Some(4711),
            filtered: true,
        };
        assert_eq!(parse(text), traced);
        assert_eq!(parse("TracerPid:\t0\nSeccomp:\t0\n"), Process::default());
        assert_eq!(parse(""), Process::default());
    }
}
