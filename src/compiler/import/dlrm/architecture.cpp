#include "compiler/import/dlrm/architecture.h"

#include "base/fail.h"

namespace octavo::dlrm_import {
namespace {

std::vector<std::int64_t> widths_of(const std::vector<NamedShape>& layers) {
  std::vector<std::int64_t> widths;
  for (std::size_t i = 0; i < layers.size(); ++i) {
    const NamedShape& layer = layers[i];
    if (i > 0 && layer.inputs != layers[i - 1].outputs) {
      fail(ErrorCode::invalid_model, "'{}' takes {} inputs, but '{}' gives {}", layer.name, layer.inputs,
           layers[i - 1].name, layers[i - 1].outputs);
    }
    widths.push_back(layer.outputs);
  }
  return widths;
}

void check_tables(const std::vector<NamedShape>& tables, const NamedShape& last_bottom) {
  for (const NamedShape& table : tables) {
    if (table.inputs != last_bottom.outputs) {
      fail(ErrorCode::invalid_model, "rows of '{}' have {} elements, but '{}' gives {}", table.name,
           table.inputs, last_bottom.name, last_bottom.outputs);
    }
  }
}

/// Sets the interaction that gives what the first top layer takes.
void find_interaction(DlrmModel& model, const NamedShape& first_top, std::optional<Interaction> known) {
  std::string widths;
  for (const Interaction candidate : {Interaction::dot, Interaction::dot_with_self, Interaction::cat}) {
    if (known && *known != candidate) continue;
    model.interaction = candidate;
    const std::int64_t width = interaction_width(model);
    if (width == first_top.inputs) return;
    widths += fmt::format("{}{} gives {}", widths.empty() ? "" : ", ", interaction_name(candidate), width);
  }
  fail(ErrorCode::invalid_model, "'{}' takes {} inputs, which no interaction of {} tables x {} gives ({})",
       first_top.name, first_top.inputs, model.tables.size(), model.dim, widths);
}

}  // namespace

DlrmModel infer_architecture(const std::vector<NamedShape>& bottom, const std::vector<NamedShape>& tables,
                             const std::vector<NamedShape>& top, std::optional<Interaction> known) {
  if (bottom.empty()) fail(ErrorCode::invalid_model, "no DLRM: it has no bottom layers");
  if (tables.empty()) fail(ErrorCode::invalid_model, "no DLRM: it has no embedding tables");
  if (top.empty()) fail(ErrorCode::invalid_model, "no DLRM: it has no top layers");
  DlrmModel model;
  model.dense_features = bottom.front().inputs;
  model.bottom = widths_of(bottom);
  model.top = widths_of(top);
  check_tables(tables, bottom.back());
  model.dim = bottom.back().outputs;
  for (const NamedShape& table : tables) model.tables.push_back({.rows = table.outputs});
  find_interaction(model, top.front(), known);
  check(model);
  return model;
}

}  // namespace octavo::dlrm_import
