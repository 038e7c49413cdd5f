#include "engine/kernels/conv2d/table.h"
#include "engine/kernels/linear/table.h"
#include "engine/kernels/matmul/table.h"

// A model library depends on nothing but the C library, so it has no oneDNN: these rows stand in the places
// of src/engine/kernels/onednn, whose objects the linker then leaves out.
namespace octavo {
namespace {

template <class Problem>
KernelRow<Problem> absent_row(std::string_view name) {
  return {name, Isa::generic, [](const Problem&) noexcept { return Support::no("is not in this library"); },
          nullptr};
}

}  // namespace

KernelRow<Conv2dProblem> conv2d::onednn_row() { return absent_row<Conv2dProblem>("onednn"); }
KernelRow<Conv2dProblem> conv2d::onednn_bf16_row() { return absent_row<Conv2dProblem>("onednn_bf16"); }
KernelRow<LinearProblem> linear::onednn_row() { return absent_row<LinearProblem>("onednn"); }
KernelRow<LinearProblem> linear::onednn_bf16_row() { return absent_row<LinearProblem>("onednn_bf16"); }
KernelRow<MatmulProblem> matmul::onednn_row() { return absent_row<MatmulProblem>("onednn"); }

}  // namespace octavo
