#pragma once
#include <memory>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "base/mapped_file.h"
#include "octavo/session.h"
#include "package/plan.h"
#include "package/tar.h"

namespace octavo {

/// Where a model came from, for the manifest.
struct Provenance {
  std::string source;         ///< the model file's name, without its folder
  std::string source_sha256;  ///< of its bytes
  std::string compiler;       ///< "octavo 0.1.0"
};

/// A Package's insides: the plan, and one view of memory per Plan::weights entry.
struct PackageData {
  Plan plan;
  std::string manifest;
  std::vector<TensorView> weights;
  std::variant<std::vector<Tensor>, MappedFile> memory;  ///< what the views look at
  std::shared_ptr<const PackageData> weights_of;         ///< or whose memory that is
};

/// Lets go of the memory that weights take which lie in a mapped file, until they are touched again.
void release_weights(const PackageData& package) noexcept;

/// A package in memory. `weights` has one tensor per Plan::weights entry, of its dtype and shape.
Package make_package(Plan plan, std::vector<Tensor> weights, const Provenance& provenance);

/// A package from the bytes of its file, which must outlive it; for tests and embedded models.
Package read_package(std::span<const std::byte> file);

/// A package from the bytes of its file, which it keeps.
Package read_package(Tensor file);
/// A package whose plan is that of `file` and whose weights are members of `weights`, of which the package
/// keeps hold. `file` may lack them. Errors as Package::open: the checksums of `file` decide.
Package read_package(std::span<const std::byte> file, MappedFile weights);

/// The package with another plan for the same weights, which are shared.
Package with_plan(const Package& package, Plan plan);

/// The texts of a package's file.
struct PackageTexts {
  std::string plan;      ///< plan_json's, which may write an earlier version's plan in another way
  std::string manifest;  ///< the package's, with the checksum of `plan`
};
PackageTexts package_texts(const PackageData& package);
/// The members of a package's file: manifest.json, plan.json, and one for each constant. They view `package`
/// and `texts`.
std::vector<TarMember> package_members(const PackageData& package, const PackageTexts& texts);

}  // namespace octavo
