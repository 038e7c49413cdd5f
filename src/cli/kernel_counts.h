#pragma once
#include <map>
#include <string>
#include <vector>

#include "octavo/session.h"

namespace octavo::cli {

/// How many steps each kernel row solves, by "family:row".
std::map<std::string, int> kernel_counts(const std::vector<StepInfo>& steps);

}  // namespace octavo::cli
