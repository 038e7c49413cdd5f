#include "engine/kernels/byte_table.h"
#include "engine/kernels/eltwise/rows.h"
#include "engine/kernels/eltwise/unary_math.h"
#include "engine/kernels/operand_quantization.h"

namespace octavo {
namespace {

std::unique_ptr<Prepared> prepared_with(const UnaryProblem& problem, const Operands& operands,
                                        TableU8Run run) {
  std::uint8_t table[256];
  fill_unary_table(problem, operands, table);
  return std::make_unique<ByteTable>(problem.count, run, table);
}

}  // namespace

Support unary_table_supports(const UnaryProblem& problem) noexcept {
  const bool eight_bits = is_stored_integer(problem.x) && is_stored_integer(problem.y);
  return eight_bits ? Support::yes() : Support::no("dtypes other than u8, s8");
}

std::unique_ptr<Prepared> prepare_unary_table(const UnaryProblem& problem, const Operands& operands) {
  return prepared_with(problem, operands, table_u8);
}
std::unique_ptr<Prepared> prepare_unary_table_avx512_vnni(const UnaryProblem& problem,
                                                          const Operands& operands) {
  return prepared_with(problem, operands, table_u8_avx512_vnni);
}

}  // namespace octavo
