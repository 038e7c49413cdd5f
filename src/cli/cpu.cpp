#include "base/cpu.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <nlohmann/json.hpp>

#include "cli/model_options.h"
#include "cli/verbs.h"

namespace octavo::cli {
namespace {

void print_json(const CpuFacts& cpu) {
  nlohmann::ordered_json json{{"cpu", cpu.brand}, {"isa", isa_name(usable_isa())}};
  for (const IsaFact& fact : cpu.isas) {
    json["isas"].push_back({{"name", isa_name(fact.isa)}, {"available", fact.available}, {"how", fact.how}});
  }
  for (const FeatureFact& fact : cpu.features) {
    json["features"].push_back(
        {{"name", feature_name(fact.feature)}, {"available", fact.available}, {"how", fact.how}});
  }
  const SystemFacts& system = cpu.system;
  json["tile_leaf_is_zero"] = cpu.tile_leaf_is_zero;
  json["l1d_bytes"] = system.l1d_bytes;
  json["l2_bytes"] = system.l2_bytes;
  json["l3_bytes"] = system.l3_bytes;
  json["cpus"] = system.cpus;
  json["physical_cores"] = system.physical_cores;
  if (system.quota_cpus) json["quota_cpus"] = *system.quota_cpus;
  for (const NumaNode& node : system.nodes) json["nodes"].push_back({{"id", node.id}, {"cpus", node.cpus}});
  json["huge_pages"] = system.huge_pages;
  fmt::print("{}\n", json.dump(1));
}

void print_table(const CpuFacts& cpu) {
  const SystemFacts& system = cpu.system;
  fmt::print("cpu         {}\nin use      {}\n", cpu.brand, isa_name(usable_isa()));
  for (const IsaFact& fact : cpu.isas) {
    fmt::print("  {:12} {:4} {}\n", isa_name(fact.isa), fact.available ? "yes" : "no", fact.how);
  }
  for (const FeatureFact& fact : cpu.features) {
    fmt::print("  {:12} {:4} {}\n", feature_name(fact.feature), fact.available ? "yes" : "no", fact.how);
  }
  fmt::print("tile leaf   {}\n", cpu.tile_leaf_is_zero ? "CPUID 0x1D reads zero" : "CPUID 0x1D is filled in");
  fmt::print("caches      L1d {}, L2 {}, L3 {}\n", bytes_text(system.l1d_bytes), bytes_text(system.l2_bytes),
             bytes_text(system.l3_bytes));
  fmt::print("cpus        {} ({} physical cores)\n", fmt::join(system.cpus, ","), system.physical_cores);
  fmt::print("quota       {}\n", system.quota_cpus
                                     ? fmt::format("{} CPUs, from {}", *system.quota_cpus, system.quota_from)
                                     : std::string("none"));
  for (const NumaNode& node : system.nodes)
    fmt::print("node {}      cpus {}\n", node.id, fmt::join(node.cpus, ","));
  fmt::print("huge pages  {}\n", system.huge_pages.empty() ? "unknown" : system.huge_pages);
}

}  // namespace

void add_cpu(CLI::App& app) {
  CLI::App* verb = app.add_subcommand("cpu", "show what this CPU can do and how that was found out");
  const auto json = std::make_shared<bool>(false);
  verb->add_flag("--json", *json, "for scripts");
  verb->footer(
      "OCTAVO_ISA=NAME forces an instruction set: generic, avx2, avx_vnni, avx512, avx512_vnni, amx_int8.");
  verb->callback([json] { *json ? print_json(cpu_facts()) : print_table(cpu_facts()); });
}

}  // namespace octavo::cli
