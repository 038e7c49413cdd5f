#include "base/fail.h"
#include "engine/kernels/byte_table.h"
#include "engine/kernels/convert/rows.h"
#include "engine/kernels/element_types.h"

namespace octavo {
namespace {

std::unique_ptr<Prepared> prepared_with(const ConvertProblem& p, const Operands& operands, TableU8Run run) {
  const std::vector<Affine> from = affines_of(p, operands.inputs.at(0)), to = affines_of(p, operands.output);
  if (from.size() != 1 || to.size() != 1) fail(ErrorCode::unsupported, "a quantization per channel");
  std::uint8_t table[256];
  fill_table(table, p.x, from.front(), to.front(), p.arithmetic == Arithmetic::ort,
             [](float real) { return real; });
  return std::make_unique<ByteTable>(p.n * p.c * p.s, run, table);
}

}  // namespace

Support convert_table_supports(const ConvertProblem& p) noexcept {
  if (p.kind != ConvertKind::requantize) return Support::no("kinds other than requantize");
  if (!is_stored_integer(p.x) || !is_stored_integer(p.y)) return Support::no("dtypes other than u8, s8");
  const bool moves = p.channels_last != 0 || p.channels_first != 0;
  return moves ? Support::no("requantizing to another layout") : Support::yes();
}

std::unique_ptr<Prepared> prepare_convert_table(const ConvertProblem& problem, const Operands& operands) {
  return prepared_with(problem, operands, table_u8);
}
std::unique_ptr<Prepared> prepare_convert_table_avx512_vnni(const ConvertProblem& problem,
                                                            const Operands& operands) {
  return prepared_with(problem, operands, table_u8_avx512_vnni);
}

}  // namespace octavo
