#include "bench/report.h"

#include <gmock/gmock.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "base/testing.h"
#include "bench/closed_loop.h"
#include "bench/raw_dump.h"
#include "bench/testing/pretended.h"

namespace octavo::bench {
namespace {

using ::testing::HasSubstr;

Point example() {
  Point point;
  point.mode = "throughput";
  point.split = {2, 3};
  point.batch = 4;
  point.places = {{3, {0, 1, 2}}, {3, {3, 4, 5}}};
  for (std::int64_t ms = 1; ms <= 100; ++ms) point.measured.latency.add(ms * 1'000'000);
  point.measured.windows = {{100, 90}, {100, 100}, {100, 120}};
  point.measured.runs = 100;
  point.measured.items = 400;
  point.measured.elapsed_ns = 4'000'000'000;
  point.measured.cpu_ns = 7'000'000'000;
  point.load_ms = 12.5;
  point.arithmetic = {1'000'000, 1e9};
  return point;
}

const Facts kFacts{{"model", "a, \"b\""}, {"cpu", "some CPU"}};

std::vector<std::string> lines_of(const std::filesystem::path& path) {
  std::ifstream file(path);
  std::vector<std::string> lines;
  for (std::string line; std::getline(file, line);) lines.push_back(line);
  return lines;
}

/// The fields of a line of RFC 4180.
std::vector<std::string> fields_of(const std::string& line) {
  std::vector<std::string> fields{""};
  bool is_quoted = false;
  for (std::size_t i = 0; i < line.size(); ++i) {
    if (line[i] == '"' && is_quoted && i + 1 < line.size() && line[i + 1] == '"') {
      fields.back() += line[++i];
    } else if (line[i] == '"') {
      is_quoted = !is_quoted;
    } else if (line[i] == ',' && !is_quoted) {
      fields.emplace_back();
    } else {
      fields.back() += line[i];
    }
  }
  return fields;
}

TEST(Report, JsonHasTheNamesThatScriptsRelyOn) {
  const nlohmann::ordered_json json = json_of(example());
  EXPECT_EQ(json.at("items_per_second"), 100);
  EXPECT_DOUBLE_EQ(json.at("spread").get<double>(), 0.3);
  EXPECT_NEAR(json.at("latency_ms").at("p50").get<double>(), 50.0, 50.0 / 4096);
  EXPECT_NEAR(json.at("latency_ms").at("p99").get<double>(), 99.0, 99.0 / 4096);
  EXPECT_EQ(json.at("latency_ms").at("max"), 100);
  EXPECT_EQ(json.at("peak_ops_per_second"), 1e9);
  EXPECT_DOUBLE_EQ(json.at("peak_fraction").get<double>(), 2 * 1e6 * 100 / 1e9);
  EXPECT_EQ(json.at("cpus").dump(), "[[0,1,2],[3,4,5]]");
  EXPECT_FALSE(json.contains("server"));
  EXPECT_EQ(json.at("complete"), true);
}

TEST(Report, TableLinesFitTheHead) {
  EXPECT_EQ(table_head().size(), table_line(example()).size());
  Point server = example();
  server.server = ServerOutcome{50, 15'000'000, 0.99, 3, false, true};
  EXPECT_THAT(table_line(server), HasSubstr("99 % within 15 ms: NOT kept, ended early"));
  server.measured.was_stopped = true;
  EXPECT_THAT(table_line(server), HasSubstr("interrupted"));
}

TEST(CsvFile, HasAHeaderAndALineAPointThatEndsInTheFacts) {
  const testing::TemporaryFolder folder;
  CsvFile file(folder / "a.csv", CsvFormat::full, kFacts);
  EXPECT_EQ(lines_of(folder / "a.csv").size(), 1U) << "valid before the first point";
  file.add(example());
  Point stopped = example();
  stopped.measured.was_stopped = true;
  stopped.server = ServerOutcome{50, 15'000'000, 0.99, 3, true, false};
  file.add(stopped);
  const std::vector<std::string> lines = lines_of(folder / "a.csv");
  ASSERT_EQ(lines.size(), 3U);
  const auto header = fields_of(lines[0]), first = fields_of(lines[1]), second = fields_of(lines[2]);
  ASSERT_EQ(header.size(), first.size());
  ASSERT_EQ(header.size(), second.size());
  std::map<std::string, std::string> of_first, of_second;
  for (std::size_t i = 0; i < header.size(); ++i)
    of_first[header[i]] = first[i], of_second[header[i]] = second[i];
  EXPECT_EQ(of_first["mode"], "throughput");
  EXPECT_EQ(of_first["cpus"], "0+1+2|3+4+5");
  EXPECT_EQ(of_first["min_ms"], "1.000000");
  EXPECT_EQ(of_first["model"], "a, \"b\"");
  EXPECT_EQ(of_first["complete"], "yes");
  EXPECT_EQ(of_first["bound_met"], "");
  EXPECT_EQ(of_second["complete"], "no");
  EXPECT_EQ(of_second["bound_met"], "yes");
  EXPECT_EQ(of_second["latency_bound_ms"], "15.000000");
}

TEST(CsvFile, HasTheDemosLayout) {
  const testing::TemporaryFolder folder;
  CsvFile file(folder / "a.csv", CsvFormat::demo, kFacts);
  file.add(example());
  Point scalability = example();
  scalability.mode = "scalability";
  file.add(scalability);
  EXPECT_THAT(lines_of(folder / "a.csv"),
              ::testing::ElementsAre("3; 50.500000; 10.000000", "2; 50.500000; 10.000000"));
  EXPECT_THAT(lines_of(folder / "a.csv.facts.csv"),
              ::testing::ElementsAre("model,\"a, \"\"b\"\"\"", "cpu,some CPU"));
}

TEST(CsvFile, NamesAPlaceThatCannotBeWritten) {
  const testing::TemporaryFolder folder;
  const auto path = folder / "missing" / "a.csv";
  EXPECT_THAT(testing::error_of(ErrorCode::io, [&] { CsvFile(path, CsvFormat::full, {}); }),
              HasSubstr(path.string()));
  EXPECT_THAT(testing::error_of(ErrorCode::io, [&] { CsvFile("/dev/full", CsvFormat::full, {}); }),
              HasSubstr("/dev/full"));
}

TEST(RawDump, HoldsEveryLatencyThatTheHistogramCounts) {
  const testing::TemporaryFolder folder;
  Measured measured;
  {
    RawDump raw(folder / "raw.csv", comment_lines(kFacts));
    raw.begin_point(7);
    measured = run_closed_loop(pretended(2, {.run_us = 20, .stall_us = 500, .stall_every = 10}), 1,
                               {0.3, 0, 1}, {.raw = &raw});
    raw.finish();
  }
  const std::vector<std::string> lines = lines_of(folder / "raw.csv");
  EXPECT_EQ(lines[0], "# model: a, \"b\"");
  EXPECT_EQ(lines[2], "point,instance,begin_ns,latency_ns,items");
  std::vector<std::int64_t> latencies;
  for (std::size_t i = 3; i < lines.size(); ++i) {
    const auto fields = fields_of(lines[i]);
    ASSERT_EQ(fields.size(), 5U);
    EXPECT_EQ(fields[0], "7");
    latencies.push_back(std::stoll(fields[3]));
  }
  ASSERT_EQ(static_cast<std::int64_t>(latencies.size()), measured.latency.count());
  std::sort(latencies.begin(), latencies.end());
  for (double share : {0.5, 0.9, 0.99, 0.999, 1.0}) {
    const auto rank = static_cast<std::size_t>(std::ceil(share * static_cast<double>(latencies.size())));
    const std::int64_t exact = latencies[std::max<std::size_t>(rank, 1) - 1];
    EXPECT_NEAR(static_cast<double>(measured.latency.quantile_ns(share)), static_cast<double>(exact),
                static_cast<double>(exact) / 4096);
  }
}

TEST(RawDump, NamesAFileThatCannotBeWritten) {
  EXPECT_THAT(testing::error_of(ErrorCode::io, [] { RawDump("/no/such/folder/raw.csv", ""); }),
              HasSubstr("raw.csv"));
  EXPECT_THAT(testing::error_of(ErrorCode::io,
                                [] {
                                  RawDump raw("/dev/full", "");
                                  std::vector<RawDump::Record> block(100);
                                  raw.write(block);
                                  raw.finish();
                                }),
              HasSubstr("/dev/full"));
}

}  // namespace
}  // namespace octavo::bench
