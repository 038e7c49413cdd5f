#include "bench/raw_dump.h"

#include <cerrno>
#include <cstring>

#include "base/fail.h"

namespace octavo::bench {

RawDump::RawDump(std::filesystem::path path, const std::string& facts) : path_(std::move(path)) {
  file_ = std::fopen(path_.c_str(), "we");
  if (file_ == nullptr) fail(ErrorCode::io, "cannot write '{}': {}", path_.string(), std::strerror(errno));
  fmt::print(file_, "{}point,instance,begin_ns,latency_ns,items\n", facts);
  writer_ = std::thread([this] { work(); });
}

RawDump::~RawDump() {
  try {
    finish();
  } catch (const Error&) {  // who wants to know calls finish
  }
}

void RawDump::begin_point(int point) {
  const std::lock_guard lock(mutex_);
  point_ = point;
}

void RawDump::write(std::vector<Record>& block) {
  const std::size_t size = block.size();
  {
    const std::lock_guard lock(mutex_);
    waiting_.push_back({point_, std::move(block)});
  }
  changed_.notify_one();
  block = {};
  block.reserve(size);
}

void RawDump::work() {
  std::unique_lock lock(mutex_);
  while (!is_ending_ || !waiting_.empty()) {
    changed_.wait(lock, [&] { return is_ending_ || !waiting_.empty(); });
    std::vector<Block> blocks;
    blocks.swap(waiting_);
    lock.unlock();
    std::string text;
    for (const Block& block : blocks) {
      for (const Record& r : block.records) {
        fmt::format_to(std::back_inserter(text), "{},{},{},{},{}\n", block.point, r.instance, r.begin_ns,
                       r.latency_ns, r.items);
      }
    }
    const bool is_written = std::fwrite(text.data(), 1, text.size(), file_) == text.size();
    lock.lock();
    has_failed_ = has_failed_ || !is_written;
  }
}

void RawDump::finish() {
  if (file_ == nullptr) return;
  {
    const std::lock_guard lock(mutex_);
    is_ending_ = true;
  }
  changed_.notify_one();
  writer_.join();
  const bool is_closed = std::fclose(std::exchange(file_, nullptr)) == 0;
  if (has_failed_ || !is_closed) fail(ErrorCode::io, "cannot write all of '{}'", path_.string());
}

}  // namespace octavo::bench
