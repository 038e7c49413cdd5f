// ONNX's own backend node tests (Debian's libonnx-testdata): one model per operator and variant, with inputs
// and outputs.
#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <iostream>
#include <iterator>

#include "compiler/compile_graph.h"
#include "compiler/import/onnx/convert.h"
#include "compiler/import/onnx/evaluate.h"
#include "compiler/import/onnx/import.h"
#include "compiler/import/onnx/model_file.h"
#include "compiler/import/onnx/tensor_proto.h"
#include "octavo/error.h"
#include "octavo/session.h"

namespace octavo {
namespace {

namespace fs = std::filesystem;

const fs::path kFolder = "/usr/share/libonnx-testdata/data/node";

std::string read_bytes(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

onnx::TensorProto read_proto(const fs::path& path) {
  onnx::TensorProto proto;
  if (!proto.ParseFromString(read_bytes(path)))
    throw Error(ErrorCode::unsupported, "test data that are no tensor");
  return proto;
}

/// inputs or outputs of a test case in order.
std::vector<onnx::TensorProto> read_all(const fs::path& folder, const std::string& stem) {
  std::vector<onnx::TensorProto> all;
  for (int i = 0; fs::exists(folder / (stem + std::to_string(i) + ".pb")); ++i) {
    all.push_back(read_proto(folder / (stem + std::to_string(i) + ".pb")));
  }
  return all;
}

Tensor tensor_of(const onnx::TensorProto& proto) {
  onnx_import::ExternalFiles none{fs::path()};
  return onnx_import::read_tensor(proto, none);
}

/// The operators of a model that the importer has no way to convert.
std::vector<std::string> unknown_operators(const onnx::ModelProto& model) {
  std::vector<std::string> unknown;
  for (const auto& node : model.graph().node()) {
    const bool is_known = onnx_import::find_converter(node.domain(), node.op_type()) != nullptr ||
                          (node.domain().empty() && onnx_import::is_evaluated(node.op_type()));
    if (!is_known) unknown.push_back(node.op_type());
  }
  return unknown;
}

/// Makes the model ready to run. Where an input must be known when compiling (axes, shapes, scales), all
/// inputs behind the first become initializers, as they are in real models; `given` says how many inputs
/// remain.
Session compile_case(onnx::ModelProto model, const std::vector<onnx::TensorProto>& inputs,
                     std::size_t& given) {
  for (const std::size_t kept : {inputs.size(), std::min<std::size_t>(1, inputs.size()), std::size_t{0}}) {
    onnx::ModelProto attempt = model;
    for (std::size_t i = kept; i < inputs.size(); ++i) {
      const auto& port = model.graph().input(static_cast<int>(i));
      auto* initializer = attempt.mutable_graph()->add_initializer();
      *initializer = inputs[i];
      initializer->set_name(port.name());
      // The recorded bf16 tensors call themselves u16.
      initializer->set_data_type(port.type().tensor_type().elem_type());
    }
    given = kept;
    const std::string bytes = attempt.SerializeAsString();
    try {
      return Session(compile_graph(import_onnx(std::as_bytes(std::span(bytes)), {}, {}), {}, {}));
    } catch (const Error& e) {
      if (e.code() != ErrorCode::unsupported || kept == 0) throw;
    }
  }
  throw Error(ErrorCode::internal, "unreachable");
}

bool is_close(float a, float b) {
  if (std::isnan(a) || std::isnan(b)) return std::isnan(a) && std::isnan(b);
  return a == b || std::abs(a - b) <= 1e-6F + 1e-4F * std::abs(b);
}

/// Empty when equal (integers) or close (f32), else what differs.
std::string difference(const TensorView& got, const Tensor& want) {
  if (got.dtype != want.dtype()) {
    return std::string(dtype_name(got.dtype)) + " instead of " + std::string(dtype_name(want.dtype()));
  }
  if (got.shape != want.shape()) return shape_text(got.shape) + " instead of " + shape_text(want.shape());
  if (got.dtype != DType::f32) {
    const bool equal = std::equal(got.data, got.data + got.bytes(), want.data());
    return equal ? "" : "integers differ";
  }
  const auto a = got.as<float>();
  const auto b = want.as<float>();
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (!is_close(a[i], b[i])) {
      return "element " + std::to_string(i) + " is " + std::to_string(a[i]) + " instead of " +
             std::to_string(b[i]);
    }
  }
  return "";
}

std::string run_case(const fs::path& folder, const onnx::ModelProto& model) {
  const fs::path data = folder / "test_data_set_0";
  for (const auto& input : model.graph().input()) {
    if (!input.type().has_tensor_type()) throw Error(ErrorCode::unsupported, "an input that is no tensor");
  }
  const auto inputs = read_all(data, "input_");
  const auto outputs = read_all(data, "output_");
  std::size_t given = 0;
  Session session = compile_case(model, inputs, given);
  std::vector<Tensor> tensors;
  for (std::size_t i = 0; i < given; ++i) tensors.push_back(tensor_of(inputs[i]));
  const auto ports = session.package().inputs();
  for (std::size_t i = 0; i < given; ++i) session.set_input(ports.at(i).name, tensors[i].view());
  session.run();
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    const std::string text = difference(session.output(i), tensor_of(outputs[i]));
    if (!text.empty()) return "output " + std::to_string(i) + ": " + text;
  }
  return "";
}

struct Tally {
  int passed = 0;
  std::map<std::string, int> unsupported_operators;
  std::map<std::string, std::string> unsupported_forms;  ///< of operators that are supported: case -> reason
  std::map<std::string, std::string> failed;
};

void try_case(const fs::path& folder, Tally& tally) {
  const std::string name = folder.filename().string();
  const std::string bytes = read_bytes(folder / "model.onnx");
  const onnx::ModelProto model = onnx_import::parse_model(std::as_bytes(std::span(bytes)));
  const auto unknown = unknown_operators(model);
  for (const std::string& op : std::set<std::string>(unknown.begin(), unknown.end()))
    ++tally.unsupported_operators[op];
  if (!unknown.empty()) return;
  try {
    const std::string text = run_case(folder, model);
    if (text.empty()) ++tally.passed;
    if (!text.empty()) tally.failed[name] = text;
  } catch (const Error& e) {
    (e.code() == ErrorCode::unsupported ? tally.unsupported_forms : tally.failed)[name] = e.what();
  }
}

TEST(OnnxNodeTests, EveryOneWhoseOperatorsAreSupportedGivesTheRecordedOutputs) {
  if (!fs::exists(kFolder)) GTEST_SKIP() << "TEST DATA MISSING: install libonnx-testdata (" << kFolder << ")";
  Tally tally;
  std::set<fs::path> folders;
  for (const auto& entry : fs::directory_iterator(kFolder)) folders.insert(entry.path());
  for (const fs::path& folder : folders) try_case(folder, tally);
  const auto tried = static_cast<std::size_t>(tally.passed) + tally.failed.size();
  std::cout << tally.passed << " of " << tried << " node tests tried passed (" << folders.size()
            << " in all)\n";
  for (const auto& [op, count] : tally.unsupported_operators)
    std::cout << "  no operator " << op << ": " << count << "\n";
  for (const auto& [name, reason] : tally.unsupported_forms)
    std::cout << "  not supported: " << name << ": " << reason << "\n";
  for (const auto& [name, text] : tally.failed) ADD_FAILURE() << name << ": " << text;
  EXPECT_GE(tally.passed, 350) << "cases that once passed are no longer tried";
}

}  // namespace
}  // namespace octavo
