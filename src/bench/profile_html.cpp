#include <fmt/format.h>
#include <fmt/ranges.h>

#include <map>

#include "bench/profile.h"
#include "bench/profile_plots.h"

namespace octavo::bench {
namespace {

constexpr const char* kStyle = R"(
:root { color-scheme: light dark; --ink: #1c2430; --soft: #66707f; --line: #d8dde5; --page: #fff; --wait: #c9ced6; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e4e8ee; --soft: #98a2b1; --line: #343c48; --page: #14181e; --wait: #4a525e; }
}
body { font: 14px/1.45 system-ui, sans-serif; color: var(--ink); background: var(--page); max-width: 1040px;
       margin: 24px auto; padding: 0 16px; }
h1 { font-size: 22px; margin: 0 0 4px; } h2 { font-size: 16px; margin: 28px 0 8px; }
p, figcaption { color: var(--soft); margin: 4px 0 10px; }
dl { display: flex; flex-wrap: wrap; gap: 8px 28px; margin: 12px 0; } dt { color: var(--soft); font-size: 12px; }
dd { margin: 0; font-size: 18px; }
.scroll { overflow: auto; max-height: 640px; border: 1px solid var(--line); border-radius: 6px; }
table { border-collapse: collapse; width: 100%; font-size: 12px; }
th, td { padding: 3px 8px; text-align: right; border-bottom: 1px solid var(--line); white-space: nowrap; }
th { position: sticky; top: 0; background: var(--page); cursor: pointer; }
th.text, td.text { text-align: left; } td.wide { white-space: normal; min-width: 320px; }
svg { width: 100%; height: auto; font-size: 11px; } svg text { fill: var(--ink); } svg .label { fill: var(--soft); }
.grid { stroke: var(--line); } .roof { stroke: #c0392b; stroke-width: 1.5; } .edge { fill: none; stroke: var(--soft); }
circle { fill-opacity: .65; stroke: var(--page); stroke-width: .5; } .wait { fill: var(--wait); }
.f0 { fill: #2f6fd0; } .f1 { fill: #e08a1e; } .f2 { fill: #2e9e6b; } .f3 { fill: #b3509e; }
.f4 { fill: #7a8b2a; } .f5 { fill: #d2524a; } .f6 { fill: #3aa5b8; } .f7 { fill: #8f6bd1; }
.key { display: inline-block; margin-right: 14px; } .key svg { width: 11px; vertical-align: -1px; margin-right: 4px; }
)";

// Sorts a table by the column whose head is clicked; numbers by their value, largest first.
constexpr const char* kScript = R"(
document.querySelectorAll('th').forEach(function (head) {
  head.addEventListener('click', function () {
    var column = head.cellIndex, body = head.closest('table').tBodies[0];
    var value = function (row) {
      var cell = row.cells[column];
      return cell.dataset.v === undefined ? cell.textContent : Number(cell.dataset.v);
    };
    Array.from(body.rows).sort(function (a, b) {
      var x = value(a), y = value(b);
      return typeof x === 'number' ? y - x : x.localeCompare(y);
    }).forEach(function (row) { body.appendChild(row); });
  });
});
)";

std::string text_cell(const std::string& text, const char* look = "text") {
  return fmt::format("<td class=\"{}\">{}</td>", look, escaped(text));
}

/// A number to sort by and how it is shown.
std::string cell(double value, const std::string& shown) {
  return fmt::format("<td data-v=\"{:.9g}\">{}</td>", value, shown);
}

std::string percent(double share) { return share > 0 ? fmt::format("{:.1f} %", 100 * share) : "–"; }

std::string summary(const Profile& p) {
  const auto item = [](const char* name, const std::string& value) {
    return fmt::format("<div><dt>{}</dt><dd>{}</dd></div>", name, escaped(value));
  };
  double macs = 0;
  for (const StepProfile& step : p.steps) macs += static_cast<double>(step.cost.macs);
  const double rate = 2 * macs / (p.median_run_us * 1e-6);
  std::string html =
      "<dl>" + item("a run, median", fmt::format("{:.3f} ms", p.median_run_us * 1e-3)) +
      item("batch", std::to_string(p.batch)) + item("threads", std::to_string(p.threads)) +
      item("items a second", fmt::format("{:.1f}", static_cast<double>(p.batch) * 1e6 / p.median_run_us)) +
      item("arithmetic", fmt::format("{:.3f} TOPS", rate * 1e-12));
  if (p.peaks.int8_ops_per_second > 0) {
    html += item("of the 8-bit peak",
                 fmt::format("{:.1f} % of {:.2f} TOPS", 100 * rate / p.peaks.int8_ops_per_second,
                             p.peaks.int8_ops_per_second * 1e-12));
  }
  return html + item("runs", std::to_string(p.runs)) + "</dl>";
}

std::string key(const Profile& p) {
  std::map<std::string, double> shares;
  for (const StepProfile& step : p.steps) shares[step.family] += step.share;
  std::string html = "<p>";
  for (const auto& [family, share] : shares) {
    html += fmt::format(
        "<span class=\"key\"><svg viewBox=\"0 0 10 10\"><rect class=\"{}\" width=\"10\" "
        "height=\"10\"/></svg>{} {:.1f} %</span>",
        family_class(p, family), escaped(family), 100 * share);
  }
  return html + "</p>";
}

std::string group_table(const Profile& p, Grouping grouping, const char* head) {
  std::string html = fmt::format(
      "<div class=\"scroll\"><table><thead><tr><th class=\"text\">{}</th><th>steps</th><th>µs</th>"
      "<th>share</th><th>TOPS</th><th>of peak</th></tr></thead><tbody>",
      head);
  for (const GroupProfile& g : groups_of(p, grouping)) {
    html += "<tr>" + text_cell(g.name) + cell(g.steps, std::to_string(g.steps)) +
            cell(g.median_us, fmt::format("{:.1f}", g.median_us)) + cell(g.share, percent(g.share)) +
            cell(g.ops_per_second, fmt::format("{:.3f}", g.ops_per_second * 1e-12)) +
            cell(g.ops_fraction, percent(g.ops_fraction)) + "</tr>";
  }
  return html + "</tbody></table></div>";
}

std::string step_table(const Profile& p) {
  std::string html =
      "<div class=\"scroll\"><table><thead><tr><th>#</th><th "
      "class=\"text\">where</th><th>µs</th><th>best</th><th>share</th>"
      "<th>TOPS</th><th>of peak</th><th>GB/s</th><th>of peak</th><th>kB</th><th class=\"text\">kernel</th>"
      "<th class=\"text\">problem, and why faster rows said no</th></tr></thead><tbody>";
  for (std::size_t i = 0; i < p.steps.size(); ++i) {
    const StepProfile& s = p.steps[i];
    std::string problem = s.info.problem;
    if (!s.info.passed_over.empty()) problem += fmt::format(" — {}", fmt::join(s.info.passed_over, "; "));
    html += "<tr>" + cell(-static_cast<double>(i), std::to_string(i)) + text_cell(s.info.origin) +
            cell(s.median_us, fmt::format("{:.1f}", s.median_us)) +
            cell(s.best_us, fmt::format("{:.1f}", s.best_us)) + cell(s.share, percent(s.share)) +
            cell(s.ops_per_second, fmt::format("{:.3f}", s.ops_per_second * 1e-12)) +
            cell(s.ops_fraction, percent(s.ops_fraction)) +
            cell(s.bytes_per_second, fmt::format("{:.1f}", s.bytes_per_second * 1e-9)) +
            cell(s.bytes_fraction, percent(s.bytes_fraction)) +
            cell(static_cast<double>(s.cost.bytes),
                 fmt::format("{:.1f}", static_cast<double>(s.cost.bytes) * 1e-3)) +
            text_cell(s.info.kernel) + text_cell(problem, "text wide") + "</tr>";
  }
  return html + "</tbody></table></div>";
}

}  // namespace

std::string html_of(const Profile& p) {
  std::string facts = "<div class=\"scroll\"><table><tbody>";
  for (const Fact& fact : p.facts) facts += "<tr>" + text_cell(fact.name) + text_cell(fact.value) + "</tr>";
  facts += "</tbody></table></div>";
  const std::string model = escaped(p.facts.empty() ? "" : p.facts.front().value);
  return fmt::format(
      "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"/><title>{0}: "
      "profile</title><style>{1}</style></head>\n"
      "<body><h1>{0}</h1><p>Where the time of a run goes. Hover over a picture for a step's numbers; click a "
      "head to sort.</p>\n"
      "{2}{3}\n<h2>Roofline</h2><p>Every step that multiplies, as large as its share of the time, under the "
      "arithmetic peak of "
      "registers and the read rates of L2 and memory, all measured in this process.</p>{4}\n"
      "<h2>Timeline</h2><p>The run of the median length; grey is waiting for the slowest thread.</p>{5}\n"
      "<h2>Layers</h2>{6}\n<h2>Kernels</h2>{7}\n<h2>Steps</h2><p>Bytes count against the read rate of L2, "
      "those of gathers against that of memory.</p>{8}\n"
      "<h2>Graph</h2><p>Boxes are as wide as their share of the time; lines lead from a result to the step "
      "that reads it.</p>"
      "<div class=\"scroll\">{9}</div>\n<h2>Machine and "
      "build</h2>{10}\n<script>{11}</script></body></html>\n",
      model, kStyle, summary(p), key(p), roofline_svg(p), timeline_svg(p),
      group_table(p, Grouping::layer, "layer"), group_table(p, Grouping::kernel, "kernel"), step_table(p),
      graph_svg(p), facts, kScript);
}

}  // namespace octavo::bench
