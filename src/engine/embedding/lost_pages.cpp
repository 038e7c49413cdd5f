#include "engine/embedding/lost_pages.h"

#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>

#include <array>
#include <mutex>

#include "base/fail.h"

namespace octavo {
namespace {

/// What the signal handler reads: it may take no lock.
struct Watched {
  std::atomic<std::uintptr_t> begin{0};  ///< 0: free
  std::atomic<std::uintptr_t> end{0};
  std::atomic<std::uintptr_t> lost{0};
};

std::array<Watched, kMostWatches> watched;
std::mutex registering;
struct sigaction before {};
std::uintptr_t page_bytes = 4096;

void pass_on(int number, siginfo_t* info, void* machine_state) {
  if ((before.sa_flags & SA_SIGINFO) != 0 && before.sa_sigaction != nullptr)
    return before.sa_sigaction(number, info, machine_state);
  if (before.sa_handler != SIG_DFL && before.sa_handler != SIG_IGN && before.sa_handler != nullptr)
    return before.sa_handler(number);
  // The access is repeated on return and then meets the system's own answer.
  ::signal(SIGBUS, SIG_DFL);
}

void replace_lost_page(int number, siginfo_t* info, void* machine_state) {
  const auto address = reinterpret_cast<std::uintptr_t>(info->si_addr);
  for (Watched& range : watched) {
    const std::uintptr_t begin = range.begin.load(std::memory_order_acquire);
    if (begin == 0 || address < begin || address >= range.end.load(std::memory_order_relaxed)) continue;
    std::uintptr_t none = 0;
    range.lost.compare_exchange_strong(none, address);
    void* const page = reinterpret_cast<void*>(address / page_bytes * page_bytes);
    if (::mmap(page, page_bytes, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) != MAP_FAILED)
      return;
  }
  pass_on(number, info, machine_state);
}

void install_handler() {
  page_bytes = static_cast<std::uintptr_t>(::sysconf(_SC_PAGESIZE));
  struct sigaction action {};
  action.sa_sigaction = replace_lost_page;
  action.sa_flags = SA_SIGINFO;
  ::sigemptyset(&action.sa_mask);
  ::sigaction(SIGBUS, &action, &before);
}

}  // namespace

LostPageWatch::LostPageWatch(const std::byte* data, std::int64_t bytes) : slot_(0) {
  const std::scoped_lock lock(registering);
  static const bool kInstalled = (install_handler(), true);
  static_cast<void>(kInstalled);
  while (slot_ < watched.size() && watched[slot_].begin.load() != 0) ++slot_;
  if (slot_ == watched.size()) fail(ErrorCode::unsupported, "{} packages are mapped already", kMostWatches);
  const auto begin = reinterpret_cast<std::uintptr_t>(data);
  watched[slot_].lost.store(0);
  watched[slot_].end.store(begin + static_cast<std::uintptr_t>(bytes));
  watched[slot_].begin.store(begin, std::memory_order_release);
}

LostPageWatch::~LostPageWatch() { watched[slot_].begin.store(0, std::memory_order_release); }

const std::byte* LostPageWatch::lost() const noexcept {
  return reinterpret_cast<const std::byte*>(watched[slot_].lost.load());
}

}  // namespace octavo
