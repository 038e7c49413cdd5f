#pragma once
#include <string>
#include <vector>

#include "bench/sweep.h"
#include "cli/bench_inputs.h"
#include "cli/model_options.h"

namespace octavo::cli {

/// What `octavo bench MODEL --against PEER` asks for.
struct AgainstOptions {
  std::string peer;     ///< onnxruntime, openvino or onednn
  std::string library;  ///< the peer's shared library; empty = found
  int rounds = 5;
};

/// Measures the model and the peer in turns for every number of threads and batch size of `sweep`, and prints
/// and writes the ratios. Error(invalid_argument) where the model is no ONNX file but the peer reads only
/// those.
void bench_against(const AgainstOptions& options, const ModelOptions& model, const InputOptions& inputs,
                   const bench::Sweep& sweep, const SessionOptions& session, const std::string& json);

}  // namespace octavo::cli
