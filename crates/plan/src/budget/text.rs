//! The budget as a report to read.

use super::{Budget, CircuitBudget, Hint, Usable, Verdict};
use std::fmt::{self, Display, Formatter};

fn word(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Within => "within",
        Verdict::Unknown => "limit not known",
        Verdict::MayBeOver => "MAY BE OVER",
        Verdict::Over => "OVER",
    }
}

fn limit(limit: Option<f64>) -> String {
    limit.map_or("?".to_owned(), |limit| format!("{limit:.0} W"))
}

impl Display for Budget {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let name = if self.name.is_empty() {
            "The lab"
        } else {
            &self.name
        };
        match self.verdict {
            Verdict::Within => writeln!(f, "{name}: within its limits")?,
            Verdict::Unknown => writeln!(f, "{name}: no limit that is known is passed")?,
            Verdict::MayBeOver => writeln!(f, "{name}: NOT within its limits for certain")?,
            Verdict::Over => writeln!(f, "{name}: NOT within its limits")?,
        }
        self.limits(f)?;
        self.together(f)?;
        self.room(f)?;
        self.each(f)?;
        for (at, hint) in self.hints.iter().enumerate() {
            if at == 0 {
                writeln!(
                    f,
                    "\nWhat would save power (without disks; no figure says how fast it is)"
                )?;
            }
            saving(f, hint, &self.currency)?;
        }
        for (at, note) in self.notes.iter().enumerate() {
            if at == 0 {
                writeln!(f, "\nNot known, or taken for granted")?;
            }
            wrapped(f, note)?;
        }
        Ok(())
    }
}

impl Budget {
    fn limits(&self, f: &mut Formatter<'_>) -> fmt::Result {
        for circuit in &self.circuits {
            breaker(f, circuit)?;
        }
        for ups in &self.upses {
            writeln!(f, "\nUPS {}", ups.name)?;
            let (load, of) = (ups.load_w, limit(ups.limit_w));
            writeln!(
                f,
                "  load                 {load:.1} W of {of}: {}",
                word(ups.verdict)
            )?;
            writeln!(f, "  cold start           {:.1} W", ups.cold_start_w)?;
            if let (Some(idle), Some(hard)) = (ups.runtime_idle_minutes, ups.runtime_stress_minutes) {
                writeln!(
                    f,
                    "  lasts                {idle:.0} min at rest, {hard:.0} min at work"
                )?;
            }
        }
        for pdu in &self.pdus {
            let (load, of) = (pdu.load_w, limit(pdu.limit_w));
            writeln!(f, "\nPower strip {}", pdu.name)?;
            writeln!(
                f,
                "  load                 {load:.1} W of {of}: {}",
                word(pdu.verdict)
            )?;
        }
        for switch in &self.poe {
            let (load, of) = (switch.poe_w, limit(switch.limit_w));
            writeln!(f, "\nPower over Ethernet from {}", switch.name)?;
            writeln!(
                f,
                "  load                 {load:.1} W of {of}: {}",
                word(switch.verdict)
            )?;
            writeln!(f, "  cold start           {:.1} W", switch.cold_start_w)?;
        }
        Ok(())
    }

    fn together(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let all = &self.totals;
        let money = &self.currency;
        writeln!(f, "\nAll together, at the wall")?;
        writeln!(
            f,
            "  at rest, at work     {:.1} W, {:.1} W",
            all.idle_w, all.stress_w
        )?;
        writeln!(f, "  heat                 {:.0} BTU/h", all.heat_btu_per_hour)?;
        writeln!(
            f,
            "  energy               {:.1} kWh a month",
            all.energy_kwh_per_month
        )?;
        if let Some(cost) = all.cost_per_month {
            writeln!(f, "  that costs           {cost:.2} {money} a month")?;
        }
        if let Some(noise) = all.noise_dba {
            writeln!(
                f,
                "  noise                {noise:.0} dB(A) at 1 m, {} not counted",
                all.noise_unknown
            )?;
        }
        let missing = match all.price_unknown.len() {
            0 => String::new(),
            many => format!("; {many} not known"),
        };
        writeln!(
            f,
            "  price                {}{missing}",
            self.price(all.price_at_least)
        )
    }

    /// A price, as far as prices are known.
    fn price(&self, price: f64) -> String {
        match (self.totals.price_unknown.is_empty(), price > 0.0) {
            (true, _) => format!("{price:.2} {}", self.currency),
            (false, true) => format!("at least {price:.2} {}", self.currency),
            (false, false) => "a price that is not known".to_owned(),
        }
    }

