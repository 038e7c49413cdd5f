#pragma once
#include <cstdint>
#include <functional>
#include <memory>
#include <utility>
#include <vector>

namespace octavo::bench {

/// Where an instance runs.
struct Place {
  int threads = 1;
  std::vector<int> cpus;  ///< one for each thread; empty = wherever the system puts them
};

/// A session's options with the threads and CPUs of `place`.
template <class Options>
Options placed(Options options, const Place& place) {
  options.threads = place.threads;
  options.cpus = place.cpus;
  return options;
}

/// What every measurement measures: one instance of a model, which scores samples of a fixed set. One thread
/// at a time calls it.
class Instance {
 public:
  explicit Instance(Place place) : place_(std::move(place)) {}
  Instance(const Instance&) = delete;
  Instance& operator=(const Instance&) = delete;
  virtual ~Instance() = default;

  /// Scores `count` samples of the set, from number `first` on; numbers beyond its end stand for its
  /// beginning again. Returns the items scored: pictures, or the pairs that a recommendation sample is made
  /// of.
  virtual std::int64_t run(std::int64_t first, std::int64_t count) = 0;

  [[nodiscard]] const Place& place() const noexcept { return place_; }

 private:
  Place place_;
};
using Instances = std::vector<std::unique_ptr<Instance>>;

/// Makes an instance at a place.
using StartInstance = std::function<std::unique_ptr<Instance>(const Place&)>;

}  // namespace octavo::bench
