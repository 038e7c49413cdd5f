#pragma once
#include <string>

#include "cli/dlrm_model.h"

namespace octavo::cli {

// What `run`, `verify` and `inspect` do when MODEL is a DLRM.

/// Scores options.data; writes the scores to `output` (.npy or .npz) unless it is empty.
void run_dlrm(const std::string& model, const RunOptions& run, const DlrmOptions& options,
              const std::string& output);

/// What must hold for `verify` to succeed.
struct DlrmExpectation {
  double tolerance = 1e-5;  ///< largest difference to reference outputs, where the data has them
  double min_auc = 0.0;
  std::string
      reference;  ///< a DLRM that is scored in f32 for the reference outputs; empty: those of the data
};

/// Compares scores with the data's reference outputs, and with its labels by ROC AUC and log loss. Throws
/// ExitCode when the expectation does not hold, Error(invalid_argument) when the data has neither.
void verify_dlrm(const std::string& model, const RunOptions& run, const DlrmOptions& options,
                 const DlrmExpectation& expectation);

/// Reads every table of a package and compares checksums; a line for each that is damaged, and ExitCode then.
void verify_checksums(const std::string& package);

/// Architecture, and bytes and row format of each table.
void inspect_dlrm(const std::string& model, bool as_json);

}  // namespace octavo::cli
