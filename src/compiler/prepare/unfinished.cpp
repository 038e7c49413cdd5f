#include "compiler/prepare/unfinished.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <nlohmann/json.hpp>

#include "base/atomic_file.h"
#include "base/fail.h"
#include "base/mapped_file.h"
#include "base/streamed_file.h"
#include "package/dlrm_manifest.h"

namespace octavo {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::string_view kStateFile = "unfinished.json";

/// Whether two packages are to hold the same: all but what is learned while tables are written.
bool are_same(const DlrmPackage& a, const DlrmPackage& b) {
  const auto same_table = [](const DlrmTable& x, const DlrmTable& y) {
    return x.rows == y.rows && x.format == y.format;
  };
  return a.provenance.source == b.provenance.source &&
         a.provenance.source_bytes == b.provenance.source_bytes && print(a.model) == print(b.model) &&
         std::equal(a.model.tables.begin(), a.model.tables.end(), b.model.tables.begin(),
                    b.model.tables.end(), same_table);
}

[[noreturn]] void refuse(const DlrmPackage& wanted, std::string_view kind, const DlrmPackage& found) {
  fail(ErrorCode::invalid_argument,
       "'{}' holds {} of '{}' ({} bytes; {}), made of another source or with other row formats: remove it or "
       "choose another folder",
       wanted.folder.string(), kind, found.provenance.source, found.provenance.source_bytes,
       print(found.model));
}

bool has_size(const std::filesystem::path& path, std::int64_t bytes) {
  std::error_code error;
  const auto found = std::filesystem::file_size(path, error);
  return !error && static_cast<std::int64_t>(found) == bytes;
}

/// What a killed run was writing, and nobody will finish.
void remove_partial_files(const std::filesystem::path& folder) {
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(folder, error)) {
    if (entry.path().filename().string().find(".partial-") != std::string::npos) {
      std::filesystem::remove(entry.path(), error);
    }
  }
}

/// A calibration that came with the source, of its rows: those of a table with one scale may have been
/// clipped since, and so its single rows are. What bags of several rows may be is not known.
void clip_calibration(DlrmModel& model) {
  if (!model.calibration || model.calibration->largest_bag != 1) return;
  for (std::size_t t = 0; t < model.tables.size(); ++t) {
    if (!has_table_scale(model.tables[t].format)) continue;
    const float largest = 127 * model.tables[t].scale;
    ValueRange& range = model.calibration->embeddings[t];
    range = {std::clamp(range.min, -largest, largest), std::clamp(range.max, -largest, largest)};
  }
}

}  // namespace

UnfinishedPackage::UnfinishedPackage(DlrmPackage wanted) : package_(std::move(wanted)) {
  make_folder(package_.folder / "tables");
  lock();
  try {
    take_up();
  } catch (...) {
    ::close(lock_);
    throw;
  }
}

UnfinishedPackage::~UnfinishedPackage() { ::close(lock_); }

void UnfinishedPackage::lock() {
  lock_ = ::open(package_.folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (lock_ < 0) {
    fail(ErrorCode::io, "cannot open '{}': {}", package_.folder.string(), std::strerror(errno));
  }
  if (::flock(lock_, LOCK_EX | LOCK_NB) != 0) {
    ::close(lock_);
    fail(ErrorCode::invalid_argument, "another process is preparing '{}'", package_.folder.string());
  }
}

void UnfinishedPackage::take_up() {
  const std::filesystem::path path = package_.folder / kStateFile;
  for (const char* part : {".", "tables", "weights"}) remove_partial_files(package_.folder / part);
  if (is_package_folder(package_.folder)) {
    DlrmPackage found = open_dlrm_package(package_.folder);
    if (!are_same(found, package_)) refuse(package_, "a package", found);
    std::filesystem::remove(path);
    package_ = std::move(found);
    is_whole_ = true;
    return;
  }
  if (!std::filesystem::exists(path)) return;
  const MappedFile file(path);
  const std::string_view text(reinterpret_cast<const char*>(file.bytes().data()), file.bytes().size());
  try {
    const Json json = Json::parse(text);
    DlrmManifest manifest = parse_dlrm_manifest(json.at("manifest").dump());
    const DlrmPackage found{
        package_.folder, std::move(manifest.model), std::move(manifest.provenance), {}, {}};
    if (!are_same(found, package_)) refuse(package_, "an unfinished package", found);
    package_.model.tables = found.model.tables;
    for (const Json& t : json.at("done")) {
      const auto table = t.get<std::size_t>();
      if (has_size(package_.table_path(table), table_bytes(package_.model, table))) done_.insert(table);
    }
  } catch (const nlohmann::json::exception& e) {
    fail(ErrorCode::invalid_model, "'{}': {}", path.string(), e.what());
  }
}

void UnfinishedPackage::finish(std::size_t t, const DlrmTable& table) {
  package_.model.tables.at(t) = table;
  done_.insert(t);
  save();
}

void UnfinishedPackage::save() const {
  Json json;
  json["manifest"] = Json::parse(dlrm_manifest_json({package_.model, package_.provenance, {}}));
  json["done"] = done_;
  const std::string text = json.dump(1) + "\n";
  AtomicFile file(package_.folder / kStateFile);
  file.write(std::as_bytes(std::span(text)));
  file.commit();
}

void UnfinishedPackage::finish_all() {
  clip_calibration(package_.model);
  write_dlrm_layers(package_.folder, package_.bottom, package_.top);
  write_dlrm_manifest(package_);
  std::filesystem::remove(package_.folder / kStateFile);
  is_whole_ = true;
}

}  // namespace octavo
