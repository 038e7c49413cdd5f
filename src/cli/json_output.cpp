#include "cli/json_output.h"

#include <fmt/format.h>

#include <cstdio>
#include <span>

namespace octavo::cli {

JsonOutput::JsonOutput(const std::string& where) : is_stdout_(where == "-") {
  if (!where.empty() && !is_stdout_) file_ = std::make_unique<AtomicFile>(where);
}

void JsonOutput::say(const std::string& text) const {
  if (is_stdout_) return;
  fmt::print("{}", text);
  std::fflush(stdout);
}

void JsonOutput::finish(const nlohmann::ordered_json& json) {
  if (!is_asked_for()) return;
  const std::string text = json.dump(1) + "\n";
  if (is_stdout_) {
    fmt::print("{}", text);
    return;
  }
  file_->write(std::as_bytes(std::span(text)));
  file_->commit();
}

}  // namespace octavo::cli
