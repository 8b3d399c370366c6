//! Figures of several rounds: median and spread, in words for the report.

use super::work::Sample;

/// One figure, measured several times.
#[derive(Clone, Debug, Default)]
pub struct Figure(Vec<f64>);

impl Figure {
    /// Adds a round's.
    pub fn push(&mut self, value: f64) {
        self.0.push(value);
        self.0.sort_by(f64::total_cmp);
    }

    /// The middle one; not a number where nothing was measured.
    pub fn median(&self) -> f64 {
        let count = self.0.len();
        match count {
            0 => f64::NAN,
            _ if count % 2 == 1 => self.0[count / 2],
            _ => f64::midpoint(self.0[count / 2 - 1], self.0[count / 2]),
        }
    }

    /// The largest; not a number where nothing was measured.
    pub fn most(&self) -> f64 {
        self.0.last().copied().unwrap_or(f64::NAN)
    }

    /// `median (least–most)`
    pub fn spread(&self) -> String {
        match (self.0.first(), self.0.last()) {
            (Some(least), Some(most)) => {
                format!("{} ({}–{})", number(self.median()), number(*least), number(*most))
            }
            _ => "not measured".to_owned(),
        }
    }
}

/// Three significant digits at most, thousands with a comma.
pub fn number(value: f64) -> String {
    if !value.is_finite() {
        return "–".to_owned();
    }
    if value < 10.0 {
        return format!("{value:.2}");
    }
    if value < 100.0 {
        return format!("{value:.1}");
    }
    let digits = format!("{value:.0}");
    let mut out = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at) % 3 == 0 {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// What one peer did in one scenario, over the rounds.
#[derive(Clone, Debug, Default)]
pub struct Cell {
    /// Requests a second.
    pub rate: Figure,
    /// MiB a second.
    pub mib_s: Figure,
    /// Of the server, per request, in microseconds.
    pub cpu_us: Figure,
    /// In microseconds.
    pub p50_us: Figure,
    /// In microseconds.
    pub p99_us: Figure,
}

impl Cell {
    /// Adds a round.
    pub fn push(&mut self, sample: &Sample) {
        self.rate.push(sample.measured.rate());
        self.mib_s.push(sample.measured.mib_s());
        self.cpu_us.push(sample.cpu_us);
        self.p50_us.push(f64::from(sample.measured.latency_us(0.5)));
        self.p99_us.push(f64::from(sample.measured.latency_us(0.99)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn medians_spreads_and_numbers() {
        let mut figure = Figure::default();
        for value in [3.0, 1_234_567.0, 20.0] {
            figure.push(value);
        }
        assert_eq!(figure.spread(), "20.0 (3.00–1,234,567)");
        figure.push(40.0);
        assert_eq!(figure.median(), 30.0);
        assert_eq!(number(999.6), "1,000");
        assert_eq!(Figure::default().spread(), "not measured");
    }
}
