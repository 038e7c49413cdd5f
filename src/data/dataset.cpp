#include "data/dataset.h"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <set>
#include <system_error>
#include <utility>

#include "base/fail.h"
#include "data/decode.h"
#include "data/picture_names.h"

namespace octavo {
namespace {

namespace fs = std::filesystem;

/// Regular files (or folders) directly in `folder`, by name. Hidden ones are left out.
std::vector<std::string> sorted_names(const fs::path& folder, bool (*wanted)(const fs::directory_entry&)) {
  std::vector<std::string> names;
  std::error_code problem;
  fs::directory_iterator at(folder, problem);
  for (; !problem && at != fs::directory_iterator(); at.increment(problem)) {
    std::string name = at->path().filename().string();
    if (!name.starts_with('.') && wanted(*at)) names.push_back(std::move(name));
  }
  if (problem) fail(ErrorCode::io, "cannot read folder '{}': {}", folder.string(), problem.message());
  std::sort(names.begin(), names.end());
  return names;
}

bool is_folder(const fs::directory_entry& entry) {
  std::error_code ignored;
  return entry.is_directory(ignored);
}

/// A link that leads nowhere counts: it is reported when it is read. A pipe does not: opening one would wait
/// for ever.
bool is_picture_file(const fs::directory_entry& entry) {
  std::error_code ignored;
  const fs::file_type type = entry.status(ignored).type();
  return (type == fs::file_type::regular || type == fs::file_type::not_found) &&
         is_picture_name(entry.path().filename().string());
}

/// 12 of "012_anything"; nothing without digits followed by '_'.
std::optional<std::int64_t> label_in_name(const std::string& name) {
  std::int64_t label = 0;
  const char* end = name.data() + name.size();
  const auto [next, problem] = std::from_chars(name.data(), end, label);
  if (problem != std::errc() || label < 0 || next == end || *next != '_') return std::nullopt;
  return label;
}

}  // namespace

Dataset::Dataset(fs::path folder, std::vector<DatasetItem> items)
    : folder_(std::move(folder)), items_(std::move(items)) {}

DecodedPicture Dataset::picture(std::size_t i) const {
  const DatasetItem& item = items_.at(i);
  try {
    return {item.bytes ? decode_image(*item.bytes) : read_image(folder_ / item.name), {}};
  } catch (const Error& error) {
    return {std::nullopt, item.bytes ? error.within(item.name).what() : error.what()};
  }
}

Dataset open_photos(const fs::path& folder) {
  std::vector<DatasetItem> items;
  for (const std::string& name : sorted_names(folder, is_picture_file)) {
    items.push_back({name, label_in_name(name), std::nullopt});
  }
  if (items.empty()) fail(ErrorCode::invalid_argument, "folder '{}' holds no picture", folder.string());
  return {folder, std::move(items)};
}

Dataset open_class_folders(const fs::path& folder) {
  std::vector<DatasetItem> items;
  std::int64_t label = 0;
  for (const std::string& name : sorted_names(folder, is_folder)) {
    for (const std::string& file : sorted_names(folder / name, is_picture_file)) {
      items.push_back({name + "/" + file, label, std::nullopt});
    }
    ++label;
  }
  if (items.empty()) fail(ErrorCode::invalid_argument, "folder '{}' holds no picture", folder.string());
  std::sort(items.begin(), items.end(), [](const auto& a, const auto& b) { return a.name < b.name; });
  return {folder, std::move(items)};
}

Dataset open_dataset(const fs::path& path) {
  std::error_code problem;
  if (!fs::is_directory(path, problem)) return open_archive(path);
  return sorted_names(path, is_picture_file).empty() ? open_class_folders(path) : open_photos(path);
}

}  // namespace octavo
