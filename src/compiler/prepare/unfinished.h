#pragma once
#include <filesystem>
#include <set>

#include "package/dlrm_package.h"

namespace octavo {

/// A package in the making: what it is to be, and which tables are finished. Kept in `unfinished.json` of its
/// folder, rewritten whole after every table.
class UnfinishedPackage {
 public:
  /// Takes the folder for this process, and up what an earlier run left there. `wanted` says what the package
  /// is to be; its tables' scales, codebooks and checksums are those of the finished tables.
  /// Error(invalid_argument) when the folder holds anything else, or another process has it.
  explicit UnfinishedPackage(DlrmPackage wanted);
  UnfinishedPackage(const UnfinishedPackage&) = delete;
  UnfinishedPackage& operator=(const UnfinishedPackage&) = delete;
  ~UnfinishedPackage();

  [[nodiscard]] const DlrmPackage& package() const noexcept { return package_; }
  /// Whether the folder holds the wanted package, manifest and all.
  [[nodiscard]] bool is_whole() const noexcept { return is_whole_; }
  [[nodiscard]] bool has(std::size_t table) const { return done_.contains(table); }
  /// Table t's file stands under its final name.
  void finish(std::size_t t, const DlrmTable& table);
  /// All tables are there: writes the layers and the manifest, and forgets that it was unfinished.
  void finish_all();

 private:
  void lock();
  void take_up();
  void save() const;

  DlrmPackage package_;
  std::set<std::size_t> done_;
  bool is_whole_ = false;
  int lock_ = -1;
};

}  // namespace octavo