    fn room(&self, f: &mut Formatter<'_>) -> fmt::Result {
        for usable in self.usable.iter().filter(|usable| usable.raw_tb > 0.0) {
            self.space(f, usable)?;
        }
        let per = &self.per;
        let (memory, core) = (per.price_per_memory_gb_at_least, per.price_per_core_at_least);
        if let (Some(amount), Some(watts), Some(price)) = (per.memory_gb, per.w_per_memory_gb, memory) {
            let price = self.price(price);
            writeln!(
                f,
                "\n{amount:.0} GB of memory: a GB takes {watts:.2} W, and {price}"
            )?;
        }
        if let (Some(amount), Some(watts), Some(price)) = (per.cores, per.w_per_core, core) {
            let price = self.price(price);
            writeln!(f, "{amount} cores: a core takes {watts:.2} W, and {price}")?;
        }
        Ok(())
    }

    fn space(&self, f: &mut Formatter<'_>, it: &Usable) -> fmt::Result {
        writeln!(f, "\nRoom for {}, kept as {}", it.name, it.redundancy)?;
        writeln!(
            f,
            "  usable               {:.2} TB of {:.2} TB of disks",
            it.usable_tb, it.raw_tb
        )?;
        if let (Some(watts), Some(price)) = (it.w_per_usable_tb, it.price_per_usable_tb_at_least) {
            writeln!(
                f,
                "  a usable TB takes    {watts:.1} W, and {}",
                self.price(price)
            )?;
        }
        match it.fits {
            Some(true) => writeln!(f, "  what there is        fits"),
            Some(false) => writeln!(f, "  what there is        DOES NOT FIT"),
            None => Ok(()),
        }
    }

    fn each(&self, f: &mut Formatter<'_>) -> fmt::Result {
        if self.devices.is_empty() {
            return Ok(());
        }
        let width = self
            .devices
            .iter()
            .map(|device| device.name.chars().count())
            .max()
            .unwrap_or(0);
        writeln!(f, "\nEach device: at rest, at work, while it starts")?;
        for device in &self.devices {
            let known = if device.known { "" } else { "  (bounds)" };
            let pad = width.saturating_sub(device.name.chars().count());
            writeln!(
                f,
                "  {}{:pad$}  {:.1} W, {:.1} W, {:.1} W{known}",
                device.name, "", device.idle_w, device.stress_w, device.start_w
            )?;
        }
        Ok(())
    }
}

/// A point of a list, in lines that a terminal has room for.
fn wrapped(f: &mut Formatter<'_>, text: &str) -> fmt::Result {
    const WIDTH: usize = 96;
    let mut line = String::from("  -");
    for word in text.split_whitespace() {
        if line.chars().count() + 1 + word.chars().count() > WIDTH && line.trim().len() > 1 {
            writeln!(f, "{line}")?;
            line = "   ".to_owned();
        }
        line.push(' ');
        line.push_str(word);
    }
    writeln!(f, "{line}")
}

fn breaker(f: &mut Formatter<'_>, it: &CircuitBudget) -> fmt::Result {
    writeln!(
        f,
        "\nCircuit {}: {} V, {} A: {}",
        it.name,
        it.volts,
        it.amps,
        word(it.verdict)
    )?;
    writeln!(
        f,
        "  for hours            {:.1} W of {:.0} W ({:.1} %)",
        it.continuous_w, it.limit_w, it.share_percent
    )?;
    writeln!(
        f,
        "  cold start, at once  {:.1} W of {:.0} W",
        it.cold_start_w, it.breaker_w
    )?;
    writeln!(
        f,
        "  cold start in groups {:.1} W of {:.0} W",
        it.staggered_start_w, it.breaker_w
    )?;
    for step in &it.steps {
        let names: Vec<&str> = step.devices.iter().map(String::as_str).collect();
        let names = super::listed(&names);
        writeln!(
            f,
            "    after {:>3} s        {names}: {:.1} W",
            step.after_seconds, step.peak_w
        )?;
    }
    if it.inrush.supplies > 0 {
        let inrush = &it.inrush;
        let supplies = if inrush.supplies == 1 {
            "supply"
        } else {
            "supplies"
        };
        writeln!(
            f,
            "  inrush               {:.0} A ({} {supplies}); a fast breaker may open from {:.0} A",
            inrush.inrush_a, inrush.supplies, inrush.instant_trip_a
        )?;
    }
    it.findings
        .iter()
        .try_for_each(|finding| writeln!(f, "  ! {finding}"))
}

fn saving(f: &mut Formatter<'_>, hint: &Hint, money: &str) -> fmt::Result {
    let Hint {
        name,
        idle_w,
        instead,
        instead_idle_w,
        instead_price,
        saved_kwh_per_month,
        payback_months,
    } = hint;
    write!(
        f,
        "  {name} idles at {idle_w:.1} W; {instead} at {instead_idle_w:.1} W saves {saved_kwh_per_month:.1} kWh a month"
    )?;
    match payback_months {
        Some(months) => writeln!(
            f,
            "; {instead_price:.0} {money} are paid back in {months:.0} months"
        ),
        None => writeln!(f, " for {instead_price:.0} {money}"),
    }
}
