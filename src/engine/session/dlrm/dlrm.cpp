#include "engine/session/dlrm/pipeline.h"

namespace octavo {

Dlrm Dlrm::open(const std::filesystem::path& folder, TablePlace place, int threads) {
  DlrmPackage package = open_dlrm_package(folder);
  Tables tables = Tables::open(package, place, threads);
  return Dlrm(std::make_shared<const DlrmData>(DlrmData{std::move(package.model), std::move(package.bottom),
                                                        std::move(package.top), std::move(tables)}));
}

const std::string& Dlrm::name() const { return data_->model.name; }

std::int64_t Dlrm::dense_features() const { return data_->model.dense_features; }

std::vector<std::int64_t> Dlrm::rows() const {
  std::vector<std::int64_t> rows;
  for (const DlrmTable& table : data_->model.tables) rows.push_back(table.rows);
  return rows;
}

std::int64_t Dlrm::table_bytes() const { return all_table_bytes(data_->model); }

bool Dlrm::is_calibrated() const { return data_->model.calibration.has_value(); }

}  // namespace octavo
