#pragma once
#include <atomic>
#include <vector>

#include "bench/instance.h"

namespace octavo::bench {

/// How a pretended instance behaves.
struct Behaviour {
  std::int64_t run_us = 100;  ///< each run takes as long
  std::int64_t stall_us = 0;  ///< as long more, every
  int stall_every = 0;        ///< so many runs
  int fail_at = -1;           ///< the run that throws
  int stop_at = -1;           ///< the run that sets `stop`
  std::atomic<bool>* stop = nullptr;
  bool sleeps = false;  ///< instead of keeping its CPU busy
  /// How many instances run now, and the most that ever did.
  std::atomic<int>* running = nullptr;
  std::atomic<int>* most_running = nullptr;
};

/// An instance that takes a known time and remembers what it was asked for.
class Pretended : public Instance {
 public:
  struct Call {
    std::int64_t first, count;
  };

  explicit Pretended(const Behaviour& behaviour, Place place = {})
      : Instance(std::move(place)), behaviour_(behaviour) {}
  std::int64_t run(std::int64_t first, std::int64_t count) override;

  [[nodiscard]] const std::vector<Call>& calls() const { return calls_; }

 private:
  Behaviour behaviour_;
  std::vector<Call> calls_;
};

/// So many of them.
Instances pretended(int count, const Behaviour& behaviour);

}  // namespace octavo::bench
