//! The figures as people read them.

use std::fmt;

use crate::Figures;

impl fmt::Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{}: {} transactions of one event with {} bytes, then {} of 1,000 events; medians",
            self.backend,
            grouped(self.transactions.into()),
            self.payload_bytes,
            self.rounds
        )?;
        writeln!(f)?;
        let mut line = |name: &str, value: f64, unit: &str| {
            let value = match value {
                value if value < 1_000.0 => format!("{value:.1}"),
                value => grouped(value.round() as u64),
            };
            writeln!(f, "  {name:<52}{value:>10}  {unit}")
        };
        line("verified appends, one event each", self.appends_alone_per_second, "events/s")?;
        line("verified appends, 1,000 events each", self.appends_together_per_second, "events/s")?;
        let shared = format!("verified appends, {} writers of one event each", self.writers);
        line(&shared, self.appends_shared_per_second, "events/s")?;
        if let Some(ceiling) = &self.ceiling {
            line("  plain INSERTs of the same rows", ceiling.events_per_second, "events/s")?;
            let two = ceiling.in_two_lanes_per_second;
            line("  the same, two halves at a time", two, "events/s")?;
        }
        for (name, reads) in
            [("one event each", &self.reads_alone), ("1,000 events each", &self.reads_together)]
        {
            let verified = format!("verified reads, transactions of {name}");
            line(&verified, reads.verified_per_second, "events/s")?;
            line("  plain sqlx read of the same rows", reads.plain_per_second, "rows/s")?;
            line("  time of verified over plain", reads.ratio, "×")?;
        }
        line(
            "first synchronisation, into an empty log",
            self.sync_transactions_per_second,
            "transactions/s",
        )?;
        line("log and index", self.log_bytes_per_transaction, "bytes a transaction")?;
        line("audit, everything derived again", self.audit_events_per_second, "events/s")?;
        let cpu = self.audit_events_per_cpu_second;
        line("  for a second of processor time", cpu, "events")?;
        if let Some(thin) = &self.thin {
            let of = format!("thin read among {} transactions", grouped(thin.transactions));
            line(&of, thin.milliseconds, "ms")?;
            line("  statements for it, opening included", thin.statements as f64, "")?;
            line("  of these, for one header each", thin.headers as f64, "")?;
            line("  tiles and rows received", thin.bytes as f64, "bytes")?;
        }
        if self.transactions < 100_000 {
            writeln!(
                f,
                "\n  Short ledgers pay for the log's half-empty pages: try --count 100000."
            )?;
        }
        Ok(())
    }
}

/// 12345 as `12,345`.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (n, digit) in digits.chars().enumerate() {
        if n > 0 && (digits.len() - n).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}
