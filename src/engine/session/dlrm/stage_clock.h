#pragma once
#include <cstdint>
#include <vector>

#include "base/clock.h"
#include "octavo/session.h"

namespace octavo {

/// One thread's record of a traced run. Every chunk passes the stages of DlrmSession::stages in their order,
/// so a pipeline only says when each is done.
class StageClock {
 public:
  /// Room for `most` events, so that recording them asks for no memory.
  StageClock(std::int32_t thread, std::size_t most) : thread_(thread) { events_.reserve(most); }

  void begin_chunk() noexcept {
    stage_ = 0;
    gathered_ns_ = 0;
    begin_ns_ = now_ns();
  }
  /// The stage in course is done, and the next one begins.
  void done() noexcept { add(now_ns()); }
  /// So much of the stage in course was gathering.
  void add_gathered(std::int64_t ns) noexcept { gathered_ns_ += ns; }
  /// The gathers and the interaction are done. They take turns, a few samples at a time; the record has them
  /// one after the other, each as long as all its turns.
  void done_interacting() noexcept {
    const std::int64_t end = now_ns();
    add(begin_ns_ + gathered_ns_);
    add(end);
  }

  [[nodiscard]] const std::vector<StepEvent>& events() const noexcept { return events_; }

 private:
  void add(std::int64_t end_ns) noexcept {
    events_.push_back({stage_++, thread_, begin_ns_, end_ns, end_ns});
    begin_ns_ = end_ns;
  }

  std::vector<StepEvent> events_;
  std::int64_t begin_ns_ = 0, gathered_ns_ = 0;
  std::int32_t thread_, stage_ = 0;
};

/// While it lives, a traced chunk is gathering. Without a clock nothing is timed.
class Gathering {
 public:
  explicit Gathering(StageClock* clock) noexcept
      : clock_(clock), begin_ns_(clock != nullptr ? now_ns() : 0) {}
  Gathering(const Gathering&) = delete;
  Gathering& operator=(const Gathering&) = delete;
  ~Gathering() {
    if (clock_ != nullptr) clock_->add_gathered(now_ns() - begin_ns_);
  }

 private:
  StageClock* clock_;
  std::int64_t begin_ns_;
};

}  // namespace octavo
