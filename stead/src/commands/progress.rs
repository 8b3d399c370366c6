//! Progress on standard error, on a terminal only.

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use stead_client::wire::Progress;

const BYTES: &str = "{prefix:.bold} {wide_bar} {bytes}/{total_bytes} {bytes_per_sec} {eta}";
const COUNT: &str = "{prefix:.bold} {wide_bar} {pos}/{len} {eta}";

/// A bar over bytes.
pub fn bytes(what: &str, total: u64, quiet: bool) -> ProgressBar {
    bar(what, total, quiet, BYTES)
}

/// Something that goes on, for nobody knows how long.
pub fn spinner(what: &str, quiet: bool) -> ProgressBar {
    let spinner = bar(what, 0, quiet, "{prefix:.bold} {spinner} {msg}");
    spinner.enable_steady_tick(std::time::Duration::from_millis(200));
    spinner
}

/// A bar over things.
pub fn count(what: &str, total: u64, quiet: bool) -> ProgressBar {
    bar(what, total, quiet, COUNT)
}

fn bar(what: &str, total: u64, quiet: bool, template: &str) -> ProgressBar {
    let target = if quiet {
        ProgressDrawTarget::hidden()
    } else {
        ProgressDrawTarget::stderr()
    };
    let bar = ProgressBar::with_draw_target(Some(total), target);
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(style);
    }
    bar.with_prefix(what.to_owned())
}

/// Moves a bar to what a node told.
pub fn follow(bar: &ProgressBar) -> impl FnMut(Progress) + '_ {
    |step| {
        if step.total > 0 {
            bar.set_length(step.total);
        }
        bar.set_position(step.done);
    }
}
