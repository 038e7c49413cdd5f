#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cerrno>
#include <cstring>

#include "base/fail.h"
#include "bench/report.h"

namespace octavo::bench {
namespace {

double milliseconds(std::int64_t ns) { return static_cast<double>(ns) * 1e-6; }
double seconds(std::int64_t ns) { return static_cast<double>(ns) * 1e-9; }

/// A field as RFC 4180 has it.
std::string quoted(const std::string& text) {
  if (text.find_first_of(",\"\r\n") == std::string::npos) return text;
  std::string result = "\"";
  for (char c : text) result += c == '"' ? std::string("\"\"") : std::string(1, c);
  return result + "\"";
}

/// "0+1|2+3": the CPUs of each instance.
std::string cpus_text(const std::vector<Place>& places) {
  std::vector<std::string> each;
  each.reserve(places.size());
  for (const Place& place : places) each.push_back(fmt::format("{}", fmt::join(place.cpus, "+")));
  return fmt::format("{}", fmt::join(each, "|"));
}

struct Column {
  const char* name;
  std::string (*text)(const Point&);
};

std::string number(double value) { return fmt::format("{:.6f}", value); }
std::string number(std::int64_t value) { return std::to_string(value); }

const Column kColumns[] = {
    {"mode", [](const Point& p) { return p.mode; }},
    {"instances", [](const Point& p) { return std::to_string(p.split.instances); }},
    {"threads", [](const Point& p) { return std::to_string(p.split.threads); }},
    {"batch", [](const Point& p) { return number(p.batch); }},
    {"cpus", [](const Point& p) { return cpus_text(p.places); }},
    {"items_per_second", [](const Point& p) { return number(p.measured.items_per_second()); }},
    {"spread", [](const Point& p) { return number(p.measured.spread()); }},
    {"runs", [](const Point& p) { return number(p.measured.runs); }},
    {"items", [](const Point& p) { return number(p.measured.items); }},
    {"seconds", [](const Point& p) { return number(seconds(p.measured.elapsed_ns)); }},
    {"mean_ms", [](const Point& p) { return number(p.measured.latency.mean_ns() * 1e-6); }},
    {"min_ms", [](const Point& p) { return number(milliseconds(p.measured.latency.min_ns())); }},
    {"p50_ms", [](const Point& p) { return number(p.quantile_ms(0.5)); }},
    {"p90_ms", [](const Point& p) { return number(p.quantile_ms(0.9)); }},
    {"p95_ms", [](const Point& p) { return number(p.quantile_ms(0.95)); }},
    {"p99_ms", [](const Point& p) { return number(p.quantile_ms(0.99)); }},
    {"p99.9_ms", [](const Point& p) { return number(p.quantile_ms(0.999)); }},
    {"max_ms", [](const Point& p) { return number(milliseconds(p.measured.latency.max_ns())); }},
    {"cpu_seconds", [](const Point& p) { return number(seconds(p.measured.cpu_ns)); }},
    {"load_ms", [](const Point& p) { return number(p.load_ms); }},
    {"rss_bytes", [](const Point& p) { return number(p.rss_bytes); }},
    {"peak_rss_bytes", [](const Point& p) { return number(p.peak_rss_bytes); }},
    {"peak_ops_per_second",
     [](const Point& p) { return fmt::format("{:.4g}", p.arithmetic.peak_ops_per_second); }},
    {"peak_fraction", [](const Point& p) { return number(p.peak_fraction()); }},
    {"queries_per_second",
     [](const Point& p) { return p.server ? number(p.server->queries_per_second) : ""; }},
    {"latency_bound_ms",
     [](const Point& p) { return p.server ? number(milliseconds(p.server->latency_bound_ns)) : ""; }},
    {"bound_met",
     [](const Point& p) {
       return std::string(!p.server ? "" : p.server->is_met ? "yes" : "no");
     }},
    {"complete", [](const Point& p) { return std::string(p.measured.was_stopped ? "no" : "yes"); }},
};

std::string header(const Facts& facts) {
  std::vector<std::string> names;
  for (const Column& column : kColumns) names.emplace_back(column.name);
  for (const Fact& fact : facts) names.push_back(fact.name);
  return fmt::format("{}\n", fmt::join(names, ","));
}

std::string full_line(const Point& point, const Facts& facts) {
  std::vector<std::string> fields;
  for (const Column& column : kColumns) fields.push_back(quoted(column.text(point)));
  for (const Fact& fact : facts) fields.push_back(quoted(fact.value));
  return fmt::format("{}\n", fmt::join(fields, ","));
}

std::string demo_line(const Point& point) {
  const int swept = point.mode == "scalability" ? point.split.instances : point.split.threads;
  const double rate = point.measured.items_per_second();
  return fmt::format("{}; {:.6f}; {:.6f}\n", swept, point.measured.latency.mean_ns() * 1e-6,
                     rate > 0 ? 1e3 / rate : 0);
}

std::FILE* made(const std::filesystem::path& path) {
  std::FILE* file = std::fopen(path.c_str(), "we");
  if (file == nullptr) fail(ErrorCode::io, "cannot write '{}': {}", path.string(), std::strerror(errno));
  return file;
}

}  // namespace

CsvFile::CsvFile(std::filesystem::path path, CsvFormat format, Facts facts)
    : path_(std::move(path)), format_(format), facts_(std::move(facts)), file_(made(path_)) {
  if (format_ == CsvFormat::full) {
    write(header(facts_));
    return;
  }
  std::filesystem::path companion = path_;
  companion += ".facts.csv";
  const std::unique_ptr<std::FILE, Close> beside(made(companion));
  for (const Fact& fact : facts_) fmt::print(beside.get(), "{},{}\n", fact.name, quoted(fact.value));
}

void CsvFile::add(const Point& point) {
  write(format_ == CsvFormat::full ? full_line(point, facts_) : demo_line(point));
}

void CsvFile::write(const std::string& line) {
  if (std::fwrite(line.data(), 1, line.size(), file_.get()) != line.size() || std::fflush(file_.get()) != 0) {
    fail(ErrorCode::io, "cannot write '{}': {}", path_.string(), std::strerror(errno));
  }
}

}  // namespace octavo::bench
