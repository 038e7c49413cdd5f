#pragma once
#include <cstdio>
#include <filesystem>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <string>

#include "bench/facts.h"
#include "bench/point.h"

namespace octavo::bench {

/// The table on the screen: a head, and a line for each point.
std::string table_head();
std::string table_line(const Point& point);

/// A point for scripts. The names `items_per_second`, `latency_ms`, `peak_ops_per_second` and `peak_fraction`
/// are relied upon.
nlohmann::ordered_json json_of(const Point& point);
nlohmann::ordered_json json_of(const Facts& facts);

enum class CsvFormat {
  full,  ///< a header, then a line for each point that ends in the facts; fields with commas are quoted
  demo,  ///< no header; "threads or instances; mean latency in ms; ms an item"; the facts go to
         ///< FILE.facts.csv
};

/// A CSV file that is valid after every point, so that an interrupted run leaves what it measured.
class CsvFile {
 public:
  /// Makes the file, and for the demo format its companion. Error(io) with the path when that is not
  /// possible.
  CsvFile(std::filesystem::path path, CsvFormat format, Facts facts);
  /// Error(io) when the line cannot be written.
  void add(const Point& point);

 private:
  struct Close {
    void operator()(std::FILE* file) const noexcept { std::fclose(file); }
  };
  void write(const std::string& line);

  std::filesystem::path path_;
  CsvFormat format_;
  Facts facts_;
  std::unique_ptr<std::FILE, Close> file_;
};

}  // namespace octavo::bench
