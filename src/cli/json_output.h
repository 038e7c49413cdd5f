#pragma once
#include <memory>
#include <nlohmann/json.hpp>
#include <string>

#include "base/atomic_file.h"

namespace octavo::cli {

/// Where a verb's JSON goes: nowhere, to a file that appears when it is whole, or (for "-") to the standard
/// output, which then shows nothing else.
class JsonOutput {
 public:
  /// Error(io) at once when the file cannot be made.
  explicit JsonOutput(const std::string& where);
  /// Text for people, unless the JSON takes its place.
  void say(const std::string& text) const;
  [[nodiscard]] bool is_asked_for() const { return is_stdout_ || file_ != nullptr; }
  void finish(const nlohmann::ordered_json& json);

 private:
  bool is_stdout_;
  std::unique_ptr<AtomicFile> file_;
};

}  // namespace octavo::cli
