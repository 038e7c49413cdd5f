#include "compiler/tune/isolated.h"

#include <fmt/format.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <csignal>
#include <cstdint>
#include <cstring>
#include <ctime>
#include <optional>

#include "base/fail.h"

namespace octavo {
namespace {

/// What the child tells: short enough that a pipe takes it whole.
struct Report {
  enum class Kind : std::int32_t { begins, time, failed, done } kind{};
  std::int32_t candidate = 0;
  double us = 0;
  char text[200] = "";
};

/// The child's side.
class Reporter {
 public:
  explicit Reporter(int fd) : fd_(fd) {}
  void begins(std::size_t candidate) const { send({Report::Kind::begins, number(candidate), 0, ""}); }
  void time(std::size_t candidate, double us) const { send({Report::Kind::time, number(candidate), us, ""}); }
  void done() const { send({Report::Kind::done, 0, 0, ""}); }
  void failed(std::size_t candidate, const char* why) const {
    Report report{Report::Kind::failed, number(candidate), 0, ""};
    std::strncpy(report.text, why, sizeof report.text - 1);
    send(report);
  }

 private:
  static std::int32_t number(std::size_t candidate) { return static_cast<std::int32_t>(candidate); }
  void send(const Report& report) const {
    if (::write(fd_, &report, sizeof report) != sizeof report) ::_exit(1);
  }
  int fd_;
};

double seconds_on(TrialClock clock) {
  timespec now{};
  ::clock_gettime(clock == TrialClock::thread ? CLOCK_THREAD_CPUTIME_ID : CLOCK_MONOTONIC, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

/// Microseconds of one run, the mean of as many as take `seconds` together, or of the first few where each is
/// prepared for.
double timed_us(const ReadyCandidate& candidate, double seconds, TrialClock clock) {
  constexpr int kMostRefreshed = 10;
  double passed = 0;
  int runs = 0;
  if (candidate.refresh) {
    do {
      candidate.refresh();
      const double begin = seconds_on(clock);
      candidate.run();
      passed += seconds_on(clock) - begin;
      ++runs;
    } while (passed < seconds && runs < kMostRefreshed);
    return passed * 1e6 / runs;
  }
  const double begin = seconds_on(clock);
  do {
    candidate.run();
    ++runs;
    passed = seconds_on(clock) - begin;
  } while (passed < seconds);
  return passed * 1e6 / runs;
}

struct Ready {
  std::size_t candidate;
  ReadyCandidate ready;
  double first_us;
};

std::vector<Ready> make_ready(std::span<const std::string> candidates, std::span<const std::size_t> which,
                              const PrepareCandidate& prepare, TrialClock clock, const Reporter& reporter) {
  std::vector<Ready> all;
  for (std::size_t c : which) {
    reporter.begins(c);
    try {
      ReadyCandidate ready = prepare(candidates[c]);
      const double first_us = timed_us(ready, 0, clock);
      all.push_back({c, std::move(ready), first_us});
    } catch (const std::exception& e) {
      reporter.failed(c, e.what());
    }
  }
  return all;
}

void measure_here(std::span<const std::string> candidates, std::span<const std::size_t> which,
                  const PrepareCandidate& prepare, const Timekeeping& timekeeping, const Reporter& reporter) {
  constexpr double kHopeless = 4;
  std::vector<Ready> all = make_ready(candidates, which, prepare, timekeeping.clock, reporter);
  double best = INFINITY;
  for (Ready& one : all) {
    reporter.begins(one.candidate);
    one.first_us = std::min(one.first_us, timed_us(one.ready, 0, timekeeping.clock));
    best = std::min(best, one.first_us);
  }
  for (int round = 0; round < timekeeping.rounds; ++round) {
    for (const Ready& one : all) {
      reporter.begins(one.candidate);
      const bool is_hopeless = one.first_us > kHopeless * best;
      if (is_hopeless && round == 0) reporter.time(one.candidate, one.first_us);
      if (!is_hopeless)
        reporter.time(one.candidate, timed_us(one.ready, timekeeping.block_seconds, timekeeping.clock));
    }
  }
  reporter.done();
}

/// The parent's side: a child process and the pipe that it reports through.
class Child {
 public:
  template <class Work>
  explicit Child(const Work& work) {
    int ends[2];
    if (::pipe(ends) != 0) complain();
    const pid_t parent = ::getpid();
    pid_ = ::fork();
    if (pid_ < 0) {
      ::close(ends[0]);
      ::close(ends[1]);
      complain();
    }
    if (pid_ == 0) {
      ::close(ends[0]);
      ::prctl(PR_SET_PDEATHSIG, SIGKILL);
      if (::getppid() == parent) work(Reporter(ends[1]));
      ::_exit(0);
    }
    ::close(ends[1]);
    fd_ = ends[0];
  }
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;
  ~Child() {
    ::close(fd_);
    if (pid_ > 0) ended(true);
  }

  /// The next report; nothing when the child died or told nothing for so long. Then `death` says which.
  std::optional<Report> next(double seconds) {
    pollfd wait{fd_, POLLIN, 0};
    int ready = 0;
    do {
      ready = ::poll(&wait, 1, static_cast<int>(seconds * 1000));
    } while (ready < 0 && errno == EINTR);
    Report report;
    if (ready > 0 && ::read(fd_, &report, sizeof report) == sizeof report) return report;
    death_ = ready == 0 ? fmt::format("gave no answer within {} s", seconds) : "";
    const int status = ended(ready == 0);
    if (death_.empty() && WIFSIGNALED(status))
      death_ = fmt::format("crashed with signal {} ({})", WTERMSIG(status), ::strsignal(WTERMSIG(status)));
    if (death_.empty()) death_ = fmt::format("ended the process with code {}", WEXITSTATUS(status));
    return std::nullopt;
  }
  [[nodiscard]] const std::string& death() const noexcept { return death_; }

 private:
  [[noreturn]] static void complain() {
    fail(ErrorCode::io, "no process for a trial: {}", std::strerror(errno));
  }
  /// The status of the child's end, which is brought about if `by_force`.
  int ended(bool by_force) {
    if (by_force) ::kill(pid_, SIGKILL);
    int status = 0;
    while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
    }
    pid_ = -1;
    return status;
  }

  pid_t pid_ = -1;
  int fd_ = -1;
  std::string death_;
};

}  // namespace

std::vector<Measured> measure_isolated(std::span<const std::string> candidates,
                                       const PrepareCandidate& prepare, const Timekeeping& timekeeping) {
  std::vector<Measured> all(candidates.size());
  std::vector<std::size_t> left(candidates.size());
  for (std::size_t c = 0; c < left.size(); ++c) left[c] = c;
  while (!left.empty()) {
    for (std::size_t c : left) all[c].us.clear();
    Child child(
        [&](const Reporter& reporter) { measure_here(candidates, left, prepare, timekeeping, reporter); });
    std::size_t current = left.front();
    bool is_done = false;
    while (const std::optional<Report> report = child.next(timekeeping.patience_seconds)) {
      is_done = report->kind == Report::Kind::done;
      if (is_done) break;
      current = static_cast<std::size_t>(report->candidate);
      if (report->kind == Report::Kind::time) all[current].us.push_back(report->us);
      if (report->kind == Report::Kind::failed) {
        all[current].error = report->text;
        std::erase(left, current);
      }
    }
    if (is_done) break;
    all[current].error = child.death();
    all[current].us.clear();
    std::erase(left, current);
  }
  return all;
}

}  // namespace octavo
