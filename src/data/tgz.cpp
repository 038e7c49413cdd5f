#include "data/tgz.h"

#include <archive.h>
#include <archive_entry.h>

#include <cerrno>
#include <memory>

#include "base/atomic_file.h"
#include "base/fail.h"
#include "base/streamed_file.h"

namespace octavo {
namespace {

struct FreeArchive {
  void operator()(archive* tar) const noexcept { archive_write_free(tar); }
};
using Tar = std::unique_ptr<archive, FreeArchive>;
struct FreeEntry {
  void operator()(archive_entry* entry) const noexcept { archive_entry_free(entry); }
};
using Entry = std::unique_ptr<archive_entry, FreeEntry>;

/// Exceptions do not pass through libarchive: the text does.
la_ssize_t write_part(archive* tar, void* file, const void* data, std::size_t size) {
  try {
    static_cast<AtomicFile*>(file)->write({static_cast<const std::byte*>(data), size});
    return static_cast<la_ssize_t>(size);
  } catch (const std::exception& e) {
    archive_set_error(tar, EIO, "%s", e.what());
    return -1;
  }
}

void require(archive* tar, la_ssize_t result) {
  if (result >= ARCHIVE_OK) return;
  const char* why = archive_error_string(tar);
  fail(ErrorCode::io, "{}", why == nullptr ? "an archive cannot be written" : why);
}

/// Takes the bytes of the archive's members one piece after the other.
using Take = std::function<void(std::span<const std::byte>)>;

void add_header(archive* tar, const TgzMember& member, std::int64_t size) {
  const Entry entry(archive_entry_new());
  archive_entry_set_pathname(entry.get(), member.name.c_str());
  archive_entry_set_filetype(entry.get(), AE_IFREG);
  archive_entry_set_perm(entry.get(), member.is_program ? 0755 : 0644);
  archive_entry_set_size(entry.get(), size);
  archive_entry_set_mtime(entry.get(), 0, 0);
  require(tar, archive_write_header(tar, entry.get()));
}

void add(archive* tar, const TgzMember& member, const Take& take) {
  if (member.file.empty()) {
    add_header(tar, member, std::ssize(member.bytes));
    return take(member.bytes);
  }
  const StreamedFile file(member.file);
  add_header(tar, member, file.size());
  file.read_all(take);
}

}  // namespace

void write_tgz(const std::filesystem::path& path, std::span<const TgzMember> members,
               const std::function<void(std::int64_t bytes)>& progress) {
  AtomicFile file(path);
  const Tar tar(archive_write_new());
  if (tar == nullptr) fail(ErrorCode::io, "no memory to write '{}'", path.string());
  require(tar.get(), archive_write_set_format_pax_restricted(tar.get()));
  require(tar.get(), archive_write_add_filter_gzip(tar.get()));
  require(tar.get(), archive_write_set_options(tar.get(), "gzip:!timestamp"));
  require(tar.get(), archive_write_open(tar.get(), &file, nullptr, write_part, nullptr));
  std::int64_t done = 0;
  const Take take = [&](std::span<const std::byte> bytes) {
    require(tar.get(), archive_write_data(tar.get(), bytes.data(), bytes.size()));
    done += std::ssize(bytes);
    if (progress) progress(done);
  };
  for (const TgzMember& member : members) add(tar.get(), member, take);
  require(tar.get(), archive_write_close(tar.get()));
  file.commit();
}

}  // namespace octavo
