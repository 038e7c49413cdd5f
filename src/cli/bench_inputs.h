#pragma once
#include <string>
#include <vector>

#include "bench/samples.h"

namespace octavo::cli {

/// Where the samples of a measurement come from.
struct InputOptions {
  std::vector<std::string> files;  ///< pictures, folders and tars of them, or arrays; none = made up
  std::string recipe = "torchvision-imagenet";
  std::uint64_t seed = 1;
};

/// Samples for `package`, at least `least` of them: few files are used again and again.
/// Error(invalid_argument) for arrays that do not fit the model's inputs, or pictures where it takes none.
bench::Samples read_samples(const InputOptions& options, const Package& package, std::int64_t least);

}  // namespace octavo::cli
