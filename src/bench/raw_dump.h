#pragma once
#include <condition_variable>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace octavo::bench {

/// Streams every latency to a text file while a measurement runs: `#` lines of facts, a header, then lines of
/// point, instance, begin_ns, latency_ns, items. The threads that measure hand over blocks; a thread of its
/// own writes them.
class RawDump {
 public:
  struct Record {
    std::int32_t instance = 0;
    std::int64_t begin_ns = 0;  ///< of the steady clock; in a server scenario the arrival
    std::int64_t latency_ns = 0;
    std::int64_t items = 0;
  };

  /// Makes the file. Error(io) with the path when that is not possible.
  RawDump(std::filesystem::path path, const std::string& facts);
  RawDump(const RawDump&) = delete;
  RawDump& operator=(const RawDump&) = delete;
  ~RawDump();

  /// Later records belong to the point of this number.
  void begin_point(int point);
  /// Takes the records over and leaves an empty block. Thread-safe.
  void write(std::vector<Record>& block);
  /// Waits until everything is in the file. Error(io) when it could not be written.
  void finish();

 private:
  struct Block {
    int point;
    std::vector<Record> records;
  };
  void work();

  std::filesystem::path path_;
  std::FILE* file_ = nullptr;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<Block> waiting_;
  int point_ = 0;
  bool is_ending_ = false;
  bool has_failed_ = false;
  std::thread writer_;
};

/// The records of one thread on their way to a dump; to none when `dump` is null.
class RawBlock {
 public:
  explicit RawBlock(RawDump* dump) : dump_(dump) {
    if (dump_ != nullptr) records_.reserve(kRecords);
  }
  RawBlock(const RawBlock&) = delete;
  RawBlock& operator=(const RawBlock&) = delete;
  ~RawBlock() { flush(); }

  void add(const RawDump::Record& record) {
    if (dump_ == nullptr) return;
    records_.push_back(record);
    if (records_.size() >= kRecords) flush();
  }

 private:
  static constexpr std::size_t kRecords = 4096;
  void flush() {
    if (dump_ != nullptr && !records_.empty()) dump_->write(records_);
  }

  RawDump* dump_;
  std::vector<RawDump::Record> records_;
};

}  // namespace octavo::bench
