#include "base/cpu.h"

#include <cpuid.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdlib>
#include <cstring>

#include "base/fail.h"
#include "base/tile_trial.h"

namespace octavo {
namespace {

struct Registers {
  std::uint32_t eax = 0, ebx = 0, ecx = 0, edx = 0;
};

Registers cpuid(std::uint32_t leaf, std::uint32_t subleaf = 0) {
  Registers r;
  // Answers zero for leaves that the CPU does not have.
  __get_cpuid_count(leaf, subleaf, &r.eax, &r.ebx, &r.ecx, &r.edx);
  return r;
}

bool bit(std::uint32_t value, int index) { return ((value >> index) & 1U) != 0; }

/// Which register states the operating system saves: XCR0, 0 when it does not use XSAVE.
std::uint64_t saved_states() {
  if (!bit(cpuid(1).ecx, 27)) return 0;
  std::uint32_t low = 0;
  std::uint32_t high = 0;
  asm volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  return std::uint64_t{high} << 32 | low;
}

std::string brand_text() {
  std::array<char, 49> text{};
  if (static_cast<std::uint32_t>(__get_cpuid_max(0x80000000U, nullptr)) < 0x80000004U) return "unknown";
  for (std::uint32_t i = 0; i < 3; ++i) {
    const Registers r = cpuid(0x80000002U + i);
    std::memcpy(text.data() + std::size_t{16} * i, &r, sizeof r);
  }
  const std::string brand(text.data());
  const std::size_t begin = brand.find_first_not_of(' ');
  return begin == std::string::npos ? "unknown"
                                    : brand.substr(begin, brand.find_last_not_of(' ') + 1 - begin);
}

bool is_from_intel() {
  const Registers r = cpuid(0);
  const std::uint32_t vendor[] = {r.ebx, r.edx, r.ecx};
  return std::memcmp(vendor, "GenuineIntel", sizeof vendor) == 0;
}

struct Requirement {
  bool there;
  std::string_view name;
};

/// `requirements` all met, or which one is not: of an Isa or a CpuFeature.
template <class Fact, class What>
Fact found(What what, std::initializer_list<Requirement> requirements) {
  for (const Requirement& requirement : requirements) {
    if (!requirement.there) return {what, false, std::string(requirement.name)};
  }
  return {what, true, "cpu and system have it"};
}

IsaFact fact_of(Isa isa, std::initializer_list<Requirement> requirements) {
  return found<IsaFact>(isa, requirements);
}

thread_local bool trying_tiles = false;
thread_local sigjmp_buf after_fault;
struct sigaction previous_action;

void on_illegal_instruction(int signal, siginfo_t*, void*) {
  if (trying_tiles) siglongjmp(after_fault, 1);
  // Another thread's fault: give the signal back to whom it belonged; the instruction faults again there.
  sigaction(signal, &previous_action, nullptr);
}

/// Whether a tile product runs without a fault and gives the right sums.
bool tiles_work() {
  struct sigaction action = {};
  action.sa_sigaction = on_illegal_instruction;
  action.sa_flags = SA_SIGINFO;
  sigemptyset(&action.sa_mask);
  if (sigaction(SIGILL, &action, &previous_action) != 0) return false;
  alignas(64) std::array<std::uint8_t, 1024> a;
  alignas(64) std::array<std::int8_t, 1024> b;
  alignas(64) std::array<std::int32_t, 256> c{};
  a.fill(3);
  b.fill(-5);
  volatile bool finished = false;
  if (sigsetjmp(after_fault, 1) == 0) {
    trying_tiles = true;
    tile_trial_product(a.data(), b.data(), c.data());
    finished = true;
  }
  trying_tiles = false;
  sigaction(SIGILL, &previous_action, nullptr);
  return finished && std::all_of(c.begin(), c.end(), [](std::int32_t sum) { return sum == -15 * 64; });
}

IsaFact amx_fact(const Registers& leaf7, std::uint64_t states, bool has_avx512_vnni) {
  constexpr int kRequestPermission = 0x1023;  // ARCH_REQ_XCOMP_PERM
  constexpr int kTileData = 18;
  IsaFact fact =
      fact_of(Isa::amx_int8, {{bit(leaf7.edx, 24) && bit(leaf7.edx, 25), "cpu lacks amx_tile or amx_int8"},
                              {has_avx512_vnni, "needs avx512_vnni"},
                              {(states >> 17 & 3) == 3, "system does not save tile registers"}});
  if (!fact.available) return fact;
  if (syscall(SYS_arch_prctl, kRequestPermission, kTileData) != 0) {
    return {Isa::amx_int8, false, "system refuses permission to use tile registers"};
  }
  if (!tiles_work()) return {Isa::amx_int8, false, "a trial tile product failed"};
  return {Isa::amx_int8, true, "permission granted, a trial tile product was right"};
}

/// What the flags of cmake/octavo.cmake let the compiler use in each ISA's files.
std::vector<IsaFact> isa_facts() {
  const Registers leaf1 = cpuid(1);
  const Registers leaf7 = cpuid(7);
  const std::uint64_t states = saved_states();
  const bool saves_ymm = (states & 0x6) == 0x6;
  const bool saves_zmm = (states & 0xE6) == 0xE6;
  std::vector<IsaFact> facts{{Isa::generic, true, "the build's baseline, x86-64-v2"}};
  facts.push_back(fact_of(Isa::avx2, {{bit(leaf7.ebx, 5), "cpu lacks avx2"},
                                      {bit(leaf1.ecx, 12), "cpu lacks fma"},
                                      {bit(leaf1.ecx, 29), "cpu lacks f16c"},
                                      {saves_ymm, "system does not save ymm registers"}}));
  const bool avx2 = facts.back().available;
  facts.push_back(
      fact_of(Isa::avx_vnni, {{avx2, "needs avx2"}, {bit(cpuid(7, 1).eax, 4), "cpu lacks avx_vnni"}}));
  facts.push_back(fact_of(Isa::avx512, {{avx2, "needs avx2"},
                                        {bit(leaf7.ebx, 16), "cpu lacks avx512f"},
                                        {bit(leaf7.ebx, 17), "cpu lacks avx512dq"},
                                        {bit(leaf7.ebx, 30), "cpu lacks avx512bw"},
                                        {bit(leaf7.ebx, 31), "cpu lacks avx512vl"},
                                        {saves_zmm, "system does not save zmm registers"}}));
  const bool avx512 = facts.back().available;
  facts.push_back(fact_of(Isa::avx512_vnni, {{avx512, "needs avx512"},
                                             {bit(leaf7.ecx, 11), "cpu lacks avx512_vnni"},
                                             {bit(leaf7.ecx, 1), "cpu lacks avx512_vbmi"}}));
  facts.push_back(amx_fact(leaf7, states, facts.back().available));
  return facts;
}

std::vector<FeatureFact> feature_facts(std::span<const IsaFact> isas) {
  const auto has = [&](Isa isa) { return isas[static_cast<std::size_t>(isa)].available; };
  const auto avx512 = found<FeatureFact>(
      CpuFeature::avx512_bf16,
      {{has(Isa::avx512_vnni), "needs avx512_vnni"}, {bit(cpuid(7, 1).eax, 5), "cpu lacks avx512_bf16"}});
  const auto amx = found<FeatureFact>(CpuFeature::amx_bf16, {{has(Isa::amx_int8), "needs amx_int8"},
                                                             {avx512.available, "needs avx512_bf16"},
                                                             {bit(cpuid(7).edx, 22), "cpu lacks amx_bf16"}});
  return {avx512, amx};
}

/// The CPUs of the process's affinity mask, however many the machine has.
std::vector<int> allowed_cpus() {
  for (int most = 1024; most <= 1 << 20; most *= 4) {
    cpu_set_t* set = CPU_ALLOC(static_cast<std::size_t>(most));
    const std::size_t bytes = CPU_ALLOC_SIZE(static_cast<std::size_t>(most));
    std::vector<int> cpus;
    const bool read = sched_getaffinity(0, bytes, set) == 0;
    for (int cpu = 0; read && cpu < most; ++cpu) {
      if (CPU_ISSET_S(static_cast<std::size_t>(cpu), bytes, set)) cpus.push_back(cpu);
    }
    CPU_FREE(set);
    if (read) return cpus;
  }
  return {0};
}

std::string available_text(const CpuFacts& facts) {
  std::string text;
  for (const IsaFact& fact : facts.isas) {
    if (fact.available) text += (text.empty() ? "" : ", ") + std::string(isa_name(fact.isa));
  }
  return text;
}

}  // namespace

bool CpuFacts::has(Isa isa) const noexcept {
  return std::any_of(isas.begin(), isas.end(),
                     [isa](const IsaFact& fact) { return fact.isa == isa && fact.available; });
}

bool CpuFacts::has(CpuFeature feature) const noexcept {
  return feature == CpuFeature::none ||
         std::any_of(features.begin(), features.end(), [feature](const FeatureFact& fact) {
           return fact.feature == feature && fact.available;
         });
}

std::string_view feature_name(CpuFeature feature) noexcept {
  constexpr std::array<std::string_view, 3> kNames{"none", "avx512_bf16", "amx_bf16"};
  return kNames[static_cast<std::size_t>(feature)];
}

const CpuFacts& cpu_facts() {
  static const CpuFacts kFacts = [] {
    const Registers tiles = cpuid(0x1D, 1);
    const bool tile_leaf_is_zero = (tiles.eax | tiles.ebx | tiles.ecx) == 0;
    std::vector<IsaFact> isas = isa_facts();
    std::vector<FeatureFact> features = feature_facts(isas);
    return CpuFacts{brand_text(),      std::move(isas), std::move(features),
                    tile_leaf_is_zero, is_from_intel(), read_system_facts("/", allowed_cpus())};
  }();
  return kFacts;
}

Isa choose_isa(const CpuFacts& facts, std::optional<std::string_view> forced) {
  if (forced) {
    const auto isa = parse_isa(*forced);
    if (!isa) {
      fail(ErrorCode::invalid_argument, "OCTAVO_ISA='{}' names no instruction set; available here: {}",
           *forced, available_text(facts));
    }
    if (!facts.has(*isa)) {
      fail(ErrorCode::invalid_argument,
           "OCTAVO_ISA='{}' is not available on this machine; available here: {}", *forced,
           available_text(facts));
    }
    return *isa;
  }
  Isa best = Isa::generic;
  for (const IsaFact& fact : facts.isas) {
    if (fact.available) best = fact.isa;
  }
  return best;
}

Isa usable_isa() {
  const char* forced = std::getenv("OCTAVO_ISA");
  if (forced == nullptr || *forced == '\0') return choose_isa(cpu_facts(), std::nullopt);
  return choose_isa(cpu_facts(), forced);
}

int usable_threads(const SystemFacts& system) noexcept {
  int threads = std::max(1, static_cast<int>(system.cpus.size()));
  if (system.quota_cpus && *system.quota_cpus < threads) {
    threads = std::max(1, static_cast<int>(std::ceil(*system.quota_cpus)));
  }
  return threads;
}

}  // namespace octavo
