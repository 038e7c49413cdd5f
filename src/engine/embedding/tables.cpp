#include "engine/embedding/tables.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <exception>
#include <thread>

#include "base/fail.h"

namespace octavo {
namespace {

constexpr std::int64_t kPage = 4096;
/// What one thread reads at a time.
constexpr std::int64_t kReadBytes = 16 * 1024 * 1024;

std::vector<std::int64_t> offsets_of(const DlrmModel& model) {
  std::vector<std::int64_t> offsets{0};
  for (std::size_t t = 0; t < model.tables.size(); ++t)
    offsets.push_back(offsets.back() + (table_bytes(model, t) + kPage - 1) / kPage * kPage);
  return offsets;
}

double gigabytes(std::int64_t bytes) { return static_cast<double>(bytes) * 1e-9; }

/// Part of a table file.
struct Piece {
  std::size_t table;
  std::int64_t offset;
  std::int64_t bytes;
};

std::vector<Piece> pieces_of(const DlrmModel& model) {
  std::vector<Piece> pieces;
  for (std::size_t t = 0; t < model.tables.size(); ++t) {
    const std::int64_t bytes = table_bytes(model, t);
    for (std::int64_t offset = 0; offset < bytes; offset += kReadBytes)
      pieces.push_back({t, offset, std::min(kReadBytes, bytes - offset)});
  }
  return pieces;
}

void read_piece(const std::filesystem::path& path, const Piece& piece, std::byte* to) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) fail(ErrorCode::io, "cannot open '{}': {}", path.string(), std::strerror(errno));
  std::int64_t done = 0;
  ssize_t got = 1;
  while (done < piece.bytes && got > 0) {
    got = ::pread(fd, to + done, static_cast<std::size_t>(piece.bytes - done), piece.offset + done);
    if (got < 0 && errno == EINTR)
      got = 1;
    else
      done += std::max<ssize_t>(got, 0);
  }
  const int reason = errno;
  // The copy is ours now: the system need not keep another one.
  ::posix_fadvise(fd, piece.offset, piece.bytes, POSIX_FADV_DONTNEED);
  ::close(fd);
  if (got < 0) fail(ErrorCode::io, "cannot read '{}': {}", path.string(), std::strerror(reason));
  if (done < piece.bytes) fail(ErrorCode::io, "'{}' ends after {} bytes", path.string(), piece.offset + done);
}

/// Calls read(i) for i in 0 .. count - 1 from several threads; throws the first error.
template <class Read>
void in_parallel(std::size_t count, int threads, const Read& read) {
  std::atomic<std::size_t> next{0};
  std::vector<std::exception_ptr> errors(static_cast<std::size_t>(threads));
  const auto work = [&](std::size_t thread) {
    try {
      for (std::size_t i = next++; i < count; i = next++) read(i);
    } catch (...) {
      errors[thread] = std::current_exception();
      next = count;
    }
  };
  {
    std::vector<std::jthread> others;
    for (std::size_t i = 1; i < errors.size(); ++i) others.emplace_back(work, i);
    work(0);
  }
  for (const std::exception_ptr& error : errors) {
    if (error) std::rethrow_exception(error);
  }
}

}  // namespace

void check_memory(const DlrmModel& model, std::int64_t available) {
  const std::int64_t needed = all_table_bytes(model);
  if (needed <= available) return;
  std::string advice = "no row format would fit";
  for (int i = 0; i < kRowFormats; ++i) {
    const auto format = static_cast<RowFormat>(i);
    const std::int64_t bytes = all_table_bytes(model, format);
    if (bytes > available) continue;
    advice = fmt::format("as {} they would need {:.2f} GB", row_format_name(format), gigabytes(bytes));
    break;
  }
  fail(ErrorCode::io, "the tables of '{}' need {:.2f} GB of memory, {:.2f} GB are available: map them, or {}",
       model.name, gigabytes(needed), gigabytes(available), advice);
}

Tables::Tables(const DlrmModel& model, MemoryRegion (*make)(std::int64_t))
    : offsets_(offsets_of(model)), region_(make(offsets_.back())) {
  for (std::size_t t = 0; t < model.tables.size(); ++t) {
    const DlrmTable& table = model.tables[t];
    views_.push_back({{table.format, model.dim, table.scale, table.codebook}, table.rows, rows(t)});
  }
}

Tables Tables::zeros(const DlrmModel& model) {
  check_memory(model, available_memory());
  return {model, MemoryRegion::zeros};
}

Tables Tables::open(const DlrmPackage& package, TablePlace place, int threads) {
  const DlrmModel& model = package.model;
  if (place == TablePlace::memory) {
    Tables tables = zeros(model);
    const std::vector<Piece> pieces = pieces_of(model);
    in_parallel(pieces.size(), std::max(threads, 1), [&](std::size_t i) {
      const Piece& piece = pieces[i];
      read_piece(package.table_path(piece.table), piece, tables.rows(piece.table) + piece.offset);
    });
    return tables;
  }
  Tables tables(model, MemoryRegion::reserved);
  for (std::size_t t = 0; t < model.tables.size(); ++t) {
    tables.files_.push_back(package.table_path(t));
    tables.region_.map(tables.offsets_[t], tables.files_.back(), table_bytes(model, t));
  }
  tables.watch_ = std::make_unique<LostPageWatch>(tables.region_.data(), tables.region_.bytes());
  return tables;
}

void Tables::check_whole() const {
  if (watch_ == nullptr || watch_->lost() == nullptr) return;
  const std::int64_t lost = watch_->lost() - region_.data();
  const auto next = std::upper_bound(offsets_.begin(), offsets_.end(), lost);
  const std::filesystem::path& file = files_[static_cast<std::size_t>(next - offsets_.begin() - 1)];
  fail(ErrorCode::io, "'{}' was cut while it was in use: byte {} is gone", file.string(), lost - *(next - 1));
}

}  // namespace octavo
