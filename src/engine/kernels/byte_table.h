#pragma once
#include <cstring>

#include "engine/kernels/kernel.h"
#include "engine/kernels/table_u8.h"

namespace octavo {

/// y[i] = table[x[i]] for `count` bytes a unit of batch.
class ByteTable final : public Prepared {
 public:
  ByteTable(std::int64_t count, TableU8Run run_table, const std::uint8_t (&table)[256])
      : count_(count), run_(run_table) {
    std::memcpy(table_, table, sizeof table_);
  }

  [[nodiscard]] std::optional<Reach> reach(Share share) const override {
    const auto range = share.of(count_);
    const ByteRange bytes{range.begin, range.end};
    return Reach{bytes, {bytes}};
  }

  void run(const KernelArgs& args, Share share) const noexcept override {
    const auto range = share.of(count_ * args.batch);
    run_(table_, reinterpret_cast<const std::uint8_t*>(args.inputs[0]) + range.begin,
         reinterpret_cast<std::uint8_t*>(args.output) + range.begin, range.end - range.begin);
  }

 private:
  std::int64_t count_;
  TableU8Run run_;
  std::uint8_t table_[256];
};

}  // namespace octavo
