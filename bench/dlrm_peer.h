#pragma once
#include <memory>
#include <string>
#include <string_view>

#include "bench/dlrm_instance.h"
#include "bench/peers/peer.h"
#include "engine/session/dlrm/pipeline.h"

namespace octavo {

/// ONNX Runtime, in f32, or OpenVINO, in what it takes by itself (bf16 where the CPU has it), on the same
/// model: its layers, its tables as f32 rows that Gather reads, one a table and pair, the dot interaction as
/// a product of matrices, all as PyTorch's exporter writes it. It goes through an ONNX file in the folder for
/// temporary files, which is removed again. `peer`: onnxruntime or openvino. Error(unsupported) for tables
/// that are not of f32 rows or do not fit into one file (2 GB), and for another interaction; the others are
/// those of bench::start_onnxruntime and bench::start_openvino.
std::unique_ptr<bench::PeerInstance> start_dlrm_peer(std::string_view peer, const DlrmData& data,
                                                     const bench::DlrmSamples& pairs,
                                                     const bench::Place& place, const std::string& library);

}  // namespace octavo
