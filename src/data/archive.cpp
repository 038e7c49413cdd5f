#include <archive.h>
#include <archive_entry.h>

#include <algorithm>
#include <array>
#include <map>
#include <memory>
#include <utility>

#include "base/fail.h"
#include "base/mapped_file.h"
#include "data/dataset.h"
#include "data/picture_names.h"

namespace octavo {
namespace {

/// Pictures are packed already, so an archive of them hardly shrinks; one of flat PNGs stays below this.
constexpr std::size_t kMostRatio = 100;
constexpr std::size_t kSmallArchive = std::size_t{64} << 20U;

struct FreeArchive {
  void operator()(archive* tar) const noexcept { archive_read_free(tar); }
};
using Tar = std::unique_ptr<archive, FreeArchive>;

std::string problem_of(archive* tar) {
  const char* text = archive_error_string(tar);
  return text == nullptr ? "not a tar archive" : text;
}

Tar open_tar(std::span<const std::byte> bytes) {
  Tar tar(archive_read_new());
  if (tar == nullptr) fail(ErrorCode::io, "no memory to read an archive");
  archive_read_support_filter_gzip(tar.get());
  archive_read_support_filter_bzip2(tar.get());
  archive_read_support_filter_xz(tar.get());
  archive_read_support_format_tar(tar.get());
  if (archive_read_open_memory(tar.get(), bytes.data(), bytes.size()) != ARCHIVE_OK) {
    fail(ErrorCode::invalid_model, "damaged archive: {}", problem_of(tar.get()));
  }
  return tar;
}

/// What has been unpacked so far, members that are not kept included.
class Budget {
 public:
  explicit Budget(std::size_t archive_bytes)
      : limit_(std::min(kMostArchiveBytes, std::max(kSmallArchive, archive_bytes * kMostRatio))) {}

  void take(std::size_t bytes) {
    if (bytes > limit_ - used_) {
      fail(ErrorCode::invalid_model, "the archive unpacks to more than {} bytes", limit_);
    }
    used_ += bytes;
  }

 private:
  std::size_t limit_;
  std::size_t used_ = 0;
};

/// The current member's bytes. Its declared size is not trusted: memory grows with what really comes.
std::vector<std::byte> read_member(archive* tar, Budget& budget) {
  std::vector<std::byte> bytes;
  std::array<std::byte, 65536> part{};
  while (true) {
    const auto got = archive_read_data(tar, part.data(), part.size());
    if (got < 0) fail(ErrorCode::invalid_model, "damaged archive: {}", problem_of(tar));
    if (got == 0) return bytes;
    budget.take(static_cast<std::size_t>(got));
    bytes.insert(bytes.end(), part.begin(), part.begin() + got);
  }
}

/// The bytes as stored where the locale allows it, else UTF-8.
std::string path_of(archive_entry* entry) {
  const char* path = archive_entry_pathname(entry);
  if (path == nullptr) path = archive_entry_pathname_utf8(entry);
  return path == nullptr ? "" : path;
}

/// CLASS of …/CLASS/NAME.
std::string class_of(const std::string& path) {
  const std::size_t name = path.rfind('/');
  if (name == std::string::npos || name == 0) {
    fail(ErrorCode::invalid_model, "archive member '{}' lies in no class folder", path);
  }
  const std::size_t above = path.rfind('/', name - 1);
  const std::size_t start = above == std::string::npos ? 0 : above + 1;
  return path.substr(start, name - start);
}

/// Pictures by path, which sorts them.
std::map<std::string, std::vector<std::byte>> read_pictures(archive* tar, Budget& budget) {
  std::map<std::string, std::vector<std::byte>> pictures;
  archive_entry* entry = nullptr;
  while (true) {
    const int code = archive_read_next_header(tar, &entry);
    if (code == ARCHIVE_EOF) return pictures;
    if (code < ARCHIVE_WARN) fail(ErrorCode::invalid_model, "damaged archive: {}", problem_of(tar));
    constexpr std::size_t kHeaderBytes = 512;
    budget.take(kHeaderBytes);
    const std::string path = path_of(entry);
    std::vector<std::byte> bytes = read_member(tar, budget);
    if (archive_entry_filetype(entry) != AE_IFREG || !is_picture_name(path)) continue;
    if (!pictures.emplace(path, std::move(bytes)).second) {
      fail(ErrorCode::invalid_model, "archive member '{}' occurs twice", path);
    }
  }
}

std::vector<DatasetItem> items_of(std::map<std::string, std::vector<std::byte>> pictures) {
  std::map<std::string, std::int64_t> labels;
  for (const auto& [path, bytes] : pictures) labels.emplace(class_of(path), 0);
  std::int64_t next = 0;
  for (auto& [name, label] : labels) label = next++;
  std::vector<DatasetItem> items;
  for (auto& [path, bytes] : pictures) items.push_back({path, labels.at(class_of(path)), std::move(bytes)});
  return items;
}

}  // namespace

Dataset open_archive(const std::filesystem::path& path) {
  const MappedFile file(path);
  try {
    const Tar tar = open_tar(file.bytes());
    Budget budget(file.bytes().size());
    std::vector<DatasetItem> items = items_of(read_pictures(tar.get(), budget));
    if (items.empty()) fail(ErrorCode::invalid_argument, "the archive holds no picture");
    return {{}, std::move(items)};
  } catch (const Error& error) {
    throw error.within(path.string());
  }
}

}  // namespace octavo
