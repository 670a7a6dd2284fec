//! A progress bar, drawn only where a person watches.

use std::io::IsTerminal as _;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

/// Drawn on standard error, or not at all.
#[derive(Debug)]
pub struct Progress(ProgressBar);

impl Progress {
    /// A bar to this length; without one, a running count. Hidden unless standard error is a terminal.
    #[must_use]
    pub fn new(len: Option<u64>, unit: &str) -> Self {
        if !std::io::stderr().is_terminal() {
            return Self(ProgressBar::hidden());
        }
        let (bar, template) = match len {
            Some(len) => (ProgressBar::new(len), "{bar:30} {pos}/{len} {unit}, {msg}"),
            None => (ProgressBar::new_spinner(), "{spinner} {human_pos} {unit}, {elapsed}, {msg}"),
        };
        let style = ProgressStyle::with_template(&template.replace("{unit}", unit));
        bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
        bar.enable_steady_tick(Duration::from_millis(200));
        Self(bar)
    }

    /// Moves it. The message is only made if it is drawn.
    pub fn set(&self, position: u64, message: impl FnOnce() -> String) {
        if !self.0.is_hidden() {
            self.0.set_position(position);
            self.0.set_message(message());
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}
