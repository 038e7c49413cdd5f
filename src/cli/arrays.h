#pragma once
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "octavo/session.h"

namespace octavo::cli {

bool has_extension(const std::string& path, std::string_view extension);

/// The arrays to feed, by input name: from NAME=file.npy arguments, plain .npy files (in the order of the
/// inputs) and the members of .npz files. Error(invalid_argument) for more arrays than inputs.
std::map<std::string, Tensor> read_arrays(const std::vector<std::string>& files,
                                          const std::vector<PortInfo>& inputs);

}  // namespace octavo::cli
