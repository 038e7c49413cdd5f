#include "compiler/prepare/load_dlrm.h"

#include <cstring>

#include "base/assert.h"
#include "compiler/prepare/table_writer.h"
#include "engine/session/dlrm/pipeline.h"

namespace octavo {

Dlrm load_dlrm(DlrmSource source, const std::vector<RowFormat>& formats) {
  OCTAVO_ASSERT(formats.size() == source.model.tables.size());
  DlrmModel& model = source.model;
  std::vector<RowCoding> codings;
  for (std::size_t t = 0; t < formats.size(); ++t) {
    model.tables[t].format = formats[t];
    codings.push_back(fit_coding(*source.tables[t], model.tables[t], model.dim));
    model.tables[t].scale = codings[t].scale;
    model.tables[t].codebook = codings[t].codebook;
  }
  Tables tables = Tables::zeros(model);
  for (std::size_t t = 0; t < formats.size(); ++t) {
    std::byte* to = tables.rows(t);
    for_each_coded_piece(*source.tables[t], model.tables[t].rows, codings[t],
                         [&](std::span<const std::byte> rows) {
                           std::memcpy(to, rows.data(), rows.size());
                           to += rows.size();
                         });
  }
  return Dlrm(std::make_shared<const DlrmData>(
      DlrmData{std::move(model), std::move(source.bottom), std::move(source.top), std::move(tables)}));
}

}  // namespace octavo
