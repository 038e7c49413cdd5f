#include "bench/report.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <nlohmann/json.hpp>

namespace octavo::bench {
namespace {

using Json = nlohmann::ordered_json;

struct Percentile {
  const char* name;
  double share;
};
constexpr Percentile kPercentiles[] = {
    {"p50", 0.5}, {"p90", 0.9}, {"p95", 0.95}, {"p99", 0.99}, {"p99.9", 0.999}};

double milliseconds(std::int64_t ns) { return static_cast<double>(ns) * 1e-6; }
double seconds(std::int64_t ns) { return static_cast<double>(ns) * 1e-9; }

}  // namespace

std::string table_head() {
  return fmt::format("{:13}{:>5}{:>5}{:>6}{:>12}{:>7}{:>10}{:>10}{:>10}{:>10}{:>10}{:>7}{:>9}\n", "mode",
                     "inst", "thr", "batch", "items/s", "spread", "p50 ms", "p90 ms", "p99 ms", "p99.9 ms",
                     "max ms", "% peak", "RSS MB");
}

std::string table_line(const Point& p) {
  std::string line =
      fmt::format("{:13}{:5}{:5}{:6}{:12.1f}{:6.1f}%{:10.3f}{:10.3f}{:10.3f}{:10.3f}{:10.3f}{:7.1f}{:9.1f}",
                  p.mode, p.split.instances, p.split.threads, p.batch, p.measured.items_per_second(),
                  100 * p.measured.spread(), p.quantile_ms(0.5), p.quantile_ms(0.9), p.quantile_ms(0.99),
                  p.quantile_ms(0.999), milliseconds(p.measured.latency.max_ns()), 100 * p.peak_fraction(),
                  static_cast<double>(p.rss_bytes) * 1e-6);
  if (p.server) {
    line += fmt::format("\n  {:.1f} queries/s, {:g} % within {:g} ms: {}{}", p.server->queries_per_second,
                        100 * p.server->share, milliseconds(p.server->latency_bound_ns),
                        p.server->is_met ? "kept" : "NOT kept", p.server->is_hopeless ? ", ended early" : "");
  }
  if (p.measured.was_stopped) line += "\n  interrupted: what was measured until then";
  return line + "\n";
}

Json json_of(const Point& p) {
  Json latency{{"min", milliseconds(p.measured.latency.min_ns())},
               {"mean", p.measured.latency.mean_ns() * 1e-6}};
  for (const Percentile& percentile : kPercentiles)
    latency[percentile.name] = p.quantile_ms(percentile.share);
  latency["max"] = milliseconds(p.measured.latency.max_ns());
  Json rates = Json::array();
  for (const Window& window : p.measured.windows) rates.push_back(window.items_per_second);
  Json cpus = Json::array();
  for (const Place& place : p.places) cpus.push_back(place.cpus);
  Json json{{"mode", p.mode},
            {"instances", p.split.instances},
            {"threads", p.split.threads},
            {"batch", p.batch},
            {"cpus", cpus},
            {"items_per_second", p.measured.items_per_second()},
            {"spread", p.measured.spread()},
            {"window_items_per_second", rates},
            {"latency_ms", latency},
            {"runs", p.measured.runs},
            {"items", p.measured.items},
            {"seconds", seconds(p.measured.elapsed_ns)},
            {"cpu_seconds", seconds(p.measured.cpu_ns)},
            {"load_ms", p.load_ms},
            {"rss_bytes", p.rss_bytes},
            {"peak_rss_bytes", p.peak_rss_bytes},
            {"macs_per_item", p.arithmetic.macs_per_item},
            {"peak_ops_per_second", p.arithmetic.peak_ops_per_second},
            {"peak_fraction", p.peak_fraction()},
            {"complete", !p.measured.was_stopped}};
  if (p.server) {
    json["server"] = {{"queries_per_second", p.server->queries_per_second},
                      {"latency_bound_ms", milliseconds(p.server->latency_bound_ns)},
                      {"share", p.server->share},
                      {"late", p.server->late},
                      {"met", p.server->is_met},
                      {"hopeless", p.server->is_hopeless}};
  }
  return json;
}

Json json_of(const Facts& facts) {
  Json json;
  for (const Fact& fact : facts) json[fact.name] = fact.value;
  return json;
}

}  // namespace octavo::bench
