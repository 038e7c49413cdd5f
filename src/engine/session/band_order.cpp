#include "engine/session/band_order.h"

#include <algorithm>

namespace octavo {
namespace {

bool overlap(const ByteRange& a, const ByteRange& b) {
  return std::max(a.begin, b.begin) < std::min(a.end, b.end);
}

bool writes_what_is_read(const BandBytes& writer, const BandBytes& reader) {
  return std::any_of(reader.read.begin(), reader.read.end(),
                     [&](const ByteRange& read) { return overlap(writer.written, read); });
}

/// Whether the order of two bands matters.
bool depend(const BandBytes& a, const BandBytes& b) {
  return overlap(a.written, b.written) || writes_what_is_read(a, b) || writes_what_is_read(b, a);
}

/// An order under way.
class Order {
 public:
  Order(std::span<const std::vector<BandBytes>> steps, std::size_t first) : steps_(steps), first_(first) {
    for (const std::vector<BandBytes>& bands : steps) is_done_.emplace_back(bands.size());
  }

  /// Bands of earlier steps that depend on it, then the band itself.
  void add(std::size_t step, std::size_t band) {
    if (is_done_[step][band]) return;
    for (std::size_t s = 0; s < step; ++s) {
      for (std::size_t b = 0; b < steps_[s].size(); ++b) {
        if (!is_done_[s][b] && depend(steps_[s][b], steps_[step][band])) add(s, b);
      }
    }
    is_done_[step][band] = true;
    order_.push_back({first_ + step, static_cast<int>(band), static_cast<int>(steps_[step].size())});
  }
  void add_all() {
    for (std::size_t step = steps_.size(); step-- > 0;) {
      for (std::size_t band = 0; band < steps_[step].size(); ++band) add(step, band);
    }
  }
  [[nodiscard]] std::vector<BandStep> take() { return std::move(order_); }

 private:
  std::span<const std::vector<BandBytes>> steps_;
  std::size_t first_;
  std::vector<std::vector<bool>> is_done_;
  std::vector<BandStep> order_;
};

}  // namespace

std::vector<BandStep> band_order(std::span<const std::vector<BandBytes>> steps, std::size_t first) {
  Order order(steps, first);
  order.add_all();
  return order.take();
}

}  // namespace octavo
