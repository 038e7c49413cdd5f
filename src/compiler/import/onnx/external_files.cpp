#include "compiler/import/onnx/external_files.h"

#include <algorithm>
#include <charconv>

#include "base/fail.h"

namespace octavo::onnx_import {
namespace {

namespace fs = std::filesystem;

struct Place {
  std::string location;
  std::size_t offset = 0;
  std::size_t length = std::string::npos;
};

std::size_t parse_size(const std::string& key, const std::string& text) {
  std::size_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) {
    fail(ErrorCode::invalid_model, "external data '{}' is '{}', expected a number of bytes", key, text);
  }
  return value;
}

Place read_place(const onnx::TensorProto& tensor) {
  Place place;
  for (const auto& entry : tensor.external_data()) {
    if (entry.key() == "location") place.location = entry.value();
    if (entry.key() == "offset") place.offset = parse_size("offset", entry.value());
    if (entry.key() == "length") place.length = parse_size("length", entry.value());
  }
  if (place.location.empty()) fail(ErrorCode::invalid_model, "external data without a location");
  return place;
}

[[noreturn]] void escapes(const std::string& location) {
  fail(ErrorCode::invalid_model, "external data file '{}' is outside the model's folder", location);
}

/// Where `location` really is, which must be inside `folder`.
fs::path resolve(const fs::path& folder, const std::string& location) {
  const fs::path relative(location);
  if (relative.is_absolute() || location.find('\0') != std::string::npos) escapes(location);
  if (std::any_of(relative.begin(), relative.end(), [](const fs::path& part) { return part == ".."; })) {
    escapes(location);
  }
  std::error_code error;
  const fs::path root = fs::canonical(folder, error);
  const fs::path real = error ? fs::path() : fs::canonical(root / relative, error);
  if (error) {
    fail(ErrorCode::io, "cannot open external data file '{}': {}", (folder / relative).string(),
         error.message());
  }
  const auto [in_root, in_real] = std::mismatch(root.begin(), root.end(), real.begin(), real.end());
  if (in_root != root.end() || in_real == real.end()) escapes(location);
  return real;
}

void check_folder(const fs::path& folder, const Place& place) {
  if (folder.empty()) {
    fail(ErrorCode::unsupported, "external data file '{}' of a model that is not read from a folder",
         place.location);
  }
}

/// The length, after checking that the place lies in its file.
std::size_t checked_length(const Place& place, std::size_t file_bytes) {
  const std::size_t length = place.length == std::string::npos && place.offset <= file_bytes
                                 ? file_bytes - place.offset
                                 : place.length;
  if (place.offset > file_bytes || length > file_bytes - place.offset) {
    fail(ErrorCode::invalid_model, "external data at offset {}, length {} of '{}', which has {} bytes",
         place.offset, length, place.location, file_bytes);
  }
  return length;
}

}  // namespace

std::span<const std::byte> ExternalFiles::file(const std::string& location) {
  const auto known = files_.find(location);
  if (known != files_.end()) return known->second.bytes();
  const auto added = files_.emplace(location, MappedFile(resolve(folder_, location))).first;
  mapped_bytes_ += added->second.bytes().size();
  return added->second.bytes();
}

std::span<const std::byte> ExternalFiles::bytes(const onnx::TensorProto& tensor) {
  const Place place = read_place(tensor);
  check_folder(folder_, place);
  const auto all = file(place.location);
  return all.subspan(place.offset, checked_length(place, all.size()));
}

ExternalPlace ExternalFiles::place(const onnx::TensorProto& tensor) const {
  const Place place = read_place(tensor);
  check_folder(folder_, place);
  fs::path path = resolve(folder_, place.location);
  std::error_code error;
  const auto file_bytes = fs::file_size(path, error);
  if (error) fail(ErrorCode::io, "cannot read '{}': {}", path.string(), error.message());
  const std::size_t length = checked_length(place, file_bytes);
  return {std::move(path), static_cast<std::int64_t>(place.offset), static_cast<std::int64_t>(length)};
}

}  // namespace octavo::onnx_import
