#pragma once
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "base/fail.h"

namespace octavo {

/// The lines of a problem file without comments (from '#' on) and empty ones. Error(io) when it cannot be
/// read.
inline std::vector<std::string> problem_lines(const std::filesystem::path& path) {
  std::ifstream file(path);
  if (!file) fail(ErrorCode::io, "{}: cannot be read", path.string());
  std::vector<std::string> problems;
  for (std::string line; std::getline(file, line);) {
    line.resize(std::min(line.find('#'), line.size()));
    while (!line.empty() && line.back() == ' ') line.pop_back();
    if (!line.empty()) problems.push_back(line);
  }
  return problems;
}

}  // namespace octavo
