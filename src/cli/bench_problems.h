#pragma once
#include <cstdint>
#include <string>
#include <vector>

namespace octavo::cli {

/// What `octavo bench --problem` asks for.
struct ProblemOptions {
  std::vector<std::string> problems;
  std::string file;  ///< of more of them, one a line
  std::vector<std::int64_t> batches{1};
  double seconds = 0.2;  ///< for each row
  std::string json;
};

/// Times every row for every problem; prints a table unless the JSON goes to the standard output.
void bench_problems(const ProblemOptions& options);

}  // namespace octavo::cli
