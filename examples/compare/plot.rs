//! A page of small line charts as SVG. Nothing but rectangles, lines and text.

use std::fmt::Write as _;

/// One small chart: values over the number of transactions.
pub(crate) struct Chart {
    pub(crate) title: &'static str,
    /// A line for each name, its points in rising order.
    pub(crate) lines: Vec<(&'static str, Vec<(f64, f64)>)>,
}

const WIDTH: f64 = 300.0;
const HEIGHT: f64 = 210.0;
/// Around what is drawn: left, top, right, bottom.
const MARGIN: [f64; 4] = [22.0, 58.0, 60.0, 26.0];
const IN_A_ROW: usize = 3;
const COLOURS: [&str; 3] = ["#1b6ca8", "#c8553d", "#5a7d2a"];

/// The charts side by side. Values begin at 0, transactions are drawn by their
/// logarithm.
pub(crate) fn svg(charts: &[Chart]) -> String {
    let rows = charts.len().div_ceil(IN_A_ROW);
    let (width, height) = (WIDTH * IN_A_ROW as f64, HEIGHT * rows as f64);
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" \
         font-family=\"sans-serif\" font-size=\"11\">\n\
         <rect width=\"{width}\" height=\"{height}\" fill=\"white\"/>\n"
    );
    for (n, chart) in charts.iter().enumerate() {
        let (x, y) = ((n % IN_A_ROW) as f64 * WIDTH, (n / IN_A_ROW) as f64 * HEIGHT);
        let _ = writeln!(out, "<g transform=\"translate({x} {y})\">");
        draw(&mut out, chart);
        out.push_str("</g>\n");
    }
    out.push_str("</svg>\n");
    out
}

fn draw(out: &mut String, chart: &Chart) {
    let [left, top, right, bottom] = MARGIN;
    let points = || chart.lines.iter().flat_map(|(_, points)| points);
    let most = points().map(|(_, y)| *y).fold(f64::MIN_POSITIVE, f64::max);
    let (first, last) = points()
        .map(|(x, _)| x.log10())
        .fold((f64::MAX, f64::MIN), |(low, high), x| (low.min(x), high.max(x)));
    let spread = if last > first { last - first } else { 1.0 };
    let at = |(x, y): (f64, f64)| {
        (
            left + (x.log10() - first) / spread * (WIDTH - left - right),
            HEIGHT - bottom - y / most * (HEIGHT - top - bottom),
        )
    };
    let base = HEIGHT - bottom;
    let _ =
        writeln!(out, "<text x=\"{left}\" y=\"16\" font-weight=\"bold\">{}</text>", chart.title);
    let _ = writeln!(
        out,
        "<line x1=\"{left}\" y1=\"{base}\" x2=\"{}\" y2=\"{base}\" stroke=\"#999\"/>",
        WIDTH - right
    );
    let mut labels: Vec<f64> = points().map(|(x, _)| *x).collect();
    labels.sort_by(f64::total_cmp);
    labels.dedup();
    for x in labels {
        let label = short(x);
        let (x, _) = at((x, 0.0));
        let _ = writeln!(
            out,
            "<text x=\"{x:.1}\" y=\"{}\" text-anchor=\"middle\" fill=\"#555\">{label}</text>",
            base + 15.0
        );
    }
    for (n, (name, points)) in chart.lines.iter().enumerate() {
        let colour = COLOURS[n % COLOURS.len()];
        let path: Vec<String> =
            points.iter().map(|point| at(*point)).map(|(x, y)| format!("{x:.1},{y:.1}")).collect();
        let _ = writeln!(
            out,
            "<polyline points=\"{}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"2\"/>",
            path.join(" ")
        );
        let _ = writeln!(
            out,
            "<text x=\"{}\" y=\"32\" fill=\"{colour}\">{name}</text>",
            left + 90.0 * n as f64
        );
        for point in points {
            let (x, y) = at(*point);
            let _ = writeln!(
                out,
                "<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"3\" fill=\"{colour}\"/>\
                 <text x=\"{:.1}\" y=\"{:.1}\" fill=\"{colour}\">{}</text>",
                x + 5.0,
                y - 4.0,
                short(point.1)
            );
        }
    }
}

/// 12345 as `12 k`.
fn short(value: f64) -> String {
    match value {
        v if v >= 1e6 => format!("{:.1} M", v / 1e6),
        v if v >= 1e4 => format!("{:.0} k", v / 1e3),
        v if v >= 100.0 => format!("{v:.0}"),
        v => format!("{v:.1}"),
    }
}
