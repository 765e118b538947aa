//! The ratios as bars.

use std::fmt::Write;

use crate::Row;

const LINE: usize = 22;
const LEFT: usize = 330;
/// Pixels of the ratio 1.
const ONE: f64 = 60.0;

pub(crate) fn svg(rows: &[Row]) -> String {
    let rows: Vec<_> = rows.iter().filter(|row| !row.ratio.is_nan()).collect();
    let height = rows.len() * LINE + 40;
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"1100\" height=\"{height}\" font-family=\"sans-serif\" \
         font-size=\"12\">\n<rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n"
    );
    let one = LEFT as f64 + ONE;
    // Writing to a string cannot fail.
    let _ = writeln!(svg, "<line x1=\"{one}\" x2=\"{one}\" y1=\"10\" y2=\"{}\" stroke=\"#888\"/>", height - 20);
    let _ =
        writeln!(svg, "<text x=\"{one}\" y=\"{}\" text-anchor=\"middle\">1 = what it stands beside</text>", height - 6);
    for (at, Row { what, ratio, beside, .. }) in rows.into_iter().enumerate() {
        let y = at * LINE + 14;
        let width = (ratio * ONE).min(640.0);
        let colour = if what.contains("by hand") { "#c0504d" } else { "#4f81bd" };
        let _ = writeln!(svg, "<text x=\"{}\" y=\"{}\" text-anchor=\"end\">{what}</text>", LEFT - 6, y + 12);
        let _ = writeln!(svg, "<rect x=\"{LEFT}\" y=\"{y}\" width=\"{width:.1}\" height=\"15\" fill=\"{colour}\"/>");
        let text = LEFT as f64 + width + 5.0;
        let _ = writeln!(svg, "<text x=\"{text:.1}\" y=\"{}\">{ratio:.2} of {beside}</text>", y + 12);
    }
    svg.push_str("</svg>\n");
    svg
}
