//! What goes by the retention rules, and a clock by which it would.

/// A clock that is not believed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Leap {
    /// What it says.
    pub now: String,
    /// Up to when it was believed.
    pub believed: String,
    /// What would go by it.
    pub due: Vec<Coming>,
}

/// Something that goes by the retention rules.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Coming {
    /// From when on: date and time, or that it waits for its transcript; empty where it
    /// is due now.
    pub when: String,
    /// How much of it goes: everything, audio or text.
    pub what: &'static str,
    /// Its title, or what stands for it.
    pub title: String,
    /// The rule.
    pub by: String,
}

/// The retention rules and what goes by them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Retention {
    /// The rules, a line each.
    pub rules: Vec<String>,
    /// What goes, in order.
    pub coming: Vec<Coming>,
    /// How many would go and are pinned.
    pub pinned: usize,
}
