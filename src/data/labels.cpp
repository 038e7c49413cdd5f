#include "data/labels.h"

#include <algorithm>
#include <charconv>
#include <nlohmann/json.hpp>

#include "base/fail.h"
#include "base/mapped_file.h"

namespace octavo {
namespace {

using nlohmann::json;

/// "12" of 0..classes-1 in decimal.
std::size_t class_index(const std::string& key, std::size_t classes) {
  std::size_t index = 0;
  const char* end = key.data() + key.size();
  const auto [next, problem] = std::from_chars(key.data(), end, index);
  if (problem != std::errc() || next != end || index >= classes || key != std::to_string(index)) {
    fail(ErrorCode::invalid_model, "label {} is no class index of 0..{}", json(key).dump(-1, ' ', true),
         classes - 1);
  }
  return index;
}

std::string class_name(const std::string& key, const json& value) {
  if (value.is_string()) return value.get<std::string>();
  if (value.is_array() && value.size() == 2 && value[1].is_string()) return value[1].get<std::string>();
  fail(ErrorCode::invalid_model, "label '{}' is neither a name nor [id, name]", key);
}

}  // namespace

std::vector<std::string> parse_json_labels(std::string_view text) {
  const json all = json::parse(text, nullptr, false);
  if (all.is_discarded()) fail(ErrorCode::invalid_model, "labels: not JSON");
  if (!all.is_object() || all.empty())
    fail(ErrorCode::invalid_model, "labels: expected an object of class indices");
  std::vector<std::string> names(all.size());
  for (const auto& [key, value] : all.items()) names[class_index(key, names.size())] = class_name(key, value);
  return names;
}

std::vector<std::string> parse_text_labels(std::string_view text) {
  std::vector<std::string> names;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (line.empty()) fail(ErrorCode::invalid_model, "labels: line {} is empty", names.size() + 1);
    const auto is_control = [](char c) { return static_cast<unsigned char>(c) < ' ' && c != '\t'; };
    if (std::any_of(line.begin(), line.end(), is_control)) {
      fail(ErrorCode::invalid_model, "labels: line {} is not text", names.size() + 1);
    }
    names.emplace_back(line);
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  if (names.empty()) fail(ErrorCode::invalid_model, "labels: the file is empty");
  return names;
}

std::vector<std::string> read_labels(const std::filesystem::path& path) {
  const MappedFile file(path);
  const std::string_view text(reinterpret_cast<const char*>(file.bytes().data()), file.bytes().size());
  try {
    const std::size_t first = text.find_first_not_of(" \t\r\n");
    const bool is_json = first != std::string_view::npos && text[first] == '{';
    return is_json ? parse_json_labels(text) : parse_text_labels(text);
  } catch (const Error& error) {
    throw error.within(path.string());
  }
}

}  // namespace octavo
