#pragma once
#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/cpu_feature.h"
#include "base/isa.h"

namespace octavo {

/// One instruction set and how it was found to be there or not, in words.
struct IsaFact {
  Isa isa = Isa::generic;
  bool available = false;
  std::string how;  ///< "cpu and system have it", "cpu lacks avx512_vnni", ...
};

/// The same of instructions beside them.
struct FeatureFact {
  CpuFeature feature = CpuFeature::none;
  bool available = false;
  std::string how;
};

/// A NUMA node and its CPUs.
struct NumaNode {
  int id = 0;
  std::vector<int> cpus;
};

/// What the operating system tells about the machine and this process's part of it. Unknown sizes are 0.
struct SystemFacts {
  std::int64_t l1d_bytes = 0, l2_bytes = 0, l3_bytes = 0;  ///< as the first allowed CPU sees them
  std::vector<int> cpus;   ///< that this process may use (affinity): a CPU of each physical core first, then
                           ///< their hyperthreads
  int physical_cores = 0;  ///< among `cpus`
  std::optional<double> quota_cpus;  ///< the tightest cgroup v2 cpu.max on the way up, in CPUs
  std::string quota_from;            ///< the file that said so
  std::vector<NumaNode> nodes;       ///< with their allowed CPUs only; empty ones are left out
  std::string huge_pages;            ///< transparent huge pages: "always", "madvise", "never", or "" unknown
};

/// All of it, as `octavo cpu` prints it.
struct CpuFacts {
  std::string brand;
  std::vector<IsaFact> isas;          ///< in the order of kAllIsas
  std::vector<FeatureFact> features;  ///< in the order of kAllCpuFeatures
  /// CPUID leaf 0x1D reads zero although tiles may work: some virtual machines. oneDNN up to 2.6 must then be
  /// kept from AMX (it programs palette 0 and dies), our own code uses palette 1 regardless.
  bool tile_leaf_is_zero = true;
  bool is_intel = false;  ///< by CPUID's vendor
  SystemFacts system;

  [[nodiscard]] bool has(Isa isa) const noexcept;
  /// True for CpuFeature::none.
  [[nodiscard]] bool has(CpuFeature feature) const noexcept;
};

/// The facts of this machine, found out on the first call (which asks the kernel for permission to use AMX
/// tiles and tries one tile product under a SIGILL handler) and kept.
const CpuFacts& cpu_facts();

/// The instruction set to use: the best one available, or the one that `forced` names.
/// Error(invalid_argument) that names the value and what is available when `forced` is unknown or not
/// available.
Isa choose_isa(const CpuFacts& facts, std::optional<std::string_view> forced);
/// choose_isa on this machine with the environment's OCTAVO_ISA (empty counts as unset).
Isa usable_isa();

/// How many threads this process should have at most: its CPUs, cut to the quota rounded up; at least 1.
int usable_threads(const SystemFacts& system) noexcept;

/// Facts from the /proc and /sys below `root` for a process that may run on `allowed`. Missing or damaged
/// files leave a fact unknown.
SystemFacts read_system_facts(const std::filesystem::path& root, std::span<const int> allowed);
/// "0-3,8" as numbers, empty where the text is damaged.
std::vector<int> parse_cpu_list(std::string_view text);
/// CPUs that cgroup v2's cpu.max allows ("150000 100000" is 1.5); nothing for "max" or damaged text.
std::optional<double> parse_cpu_max(std::string_view text);

}  // namespace octavo
