#pragma once
#include <optional>
#include <string>
#include <vector>

#include "package/dlrm_model.h"

namespace octavo::dlrm_import {

/// Outputs and inputs of a layer, rows and dim of a table, under the name that its model file has for it.
struct NamedShape {
  std::string name;
  std::int64_t outputs = 0;
  std::int64_t inputs = 0;
};

/// The architecture that layers and tables of these shapes make up. The interaction is `known`, or the one
/// whose width the first top layer takes (of equal widths the first of dot, dot_with_self, cat).
/// Error(invalid_model) naming what is missing or does not chain.
DlrmModel infer_architecture(const std::vector<NamedShape>& bottom, const std::vector<NamedShape>& tables,
                             const std::vector<NamedShape>& top, std::optional<Interaction> known = {});

}  // namespace octavo::dlrm_import
